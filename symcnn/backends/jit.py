"""Numba's decorators and settings, as type checkers should see them: they change signatures and take options in ways
that its annotations do not describe."""

from typing import Any

import numba
from numba import extending
from numba.core import config, registry

cfunc: Any = numba.cfunc
njit: Any = numba.njit
intrinsic: Any = extending.intrinsic
overload: Any = extending.overload
cpu_target: Any = registry.cpu_target
numba_config: Any = config
