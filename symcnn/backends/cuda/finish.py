"""What a tuned kernel does with each element of its result: store it, or hand it to the epilogue and store that.

The text stands in the kernel itself, where the element is still in a register, so that bias, activation and whatever else
follows element by element cost no memory traffic.
"""

from __future__ import annotations

import re
from copy import copy
from typing import TYPE_CHECKING

from symcnn.backends.cuda.threads import ThreadCode
from symcnn.backends.nests.expressions import Scope, loads_below, storage
from symcnn.backends.nests.normal import normal_form
from symcnn.backends.nests.sizes import integer
from symcnn.ir.loops import shape_of

if TYPE_CHECKING:
    from symcnn.ir.variable import Variable
    from symcnn.schedule.lower import Step
    from symcnn.schedule.plan import Plan, View

_NAMES: tuple[str, ...] = ("row", "column", "value")
_NAME = re.compile(rf"\b(?:{'|'.join(_NAMES)})\b")


class Finish:
    """The end of the tuned kernel of one step; it does not hold the step, so that it may be kept for as long as that lives.

    Attributes
    ----------
    operands : tuple of str
        Names of its pointers, which follow the kernel's own.
    dtypes : tuple of str
        Of what they lead to.
    integer_names : tuple of str
        Names of its integers, which follow the kernel's own.
    views : tuple of View
        What its pointers lead to; none before it is `bound`.
    sizes : tuple of int
        Its integers; none before it is `bound`.
    """

    views: tuple[View, ...] = ()
    sizes: tuple[int, ...] = ()

    def __init__(self, step: Step):
        code = _Code(step, *_NAMES)
        self._variables, self._sizes, self._lines = tuple(code.operands), tuple(code.integers), tuple(code.lines)
        self.operands = tuple(code.operands.values())
        self.dtypes = tuple(storage(v.dtype) for v in self._variables)
        self.integer_names = tuple(code.integers.values())

    def lines(self, row: str, column: str, value: str) -> list[str]:
        """Statements that use up one element.

        Parameters
        ----------
        row : str
            Name of an int32: where the element is, counted over all axes but the last.
        column : str
            Name of an int32: where along the last axis.
        value : str
            Name of the element.
        """
        names: dict[str, str] = dict(zip(_NAMES, (row, column, value), strict=True))
        return [_NAME.sub(lambda found: names[found[0]], line) for line in self._lines]

    def bound(self, plan: Plan) -> Finish:
        """This end, with what its names stand for in `plan`."""
        found = copy(self)
        found.views = tuple(map(plan.view, self._variables))
        found.sizes = tuple(integer(e, plan.types) for e in self._sizes)
        return found


class _Code(ThreadCode):
    pointers, numbers = "y", "m"

    def __init__(self, step: Step, row: str, column: str, value: str):
        super().__init__()
        top = Scope(None, frozenset())
        if step.nest is not None:
            self._epilogue(top, step, row, column, value)
        if any(v is step.tuned for v in step.writes):
            width = self._width(step.tuned, top)
            at = column if width is None else row if width == "1" else f"int32({row} * {width} + {column})"
            top.lines.append(f"{self.operand(step.tuned)}[{at}] = {value}")
        self.lines = top.lines

    def _width(self, tuned: Variable, scope: Scope) -> str | None:
        """Text of the length of a row; ``None`` for a scalar."""
        return self.integer(shape_of(tuned)[-1], scope) if tuned.ndim else None

    def _epilogue(self, top: Scope, step: Step, row, column, value):
        nest = normal_form(step)
        for store in nest.stores:
            self.analyse(store.value)
        self.counters = {axis.name: f"i{k}" for k, axis in enumerate(nest.axes)}
        self._count(top, step, nest, row, column)
        for store in nest.stores:
            for load in loads_below(store.value):
                if load.variable is step.tuned:
                    top.names[load] = value
        self.stores(top, nest.stores)

    def _count(self, top: Scope, step: Step, nest, row, column):
        """The counters of the axes of `nest` at an element of the result."""
        whole, outer, inner = step.nest.axes, nest.axes[: nest.outer], nest.axes[nest.outer :]
        has_columns = step.nest.outer < len(whole)
        if has_columns and not inner:  # all axes are one
            (axis,) = outer
            width = self.integer(whole[-1].extent, top)
            top.lines.append(f"{self.counters[axis.name]} = int32({row} * {width} + {column})")
            return
        for axis in inner:
            top.lines.append(f"{self.counters[axis.name]} = {column}")
        self.count(top, outer, row)
