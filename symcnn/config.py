"""A handful of settings; every one can be set by an environment variable before symcnn is imported."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, fields
from pathlib import Path

from symcnn.errors import InputError

FLOATS = ("float32", "float64")
SWITCH = {"0": False, "1": True, "false": False, "true": True, "no": False, "yes": True, "off": False, "on": True}


def _cache_dir() -> Path:
    named = os.environ.get("SYMCNN_CACHE_DIR")
    if named:
        return Path(named).expanduser()
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path("~/.cache").expanduser()) / "symcnn"


def _threads() -> int:
    named = os.environ.get("SYMCNN_THREADS")
    if named:
        if not named.isdecimal() or int(named) < 1:
            raise InputError("SYMCNN_THREADS must be a positive integer", where="the environment", found=repr(named))
        return int(named)
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _switch(name: str, default: str = "1") -> bool:
    """Whether the environment variable turns something on; what is not set is as by default."""
    named = os.environ.get(name) or default
    if named.lower() not in SWITCH:
        raise InputError(f"{name} must be one of {', '.join(SWITCH)}", where="the environment", found=repr(named))
    return SWITCH[named.lower()]


def _simulates_cuda() -> bool:
    """Whether one of the two variables asks for it: Numba has one of its own."""
    return _switch("SYMCNN_SIMULATE_CUDA", default=os.environ.get("NUMBA_ENABLE_CUDASIM") or "0")


def _dtype() -> str:
    named = os.environ.get("SYMCNN_DTYPE") or "float32"
    if named not in FLOATS:
        raise InputError(f"SYMCNN_DTYPE must be {' or '.join(FLOATS)}", where="the environment", found=repr(named))
    return named


@dataclass
class Config:
    """Settings of the running process.

    Attributes
    ----------
    default_dtype : str
        dtype of ``sc.input`` and of ``sc.constant`` of a Python float (``SYMCNN_DTYPE``).
    cache_dir : pathlib.Path
        Where compiled kernels live (``SYMCNN_CACHE_DIR``).
    threads : int
        How many threads a call uses (``SYMCNN_THREADS``); takes effect for functions built afterwards.
    tuned : bool
        Whether backends may use hand-tuned kernels in place of generated ones (``SYMCNN_TUNED``).
    winograd : bool
        Whether float32 convolutions may take Winograd's algorithm where it is faster (``SYMCNN_WINOGRAD``); takes
        effect for functions built afterwards. Its rounding errors are a few times those of a direct sum, numbers above
        some 1e37 overflow earlier, and NaN or infinity spreads to the whole 4 x 4 tile of outputs that it meets.
    tf32 : bool
        Whether float32 convolutions on a GPU may use its tensor cores, which round their operands to 10 bits of mantissa
        and add in float32 (``SYMCNN_TF32``), as PyTorch does by default; takes effect for functions built afterwards.
    simulate_cuda : bool
        Whether ``device="cuda"`` runs its kernels in Numba's simulator (``SYMCNN_SIMULATE_CUDA``, or Numba's own
        ``NUMBA_ENABLE_CUDASIM``; off by default): thread by thread in Python, many thousand times slower, to read and test
        kernels on a machine without a GPU. Takes effect for functions built afterwards.
    """

    default_dtype: str = field(default_factory=_dtype)
    cache_dir: Path = field(default_factory=_cache_dir)
    threads: int = field(default_factory=_threads)
    tuned: bool = field(default_factory=lambda: _switch("SYMCNN_TUNED"))
    winograd: bool = field(default_factory=lambda: _switch("SYMCNN_WINOGRAD"))
    tf32: bool = field(default_factory=lambda: _switch("SYMCNN_TF32"))
    simulate_cuda: bool = field(default_factory=_simulates_cuda)

    def __setattr__(self, name, value):
        types = {f.name: f.type for f in fields(self)}
        if name not in types:
            raise InputError(f"there is no setting {name!r}", expected=", ".join(types))
        if types[name] == "bool" and not isinstance(value, bool):
            raise InputError(f"config.{name} must be True or False", found=repr(value))
        if name == "threads" and (isinstance(value, bool) or not isinstance(value, int) or value < 1):
            raise InputError("config.threads must be a positive integer", found=repr(value))
        if name == "default_dtype" and str(value) not in FLOATS:
            raise InputError(f"config.default_dtype must be {' or '.join(FLOATS)}", found=repr(value))
        super().__setattr__(name, value)


config = Config()
