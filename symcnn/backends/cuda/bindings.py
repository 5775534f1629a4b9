"""NVIDIA's Python bindings, with every result code looked at: what fails raises, and says what to do."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from symcnn.errors import BackendError

OUT_OF_MEMORY = "CUDA_ERROR_OUT_OF_MEMORY"

_FAULT = (
    "a kernel did what it must not: a fault of symcnn, or of a library in this process that uses the same GPU. "
    "compute-sanitizer finds the place; the GPU can be used again in a new process"
)
_TOO_OLD = (
    "the driver is older than the CUDA toolkit: update the driver, or install a toolkit of the driver's CUDA version"
)
_HINTS = {
    "CUDA_ERROR_NO_DEVICE": "nvidia-smi should list a GPU, and CUDA_VISIBLE_DEVICES, if set, should name one",
    "CUDA_ERROR_INVALID_DEVICE": "nvidia-smi lists the GPUs of this machine",
    "CUDA_ERROR_DEVICE_UNAVAILABLE": "another process has the GPU to itself: nvidia-smi shows which",
    "CUDA_ERROR_SYSTEM_DRIVER_MISMATCH": "the driver's library is not of the version of its kernel module: restart the machine",
    "CUDA_ERROR_SYSTEM_NOT_READY": "nvidia-fabricmanager, or another service that the GPUs of this machine need, is not running",
    "CUDA_ERROR_COMPAT_NOT_SUPPORTED_ON_DEVICE": _TOO_OLD,
    "CUDA_ERROR_STUB_LIBRARY": "libcuda.so is the toolkit's stub: put the driver's before it in LD_LIBRARY_PATH",
    "CUDA_ERROR_UNSUPPORTED_PTX_VERSION": _TOO_OLD,
    "CUDA_ERROR_NO_BINARY_FOR_GPU": _TOO_OLD,
    "CUDA_ERROR_INVALID_IMAGE": _TOO_OLD,
    "CUDA_ERROR_INVALID_SOURCE": _TOO_OLD,
    "CUDA_ERROR_ILLEGAL_ADDRESS": _FAULT,
    "CUDA_ERROR_MISALIGNED_ADDRESS": _FAULT,
    "CUDA_ERROR_ILLEGAL_INSTRUCTION": _FAULT,
    "CUDA_ERROR_LAUNCH_FAILED": _FAULT,
    "CUDA_ERROR_LAUNCH_TIMEOUT": "the GPU also drives a display, which stops kernels that run for seconds: use another, or smaller inputs",
    "CUDA_ERROR_ECC_UNCORRECTABLE": "the memory of the GPU is damaged: nvidia-smi -q -d ECC",
    "CUDA_ERROR_NOT_INITIALIZED": "CUDA cannot be used in a forked process: start processes with the method 'spawn'",
}


class DriverError(BackendError):
    """The CUDA driver refused something.

    Attributes
    ----------
    code : str
        Its name for the reason: "CUDA_ERROR_OUT_OF_MEMORY".
    """

    def __init__(self, code: str, what: str, found: str):
        super().__init__(what, found=found, hint=_HINTS.get(code))
        self.code = code


def bindings(name: str) -> Any:
    """A module of the package cuda-bindings."""
    return import_module(f"cuda.bindings.{name}")


class Driver:
    """The functions of the CUDA driver. Each returns its results without the result code: none, one, or a tuple.

    Parameters
    ----------
    module : module, optional
        In place of ``cuda.bindings.driver``.

    Examples
    --------
    ``driver.cuMemAlloc(1024)`` is an address, or a `DriverError`.
    """

    def __init__(self, module: Any = None):
        self.raw = module or bindings("driver")

    def __getattr__(self, name: str) -> Any:
        function, success = getattr(self.raw, name), self.raw.CUresult.CUDA_SUCCESS
        if not name.startswith("cu"):
            return function

        def checked(*arguments):
            result, *values = function(*arguments)
            if result != success:
                raise self._error(name, result)
            return values[0] if len(values) == 1 else tuple(values) or None

        setattr(self, name, checked)
        return checked

    def _error(self, name: str, result) -> DriverError:
        code = getattr(result, "name", str(result))
        status, text = self.raw.cuGetErrorString(result)
        meaning = (
            text.decode(errors="replace") if status == self.raw.CUresult.CUDA_SUCCESS and text else "no explanation"
        )
        return DriverError(code, f"the CUDA driver failed in {name}", f"{code}: {meaning}")
