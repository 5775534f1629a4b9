"""Which Variables share one loop nest.

Three decisions, in order:

1. *Memory.* Some Variables must exist in memory: outputs, operands of tuned kernels, bases of reshapes.
2. *Inlining.* A Variable read once, by an op that reads each element a bounded number of times, is computed where it
   is read: its body replaces the load. So is one that is read more often but costs a few operations and reads one number
   that is in memory anyway, such as an activation from which the mean of its channel is subtracted.
3. *Groups.* The others (heads) join the group of what they read when both run over the same domain:
   element by element (``same``), or through a reduction over trailing axes and back (``row``, ``stretch``):
   softmax is max, exp, sum and divide over the same rows. Folds over the same points join, too: the largest pixel of a
   window and where it is, the sum of a channel and of its squares. A group becomes one nest with several stores.
   A tuned kernel that finishes rows of its result takes such a group with it as its *epilogue*: what follows element
   by element from the result is computed while each finished row is still in cache.

A head is stored only if something outside its group loads it (see `recompute`). Everything here looks at symbolic types, so the answer
holds for every batch size.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from symcnn.ir.graph import toposort, value_inputs
from symcnn.ir.loops import Call, Expr, Index, Load, Operand, Result
from symcnn.ir.variable import Constant, Variable
from symcnn.ops.channels_last import ChannelsLast
from symcnn.ops.shape import Transpose
from symcnn.schedule.recompute import recomputed, repeatable
from symcnn.schedule.relations import (
    FAR,
    ROW,
    ROW_STRETCH,
    SAME,
    STRETCH,
    THEN,
    edge,
    reads_once,
    reduced_prefix,
    reduces,
    stretched,
    suffix_stretch,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

MAX_OPS_IN_A_GROUP = 40  # bounds kernel size and the depth of expressions


@dataclass(eq=False)
class Group:
    """Heads computed in one nest.

    Attributes
    ----------
    number : int
        Its bit in `before`.
    heads : list of Variables, in topological order
    rows : set of Variables
        The heads that have one element per row: reductions over the axes from `prefix` on, and what follows from them.
    prefix : int or None
        Number of outer axes when the group works row by row.
    rank : int
        Rank of the full domain.
    before : int
        Bit set of the groups that must run earlier, transitively.
    size : int
        Number of ops, inlined ones included.
    tuned : Variable or None
        The head that the backend computes with its own kernel; the others are its epilogue.
    operands : set of Variables
        What is read at the point of the domain itself, from outside.
    direct : set of Variables
        The heads that its heads read.
    recomputed : set of Variables
        Heads of other groups that it computes again rather than loads.
    """

    number: int
    heads: list[Variable] = field(default_factory=list)
    rows: set[Variable] = field(default_factory=set)
    prefix: int | None = None
    rank: int = 0
    before: int = 0
    size: int = 0
    tuned: Variable | None = None
    operands: set[Variable] = field(default_factory=set)
    direct: set[Variable] = field(default_factory=set)
    recomputed: set[Variable] = field(default_factory=set)


@dataclass
class Fusion:
    """The result: groups in execution order, and how every Variable comes to its value.

    Attributes
    ----------
    groups : list of Group
    stored : set of Variables
        Heads held in memory.
    home : dict
        Head -> its group.
    inlined : set of Variables
        Computed where they are read.
    """

    groups: list[Group]
    stored: set[Variable]
    home: dict[Variable, Group]
    inlined: set[Variable]

    def expands(self, variable: Variable, group: Group) -> bool:
        """Whether inside `group` the value of `variable` is its op's body, not a load."""
        if variable.op is None or variable.op.pattern == "alias":
            return False
        if variable in self.home:
            return variable in group.recomputed or (self.home[variable] is group and variable is not group.tuned)
        return True


def no_kernel(variable: Variable) -> bool:
    """What a backend without tuned kernels, or without epilogues, says of every Variable."""
    return False


def fuse(
    roots: Iterable[Variable],
    tuned: Callable[[Variable], bool] = no_kernel,
    finishes_rows: Callable[[Variable], bool] = no_kernel,
) -> Fusion:
    """Group the ops under `roots`.

    Parameters
    ----------
    roots : Variables
    tuned : callable
        Whether the backend has its own kernel for a Variable.
    finishes_rows : callable
        Whether that kernel takes an epilogue.
    """
    roots = list(roots)
    order = [v for v in toposort(roots, value_inputs) if v.op is not None]
    opaque = {v for v in order if tuned(v)}
    forced = _in_memory(roots, order, opaque)
    uses = _use_counts(order)
    hosts = {v for v in opaque if finishes_rows(v)}
    inlined, sizes = _inline(order, forced, opaque, uses, _riders(order, hosts), repeatable(order, forced, opaque))
    heads = [
        v
        for v in order
        if v in opaque or (v not in inlined and v.op.pattern != "alias" and (v.op.pattern != "view" or v in forced))
    ]
    all_heads = set(heads)
    reads = {v: _reads(v, all_heads) for v in heads}
    groups, home = _group(heads, reads, opaque, hosts, sizes)
    for group in groups:
        group.recomputed = recomputed(group, reads, home)
    stored = _stored(heads, reads, home, forced)
    return Fusion(_execution_order(groups), stored, home, inlined)


def base_of(variable: Variable, forced: Collection[Variable] = ()) -> Variable:
    """The Variable whose memory holds `variable`: views and reshapes own none."""
    while variable.op is not None and variable not in forced and variable.op.pattern in ("view", "alias"):
        variable = variable.inputs[0]
    return variable


def _in_memory(roots, order, opaque) -> set[Variable]:
    forced: set[Variable] = set()
    # A reshape needs its operand contiguous: a strided view below it becomes a copy. Decide those first.
    for v in order:
        if v.op.pattern == "alias":
            x = v.inputs[0]
            while x.op is not None and x.op.pattern == "alias":
                x = x.inputs[0]
            forced.add(x)
    _cut_long_views(order, forced)
    # Kernels for (N, H, W, C) take for granted that the channels of a pixel lie side by side.
    images = (x for o in opaque for x in _images(o))
    forced.update(x for x in images if not _has_dense_channels(x, forced))
    # A result in another order is written so, not written as it is and copied afterwards.
    forced.update(v for v in roots if isinstance(v.op, Transpose) and not v.op.keeps_order(v.inputs[0].shape))
    for v in (*roots, *(x for o in opaque for x in value_inputs(o))):
        forced.add(base_of(v, forced))
    return forced


def _images(v: Variable) -> list[Variable]:
    """The images that `v` reads, if it is an op on (N, H, W, C)."""
    if not isinstance(v.op, ChannelsLast):
        return []
    return [v.inputs[k] for k in v.op.inner.images if k not in v.op.shape_only]


def _has_dense_channels(x: Variable, forced) -> bool:
    """Whether neighbours along the last axis of `x` are neighbours in memory."""
    channel = Index("channel")
    index: tuple[Expr, ...] = (*(Index(f"i{k}") for k in range(x.ndim - 1)), channel)
    if x.shape[-1] == 1:
        return True
    while x.op is not None and x.op.pattern == "view" and x not in forced:
        operands = (Operand(y, lambda at, y=y: Load(y, at)) for y in x.inputs)
        index, x = x.op.nest(Result(x, index, 0), *operands).index, x.inputs[0]
    last = index[-1] if index else None
    return last is channel or (isinstance(last, Call) and last.function == "add" and channel in last.args)


def _cut_long_views(order, forced) -> None:
    """A view of a view of a view .. is a longer index expression at each step: now and then one becomes a copy."""
    length = dict.fromkeys(order, 0)
    for v in order:
        if v.op.pattern == "view" and v not in forced:
            length[v] = 1 + length.get(v.inputs[0], 0)
            if length[v] == MAX_OPS_IN_A_GROUP:
                forced.add(v)
                length[v] = 0


def _use_counts(order) -> dict[Variable, int]:
    uses: dict[Variable, int] = {}
    for v in order:
        for x in value_inputs(v):
            uses[x] = uses.get(x, 0) + 1
    return uses


def _riders(order, hosts) -> set[Variable]:
    """What could be in the epilogue of one of `hosts`: it follows element by element from its result."""
    riders: set[Variable] = set()
    for v in order:
        if v.op.pattern == "elementwise" and any(
            (x in hosts or x in riders) and not stretched(v, x) for x in value_inputs(v)
        ):
            riders.add(v)
    return riders


def _inline(order, forced, opaque, uses, riders, again):
    """Variables computed where they are read, by readers that read each element a bounded number of times; and the size
    of each head."""
    inlined: set[Variable] = set()
    owner = {v: v for v in order}
    size = dict.fromkeys(order, 1)
    once = dict.fromkeys(order, False)  # is each element of this view read a bounded number of times?
    for v in reversed(order):
        through = v.op.pattern == "view" and v not in forced
        reader_is_bounded = once[v] if through else v not in opaque and reads_once(v)
        for x in value_inputs(v):
            if x.op is None or x in forced or x in opaque:
                continue
            bounded = reader_is_bounded and (uses[x] == 1 or x in again) and size[owner[v]] < MAX_OPS_IN_A_GROUP
            if v.op.pattern == "elementwise" and stretched(v, x) and suffix_stretch(v, x) is None:
                bounded = False  # it would be computed again for every repetition
            if x in riders and v.op.pattern in ("gather", "view"):
                bounded = False  # nor more often than in an epilogue
            if not bounded:
                continue
            if x.op.pattern == "view":
                once[x] = True
            elif x.op.pattern in ("elementwise", "gather"):
                inlined.add(x)
                size[owner[v]] += 1
            else:
                continue
            owner[x] = owner[v]
    return inlined, size


def _folds_over(v: Variable):
    """What says over which points `v` folds its first operand, given the shape of that."""
    return (v.op.axes, getattr(v.op, "keepdims", False)) if reduces(v) else v.op.windows


def _folded(v: Variable, heads: set[Variable]) -> set[Variable]:
    """The heads and leaves of the shape of what `v` folds, which it reads element by element."""
    found, stack = set(), [v.inputs[0]]
    while stack:
        x = stack.pop()
        if x in heads or x.op is None:
            found.add(x)
        elif x.op.pattern == "elementwise":
            stack.extend(y for y in x.inputs if not stretched(x, y))
    return found


def _reads(head: Variable, heads: set[Variable]) -> dict[Variable, set[str]]:
    """The heads and leaves that `head` reads through inlined ops and views, with the relations."""
    found: dict[Variable, set[str]] = {}
    stack = [(x, edge(head, x)) for x in value_inputs(head)]
    seen = set()
    while stack:
        x, relation = stack.pop()
        if (x, relation) in seen:
            continue
        seen.add((x, relation))
        if x in heads or x.op is None:
            found.setdefault(x, set()).add(relation)
        else:
            stack.extend((y, THEN.get((relation, edge(x, y)), FAR)) for y in value_inputs(x))
    return found


def _group(heads, reads, opaque, hosts, sizes):
    """Groups by number, and the group of each head; the kernels of `hosts` take epilogues."""
    groups: dict[int, Group] = {}
    home: dict[Variable, Group] = {}
    folds: dict[tuple, list[Variable]] = {}  # over which points of what -> heads
    all_heads = set(heads)
    for number, v in enumerate(heads):
        prefix = reduced_prefix(v)
        alone = Group(number, [v], prefix=prefix, size=sizes[v], tuned=v if v in opaque else None)
        alone.rows, alone.rank = ({v}, v.inputs[0].ndim) if prefix else (set(), v.ndim)
        groups[number] = home[v] = alone
        alone.operands = {x for x, relations in reads[v].items() if relations <= {SAME, ROW}}
        for x in reads[v]:
            if x in home and x is not v:
                alone.before |= home[x].before | 1 << home[x].number
                alone.direct.add(x)
        others = dict.fromkeys(home[x] for x in reads[v] if x in home and x is not v)
        # Kernels that take epilogues first, of these the last: it waits for nothing that is not there anyway.
        for other in sorted(others, key=lambda g: (g.tuned not in hosts, -g.number if g.tuned in hosts else 0)):
            if other is not home[v] and (other.tuned is None or other.tuned in hosts):
                _try_merge(v, other, reads, groups, home)
        points = None if v in opaque or prefix is not None else _folds_over(v)
        for x in _folded(v, all_heads) if points is not None else ():
            alike = folds.setdefault((points, x), [])
            for other in dict.fromkeys(home[h] for h in alike):
                if other is not home[v]:
                    _try_merge(v, other, reads, groups, home)
            alike.append(v)
    return list(groups.values()), home


def _try_merge(v: Variable, other: Group, reads, groups, home):
    """Merge the group of `v` into `other` (that of something that `v` reads, or that folds over the same points) if one
    loop can compute both."""
    mine = home[v]
    if mine.tuned is not None or mine.size + other.size > MAX_OPS_IN_A_GROUP:
        return
    if None not in (mine.prefix, other.prefix) and mine.prefix != other.prefix:
        return
    level = _level_in(v, other, reads, home)
    if level is None or (level != (v in mine.rows) and len(mine.heads) > 1):
        return
    if other.tuned is not None and (level or mine.prefix is not None):
        return  # an epilogue sees one element at a time
    if not _reads_from(v, other, reads, home) and any(_reads_from(h, other, reads, home) for h in mine.heads):
        return
    if mine.rank != other.rank or any(_far(h, other, reads, home) for h in mine.heads):
        return
    if _path_between(mine, other, home) or _path_between(other, mine, home):
        return
    other.heads.extend(mine.heads)
    other.rows |= (mine.rows - {v}) | ({v} if level else set())
    other.prefix = other.prefix if other.prefix is not None else mine.prefix
    other.size += mine.size
    other.operands |= mine.operands
    other.direct |= mine.direct
    other.before = (other.before | mine.before) & ~(1 << other.number | 1 << mine.number)
    gone, kept = 1 << mine.number, 1 << other.number
    del groups[mine.number]
    for group in groups.values():
        if group is not other and group.before & (gone | kept):
            group.before = (group.before & ~gone) | kept | other.before
    for h in mine.heads:
        home[h] = other


def _level_in(v, other, reads, home) -> bool | None:
    """True if `v` would have one element per row of `other`, False if per element, None if it does not fit."""
    levels = set()
    read = _reads_from(v, other, reads, home)
    if not read:
        return False  # neighbours: folds over the same points
    for x in read:
        relations = reads[v][x]
        row = x in other.rows
        for relation in relations:
            if relation == SAME:
                levels.add(row)
            elif relation == STRETCH and row and _same_domain(v, other, reads):
                levels.add(False)
            elif (relation == ROW and not row) or (relation == ROW_STRETCH and row):
                levels.add(True)
            else:
                return None
    if len(levels) != 1:
        return None
    (level,) = levels
    prefix = reduced_prefix(v)
    if prefix is not None and (not level or other.prefix not in (None, prefix)):
        return None
    return level


def _reads_from(v, other, reads, home) -> list[Variable]:
    """The heads of `other` that `v` reads."""
    return [x for x in reads[v] if home.get(x) is other]


def _same_domain(v, other, reads) -> bool:
    """Whether the shape of `v` is provably the full domain of `other`, not merely of the same rank."""
    if v.ndim != other.rank:
        return False
    full = [h for h in other.heads if h not in other.rows]
    at_the_point = {*full, *other.operands}
    if any(SAME in relations and x in at_the_point for x, relations in reads[v].items()):
        return True
    witness = full[0] if full else next(h for h in other.heads if reduced_prefix(h)).inputs[0]
    tail = slice(other.prefix, None)
    return None not in v.shape[tail] and v.shape[tail] == witness.shape[tail]


def _far(h, other, reads, home) -> bool:
    return any(FAR in relations for x, relations in reads[h].items() if home.get(x) is other)


def _path_between(then: Group, first: Group, home) -> bool:
    """Whether a third group must run after `first` and before `then`."""
    return any(home[x] not in (first, then) and home[x].before >> first.number & 1 for x in then.direct)


def _stored(heads, reads, home, forced) -> set[Variable]:
    stored = {v for v in heads if v in forced}
    for v in heads:
        # What is computed again is only that of which everything is loaded anyway.
        stored.update(x for x in reads[v] if x in home and home[x] is not home[v] and x not in home[v].recomputed)
    return stored


def _execution_order(groups: list[Group]) -> list[Group]:
    """Groups so that each runs after those it needs, otherwise in the order of their last head."""
    done, order = 0, []
    waiting = list(groups)
    while waiting:
        later = []
        for group in waiting:
            if group.before & ~done:
                later.append(group)
            else:
                order.append(group)
                done |= 1 << group.number
        assert len(later) < len(waiting), "cyclic groups"
        waiting = later
    return order


def is_scalar_constant(variable: Variable) -> bool:
    """A constant small enough to be written into the kernel's source."""
    return isinstance(variable, Constant) and variable.value.size == 1
