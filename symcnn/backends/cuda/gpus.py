"""The GPUs of this machine, by number; and if one cannot be used, why, and what to do about it.

Nothing happens to CUDA before one is asked for.
"""

from __future__ import annotations

import os
import threading
from importlib.util import find_spec

from symcnn.backends.cuda.bindings import Driver, DriverError, bindings
from symcnn.backends.cuda.compiler import INSTALL
from symcnn.backends.cuda.driver import Gpu, capability_of, name_of
from symcnn.errors import BackendError, PackageError, SymcnnError

OLDEST = (7, 5)  # compute capability that NVVM of CUDA 13 compiles for

_lock = threading.Lock()
_opened: dict[int, Gpu] = {}


def gpu(which: int = 0) -> Gpu:
    """GPU number `which`, always the same object.

    Raises
    ------
    PackageError
        If a Python package is missing.
    BackendError
        If the driver, the GPU or the compiler is.
    """
    with _lock:
        if which not in _opened:
            _opened[which] = _open(which)
        return _opened[which]


def unavailable(which: int = 0) -> str | None:
    """Why GPU number `which` cannot be used, as one line; ``None`` if it can."""
    try:
        gpu(which)
    except SymcnnError as error:
        return "; ".join(str(part) for part in (error.what, error.found, error.hint) if part is not None)
    return None


def listed() -> list[str]:
    """Names and compute capabilities of the GPUs of this machine, by number."""
    driver = _driver()
    devices = [driver.cuDeviceGet(k) for k in range(driver.cuDeviceGetCount())]
    return [f"{name_of(driver, d)} ({'.'.join(map(str, capability_of(driver, d)))})" for d in devices]


def _open(which: int) -> Gpu:
    driver = _driver()
    count = driver.cuDeviceGetCount()
    if which >= count:
        visible = os.environ.get("CUDA_VISIBLE_DEVICES")
        raise BackendError(
            "there is no GPU" if count == 0 else f"there is no GPU number {which}",
            expected=None if count == 0 else f"a number below {count}",
            found=None if visible is None else f"CUDA_VISIBLE_DEVICES={visible!r}",
            hint="nvidia-smi lists the GPUs of this machine; device='cpu' needs none",
        )
    _check_capability(driver, which)
    _check_compiler()
    return Gpu(which, driver)


def _driver() -> Driver:
    """The driver, initialised."""
    missing = [
        package for package, module in (("numba-cuda", "numba_cuda"), ("cuda-bindings", "cuda")) if not _has(module)
    ]
    if missing:
        raise PackageError(f"device='cuda' needs {' and '.join(missing)}", hint=INSTALL)
    try:
        driver = Driver()
    except ImportError as error:
        raise PackageError("device='cuda' needs cuda-bindings", found=str(error), hint=INSTALL) from None
    try:
        driver.cuInit(0)
    except DriverError as error:
        error.what = "CUDA cannot be started"
        raise
    except Exception as error:  # each version of the bindings has its own for a library that it does not find
        raise BackendError(
            "there is no NVIDIA driver",
            found=str(error),
            hint="install the driver of your GPU (nvidia-smi tells whether it works); in a container, start it with "
            "its GPUs (docker run --gpus all); device='cpu' needs neither, and sc.config.simulate_cuda = True runs the kernels "
            "in a simulator, slowly",
        ) from None
    return driver


def _check_capability(driver: Driver, which: int) -> None:
    device = driver.cuDeviceGet(which)
    found = capability_of(driver, device)
    if found < OLDEST:
        raise BackendError(
            f"the {name_of(driver, device)} is too old",
            expected=f"compute capability {OLDEST[0]}.{OLDEST[1]} (Turing, 2018) or later",
            found=f"{found[0]}.{found[1]}",
            hint="device='cpu'",
        )


def _check_compiler() -> None:
    """NVVM makes PTX; without it nothing can be compiled, and the error of numba-cuda does not say so."""
    if os.environ.get("NUMBA_ENABLE_CUDASIM", "0") != "0":
        raise BackendError(
            "Numba simulates CUDA in this process, so nothing can be compiled for a GPU",
            found=f"NUMBA_ENABLE_CUDASIM={os.environ['NUMBA_ENABLE_CUDASIM']}",
            hint="unset it",
        )
    try:
        bindings("nvvm").version()
    except Exception as error:  # as for the driver
        raise BackendError(
            "NVVM, the compiler of the CUDA toolkit, is missing",
            found=str(error),
            hint=f"{INSTALL}, or set CUDA_HOME to the folder of an installed toolkit",
        ) from None


def _has(module: str) -> bool:
    return find_spec(module) is not None
