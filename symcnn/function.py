"""`function`: the one place that runs the pipeline, from expressions to something that can be called."""

from __future__ import annotations

import difflib
import threading
import warnings
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from symcnn.arrays import as_numpy, gpu_of
from symcnn.backends.base import Executable, KernelInfo, backend
from symcnn.debug import checked
from symcnn.errors import DTypeError, InputError, ShapeError
from symcnn.ir.graph import evaluate, substitute, toposort
from symcnn.ir.types import shape_text
from symcnn.ir.variable import Input, Shared, Variable, user_origin
from symcnn.keywords import checked_keywords, nearest
from symcnn.ops.elementwise import as_operands, as_variable
from symcnn.ops.random import CALL
from symcnn.profile import Profile, measure
from symcnn.rewrite.pipeline import simplify
from symcnn.schedule.lower import lower
from symcnn.schedule.memory import MemoryPlan
from symcnn.schedule.plan import Plan, bind, infer_types
from symcnn.stages import Explanation, Stages, explain

BINDINGS_KEPT = 8  # sets of input shapes whose plans stay ready


@checked_keywords
def function(
    inputs,
    outputs,
    updates=None,
    givens=None,
    device: str = "cpu",
    mode: str = "fast",
    *,
    on_unused_input: str = "error",
    name=None,
) -> Function:
    """Compile expressions into a callable.

    Parameters
    ----------
    inputs : sequence of Input
        In the order of the call's arguments; each may also be given by name.
    outputs : Variable, or list, tuple or dict of Variables
        The call returns arrays in the same structure.
    updates : dict or sequence of pairs, optional
        Shared -> its next value. All of them see the old values.
    givens : dict or sequence of pairs, optional
        Variable -> what to use in its place, of the same dtype and rank.
    device : {"cpu", "cuda", "reference"}
        ``"cuda"`` is an NVIDIA GPU, ``"cuda:1"`` the second one. It also takes arrays that lie there, of PyTorch or CuPy
        for one, without a copy; a call that is given any returns arrays that stay there.
    mode : {"fast", "debug"}
        ``"debug"`` checks every kernel against NumPy on the actual data and stops at the first NaN or infinity.
    on_unused_input : {"error", "warn", "ignore"}

    Returns
    -------
    Function

    Raises
    ------
    InputError
        An input is missing, unused, named twice or not an Input; an unknown device or mode.
    ShapeError, DTypeError
        An update does not have the type of its Shared, or a given that of what it replaces.

    Examples
    --------
    >>> import symcnn as sc
    >>> x = sc.input("x", (None,))
    >>> f = sc.function([x], {"double": 2 * x, "sum": sc.sum(x)}, device="reference")
    >>> f([1.0, 2.0])["double"]
    array([2., 4.], dtype=float32)
    """
    where = user_origin()
    if mode not in ("fast", "debug"):
        raise InputError(f"mode={mode!r}", where=where, expected="'fast' or 'debug'")
    if on_unused_input not in ("error", "warn", "ignore"):
        raise InputError(f"on_unused_input={on_unused_input!r}", where=where, expected="'error', 'warn' or 'ignore'")
    inputs = _checked_inputs(inputs, where)
    structure, roots = _flatten(outputs, where)
    updates = _checked_updates(_pairs(updates, "updates", where), where)
    replacements = _checked_givens(_pairs(givens, "givens", where), where)
    expressions = substitute([*roots, *updates.values()], replacements) if replacements else [*roots, *updates.values()]
    _check_leaves(inputs, expressions, on_unused_input, where)
    return Function(inputs, structure, expressions, list(updates), device, mode, name)


@dataclass(frozen=True, eq=False)
class Binding:
    """A function made ready for one set of input shapes."""

    plan: Plan
    executable: Executable
    memory_plan: MemoryPlan
    bounds: list[tuple]


class Function:
    """A compiled function; make one with `symcnn.function`.

    Attributes
    ----------
    calls : int
        How many times it was called: the part of the random state that moves. May be set, to resume exactly.
    compile_seconds : float
        Time spent compiling kernels that were not in the cache.
    """

    def __init__(self, inputs, structure, expressions, shared, device, mode, name):
        self.inputs, self.device, self.mode, self.name = inputs, device, mode, name or "function"
        self.calls = 0
        self._structure, self._shared = structure, shared
        self._expressions = expressions
        self._backend = backend(device)
        self._checks = _index_checks(expressions)
        self._bindings: OrderedDict[tuple, Binding] = OrderedDict()
        self._lock = threading.RLock()

        # Indices that take long to compute are returned by the run, so that their range can be checked.
        self._known_before = {leaf for *_, leaf in self._checks if _is_known_before(leaf)}
        hidden = [operand for _, _, operand, leaf in self._checks if leaf not in self._known_before]
        self._hidden = hidden
        self.phases = simplify([*expressions, *hidden])
        simplified = self.phases[-1].outputs
        count = len(expressions) - len(shared)
        updates = dict(zip(shared, simplified[count : len(expressions)], strict=True))
        outputs = [*simplified[:count], *simplified[len(expressions) :]]
        kernels = self._backend
        self.program = lower(outputs, updates, kernels.tuned, kernels.finishes_rows, kernels.keeps_rows)
        before = self._backend.compile_seconds
        self._backend.prepare(self.program)
        self.compile_seconds = self._backend.compile_seconds - before
        if all(x.type.is_concrete for x in inputs):
            self._binding(tuple(x.shape for x in inputs))

    # ---- calling

    def __call__(self, *args, **kwargs):
        arrays = self._arguments(args, kwargs)
        binding = self._binding(tuple(a.shape for a in arrays))
        self._check_indices(binding, dict(zip(self.inputs, arrays, strict=True)))
        with self._lock:
            values: dict[Variable, np.ndarray] = {
                **dict(zip(self.inputs, arrays, strict=True)),
                CALL: np.array(self.calls, np.int64),
            }
            self.calls += 1
            observe = checked(binding, values) if self.mode == "debug" else None
            found = binding.executable.run(values, observe)
        count = len(found) - len(self._hidden)
        self._check_computed_indices(binding, found[count:])
        return self._structure(found[:count])

    def _arguments(self, args, kwargs) -> list:
        """Arrays for the inputs, of NumPy or of the device."""
        names = [x.name for x in self.inputs]
        signature = f"{self.name}({', '.join(names)})"
        where = user_origin()
        if len(args) > len(names):
            raise InputError(
                f"{self.name} takes {len(names)} argument(s)",
                where=where,
                expected=signature,
                found=f"{len(args)} arguments",
            )
        values = dict(zip(names, args, strict=False))
        for key, value in kwargs.items():
            if key not in names:
                close = difflib.get_close_matches(key, names, 1)
                hint = f"did you mean {close[0]!r}?" if close else "inputs are named as in sc.input"
                raise InputError(f"{self.name} has no input {key!r}", where=where, expected=signature, hint=hint)
            if key in values:
                raise InputError(f"{self.name}: input {key!r} is given twice", where=where, expected=signature)
            values[key] = value
        missing = [n for n in names if n not in values]
        if missing:
            hint = "give every input, by position or by name"
            raise InputError(
                f"{self.name}: missing input {', '.join(missing)}", where=where, expected=signature, hint=hint
            )
        return [_as_input(x, values[x.name], self) for x in self.inputs]

    def _binding(self, shapes) -> Binding:
        with self._lock:
            found = self._bindings.get(shapes)
            if found is None:
                found = self._bind(shapes)
                self._bindings[shapes] = found
                while len(self._bindings) > BINDINGS_KEPT:
                    self._bindings.popitem(last=False)
            self._bindings.move_to_end(shapes)
            return found

    def _bind(self, shapes) -> Binding:
        given: dict[Variable, tuple[int, ...]] = {CALL: (), **dict(zip(self.inputs, shapes, strict=True))}
        plan = bind(self.program, given)
        before = self._backend.compile_seconds
        executable = self._backend.load(plan)
        self.compile_seconds += self._backend.compile_seconds - before
        bounds = []
        if self._checks:
            types = infer_types(toposort([v for v, *_ in self._checks]), given)
            bounds = [(v, leaf, v.op.index_bound(k, *(types[x] for x in v.inputs))) for v, k, _, leaf in self._checks]
        return Binding(plan, executable, plan.memory.with_scratch(executable.scratch_bytes), bounds)

    def bind(self, **shapes) -> Function:
        """Plan for these input shapes now, without running: ``f.bind(x=(128, 1, 28, 28)).memory_plan``.

        Inputs whose shape is fully known need not be named.
        """
        names = [x.name for x in self.inputs]
        for name in shapes:
            if name not in names:
                raise InputError(
                    f"{self.name} has no input {name!r}", expected=", ".join(names), hint=nearest(name, names)
                )
        chosen = []
        for x in self.inputs:
            shape = shapes.get(x.name, x.shape)
            if not isinstance(shape, (tuple, list)) or None in shape or not x.type.accepts(x.type.with_shape(shape)):
                raise ShapeError(
                    f"{self.name}: {x!r} cannot have this shape", where=x.origin, expected=shape_text(x.shape),
                    found=shape_text(shape) if isinstance(shape, (tuple, list)) else repr(shape), hint="name every size, as in f.bind(x=(128, 3))",
                )  # fmt: skip
            chosen.append(tuple(shape))
        self._binding(tuple(chosen))
        return self

    # ---- index ranges

    def _check_indices(self, binding, values):
        """Before the run, so that a wrong label updates nothing."""
        for v, leaf, (low, high) in binding.bounds:
            if leaf in self._known_before:
                known = {x: _on_host(values[x]) for x in toposort([leaf]) if x in values}
                array = known[leaf] if leaf in known else evaluate([leaf], known)[0]
                _check_range(v, leaf, array, low, high)

    def _check_computed_indices(self, binding, arrays):
        computed = [b for b in binding.bounds if b[1] not in self._known_before]
        for (v, leaf, (low, high)), array in zip(computed, arrays, strict=True):
            _check_range(v, leaf, _on_host(array), low, high)

    # ---- looking inside

    def _current(self) -> Binding:
        if not self._bindings:
            unknown = ", ".join(f"{x.name}={shape_text(x.shape)}" for x in self.inputs if not x.type.is_concrete)
            raise ShapeError(
                f"{self.name}: input shapes are not known yet", found=unknown,
                hint="call it once, or name shapes with f.bind(x=(128, 1, 28, 28))",
            )  # fmt: skip
        return next(reversed(self._bindings.values()))

    @property
    def outputs(self):
        """The outputs as expressions, as they were written, in the structure that a call returns."""
        return self._structure(self._expressions[: len(self._expressions) - len(self._shared)])

    @property
    def updates(self) -> dict[Shared, Variable]:
        """Shared -> its next value, as it was written."""
        return dict(zip(self._shared, self._expressions[len(self._expressions) - len(self._shared) :], strict=True))

    @property
    def memory_plan(self) -> MemoryPlan:
        """Bytes of the latest set of input shapes, known before the run; `bind` chooses the shapes."""
        return self._current().memory_plan

    @property
    def kernels(self) -> list[KernelInfo]:
        """Every kernel with its Python source (`.source`), its ops (`.ops`), its `.algorithm` and what it writes (`.shapes`)."""
        return self._backend.kernels(self.program, self._current().plan if self._bindings else None)

    @property
    def stages(self) -> Stages:
        """Stage name -> printable form: expression, autodiff, each rewrite phase, nests, plan, kernels."""
        return Stages(self)

    @property
    def node_counts(self) -> dict[str, int]:
        """Number of Variables at each stage of the graph."""
        return {name: stage.nodes for name, stage in self.stages.items() if stage.nodes is not None}

    def explain(self) -> Explanation:
        """The compiler's story: what each stage did to the graph. Text in a terminal; in a notebook a page to leaf through."""
        return explain(self)

    def profile(self, *args, repeat: int = 10, **kwargs) -> Profile:
        """Run `repeat` times, timing every kernel: calls, time, bytes, FLOPs, share, GFLOP/s and GB/s.

        Updates are applied each time.
        """
        if not isinstance(repeat, (int, np.integer)) or repeat < 1:
            raise InputError("profile: repeat must be a positive integer", found=repr(repeat))
        arrays = self._arguments(args, kwargs)
        binding = self._binding(tuple(a.shape for a in arrays))
        values = dict(zip(self.inputs, arrays, strict=True)) | {CALL: np.array(self.calls, np.int64)}
        self._check_indices(binding, values)
        algorithms = [k.algorithm for k in self._backend.kernels(self.program, binding.plan)]
        return measure(binding, values, repeat, algorithms)

    def __repr__(self):
        return f"<{self.name}({', '.join(map(repr, self.inputs))}) on {self.device}: {len(self.program.steps)} kernels>"


# ---- arguments of `function`


def _checked_inputs(inputs, where) -> list[Input]:
    found: list[Input] = []
    if not isinstance(inputs, (Variable, Sequence)):
        raise InputError("inputs must be a list of what sc.input made", where=where, found=repr(inputs))
    for x in [inputs] if isinstance(inputs, Variable) else inputs:
        if not isinstance(x, Input):
            raise InputError("inputs must be made by sc.input", where=where, found=repr(x))
        found.append(x)
    names = [str(x.name) for x in found]
    twice = {n for n in names if names.count(n) > 1}
    if twice:
        raise InputError(f"two inputs have the same name: {', '.join(sorted(twice))}", where=where)
    return found


def _flatten(outputs, where):
    """A function from the list of arrays to the user's structure, and the list of Variables."""
    if isinstance(outputs, Mapping):
        keys = list(outputs)
        return lambda arrays: dict(zip(keys, arrays, strict=True)), [_output(outputs[k], where) for k in keys]
    if isinstance(outputs, Sequence):
        kind = tuple if isinstance(outputs, tuple) else list
        return kind, [_output(v, where) for v in outputs]
    return (lambda arrays: arrays[0]), [_output(outputs, where)]


def _output(value, where) -> Variable:
    if isinstance(value, (Variable, np.ndarray, np.generic, int, float)):
        return as_variable(value)
    raise InputError("an output must be a Variable", where=where, found=repr(value))


def _checked_updates(updates, where) -> dict[Shared, Variable]:
    found = {}
    for shared, value in updates.items():
        if not isinstance(shared, Shared):
            raise InputError("updates must be keyed by sc.shared variables", where=where, found=repr(shared))
        found[shared] = _in_place_of(shared, value, "the update of")
    return found


def _checked_givens(givens, where) -> dict[Variable, Variable]:
    for variable in givens:
        if not isinstance(variable, Variable):
            raise InputError("givens must be keyed by Variables", where=where, found=repr(variable))
    return {variable: _in_place_of(variable, value, "what is given for") for variable, value in givens.items()}


def _in_place_of(variable, value, what) -> Variable:
    """`value` as a Variable that may stand where `variable` does; a Python number takes its dtype."""
    _, value = as_operands(variable, value)
    if value.dtype != variable.dtype:
        raise DTypeError(
            f"{what} {variable!r} has another dtype", where=value.origin, expected=variable.dtype, found=value.dtype,
            hint=f"cast it with .astype({variable.dtype.name!r})",
        )  # fmt: skip
    if not value.type.may_be(variable.type):
        raise ShapeError(
            f"{what} {variable!r} has another shape", where=value.origin, expected=shape_text(variable.shape),
            found=shape_text(value.shape), hint="it is not broadcast: use sc.broadcast_to or sc.reshape",
        )  # fmt: skip
    return value


def _pairs(given, what, where) -> dict:
    """A dict from a dict or from pairs."""
    try:
        pairs = [(k, v) for k, v in (given.items() if isinstance(given, Mapping) else given or ())]
        found = dict(pairs)
    except (TypeError, ValueError):
        raise InputError(f"{what} must be a dict", where=where, found=repr(given)) from None
    if len(found) < len(pairs):
        raise InputError(f"{what}: a Variable is given twice", where=where, found=", ".join(repr(k) for k, _ in pairs))
    return found


def _check_leaves(inputs, expressions, on_unused, where):
    used = {v for v in toposort(expressions) if isinstance(v, Input) and v is not CALL}
    missing = sorted(used - set(inputs), key=lambda v: str(v.name))
    if missing:
        raise InputError(
            f"the outputs need {', '.join(repr(v) for v in missing)}, which is not among the inputs",
            where=missing[0].origin, found=f"inputs {', '.join(x.name for x in inputs) or 'none'} at {where}",
            hint="add it to the list of inputs, or replace it with givens",
        )  # fmt: skip
    unused = [x for x in inputs if x not in used]
    if unused and on_unused != "ignore":
        message = f"input {', '.join(repr(x) for x in unused)} is not used by any output or update"
        if on_unused == "warn":
            warnings.warn_explicit(message, UserWarning, where.file, where.line)
            return
        raise InputError(message, where=where, hint="remove it, or pass on_unused_input='ignore'")


# ---- arguments of a call


def _as_input(x: Input, value, function: Function):
    """`value` as a contiguous array of the type of `x`: of NumPy, or one that lives on the device of the function."""
    if isinstance(value, Variable):
        raise InputError(f"input {x.name!r} needs a value, not {value!r}", where=x.origin)
    if not isinstance(value, np.ndarray):
        array = function._backend.device_array(value)
        if array is not None:
            _check_shape(x, array)
            if array.dtype != x.dtype:
                hint = f"nothing is converted on {function.device}: make it {x.dtype.name} before"
                raise _wrong_dtype(x, array, hint)
            return array
        if (gpu := gpu_of(value)) is not None:
            raise InputError(
                f"input {x.name!r}: this {type(value).__name__} is on {gpu}, and {function.name} on {function.device}",
                where=x.origin, hint=f"give x.cpu(), or compile for its device: sc.function(..., device={gpu!r})",
            )  # fmt: skip
        value = as_numpy(value)
    try:
        array = np.asarray(value)
    except (ValueError, TypeError, RuntimeError) as error:  # rows of several lengths; a list of such tensors
        raise InputError(f"input {x.name!r}: {error}", where=x.origin, expected=x.type) from None
    _check_shape(x, array)
    if array.dtype == x.dtype:
        return np.ascontiguousarray(array).reshape(array.shape)
    integers = array.dtype.kind in "iu" and x.dtype.kind in "iu"  # of any width: the values decide
    if array.dtype.kind not in "biuf" or not (integers or np.can_cast(array.dtype, x.dtype, "same_kind")):
        raise _wrong_dtype(x, array, f"convert with .astype({x.dtype.name!r})")
    if x.dtype.kind in "iu" and array.size:
        limits = np.iinfo(x.dtype)
        if array.min() < limits.min or array.max() > limits.max:
            raise InputError(
                f"input {x.name!r}: values overflow {x.dtype}", where=x.origin,
                expected=f"{limits.min} to {limits.max}", found=f"{array.min()} to {array.max()}",
                hint="declare it wider: sc.input(.., dtype='int64')",
            )  # fmt: skip
    return np.ascontiguousarray(array, dtype=x.dtype).reshape(array.shape)


def _check_shape(x: Input, array):
    if array.ndim != x.ndim or any(None is not d != n for d, n in zip(x.shape, array.shape, strict=True)):
        raise ShapeError(
            f"input {x.name!r} has the wrong shape", where=x.origin, expected=shape_text(x.shape), found=shape_text(array.shape),
            hint=f"rank {x.ndim} is needed, this is rank {array.ndim}" if array.ndim != x.ndim else "sizes are those of sc.input; None leaves one open",
        )  # fmt: skip


def _wrong_dtype(x: Input, array, hint) -> DTypeError:
    return DTypeError(
        f"input {x.name!r} has the wrong dtype", where=x.origin, expected=x.dtype, found=array.dtype, hint=hint
    )


def _on_host(array) -> np.ndarray:
    """The values of an array of NumPy or of the device."""
    if isinstance(array, np.ndarray):
        return array
    return np.asarray(array) if array.host is None else array.host


def _index_checks(expressions):
    """(op result, position, operand, the leaf or result that decides its range) for every operand used as an index."""
    found = []
    for v in toposort(expressions):
        if v.op is None:
            continue
        for k in v.op.checked_indices:
            leaf = v.inputs[k]
            while leaf.op is not None and _same_values(leaf):
                leaf = leaf.inputs[0]
            found.append((v, k, v.inputs[k], leaf))
    return found


def _is_known_before(leaf) -> bool:
    """Whether NumPy has this index in a moment: a leaf, or a few elementwise ops and views of integers, such as labels
    with those to be ignored replaced."""
    order = toposort([leaf])
    return all(v is not CALL and v.dtype.kind in "iub" for v in order) and all(
        v.op is None or v.op.pattern in ("elementwise", "view", "alias") for v in order
    )


def _same_values(v) -> bool:
    """Whether `v` holds the integers of its operand, all of them, in another order or dtype."""
    return (
        v.op.name != "slice"
        and (v.op.pattern in ("view", "alias") or v.op.name == "cast")
        and v.inputs[0].dtype.kind in "iu"
    )


def _check_range(v, leaf, array, low, high):
    if array.size and (array.min() < low or array.max() > high):
        raise InputError(
            f"{v.op.name}: an index in {leaf!r} is out of range", where=v.origin,
            expected=f"{low} to {high}", found=f"{array.min()} to {array.max()}",
            hint="positions and labels count from 0; ignore_index=255 of a loss leaves out labels of 255",
        )  # fmt: skip
