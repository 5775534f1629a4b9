"""One error family: what failed, where the user built it, what was expected and found, how to fix it."""

from __future__ import annotations

import os
import sys
from typing import Any

from symcnn.display import traceback

_PACKAGE = os.path.dirname(os.path.abspath(__file__)) + os.sep


def user_frame():
    """The innermost frame of the current stack that is not in this package."""
    frame = sys._getframe(1)
    while frame.f_back is not None and _is_ours(frame):
        frame = frame.f_back
    return frame


def _is_ours(frame) -> bool:
    file = frame.f_code.co_filename
    module = frame.f_globals.get("__name__", "")
    # The __init__ that a dataclass makes has no file, but the module of its class; replace() and copy() call ours.
    return (
        file.startswith(_PACKAGE)
        or (file == "<string>" and module.startswith("symcnn."))
        or module in ("dataclasses", "copy")
    )


def line_of(file: str, line: int) -> str:
    """A line of a program as people know it: ``net.py:7``, and in a notebook, whose cells have made-up files, its cell."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    cell = shell.compile.format_code_name(file) if shell else None
    return f"{file}:{line}" if cell is None else f"{' '.join(cell)}, line {line}"


class SymcnnError(Exception):
    """Base of every error that symcnn raises on purpose.

    Parameters
    ----------
    what : str
        One sentence: what failed.
    where : object, optional
        The user's file and line (an ``Origin`` or text): where the expression was built, by default the line that runs.
    expected, found : object, optional
        What the operation needs and what it got: shapes, dtypes, ranges.
    hint : str, optional
        How to fix it.

    Attributes
    ----------
    layer : object or None
        The layer of a network that it happened in, and what that was applied to; modules fill it in.
    op, operands : Op or None, tuple of Variables
        What could not be applied, and to what.

    Examples
    --------
    >>> print(SymcnnError("matmul: inner sizes differ", where="net.py:7", expected="k = 3", found="k = 4"))
    matmul: inner sizes differ
      where:    net.py:7
      expected: k = 3
      found:    k = 4
    """

    layer: Any = None
    op: Any = None
    operands: tuple = ()
    is_drawn = False  # whether a notebook has shown the graph

    def __init__(self, what, *, where=None, expected=None, found=None, hint=None):
        if where is None:
            frame = user_frame()
            where = line_of(frame.f_code.co_filename, frame.f_lineno)
        self.what, self.where = what, where
        self.expected, self.found, self.hint = expected, found, hint
        super().__init__(what)

    def __str__(self):
        rows = (
            ("layer:   ", self.layer),
            ("where:   ", self.where),
            ("expected:", self.expected),
            ("found:   ", self.found),
            ("hint:    ", self.hint),
        )
        return "\n".join([self.what, *(f"  {label} {value}" for label, value in rows if value is not None)])

    def _render_traceback_(self) -> list[str]:
        """IPython asks for this in place of its own traceback."""
        return traceback(self)


class ShapeError(SymcnnError, ValueError):
    """Shapes, ranks or axes do not fit an operation."""


class DTypeError(SymcnnError, TypeError):
    """A dtype does not fit an operation."""


class InputError(SymcnnError, ValueError):
    """An argument, a keyword or a value given at call time is not usable."""


class GradientError(SymcnnError, ValueError):
    """A derivative does not exist, or was asked of something that the cost does not depend on."""


class NonFiniteError(SymcnnError, ArithmeticError):
    """``mode="debug"`` met the first NaN or infinity."""


class KernelMismatchError(SymcnnError, AssertionError):
    """``mode="debug"`` found a kernel that disagrees with the NumPy reference."""


class FileError(SymcnnError, OSError):
    """A file is missing, truncated or not what it claims to be."""


class BackendError(SymcnnError, RuntimeError):
    """A device or its compiler is not available here."""


class PackageError(SymcnnError, ImportError):
    """An optional package is needed that is not installed."""
