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
        Of the module in the network, ``""`` for the network itself.
    use : int
        1 at the first use of the module.
    module : Module
    output : Variable, or what else the module gave
    own : tuple of Variable
        Results that the module computed itself, not the modules inside it, each after what it rests on.
    """

    path: str
    use: int
    module: Any
    output: Any
    own: tuple[Variable, ...]

    @property
    def name(self) -> str:
        """The path; ``"conv (2)"`` for the second use of "conv"."""
        return self.path if self.use == 1 else f"{self.path} ({self.use})"

    @property
    def outputs(self) -> list[Variable]:
        """What the module gave, as a list."""
        return _variables(self.output)

    @property
    def parameters(self) -> list:
        """Parameters that belong to the module and to none inside it."""
        inner = {p for part in self.module.parts().values() for p in part.parameters()}
        return [p for p in self.module.parameters() if p not in inner]

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
        if id(module) not in paths:
            continue  # made on the spot, inside a forward
        uses[id(module)] = uses.get(id(module), 0) + 1
        made = toposort(_variables(output), lambda v: () if v in claimed else v.inputs)
        own = tuple(v for v in made if v.op is not None and v not in claimed)
        claimed.update(own)
        found.append(Application(paths[id(module)], uses[id(module)], module, output, own))
    return found


def _variables(output) -> list[Variable]:
    candidates = output if isinstance(output, (tuple, list)) else [output]
    return [v for v in candidates if isinstance(v, Variable)]
