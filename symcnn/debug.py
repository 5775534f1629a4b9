"""``mode="debug"``: every kernel is checked against the NumPy reference on the data it really saw."""

from __future__ import annotations

import numpy as np

from symcnn.errors import KernelMismatchError, NonFiniteError
from symcnn.ir.graph import as_numpy, evaluate
from symcnn.ir.variable import Constant, Shared

TOLERANCE = {"float32": 1e-3, "float64": 1e-9}  # of the largest magnitude: sums are reordered


def checked(binding, values):
    """An observer for `Executable.run` that runs each step, then compares what it wrote with the reference.

    Raises
    ------
    NonFiniteError
        At the first NaN or infinity that appears from finite operands: names the op, the user's line and the
        statistics of its inputs.
    KernelMismatchError
        If a kernel and the reference disagree.
    """
    for x, array in values.items():
        array = np.asarray(array)
        if not _finite(array):
            raise NonFiniteError(f"input {x.name!r} holds NaN or infinity", where=x.origin, found=describe(array))
    executable, steps = binding.executable, binding.plan.steps

    def observe(number, run):
        step = steps[number]
        known = {v: executable.value(v) for v in step.reads}
        known |= _stand_ins(binding.plan, step, known)
        run()
        written = {v: executable.value(v) for v in step.writes}
        if all(map(_finite, known.values())) and not all(map(_finite, written.values())):
            _blame(step, known)
        _compare(step, known, written)

    return observe


def _stand_ins(plan, step, known):
    """Operands of which the step reads no element (their shape is all that counts) are stood for by an array of zeros."""
    operands = {x for v in step.computes for x in v.inputs} - {*known, *step.computes}
    return {x: as_numpy(x.dtype, plan.types[x].shape) for x in operands if not isinstance(x, (Constant, Shared))}


def _blame(step, known):
    def visit(variable, arrays, result):
        if not _finite(result) and all(map(_finite, arrays)):
            operands = "; ".join(f"{x!r}: {describe(a)}" for x, a in zip(variable.inputs, arrays, strict=True))
            raise NonFiniteError(
                f"{variable.op.name} made the first NaN or infinity: {describe(result)}",
                where=variable.origin,
                found=operands,
            )

    evaluate(step.writes, known, visit)


def _compare(step, known, written):
    expected = dict(zip(step.writes, evaluate(step.writes, known), strict=True))
    for v, found in written.items():
        agree = _agree(found, expected[v])
        if not agree.all() and step.tuned is not None and step.tuned is not v and step.tuned.type.is_float:
            # What the epilogue read was rounded otherwise than ours, and a comparison or a step turns on that.
            for nudged in _nudged(step, v, known):
                agree |= _agree(found, nudged)
        if not agree.all() and v.type.is_float:
            agree |= _is_rounding(step, v, known, found, expected[v])
        if not agree.all():
            raise KernelMismatchError(
                f"the kernel of {step.name} disagrees with the reference at {v!r}", where=v.origin,
                expected=describe(expected[v]), found=describe(found), hint="this is a bug in symcnn: please report it with this message",
            )  # fmt: skip


def _nudged(step, variable, known):
    """The reference of `variable` for a result of the tuned kernel that is off by the error allowed to it, up and down."""
    (result,) = evaluate([step.tuned], known)
    error = result.dtype.type(_allowed(result))
    for moved in (result + error, result - error):
        yield evaluate([variable], {**known, step.tuned: moved})[0]


def _is_rounding(step, variable, known, found, expected) -> np.ndarray:
    """Where two arrays differ no more than the reference does for operands that are off by the error allowed to them.

    Terms that cancel leave nothing but rounding errors: the gradient of a bias in front of a batch norm, for one. The
    reference moves far where a comparison turns; the median is of elements where none does.
    """
    rng = np.random.default_rng(0)
    moved = {
        x: (a * (1 + TOLERANCE[a.dtype.name] * rng.uniform(-1, 1, a.shape))).astype(a.dtype) if x.type.is_float else a
        for x, a in known.items()
    }
    (nudged,) = evaluate([variable], moved)
    with np.errstate(invalid="ignore"):
        change, error = np.abs(nudged - expected), np.abs(found - expected)
    change = change[np.isfinite(change)]
    return np.isfinite(found) & (error <= (4 * np.median(change) if change.size else 0.0))


def _allowed(array) -> float:
    return TOLERANCE[array.dtype.name] * (np.abs(array[np.isfinite(array)]).max(initial=0.0) + 1e-30)


def _agree(found, expected) -> np.ndarray:
    """Where two arrays agree, element by element."""
    if expected.dtype.kind != "f":
        return np.asarray(found == expected)
    finite = np.isfinite(expected)
    with np.errstate(invalid="ignore"):  # infinity minus infinity
        near = ~finite | (np.abs(found - expected) <= _allowed(expected))
    return near & (np.isfinite(found) == finite)


def _finite(array) -> bool:
    return array.dtype.kind != "f" or bool(np.isfinite(array).all())


def describe(array) -> str:
    """Shape and statistics in one line."""
    if not array.size:
        return f"shape {array.shape}, empty"
    if array.dtype.kind != "f":
        return f"shape {array.shape}, min {array.min()}, max {array.max()}"
    finite = array[np.isfinite(array)]
    text = f"shape {array.shape}, {int(np.isnan(array).sum())} NaN, {int(np.isinf(array).sum())} inf"
    return text + (
        f", min {finite.min():.4g}, mean {finite.mean(dtype='float64'):.4g}, max {finite.max():.4g}"
        if finite.size
        else ""
    )
