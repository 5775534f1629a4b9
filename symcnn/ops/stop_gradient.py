"""A value that differentiation sees as a constant."""

from __future__ import annotations

from dataclasses import dataclass

from symcnn.ir.op import Example, Op, builder
from symcnn.ir.variable import Variable, apply
from symcnn.ops.elementwise import as_variable


@dataclass(frozen=True)
class StopGradient(Op):
    """`x` itself, of which no derivative is taken."""

    pattern = "elementwise"
    smooth = False
    examples = (Example(((2, 3),)), Example(((),)))

    def infer(self, x):
        return x

    def reference(self, x):
        return x

    def pullback(self, inputs, output, cotangent):
        return (None,)

    def nest(self, result, x):
        return x[result.index]

    def flops(self, output, *types):
        return 0


@builder("stop_gradient", "detach")
def stop_gradient(x) -> Variable:
    """`x`, seen as a constant by differentiation.

    Examples
    --------
    >>> import symcnn as sc
    >>> x = sc.input("x", ())
    >>> sc.function([x], sc.grad(x * sc.stop_gradient(x), x), device="reference")(3.0)
    array(3., dtype=float32)
    """
    return apply(StopGradient(), as_variable(x))
