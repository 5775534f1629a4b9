"""The plan of one set of input shapes: every size known, every buffer placed. All that a backend ever sees."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from symcnn.errors import ShapeError, SymcnnError
from symcnn.ir.types import TensorType, shape_text
from symcnn.ir.variable import Input, Shared, Variable
from symcnn.schedule.lower import Program, Step
from symcnn.schedule.memory import Buffer, MemoryPlan, place

WORKSPACE = -1  # the buffer of memory that a step needs to itself
NOWHERE = -2  # the buffer of what needs no memory: a kernel keeps the rows that it is working on


@dataclass(frozen=True)
class View:
    """Where the elements of a Variable lie.

    Attributes
    ----------
    buffer : int
        Index into `Plan.buffers`, or `WORKSPACE`, or `NOWHERE`.
    offset : int
        Bytes from the start of the buffer.
    shape : tuple of int
    strides : tuple of int
        In elements.
    dtype : numpy.dtype
    """

    buffer: int
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    dtype: np.dtype


@dataclass(frozen=True, eq=False)
class Plan:
    """A program bound to concrete shapes.

    Attributes
    ----------
    program : Program
    types : dict
        Variable -> concrete TensorType.
    buffers : tuple of Buffer
    memory : MemoryPlan
    """

    program: Program
    types: dict[Variable, TensorType]
    buffers: tuple[Buffer, ...]
    memory: MemoryPlan
    _slots: dict[Variable, int]
    _views: dict[Variable, View] = field(default_factory=dict)

    @property
    def steps(self) -> tuple[Step, ...]:
        return self.program.steps

    @property
    def state(self) -> tuple[Shared, ...]:
        """The Shareds that are read or updated."""
        read = [b.variable for b in self.buffers if isinstance(b.variable, Shared)]
        return tuple(dict.fromkeys([*read, *self.program.updates]))

    @property
    def late_updates(self) -> list[tuple[Shared, Variable]]:
        """Those whose new value is made elsewhere, and takes the old one's place when all steps are done."""
        return [(s, v) for s, v in self.program.updates.items() if self.buffer_of(v).home is not s]

    def view(self, variable: Variable) -> View:
        """Memory of `variable`: its own buffer, or strides into the buffer of what it is a view of."""
        if variable not in self._views:
            self._views[variable] = self._view(variable)
        return self._views[variable]

    def _view(self, variable):
        chain = []
        base = variable
        while base not in self._slots:
            chain.append(base)
            base = base.inputs[0]
        type = self.types[base]
        # NumPy knows the strides of its own views, so the ops' references compute ours, on memory that is never touched.
        array = whole = np.empty(type.shape, type.dtype)
        for v in reversed(chain):
            if v.op.pattern == "alias":
                array = array.reshape(self.types[v].shape)
            else:
                array = v.op.reference(
                    array, *(np.broadcast_to(np.zeros((), x.dtype), self.types[x].shape) for x in v.inputs[1:])
                )
            assert np.may_share_memory(array, whole) or not array.size, f"{v.op.name} is no view"
        itemsize = array.dtype.itemsize
        offset = array.ctypes.data - whole.ctypes.data if array.size else 0
        return View(self._slots[base], offset, array.shape, tuple(s // itemsize for s in array.strides), array.dtype)

    def buffer_of(self, variable: Variable) -> Buffer:
        return self.buffers[self._slots[self.program.base(variable)]]


def bind(program: Program, shapes: dict[Variable, tuple[int, ...]]) -> Plan:
    """Infer every concrete type from the shapes of the Inputs, then place the buffers."""
    types = infer_types(program.order, shapes)
    for shared, value in program.updates.items():
        if types[value] != shared.type:
            raise ShapeError(
                f"the update of {shared!r} turned out to have another shape", where=value.origin,
                expected=shape_text(shared.shape), found=shape_text(types[value].shape),
                hint="a Shared keeps its shape: reduce or slice the new value to it",
            )  # fmt: skip
    buffers, memory = place(program, types)
    slots = {b.variable: k for k, b in enumerate(buffers)}
    for v, host in program.in_place.items():
        if v not in slots:
            slots[v] = slots[host]
    for step in program.steps:
        if step.tuned is not None:
            slots.setdefault(step.tuned, NOWHERE)
    return Plan(program, types, buffers, memory, slots)


def infer_types(order, shapes) -> dict[Variable, TensorType]:
    """Concrete types of all of `order` (topological).

    Raises
    ------
    ShapeError
        Naming the user's line, when sizes that were unknown do not fit together.
    """
    types: dict[Variable, TensorType] = {}
    for v in order:
        if v.op is None:
            types[v] = v.type.with_shape(shapes[v]) if isinstance(v, Input) else v.type
            continue
        if v.type.is_concrete and all(x.type.is_concrete for x in v.inputs):
            types[v] = v.type
            continue
        given = [types[x] for x in v.inputs]
        try:
            found = v.op.infer(*given)
        except SymcnnError as error:
            error.what = error.what if error.what.startswith(v.op.name) else f"{v.op.name}: {error.what}"
            error.where, error.found = v.origin, error.found or " and ".join(map(str, given))
            error.hint = error.hint or "an unknown dimension turned out like this in this call"
            raise
        if v.op.pattern == "elementwise" or not v.type.accepts(found):
            _check_dimensions(v, found, given)
        types[v] = found
    return types


def _check_dimensions(v, found, given):
    """An unknown dimension is never stretched silently: the kernels were built for equal sizes."""
    for x, type in zip(v.inputs, given, strict=True):
        symbolic = x.shape
        for axis in range(-x.ndim, 0):
            if symbolic[axis] is None and type.shape[axis] == 1 != found.shape[axis]:
                raise ShapeError(
                    f"{v.op.name}: dimension {axis} of {x!r} was unknown and turned out to be 1 where {found.shape[axis]} is needed",
                    where=v.origin, expected=shape_text(found.shape), found=shape_text(type.shape),
                    hint="an unknown dimension is never broadcast; declare it as 1 in sc.input, or use sc.broadcast_to",
                )  # fmt: skip
    if not v.type.accepts(found):
        raise ShapeError(
            f"{v.op.name}: the result does not have the declared shape", where=v.origin, expected=v.type, found=found
        )


def needs(program: Program) -> list[Variable]:
    """Leaves whose values the program reads."""
    seen = dict.fromkeys(x for step in program.steps for x in step.reads)
    seen.update(dict.fromkeys(program.outputs))
    seen.update(dict.fromkeys(program.updates.values()))
    return [b for b in dict.fromkeys(map(program.base, seen)) if b.op is None]
