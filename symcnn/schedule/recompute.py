"""Values that a nest computes again rather than loads.

A nest that needs ``d = a / b`` and loads a and b anyway saves a pass over memory by dividing again; and if nobody is
left who loads d, it need not be stored. The layers of local response norm, for one, keep a power and a quotient for
their gradients that follow from the root and the input that these need, too.

Nothing is computed again from what its reader would have to load first, but for numbers that are few beside it: the
deviations from the mean of a channel are the activations, which the mean needs in memory anyway, minus one number per
channel. So every pass over memory that this changes becomes one less.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from symcnn.ir.graph import value_inputs
from symcnn.ir.variable import Variable
from symcnn.schedule.relations import FAR, THEN, reduced_prefix, reduces, stretched

if TYPE_CHECKING:
    from symcnn.schedule.fuse import Group

# What takes no longer than to load a number.
CHEAP = {
    "add", "subtract", "multiply", "divide", "negative", "positive", "absolute", "reciprocal", "square", "sqrt",
    "maximum", "minimum", "relu", "where", "equal", "not_equal", "less", "less_equal", "greater", "greater_equal",
    "logical_and", "logical_or", "logical_not", "cast", "expand_dims", "broadcast_to", "broadcast_like",
}  # fmt: skip

MOST_OPS = 8  # computed again for one value


def recomputed(group: Group, reads, home) -> set[Variable]:
    """The heads of other groups that the nest of `group` had better compute again.

    Parameters
    ----------
    group : Group
    reads : dict
        Head -> what it reads, each with the set of relations.
    home : dict
        Head -> its group.
    """
    loads: dict[Variable, set[str]] = {}
    for h in group.heads:
        if h is not group.tuned:
            for x, relations in reads[h].items():
                if home.get(x) is not group or x is group.tuned:
                    loads.setdefault(x, set()).update(relations)
    found: set[Variable] = set()
    for v in reversed([x for x in loads if x in home and home[x] is not group]):
        if home[v].tuned is v or not _is_cheap(v, home):
            continue
        needed = {x: {THEN.get((a, b), FAR) for a in loads[v] for b in relations} for x, relations in reads[v].items()}
        if all(relations <= loads.get(x, set()) for x, relations in needed.items() if not _is_number(x)):
            found.add(v)
            del loads[v]
    return found


def repeatable(order, forced, opaque) -> set[Variable]:
    """What may be computed again by each of its readers, for it reads no more memory than there would be to load.

    A chain of a few cheap elementwise ops with operands that are stretched, down to one of full size that a fold across
    rows needs in memory.
    """
    readers: dict[Variable, list[Variable]] = {}
    for v in order:
        for x in value_inputs(v):
            readers.setdefault(x, []).append(v)
    depth: dict[Variable, int] = {}
    for v in order:
        carriers = [x for x in dict.fromkeys(value_inputs(v)) if not stretched(v, x)]
        if v.op.name not in CHEAP or v in forced or v in opaque or v.type.size == 1 or len(carriers) != 1:
            continue
        (x,) = carriers
        below = depth.get(x)
        if below is None and not any(reduces(y) and reduced_prefix(y) is None for y in readers[x]):
            continue  # nothing else keeps x in memory
        alike = (reduces(y) or (y.op.pattern == "elementwise" and not stretched(y, v)) for y in readers.get(v, ()))
        if (below or 0) < MOST_OPS and all(alike):
            depth[v] = (below or 0) + 1
    return set(depth)


def _is_number(x: Variable) -> bool:
    return x.op is None and x.shape == ()


def _is_cheap(v: Variable, home) -> bool:
    """Whether `v` follows from heads and leaves by a few cheap ops."""
    stack, seen = [v], {v}
    while stack:
        x = stack.pop()
        if x.op.name not in CHEAP or len(seen) > MOST_OPS:
            return False
        for y in value_inputs(x):
            if y.op is not None and y not in home and y not in seen:
                seen.add(y)
                stack.append(y)
    return True
