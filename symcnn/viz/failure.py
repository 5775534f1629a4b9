"""What failed, drawn: the graph up to an op that could not be applied, with the shapes that came to it."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

from symcnn.errors import SymcnnError
from symcnn.ir.graph import substitute
from symcnn.ir.op import Op
from symcnn.ir.printer import names_of, print_graph
from symcnn.ir.types import TensorType
from symcnn.ir.variable import Input, Variable, apply
from symcnn.viz.drawing import Drawing, drawing_of
from symcnn.viz.figure import Figure
from symcnn.viz.svg import svg

NEAR = 5  # ops before the failing one that are drawn


def failure(error: SymcnnError) -> Figure | None:
    """The graph up to the op that `error` is about, or ``None`` if it is about no op.

    In a notebook this figure appears with the error by itself.

    Parameters
    ----------
    error : SymcnnError
        Such as the ShapeError of a matrix product whose inner sizes differ.

    Returns
    -------
    Figure or None

    Examples
    --------
    >>> import symcnn as sc
    >>> x, w = sc.input("x", (None, 3)), sc.input("w", (4, 2))
    >>> try:
    ...     sc.relu(x) @ w
    ... except sc.ShapeError as error:
    ...     print(failure(error))
    x = input : float32[?, 3]
    %1 = relu(x) : float32[?, 3]
    w = input : float32[4, 2]
    matmul of float32[?, 3] and float32[4, 2] fails: inner sizes differ
    """
    if error.op is None or not error.operands:
        return None
    operands = _cut_off(list(error.operands))
    failed = apply(_Failing(error.op), *operands)
    names = names_of([failed])
    labels = _Shapes(failed)
    picture = svg(
        f"{error.op.name} cannot be applied", drawing_of([failed], "right", collapse=False, room=120, straight=92),
        labels, {names[failed]: "failed"},
    )  # fmt: skip
    types = " and ".join(str(x.type) for x in error.operands)
    reason = error.what.removeprefix(f"{error.op.name}: ")
    lines = print_graph(operands).split("\n")[:-1]
    return Figure(error.what, picture, "\n".join([*lines, f"{error.op.name} of {types} fails: {reason}"]))


def _cut_off(roots: list[Variable]) -> list[Variable]:
    """The same expressions, with an Input in the place of whatever lies further back than `NEAR` ops."""
    layer = list(dict.fromkeys(roots))
    for _ in range(NEAR):
        layer = list(dict.fromkeys(x for v in layer for x in v.inputs))
    far = {v: Input(f"{v.op.name}, ..", v.type) for v in layer if v.op is not None}
    return substitute(roots, far)


@dataclass(frozen=True)
class _Failing(Op):
    """Stands in a drawing for an op that could not be applied."""

    op: Op

    @property
    def name(self):
        return self.op.name

    def infer(self, *types):
        return TensorType(types[0].dtype, ())


@dataclass(frozen=True)
class _Shapes:
    """Labels that tell what came to the failing op: shapes above the arrows, dtypes below."""

    failed: Variable

    def overhang(self, direction: str) -> tuple[float, float, float]:
        return 0, 0, 0

    def svg(self, drawing: Drawing) -> str:
        parts, operands = [], set(self.failed.inputs)
        for node in drawing.nodes:
            if node.box.variable in operands:
                x, y, type = node.x + node.width / 2 + 7, node.y, node.box.variable.type
                shape = " x ".join("?" if d is None else str(d) for d in type.shape) or "scalar"
                parts.append(f'<text class="value" x="{x:.1f}" y="{y - 6:.1f}">{escape(shape)}</text>')
                parts.append(
                    f'<text class="note" style="text-anchor: start" x="{x:.1f}" y="{y + 15:.1f}">{type.dtype}</text>'
                )
        return "".join(parts)
