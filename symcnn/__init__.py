"""symcnn: a symbolic autodiff compiler for convolutional networks.

Define an expression once; the compiler differentiates it, simplifies it, plans it and lowers it to Numba kernels, and
shows every one of those steps.
"""

from difflib import get_close_matches
from importlib import import_module
from typing import TYPE_CHECKING, Any

from symcnn import ops
from symcnn.autodiff import grad, hessian, jacobian, jvp, vjp
from symcnn.check import check_grad
from symcnn.config import config
from symcnn.errors import (
    BackendError,
    DTypeError,
    FileError,
    GradientError,
    InputError,
    KernelMismatchError,
    NonFiniteError,
    PackageError,
    ShapeError,
    SymcnnError,
)
from symcnn.function import Function, function
from symcnn.ir.op import public_builders
from symcnn.ir.types import TensorType
from symcnn.ir.variable import Constant, Input, Shared, Variable, constant, input, shared
from symcnn.ops import random

if TYPE_CHECKING:
    from symcnn import data, init, interop, losses, metrics, models, nn, optim, regularize, train, viz

__version__ = "0.1.0"

# What is built on the compiler is imported when it is first used: `import symcnn` stays cheap.
_LAZY = ("data", "init", "interop", "losses", "metrics", "models", "nn", "optim", "regularize", "train", "viz")

# Every function that builds expressions, under the names that NumPy users know: sc.exp, sc.conv2d, sc.mean ..
globals().update(public_builders())


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return import_module(f"symcnn.{name}")
    if name == "draw":
        return import_module("symcnn.viz").draw
    close = [] if name.startswith("_") else get_close_matches(name, __dir__(), n=1)
    hint = f"; did you mean {close[0]!r}?" if close else ""
    raise AttributeError(f"module 'symcnn' has no attribute {name!r}{hint}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_LAZY, "draw"})
