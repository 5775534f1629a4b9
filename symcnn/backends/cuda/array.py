"""Arrays in the memory of a GPU, given to other libraries and taken from them without a copy.

Copying to the host is asked for: ``numpy(array)``, ``array.numpy()``, ``float(loss)``. While kernels run, an array may be
passed on; who reads it on the host waits. What is taken from another library must not be changed, or given back to its
allocator, on a stream of that library other than the default one before the work that was asked for here is done.
"""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

from symcnn.arrays import GPU_MEMORY
from symcnn.backends.cuda import dlpack
from symcnn.backends.cuda.device import Memory
from symcnn.errors import InputError
from symcnn.ir.types import DTYPES, as_dtype

if TYPE_CHECKING:
    from symcnn.backends.cuda.device import Device

KEPT = 2**16  # bytes of integers at most whose values the host remembers
_NO_SYNCHRONISATION, _DEFAULT_STREAM = -1, 1  # in the numbering of DLPack and of __cuda_array_interface__


class DeviceArray:
    """An array on a device, its elements one after the other.

    Parameters
    ----------
    shape : tuple of int
    dtype : numpy.dtype
    memory : Memory
    offset : int
        Bytes from the start of the memory.
    device : Device
    host : numpy.ndarray, optional
        The same values, if the host knows them without asking.

    Attributes
    ----------
    shape, dtype, memory, offset, device, host

    Examples
    --------
    >>> from symcnn.backends.cuda.simulator import Simulator
    >>> labels = to_device([3, 1, 2], Simulator())
    >>> labels
    <DeviceArray: (3,) int64 on simulator>
    >>> labels.numpy(), int(labels.host.max())
    (array([3, 1, 2]), 3)
    """

    def __init__(self, shape, dtype, memory: Memory, offset: int, device: Device, host: np.ndarray | None = None):
        self.shape, self.dtype = tuple(shape), np.dtype(dtype)
        self.memory, self.offset, self.device, self.host = memory, offset, device, host
        self._after: int | None = None  # stream of another library on which it is written

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def size(self) -> int:
        return prod(self.shape)

    @property
    def nbytes(self) -> int:
        return self.size * self.dtype.itemsize

    def __len__(self):
        if not self.shape:
            raise TypeError("an array of no dimensions has no length")
        return self.shape[0]

    def __repr__(self):
        where = f"cuda:{self.device.number}" if self._is_on_gpu else self.device.name
        return f"<DeviceArray: {self.shape} {self.dtype} on {where}>"

    def wait(self, device: Device) -> None:
        """Have `device` wait for the library that writes this array, before it is used there."""
        if self._after is not None:
            gpu: Any = device  # others have no streams
            gpu.wait_for(self._after)

    # ---- to the host

    def numpy(self) -> np.ndarray:
        """A copy on the host, made once everything is done that was asked for before."""
        self.wait(self.device)
        array = np.empty(self.shape, self.dtype)
        self.device.download(self.memory, self.offset, array)
        return array

    def __array__(self, dtype=None, copy=None):
        if copy is False:
            raise ValueError("an array on a device cannot be read on the host without a copy")
        array = self.numpy()
        return array if dtype is None else array.astype(dtype, copy=False)

    def item(self):
        """The value of an array of one element, as Python's."""
        return self.numpy().item()

    def __float__(self):
        return float(self._scalar())

    def __int__(self):
        return int(self._scalar())

    def __bool__(self):
        return bool(self._scalar())

    def __format__(self, spec):
        return format(self.item(), spec) if spec and not self.shape else format(str(self), spec)

    def _scalar(self):
        if self.shape:
            raise TypeError(f"only an array of no dimensions is a number, this one has shape {self.shape}")
        return self.item()

    # ---- to other libraries

    @property
    def _is_on_gpu(self) -> bool:
        return hasattr(self.device, "stream")  # others, such as the simulator, compute in the memory of the host

    @property
    def __cuda_array_interface__(self) -> dict[str, Any]:
        if not self._is_on_gpu:
            raise AttributeError("an array in the memory of the host has no __cuda_array_interface__")
        device: Any = self.device
        self.wait(device)
        device.settle(self.memory)
        return {
            "shape": self.shape,
            "typestr": self.dtype.str,
            "data": (self.memory.address + self.offset if self.size else 0, False),
            "version": 3,
            "strides": None,
            "stream": device.stream,
        }

    def __dlpack_device__(self) -> tuple[int, int]:
        return (dlpack.CUDA, self.device.number) if self._is_on_gpu else (dlpack.CPU, 0)

    def __dlpack__(self, *, stream=None, max_version=None, dl_device=None, copy=None):
        if dl_device is not None and tuple(dl_device) != self.__dlpack_device__():
            raise BufferError(f"the array is on DLPack's device {self.__dlpack_device__()}, not on {tuple(dl_device)}")
        source = self._copy() if copy else self
        if self._is_on_gpu and stream != _NO_SYNCHRONISATION:
            device: Any = self.device
            self.wait(device)
            device.let_wait(_DEFAULT_STREAM if stream is None else int(stream), source.memory)
        address = source.memory.address + source.offset
        return dlpack.exported(
            dlpack.Tensor(address, self.shape, None, self.dtype, self.__dlpack_device__(), source.memory)
        )

    def _copy(self) -> DeviceArray:
        self.wait(self.device)
        memory = self.device.allocate(self.nbytes)
        self.device.copy(memory, 0, self.memory, self.offset, self.nbytes)
        return DeviceArray(self.shape, self.dtype, memory, 0, self.device, self.host)


def to_device(array, device: Device) -> DeviceArray:
    """A copy of an array of the host on a device. On a GPU it arrives while kernels run; `array` may change at once."""
    array = np.asarray(array)
    as_dtype(array.dtype)
    values = np.ascontiguousarray(array).reshape(array.shape)
    memory = device.allocate(values.nbytes)
    device.upload(memory, 0, values)
    host = values.copy() if values.dtype.kind in "iu" and values.nbytes <= KEPT else None
    return DeviceArray(values.shape, values.dtype, memory, 0, device, host)


def as_device_array(value, device: Device) -> DeviceArray | None:
    """`value` if it lies on `device`, whatever library it is of, without a copy; ``None`` for everything else.

    Parameters
    ----------
    value : object
        A `DeviceArray`, or with ``__dlpack__`` or ``__cuda_array_interface__``: tensors of PyTorch, arrays of CuPy, JAX or
        Numba.
    device : Device

    Raises
    ------
    InputError
        If it lies there but cannot be used: it is not contiguous, or its dtype is not one of ours.
    """
    if isinstance(value, DeviceArray):
        return value if value.device is device else None
    if isinstance(value, np.ndarray) or not hasattr(device, "stream"):
        return None
    kind = type(value)
    if hasattr(kind, "__dlpack__") and hasattr(kind, "__dlpack_device__"):
        return _from_dlpack(value, device)
    interface = getattr(value, "__cuda_array_interface__", None)
    return None if interface is None else _from_interface(value, interface, device)


def _from_dlpack(value, device: Any) -> DeviceArray | None:
    memory, number = value.__dlpack_device__()
    if memory not in GPU_MEMORY or number != device.number:
        return None
    name = type(value).__name__
    try:
        # The other library lets our stream wait for the one that it writes the array on.
        tensor = dlpack.imported(value.__dlpack__(stream=device.stream))
    except (BufferError, RuntimeError, TypeError, ValueError) as error:
        gradient = getattr(value, "requires_grad", False)
        raise InputError(
            f"this {name} cannot be used on cuda:{number}",
            found=str(error).partition("\n")[0],
            hint="give x.detach(), which has no gradient" if gradient else None,
        ) from None
    return _taken(name, tensor, device)


def _from_interface(value, interface: dict[str, Any], device: Any) -> DeviceArray | None:
    name, dtype = type(value).__name__, np.dtype(interface["typestr"])
    address, _ = interface["data"]
    shape, strides = tuple(interface["shape"]), interface.get("strides")
    if address and device.number_of(address) != device.number:
        return None
    if interface.get("mask") is not None:
        raise InputError(f"this {name} has a mask, which is not supported")
    if strides is not None:
        strides = tuple(step / dtype.itemsize for step in strides)
    found = _taken(name, dlpack.Tensor(address, shape, strides, dtype, (dlpack.CUDA, device.number), value), device)
    found._after = interface.get("stream")
    return found


def _taken(name: str, tensor: dlpack.Tensor, device: Device) -> DeviceArray:
    if tensor.dtype not in DTYPES:
        raise InputError(
            f"this {name} has a dtype that is not supported",
            expected=", ".join(map(str, DTYPES)),
            found=tensor.dtype,
        )
    if not is_contiguous(tensor.shape, tensor.strides):
        raise InputError(
            f"the elements of this {name} do not lie one after the other",
            expected="a contiguous array, in the order of C",
            found=f"shape {tensor.shape}, strides {tensor.strides}",
            hint="give x.contiguous() (PyTorch) or cupy.ascontiguousarray(x): nothing is copied silently",
        )
    nbytes = prod(tensor.shape) * tensor.dtype.itemsize
    return DeviceArray(tensor.shape, tensor.dtype, Memory(tensor.address, nbytes, tensor.owner), 0, device)


def is_contiguous(shape, strides) -> bool:
    """Whether the elements of an array lie one after the other, in the order of C; strides are in elements."""
    if strides is None or 0 in shape:
        return True
    step = 1
    for size, stride in zip(reversed(shape), reversed(strides), strict=True):
        if size != 1 and stride != step:
            return False
        step *= size
    return True
