"""Which module made which ops: the graph of a network, divided among its layers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from symcnn.ir.graph import toposort
from symcnn.ir.variable import Variable
from symcnn.nn.trace import Trace


@dataclass(frozen=True, eq=False)
class Application:
    """One use of one module.

    Attributes
    ----------
    path : str
        Of the module in the network, ``""`` for the network itself; ``"conv (2)"`` for the second use of "conv".
    module : Module
    output : Variable, or what else the module gave
    own : tuple of Variable
        Results that the module computed itself, not the modules inside it, each after what it rests on.
    """

    path: str
    module: Any
    output: Any
    own: tuple[Variable, ...]

    @property
    def is_layer(self) -> bool:
        """Whether the module has no modules inside."""
        return not self.module.parts()


def applications(network, trace: Trace) -> list[Application]:
    """Every use of a module of `network` that `trace` saw, inner before outer, with the ops that belong to it.

    An op belongs to the first module whose output rests on it: what stands between two layers of a block, such as the
    sum of a residual block, belongs to the block.
    """
    paths = {id(module): path for path, module in network.modules().items()}
    uses: dict[int, int] = {}
    claimed: set[Variable] = set()
    found = []
    for module, output in trace.outputs:
        key = id(module)
        if key not in paths:
            continue  # built on the spot, inside a forward
        uses[key] = uses.get(key, 0) + 1
        roots = [v for v in (output if isinstance(output, (tuple, list)) else [output]) if isinstance(v, Variable)]
        own = [v for v in toposort(roots, lambda v: () if v in claimed else v.inputs) if v not in claimed]
        claimed.update(own)
        path = paths[key] if uses[key] == 1 else f"{paths[key]} ({uses[key]})"
        found.append(Application(path, module, output, tuple(v for v in own if v.op is not None)))
    return found
