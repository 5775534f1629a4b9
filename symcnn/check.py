"""Gradient checking: the derivatives that `grad` builds against finite differences, in float64."""

from __future__ import annotations

import numpy as np

from symcnn.autodiff import vjp
from symcnn.errors import GradientError, InputError
from symcnn.ir.graph import evaluate, leaves, toposort
from symcnn.ir.types import TensorType
from symcnn.ir.variable import Constant, Input, Shared, Variable, apply, constant
from symcnn.keywords import checked_keywords
from symcnn.ops.elementwise import Cast
from symcnn.ops.random import CALL

UNKNOWN_SIZE = 3  # given to unknown dimensions of inputs without a value


@checked_keywords
def check_grad(
    expr, wrt, order: int = 1, values=None, *, epsilon: float = 1e-5, tolerance: float = 1e-5, seed: int = 0
) -> float:
    r"""Compare the gradient of `expr` with central finite differences along random directions.

    For random :math:`u, v`: :math:`u^T \frac{f(x + \epsilon v) - f(x - \epsilon v)}{2 \epsilon} \approx v^T J^T u`,
    with everything recomputed in float64 by the NumPy reference; the random projection needs two evaluations whatever
    the sizes (as Theano's ``verify_grad``). ``order=2`` also checks the gradient of the gradient.

    Parameters
    ----------
    expr : Variable
        Any shape.
    wrt : Variable or sequence of Variables
        Inputs or Shareds of float dtype.
    order : {1, 2}
    values : dict, optional
        Input -> array. Float inputs without a value are drawn from a normal distribution, others are zeros.
    epsilon : float
        Step, for values of the order of 1.
    tolerance : float
        Largest accepted relative error.
    seed : int

    Returns
    -------
    float
        The largest relative error found.

    Raises
    ------
    GradientError
        If it exceeds `tolerance`.

    Examples
    --------
    >>> import symcnn as sc
    >>> x = sc.input("x", (3,))
    >>> sc.check_grad(sc.tanh(x), x, order=2) < 1e-6
    True
    """
    if order not in (1, 2):
        raise InputError(f"order={order!r}", expected="1 or 2")
    rng = np.random.default_rng(seed)
    wrts = [wrt] if isinstance(wrt, Variable) else list(wrt)
    values = {k: np.asarray(v) for k, v in (values or {}).items()}
    double, leaf = in_double(expr)
    missing = [x for x in wrts if x not in leaf]
    if missing:
        raise GradientError("check_grad: the expression does not depend on it", found=", ".join(map(repr, missing)))
    point = {new: value_of(old, values, rng) for old, new in leaf.items()}
    return _check(double, [leaf[x] for x in wrts], point, order, rng, epsilon, tolerance)


def _check(expr, wrts, point, order, rng, epsilon, tolerance) -> float:
    (here,) = evaluate([expr], point)
    u = rng.standard_normal(here.shape)
    directions = [rng.standard_normal(point[x].shape) for x in wrts]
    scale = np.sqrt(sum((d * d).sum() for d in directions)) or 1.0
    directions = [d / scale for d in directions]
    gradients: list[Variable] = vjp(expr, wrts, constant(u), disconnected="zeros")
    analytic = sum(float((g * d).sum()) for g, d in zip(evaluate(gradients, point), directions, strict=True))

    def shifted(sign):
        moved = {x: point[x] + sign * epsilon * d for x, d in zip(wrts, directions, strict=True)}
        return float((evaluate([expr], {**point, **moved})[0] * u).sum())

    numeric = (shifted(1) - shifted(-1)) / (2 * epsilon)
    magnitude = max(abs(analytic), abs(numeric), float(np.abs(here * u).sum()), 1.0)
    error = abs(analytic - numeric) / magnitude
    if not error <= tolerance:
        raise GradientError(
            "the gradient disagrees with finite differences", expected=f"{numeric:.10g} (finite differences)",
            found=f"{analytic:.10g} (grad), relative error {error:.2g}", hint="is the point near a kink of the function?",
        )  # fmt: skip
    if order == 1:
        return error
    projected = None
    for g, d in zip(gradients, directions, strict=True):
        term = (g * constant(rng.standard_normal(d.shape))).sum()
        projected = term if projected is None else projected + term
    return max(error, _check(projected, wrts, point, 1, rng, epsilon, tolerance))


def in_double(expr):
    """`expr` on float64 leaves, and the map from old leaves to new ones (Inputs for all but Constants)."""
    new: dict[Variable, Variable] = {}
    for v in toposort([expr]):
        wide = np.dtype("float64") if v.type.is_float else v.dtype
        if isinstance(v, Constant):
            new[v] = constant(v.value, wide)
        elif v.op is None:
            new[v] = v if v is CALL else Input(v.name or "shared", TensorType(wide, v.shape))
        elif isinstance(v.op, Cast) and v.op.dtype == np.float32:
            new[v] = apply(Cast(np.dtype("float64")), new[v.inputs[0]])
        else:
            new[v] = apply(v.op, *(new[x] for x in v.inputs))
    return new[expr], {v: new[v] for v in leaves([expr]) if not isinstance(v, Constant)}


def value_of(leaf, values, rng) -> np.ndarray:
    """The value of a leaf at which derivatives are checked: as given, as stored, or drawn; floats in float64."""
    if leaf is CALL:
        return np.zeros((), "int64")
    if leaf in values:
        return values[leaf].astype("float64") if leaf.type.is_float else values[leaf]
    if isinstance(leaf, Shared):
        return leaf.storage.astype("float64") if leaf.type.is_float else leaf.storage
    shape = tuple(UNKNOWN_SIZE if d is None else d for d in leaf.shape)
    return rng.standard_normal(shape) if leaf.type.is_float else np.zeros(shape, leaf.dtype)
