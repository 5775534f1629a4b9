"""Numba's decorator for functions written in LLVM's language, as type checkers should see it: what it returns is called
without the typing context, a change of signature that they do not follow."""

from typing import Any

from numba import extending

intrinsic: Any = extending.intrinsic
