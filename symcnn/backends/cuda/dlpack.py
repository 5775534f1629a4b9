"""DLPack: a tensor of one library in the hands of another, without a copy. Written down here, so that none is needed.

A capsule holds a pointer to a structure of C, which says where the elements are and whom to tell when they are no longer
needed. https://dmlc.github.io/dlpack/latest
"""

from __future__ import annotations

import atexit
import ctypes
from dataclasses import dataclass
from typing import Any
from weakref import finalize

import numpy as np

CPU, CUDA, MANAGED = 1, 2, 13  # kinds of memory; the last is that which processor and GPU share
_KINDS = {0: "i", 1: "u", 2: "f", 6: "b"}
_CODES = {kind: code for code, kind in _KINDS.items()}
_NAME, _USED = b"dltensor", b"used_dltensor"


class _Tensor(ctypes.Structure):
    _fields_ = [
        ("data", ctypes.c_void_p),
        ("device", ctypes.c_int32),
        ("number", ctypes.c_int32),
        ("ndim", ctypes.c_int32),
        ("code", ctypes.c_uint8),
        ("bits", ctypes.c_uint8),
        ("lanes", ctypes.c_uint16),
        ("shape", ctypes.POINTER(ctypes.c_int64)),
        ("strides", ctypes.POINTER(ctypes.c_int64)),
        ("byte_offset", ctypes.c_uint64),
    ]


class _Managed(ctypes.Structure):
    """A tensor, and the function that is told when it is no longer needed."""


_Deleter = ctypes.CFUNCTYPE(None, ctypes.POINTER(_Managed))
_Managed._fields_ = [("tensor", _Tensor), ("context", ctypes.c_void_p), ("deleter", _Deleter)]

_python = ctypes.pythonapi
# A capsule that is being destroyed has no references left: as an object of Python it would be destroyed twice.
_Destructor = ctypes.PYFUNCTYPE(None, ctypes.c_void_p)
_new = ctypes.PYFUNCTYPE(ctypes.py_object, ctypes.c_void_p, ctypes.c_char_p, _Destructor)(("PyCapsule_New", _python))
_is_valid = ctypes.PYFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_char_p)(("PyCapsule_IsValid", _python))
_pointer = ctypes.PYFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p, ctypes.c_char_p)(("PyCapsule_GetPointer", _python))
_rename = ctypes.PYFUNCTYPE(ctypes.c_int, ctypes.py_object, ctypes.c_char_p)(("PyCapsule_SetName", _python))

_exported: dict[int, tuple] = {}  # address of a structure -> what must live until its deleter is called


@_Deleter
def _delete(managed, address=ctypes.addressof, pop=_exported.pop):
    pop(address(managed.contents), None)


@_Destructor
def _destroy(capsule, is_valid=_is_valid, pointer=_pointer, name=_NAME, pop=_exported.pop):
    # Whoever takes the tensor out of a capsule renames it, and calls the deleter himself.
    if is_valid(capsule, name):
        pop(pointer(capsule, name), None)


def _keep_for_ever(thing) -> None:
    _python.Py_IncRef(ctypes.py_object(thing))


# Others may call these when Python has put this module away already.
_keep_for_ever(_delete)
_keep_for_ever(_destroy)


@atexit.register
def _leave():
    """Who still has a tensor of ours when Python ends may need it until the process does, and has nobody to tell."""
    nobody = ctypes.cast(_python.Py_IsInitialized, _Deleter)  # can be called at any time, and does nothing
    for kept in _exported.values():
        kept[0].deleter = nobody
        _keep_for_ever(kept)


@dataclass(frozen=True, eq=False)
class Tensor:
    """Elements in some memory.

    Attributes
    ----------
    address : int
    shape, strides : tuple of int
        Strides in elements; ``None`` if they lie one after the other.
    dtype : numpy.dtype
    device : (int, int)
        Kind of memory, and which.
    owner : object
        Keeps the elements alive.
    """

    address: int
    shape: tuple[int, ...]
    strides: tuple[int, ...] | None
    dtype: np.dtype
    device: tuple[int, int]
    owner: Any


def exported(tensor: Tensor):
    """A capsule with a contiguous tensor, whose owner lives until the capsule, or who took it, is gone."""
    n = len(tensor.shape)
    shape, strides = (ctypes.c_int64 * n)(*tensor.shape), (ctypes.c_int64 * n)()
    step = 1
    for axis in reversed(range(n)):
        strides[axis], step = step, step * tensor.shape[axis]
    kind, number = tensor.device
    managed = _Managed(
        _Tensor(
            tensor.address, kind, number, n, _CODES[tensor.dtype.kind], 8 * tensor.dtype.itemsize, 1,
            ctypes.cast(shape, ctypes.POINTER(ctypes.c_int64)), ctypes.cast(strides, ctypes.POINTER(ctypes.c_int64)), 0,
        ),
        None,
        _delete,
    )  # fmt: skip
    address = ctypes.addressof(managed)
    _exported[address] = managed, shape, strides, tensor.owner
    return _new(address, _NAME, _destroy)


def imported(capsule) -> Tensor:
    """The tensor in a capsule, which then is empty.

    Raises
    ------
    BufferError
        For a dtype that NumPy does not have.
    """
    address = _pointer(id(capsule), _NAME)
    managed = _Managed.from_address(address)
    tensor = managed.tensor
    if tensor.code not in _KINDS or tensor.lanes != 1:
        raise BufferError(f"a dtype that NumPy does not have: DLPack's number {tensor.code} with {tensor.bits} bits")
    n = tensor.ndim
    found = Tensor(
        (tensor.data or 0) + tensor.byte_offset,
        tuple(tensor.shape[:n]),
        tuple(tensor.strides[:n]) if tensor.strides else None,
        np.dtype(f"{_KINDS[tensor.code]}{tensor.bits // 8}"),
        (tensor.device, tensor.number),
        owner := _Owner(),
    )
    _rename(capsule, _USED)
    if managed.deleter:
        finalize(owner, managed.deleter, ctypes.pointer(managed)).atexit = False
    return found


class _Owner:
    """Tells another library that its tensor is no longer needed, when collected."""
