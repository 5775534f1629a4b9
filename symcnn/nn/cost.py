"""Cost: the arithmetic and the memory of each layer, read off the graph."""

from __future__ import annotations

from dataclasses import dataclass

from symcnn.ir.graph import toposort
from symcnn.ir.types import TensorType
from symcnn.ir.variable import Input, Variable
from symcnn.nn.ownership import Application
from symcnn.schedule.plan import infer_types

SEEN_OTHERWISE = ("alias", "view")  # patterns of ops whose result is the memory of their operand


@dataclass(frozen=True)
class Cost:
    """What one use of a layer costs.

    Attributes
    ----------
    flops : int
        Of the forward pass of one example: 2 for a multiply-add, 1 for any other operation on a number.
    output_bytes : int
        Memory of its outputs, for the whole batch; 0 where they are the input seen otherwise.
    gradient_bytes : int
        Memory of the gradients of these outputs, as far as there are any: of those that rest on a trainable parameter.
    """

    flops: int = 0
    output_bytes: int = 0
    gradient_bytes: int = 0

    def __add__(self, other: Cost) -> Cost:
        return Cost(
            self.flops + other.flops,
            self.output_bytes + other.output_bytes,
            self.gradient_bytes + other.gradient_bytes,
        )


class Costs:
    """The costs of the layers of a network.

    Parameters
    ----------
    applications : list of Application
    x : Input
        Of the network.
    in_shape : tuple of int
        Of one example.
    batch : int
    trainable : iterable of Shared
    """

    def __init__(self, applications: list[Application], x: Input, in_shape, batch: int, trainable):
        order = toposort([v for a in applications for v in a.outputs])
        self._single = _types(order, x, (1, *in_shape))
        self._batch = _types(order, x, (batch, *in_shape))
        self._differentiated = set(trainable)
        for v in order:
            if any(operand in self._differentiated for operand in v.inputs):
                self._differentiated.add(v)

    def of(self, application: Application) -> Cost:
        """Of what the module computes itself."""
        one = self._single
        flops = sum(v.op.flops(one[v], *(one[x] for x in v.inputs)) for v in application.own)
        stored = [v for v in application.outputs if any(v is made for made in application.own) and not _is_view(v)]
        return Cost(
            flops,
            sum(self._batch[v].nbytes for v in stored),
            sum(self._batch[v].nbytes for v in stored if v in self._differentiated),
        )


def _types(order, x: Input, shape) -> dict[Variable, TensorType]:
    return infer_types(order, {v: shape if v is x else v.shape for v in order if isinstance(v, Input)})


def _is_view(v) -> bool:
    return v.op.pattern in SEEN_OTHERWISE
