"""Arrays of other libraries, taken in by the protocols that they share: none of those libraries is imported."""

from __future__ import annotations

from contextlib import suppress

import numpy as np

from symcnn.errors import InputError, SymcnnError


def as_numpy(value):
    """`value` as an array of NumPy if it is another library's; anything else, a list or a number, as it is.

    Parameters
    ----------
    value : object
        With ``__array_interface__``, ``__array__`` or ``__dlpack__``: tensors of PyTorch, arrays of JAX, Arrow or CuPy.
        The memory is shared where that can be.

    Raises
    ------
    InputError
        If the array is on another device, has a gradient, or a dtype that NumPy does not have.

    Examples
    --------
    >>> class Exported:  # by DLPack alone
    ...     def __dlpack__(self, **options):
    ...         return np.arange(3).__dlpack__(**options)
    ...
    ...     def __dlpack_device__(self):
    ...         return 1, 0
    >>> as_numpy(Exported()), as_numpy([1, 2])
    (array([0, 1, 2]), [1, 2])
    """
    if isinstance(value, (np.ndarray, np.generic)):
        return value
    kind = type(value)
    has_array = hasattr(kind, "__array__") or hasattr(kind, "__array_interface__")
    if not has_array and not hasattr(kind, "__dlpack__"):
        return value
    try:
        return np.asarray(value) if has_array else np.from_dlpack(value)
    except SymcnnError:  # an expression, which says so itself
        raise
    except (TypeError, ValueError, RuntimeError, BufferError) as error:
        raise InputError(
            f"this {kind.__name__} is no array that NumPy can read", found=str(error).partition("\n")[0],
            hint=_advice(value),
        ) from None  # fmt: skip


GPU_MEMORY = (2, 13)  # in DLPack's numbering: that of NVIDIA's GPUs, and what they share with the processor


def gpu_of(value) -> str | None:
    """Which GPU an array of another library lies on, as ``"cuda:0"``; ``None`` for everything else.

    Examples
    --------
    >>> class OnGpu:
    ...     def __dlpack_device__(self):
    ...         return 2, 1
    >>> gpu_of(OnGpu()), gpu_of(np.ones(3)), gpu_of([1, 2])
    ('cuda:1', None, None)
    """
    kind = type(value)
    if not hasattr(kind, "__dlpack_device__"):
        return "cuda" if hasattr(kind, "__cuda_array_interface__") else None
    with suppress(Exception):  # what another library does here is unknown
        memory, number = value.__dlpack_device__()
        return f"cuda:{number}" if memory in GPU_MEMORY else None
    return None


def _advice(value) -> str:
    """What makes a tensor of PyTorch, or what is like it, readable."""
    if getattr(value, "requires_grad", False):
        return "give x.detach(), which has no gradient; what state_dict() holds has none either"
    device = ""
    with suppress(Exception):  # what another library does here is unknown
        device = str(getattr(value, "device", "cpu"))
    return "give x.float()" if device.lower().startswith("cpu") else f"give x.cpu(): it is on {device}"
