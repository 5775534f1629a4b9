"""The source of a kernel as the source of a function that runs all of its threads, one after the other.

A kernel without barriers is its body in a loop over the threads of a block, in loops over the blocks. Barriers cut the
body into phases, and each phase becomes a loop over the threads of its own; loops that hold barriers stay around them::

    a = cuda.shared.array(32, float32)              for block in ..:
    t = cuda.threadIdx.x                                for thread in range(32):
    a[t] = x0[t]                                            t = thread
    cuda.syncthreads()                      ->              a[t] = x0[t]
    x1[t] = a[31 - t]                                   for thread in range(32):
                                                            t = thread
                                                            x1[t] = a[31 - t]

What a thread keeps across a barrier must therefore lie in shared or local memory, or be computed again from what has not
changed meanwhile, as `t` is here. What all threads count alike from phase to phase, as in ``stage = 1 - stage``, is
counted once for the block. A kernel that asks for more is refused, with the name that is in the way.

A phase also ends where a loop with barriers begins, or its body, without any barrier there. So as not to hide one that is
missing, accesses to shared memory are told who makes them, and in which epoch: how many barriers the block has passed.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

import numpy as np

DTYPES = ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float32", "float64")
GARBAGE = (0x7B, 0xC1)  # the bytes of memory that nobody wrote: in the usual order, backwards
PLACES = {"threadIdx": "x", "blockIdx": "xyz", "blockDim": "x", "gridDim": "xyz"}
READERS = ("multiply_tiles",)  # functions whose first operand is an array of shared memory, which they read
_OURS = "emulated_"  # begins the names that are added


class Refused(Exception):
    """The kernel is none that can be emulated; the message says which rule it breaks."""


def translate(source: str, pointers: int, threads: int) -> str:
    """Source of ``emulated(*parameters, *first, grid x, grid y, grid z, backwards)`` for a kernel.

    ``first`` are the positions in memory to which the pointers point.

    Parameters
    ----------
    source : str
    pointers : int
        How many parameters are memory; they come first.
    threads : int
        Of a block.
    """
    definition = ast.parse(source).body[-1]
    assert isinstance(definition, ast.FunctionDef), "the source ends in something else than a function"
    return _Translation(definition, pointers, threads).text()


@dataclass(frozen=True)
class _Array:
    """Memory that a kernel declares: of each thread if it is local, else shared by a block."""

    local: bool
    size: int
    dtype: str


@dataclass(frozen=True)
class _Recipe:
    """How a thread can compute a scalar again, as long as what it is made of has these versions."""

    expression: ast.expr
    versions: dict[str, int]


@dataclass(frozen=True)
class _Count:
    """What a block does once: lines that assign `name`, and the names that they read."""

    name: str
    reads: set[str]
    lines: list[str]


@dataclass
class _Phase:
    """Statements between two barriers; the recipes, guards and versions are those where it begins."""

    known: dict[str, _Recipe | None]
    guards: list[_Recipe]
    versions: dict[str, int]
    before: list[str] = field(default_factory=list)
    statements: list[ast.stmt] = field(default_factory=list)
    after: list[_Count] = field(default_factory=list)

    @property
    def reads(self) -> set[str]:
        return {name for s in self.statements for name in _names(s)}


class _Translation:
    """One kernel, statement by statement.

    Attributes
    ----------
    varying : set of str
        Names whose values may differ between the threads of a block.
    counted : set of str
        Names of what a block counts, outside of the loops over threads.
    loops : list of (str or None)
        The counters of the loops with barriers that we are in; a ``while`` has none.
    known : dict
        What threads have assigned so far -> its recipe, or ``None`` if it has none.
    guards : list of _Recipe
        Which threads have returned.
    versions : dict
        Name of a scalar or of memory -> how often it may have changed.
    """

    def __init__(self, definition: ast.FunctionDef, pointers: int, threads: int):
        self.threads = threads
        self.parameters = [a.arg for a in definition.args.args]
        self.arrays = _declarations(definition.body)
        self.body = [s for s in definition.body if not _is_docstring(s) and _declared(s) is None]
        self.pointers = self.parameters[:pointers]
        self.memory = {*self.pointers, *self.arrays}
        self.tracked = {name for name, array in self.arrays.items() if not array.local}
        for s in self.body:
            _check(s, self.tracked)
        for name in sorted(_assigned(self.body)):
            if name in self.parameters or name in self.arrays:
                raise Refused(f"{name} is an operand, a size or an array, and assigned: the next thread would see it")
        self.varying, self.counted = _kinds(self.body, self.memory)
        self.loops: list[str | None] = []
        self.known: dict[str, _Recipe | None] = {}
        self.guards: list[_Recipe] = []
        self.versions: dict[str, int] = {}
        self.phase: _Phase | None = None

    def text(self) -> str:
        more = [*(f"{_OURS}first_{p}" for p in self.pointers), *(f"{_OURS}grid_{axis}" for axis in "xyz")]
        lines = [f"def emulated({', '.join([*self.parameters, *more, f'{_OURS}backwards'])}):"]
        for name, array in self.arrays.items():
            shape = f"({self.threads}, {array.size})" if array.local else f"{array.size}"
            lines.append(f"    {self._whole(name)} = np.empty({shape}, np.{array.dtype})")
            if not array.local:
                lines.append(f"    {_OURS}track_{name} = np.zeros(({shape}, 4), np.int64)")
        lines.append(f"    {_OURS}epoch = 0")
        indent = "    "
        for axis in "zyx":
            lines.append(f"{indent}for {_OURS}step in range({_OURS}grid_{axis}):")
            indent += "    "
            back = f"{_OURS}grid_{axis} - 1 - {_OURS}step"
            lines.append(f"{indent}{_OURS}block_{axis} = int32({back} if {_OURS}backwards else {_OURS}step)")
        for name, array in self.arrays.items():
            usual, back = (np.frombuffer(bytes([byte] * 8), array.dtype)[0].item() for byte in GARBAGE)
            lines.append(f"{indent}{self._whole(name)}[:] = {back!r} if {_OURS}backwards else {usual!r}")
        lines += [indent + line for line in (f"{_OURS}epoch += 1", *self._together(self.body))]
        return "\n".join(lines) + "\n"

    def _whole(self, name) -> str:
        """The name of all of an array: of a local one, a row per thread."""
        return f"{_OURS}{name}" if self.arrays[name].local else name

    # ---- what a block does together

    def _together(self, statements) -> list[str]:
        """Lines for statements at the top, or in a loop with barriers."""
        lines: list[str] = []
        for s in statements:
            if _is_barrier(s):
                lines += [*self._close(), f"{_OURS}epoch += 1"]
            elif not _has_barrier(s):
                lines += self._add(s)
            elif isinstance(s, (ast.For, ast.While)) and not s.orelse:
                lines += self._close()
                lines += self._loop(s)
            else:
                raise Refused(f"a barrier inside of `{_first_line(s)}`: not all threads need come to it")
        return lines + self._close()

    def _loop(self, loop: ast.For | ast.While) -> list[str]:
        """A loop with barriers, around the loops over threads."""
        control = loop.iter if isinstance(loop, ast.For) else loop.test
        if not _is_uniform(control, self.memory | self.varying):
            raise Refused(f"a barrier inside of `{_first_line(loop)}`: not all threads need stay in it equally long")
        changed = _assigned([loop])
        needed = self._needed(_names(control), self.known, self.versions)
        made_of = needed.keys() | {name for e in needed.values() for name in _names(e)}
        if isinstance(loop, ast.While) and made_of & changed:
            raise Refused(f"`{_first_line(loop)}` reads what is computed from {min(made_of & changed)}")
        lines = [f"{name} = {self._text(e)}" for name, e in needed.items()]
        counter = None
        if isinstance(loop, ast.For):
            if not isinstance(loop.target, ast.Name):
                raise Refused(f"`{_first_line(loop)}` has several counters")
            counter = loop.target.id
            lines.append(f"for {counter} in {self._text(control)}:")
        else:
            lines.append(f"while {self._text(control)}:")
        changed |= _written([loop]) & self.memory
        self._may_change(changed)
        if counter is not None:
            self.known.pop(counter)
        self.loops.append(counter)
        lines += ["    " + line for line in self._together(loop.body) or ["pass"]]
        self.loops.pop()
        self._may_change(changed)
        return lines

    def _may_change(self, names) -> None:
        for name in names:
            self.versions[name] = self.versions.get(name, 0) + 1
            if name not in self.counted | self.memory:
                self.known[name] = None

    def _count(self, s: ast.Assign | ast.AugAssign) -> list[str]:
        """A statement that a block executes once: right here, or before or after the threads of this phase."""
        name = _target(s)
        assert name is not None
        needed = self._needed(_names(s.value), self.known, self.versions)
        reads = {n for e in (s.value, *needed.values()) for n in _names(e)}
        count = _Count(name, reads, [*(f"{n} = {self._text(e)}" for n, e in needed.items()), self._text(s)])
        self.versions[name] = self.versions.get(name, 0) + 1
        phase = self.phase
        if phase is None:
            return count.lines
        untouched = {n for one in phase.after for n in (one.name, *one.reads)} | phase.reads
        if name in untouched or reads & {one.name for one in phase.after} or reads & _assigned(phase.statements):
            phase.after.append(count)
        else:
            phase.before += count.lines
            phase.versions[name] = self.versions[name]
        return []

    # ---- what each thread does

    def _add(self, s: ast.stmt) -> list[str]:
        """Let every thread of the phase execute a statement; lines of what the block executes before the phase."""
        if _target(s) in self.counted:
            assert isinstance(s, (ast.Assign, ast.AugAssign))
            return self._count(s)
        if self.phase is None:
            self.phase = _Phase(dict(self.known), list(self.guards), dict(self.versions))
        early = {one.name for one in self.phase.after} & _names(s)
        if early:
            raise Refused(
                f"{min(early)} is counted amid a phase that reads it before and after: count next to a barrier"
            )
        self.phase.statements.append(s)
        for name in _written([s]) & self.memory:
            self.versions[name] = self.versions.get(name, 0) + 1
        for name in _assigned([s]):
            if name in self.loops or name in self.counted:
                raise Refused(f"{name} is counted for the block, and assigned by threads besides")
            self.versions[name] = self.versions.get(name, 0) + 1
            self.known[name] = None
        name = _target(s)
        if isinstance(s, ast.Assign) and name is not None and name not in _names(s.value):
            self.known[name] = self._recipe(s.value)
        if _returns(s):
            if self.loops or not isinstance(s, ast.If) or s.orelse or not isinstance(s.body[-1], ast.Return):
                raise Refused(f"`{_first_line(s)}`: a thread may return at the end of an `if` at the top only")
            self.guards.append(self._recipe(s.test))
        return []

    def _recipe(self, expression) -> _Recipe:
        """How to compute it again later."""
        return _Recipe(expression, {n: self.versions.get(n, 0) for n in _names(expression)})

    def _close(self) -> list[str]:
        """The loop over threads of the phase that ends here."""
        phase, self.phase = self.phase, None
        if phase is None:
            return []
        lines = [f"{n} = {_OURS}{n}[{_OURS}thread]" for n, a in self.arrays.items() if a.local and n in phase.reads]
        again: dict[str, ast.expr] = {}
        for number, guard in enumerate(phase.guards):
            name = f"{_OURS}returned_{number}"
            again |= self._needed([name], {**phase.known, name: guard}, phase.versions)
            lines += [f"{n} = {self._text(e)}" for n, e in again.items()]
            lines += [f"if {name}:", "    continue"]
        exposed, own = set(_exposed(phase.statements)), _assigned(phase.statements)
        # What only this phase assigns is a thread's own, unless the phase comes again.
        crossing = {n for n in exposed if n not in own or n in phase.known or self.loops}
        again |= self._needed(crossing, phase.known, phase.versions)
        lines += [f"{n} = {self._text(e)}" for n, e in again.items()]
        unstable = {n for e in again.values() for n in _names(e)} & _written(phase.statements)
        if unstable:
            raise Refused(f"{min(unstable)} is written where a scalar read from it before a barrier is still needed")
        tracking = _Tracking(self.tracked)
        for s in phase.statements:
            lines += self._text(tracking.visit(deepcopy(s))).splitlines()
        back = f"{self.threads - 1} - {_OURS}turn"
        return [
            *phase.before,
            f"for {_OURS}turn in range({self.threads}):",
            f"    {_OURS}thread = int32({back} if {_OURS}backwards else {_OURS}turn)",
            *("    " + line for line in lines),
            *(line for one in phase.after for line in one.lines),
        ]

    def _needed(self, names, known, versions) -> dict[str, ast.expr]:
        """Those of `names` that have to be computed again, in order, with the expressions.

        Raises
        ------
        Refused
            If one of them cannot.
        """
        found: dict[str, ast.expr] = {}

        def visit(name):
            if name in found or name not in known:
                return
            recipe = known[name]
            if recipe is None or any(versions.get(n, 0) != v for n, v in recipe.versions.items()):
                raise Refused(f"{name} lives across a barrier, but cannot be computed again: keep it in an array")
            for n in sorted(_names(recipe.expression)):
                visit(n)
            found[name] = recipe.expression

        for name in sorted(names):
            visit(name)
        return found

    def _text(self, node: ast.AST) -> str:
        """Python of the emulation for a statement or an expression of the kernel."""
        return ast.unparse(
            ast.fix_missing_locations(_Rename(self.threads, self.pointers, self.arrays).visit(deepcopy(node)))
        )


class _Tracking(ast.NodeTransformer):
    """Accesses to shared memory as calls that know who makes them."""

    def __init__(self, tracked: set[str]):
        self.tracked = tracked

    def _call(self, function, subscript, *more):
        name = subscript.value.id
        place = [ast.Name(name, ast.Load()), ast.Name(f"{_OURS}track_{name}", ast.Load()), subscript.slice]
        who = [ast.Name(f"{_OURS}{what}", ast.Load()) for what in ("thread", "epoch")]
        return _call(_OURS + function, *place, *who, *more)

    def _is_tracked(self, node):
        return isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name) and node.value.id in self.tracked

    def visit_Assign(self, node: Any):
        node.value = self.visit(node.value)
        target = node.targets[0]
        if not self._is_tracked(target):
            node.targets = [self.visit(t) for t in node.targets]
            return node
        target.slice = self.visit(target.slice)
        return ast.Expr(self._call("store", target, node.value))

    def visit_AugAssign(self, node: Any):
        node.value = self.visit(node.value)
        if not self._is_tracked(node.target):
            node.target = self.visit(node.target)
            return node
        node.target.slice = self.visit(node.target.slice)
        return ast.Expr(
            self._call("store", node.target, ast.BinOp(self._call("load", node.target), node.op, node.value))
        )

    def visit_Subscript(self, node: Any):
        self.generic_visit(node)
        return self._call("load", node) if self._is_tracked(node) else node

    def visit_Call(self, node: Any):
        self.generic_visit(node)
        if ast.unparse(node.func) not in READERS:
            return node
        memory, *rest = node.args
        track, *who = (f"track_{memory.id}", "thread", "epoch")
        more = [ast.Name(f"{_OURS}{name}", ast.Load()) for name in (track, *who)]
        return _call(f"{_OURS}{node.func.id}", memory, *more, *rest)


class _Rename(ast.NodeTransformer):
    """Where a thread is, by our names; positions in memory as unsigned numbers, which do not count from the end if negative."""

    def __init__(self, threads: int, pointers, arrays):
        self.threads, self.pointers, self.arrays = threads, pointers, arrays

    def visit_Attribute(self, node: Any):
        text = ast.unparse(node)
        if not text.startswith("cuda."):
            return node
        _, place, axis = text.split(".")
        if place == "blockDim":
            return ast.Constant(self.threads)
        name = {"threadIdx": "thread", "blockIdx": f"block_{axis}", "gridDim": f"grid_{axis}"}[place]
        return ast.Name(_OURS + name, ast.Load())

    def visit_Subscript(self, node: Any):
        self.generic_visit(node)
        if isinstance(node.value, ast.Name) and node.value.id in (*self.pointers, *self.arrays):
            node.slice = _call("uint64", self._place(node.value.id, node.slice))
        return node

    def visit_Call(self, node: Any):
        self.generic_visit(node)
        if len(node.args) > 1 and isinstance(node.args[0], ast.Name):
            node.args[1] = self._place(node.args[0].id, node.args[1])
        return node

    def _place(self, name, index):
        """The position in an array at an index from where the pointer points."""
        if name not in self.pointers:
            return index
        return ast.BinOp(ast.Name(f"{_OURS}first_{name}", ast.Load()), ast.Add(), _call("int64", index))

    def visit_Return(self, node: Any):
        return ast.Continue()


def _call(function, *args):
    return ast.Call(ast.Name(function, ast.Load()), list(args), [])


# ---- kinds of statements and names


def _declared(s: ast.stmt) -> tuple[str, _Array] | None:
    """The array that a statement declares: ``a = cuda.shared.array(64, float32)``."""
    if not (isinstance(s, ast.Assign) and isinstance(s.value, ast.Call)):
        return None
    function = ast.unparse(s.value.func)
    if function not in ("cuda.shared.array", "cuda.local.array"):
        return None
    given = dict(zip(("shape", "dtype"), s.value.args, strict=False)) | {k.arg: k.value for k in s.value.keywords}
    size, dtype, name = given.get("shape"), given.get("dtype"), _target(s)
    if not (
        isinstance(size, ast.Constant)
        and isinstance(size.value, int)
        and isinstance(dtype, ast.Name)
        and dtype.id in DTYPES
        and name
    ):
        raise Refused(f"`{_first_line(s)}`: write `name = {function}(literal, dtype)`")
    return name, _Array("local" in function, size.value, dtype.id)


def _declarations(statements) -> dict[str, _Array]:
    found: dict[str, _Array] = {}
    lines: set[int] = set()
    for s in statements:
        declared = _declared(s)
        if declared is None:
            continue
        if s.lineno in lines or declared[0] in found:
            raise Refused(f"`{_first_line(s)}`: one array per line and name, or they are the same memory")
        lines.add(s.lineno)
        found[declared[0]] = declared[1]
    return found


def _check(s: ast.stmt, tracked: set[str]) -> None:
    """Refuse what is not known here, so that it is not emulated wrongly."""
    subscripted = {id(n.value) for n in ast.walk(s) if isinstance(n, ast.Subscript)}
    for call in (n for n in ast.walk(s) if isinstance(n, ast.Call) and ast.unparse(n.func) in READERS):
        subscripted |= {id(n) for n in call.args}
    inner = {id(n.value) for n in ast.walk(s) if isinstance(n, ast.Attribute)}
    barriers = {id(n.value.func) for n in ast.walk(s) if _is_barrier(n)}  # type: ignore[attr-defined]
    for node in ast.walk(s):
        if isinstance(node, ast.Attribute) and id(node) not in inner and id(node) not in barriers:
            base, *rest = ast.unparse(node).split(".")
            known = len(rest) == 2 and rest[0] in PLACES and rest[1] in PLACES[rest[0]]
            if base != "math" and not (base == "cuda" and known):
                raise Refused(f"{ast.unparse(node)}: not known to the emulation, or not allowed here")
        elif isinstance(node, (ast.FunctionDef, ast.Lambda, ast.Try, ast.With, ast.ListComp, ast.NamedExpr, ast.Slice)):
            raise Refused(f"{type(node).__name__} in a kernel")
        elif isinstance(node, ast.Name) and node.id.startswith(_OURS):
            raise Refused(f"{node.id}: such names are the emulation's")
        elif isinstance(node, ast.Name) and node.id in tracked and id(node) not in subscripted:
            raise Refused(f"{node.id} is shared, and used otherwise than with an index")
        elif isinstance(node, ast.Tuple) and any(
            _names(e) & tracked for e in node.elts if isinstance(e, ast.Subscript)
        ):
            raise Refused(f"`{ast.unparse(node)}`: one element of shared memory at a time")
        elif isinstance(node, (ast.For, ast.While)) and _returns(node):
            raise Refused(f"a return inside of `{_first_line(node)}`")
        elif isinstance(node, (ast.For, ast.While)) and _has_barrier(node) and _leaves(node):
            raise Refused(f"break or continue inside of `{_first_line(node)}`, which has barriers")


def _kinds(body, memory) -> tuple[set[str], set[str]]:
    """The names that vary between threads, and those that a block counts: the same for all threads, assigned next to
    barriers from what was there before, or more than once."""
    together: dict[str, list[ast.expr]] = {}
    counters: set[str] = set()
    alone: set[str] = set()

    def collect(statements: Iterable[Any]):
        for s in statements:
            if _is_loop(s) and _has_barrier(s):
                if isinstance(s, ast.For):
                    counters.update(_names(s.target))
                collect(s.body)
            elif (name := _target(s)) is not None:
                value = s.value
                if isinstance(s, ast.AugAssign):
                    value = ast.BinOp(ast.Name(name, ast.Load()), s.op, s.value)
                together.setdefault(name, []).append(value)
            else:
                alone.update(_assigned([s]))

    collect(body)
    varying, before = set(alone), None
    while varying != before:
        before = set(varying)
        varying |= {n for n, es in together.items() if not all(_is_uniform(e, memory | varying) for e in es)}
    steady = {n: {m for e in es for m in _names(e)} for n, es in together.items() if n not in varying | counters}
    counted = {n for n in steady if len(together[n]) > 1 or n in _reachable(n, steady)}
    return varying, counted if any(map(_has_barrier, body)) else set()


def _reachable(start, edges) -> set[str]:
    found: set[str] = set()
    stack = [start]
    while stack:
        for name in edges.get(stack.pop(), ()):
            if name not in found:
                found.add(name)
                stack.append(name)
    return found


def _is_uniform(expression: ast.expr, other: set[str]) -> bool:
    """Whether all threads of a block find the same value; the names in `other` may differ."""
    nodes = list(ast.walk(expression))
    return not any(isinstance(n, ast.Attribute) and n.attr == "threadIdx" for n in nodes) and not (
        _names(expression) & other
    )


def _exposed(statements) -> Iterable[str]:
    """Names that may be read before these statements have assigned them."""
    found: set[str] = set()

    def read(node, ready):
        found.update(_names(node) - ready)

    def run(block, ready: set[str]) -> set[str]:
        """Names that are surely assigned after `block`."""
        for s in block:
            if isinstance(s, ast.If):
                read(s.test, ready)
                one, other = run(s.body, set(ready)), run(s.orelse, set(ready))
                ready |= other if _returns(s) else one & other
            elif isinstance(s, ast.For):
                read(s.iter, ready)
                run(s.body, ready | _names(s.target))
            elif isinstance(s, ast.While):
                read(s.test, ready)
                run(s.body, set(ready))
            elif isinstance(s, ast.Assign):
                read(s.value, ready)
                for target in s.targets:
                    if not isinstance(target, (ast.Name, ast.Tuple)):
                        read(target, ready)
                ready |= _assigned([s])
            else:
                read(s, ready)
        return ready

    run(statements, set())
    return found


def _names(node: ast.AST) -> set[str]:
    return {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}


def _assigned(statements) -> set[str]:
    """Every name that is assigned at any depth."""
    nodes = (n for s in statements for n in ast.walk(s))
    return {n.id for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}


def _written(statements) -> set[str]:
    """Names of memory that is stored to, or handed to a function that returns nothing."""
    found: set[str] = set()
    for node in (n for s in statements for n in ast.walk(s)):
        if (isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store)) or isinstance(node, ast.Expr):
            found |= _names(node.value)
    return found


def _target(s) -> str | None:
    """The one name that a statement assigns."""
    if isinstance(s, ast.AugAssign):
        return s.target.id if isinstance(s.target, ast.Name) else None
    if isinstance(s, ast.Assign) and len(s.targets) == 1 and isinstance(s.targets[0], ast.Name):
        return s.targets[0].id
    return None


def _is_loop(s) -> bool:
    return isinstance(s, (ast.For, ast.While))


def _is_docstring(s) -> bool:
    return isinstance(s, ast.Expr) and isinstance(s.value, ast.Constant)


def _is_barrier(s) -> bool:
    return isinstance(s, ast.Expr) and ast.unparse(s) == "cuda.syncthreads()"


def _has_barrier(s) -> bool:
    return any(_is_barrier(n) for n in ast.walk(s))


def _returns(s) -> bool:
    return any(isinstance(n, ast.Return) for n in ast.walk(s))


def _leaves(loop) -> bool:
    """Whether the loop itself may end early or skip; loops inside may."""
    stack = list(loop.body)
    while stack:
        node = stack.pop()
        if isinstance(node, (ast.Break, ast.Continue)):
            return True
        if not isinstance(node, (ast.For, ast.While)) or _has_barrier(node):
            stack += ast.iter_child_nodes(node)
    return False


def _first_line(s) -> str:
    return ast.unparse(s).splitlines()[0]
