"""Functions that need no op of their own: plain compositions, which differentiate and fuse by themselves.

The row functions (softmax and its kin) keep the reduced axes, so that maximum, exponential, sum and quotient become
one pass over each row.
"""

from __future__ import annotations

import math

from symcnn.errors import InputError, ShapeError
from symcnn.ir.op import builder
from symcnn.ir.types import normalize_axes, normalize_axis
from symcnn.ir.variable import Variable, user_origin
from symcnn.ops.elementwise import (
    as_operands,
    as_variable,
    equal,
    exp,
    expm1,
    isfinite,
    isinf,
    log,
    logical_and,
    maximum,
    minimum,
    sigmoid,
    softplus,
    tanh,
    where,
)
from symcnn.ops.erfc import erfc
from symcnn.ops.indexing import WHOLE, slice_axes
from symcnn.ops.reduce import max, sum
from symcnn.ops.shape import squeeze
from symcnn.ops.stop_gradient import stop_gradient


@builder("clip")
def clip(x, low=None, high=None) -> Variable:
    """`x` limited to the interval from `low` to `high`; ``None`` leaves a side open. The derivative is 1 on both ends.

    Raises
    ------
    InputError
        If both limits are numbers and `low` exceeds `high`.

    Examples
    --------
    >>> import symcnn as sc
    >>> sc.clip(sc.input("x", (2, 3)), 0, 1).shape
    (2, 3)
    """
    if isinstance(low, (int, float)) and isinstance(high, (int, float)) and low > high:
        raise InputError("clip: the lower limit exceeds the upper", found=f"{low} > {high}", where=user_origin())
    x = as_variable(x)
    if low is not None:
        x = maximum(x, low)
    return x if high is None else minimum(x, high)


@builder("leaky_relu")
def leaky_relu(x, slope=0.01) -> Variable:
    """``x`` where positive, else ``slope * x``; the derivative at 0 is `slope`.

    Examples
    --------
    >>> import symcnn as sc
    >>> x = sc.input("x", (2,))
    >>> sc.function([x], sc.leaky_relu(x, 0.5), device="reference")([-2, 3])
    array([-1.,  3.], dtype=float32)
    """
    x = as_variable(x)
    return where(x > 0, x, slope * x)


@builder("elu")
def elu(x, alpha=1.0) -> Variable:
    r"""``x`` where positive, else :math:`\alpha (e^x - 1)` (Clevert et al. 2015).

    Examples
    --------
    >>> import symcnn as sc
    >>> sc.elu(sc.input("x", (2, 3))).shape
    (2, 3)
    """
    x = as_variable(x)
    return where(x > 0, x, alpha * expm1(minimum(x, 0)))  # the minimum keeps the other branch from overflowing


@builder("selu")
def selu(x) -> Variable:
    """Self-normalising exponential unit: a scaled `elu` (Klambauer et al. 2017).

    Examples
    --------
    >>> import symcnn as sc
    >>> sc.selu(sc.input("x", (2, 3))).shape
    (2, 3)
    """
    return 1.0507009873554805 * elu(x, 1.6732632423543772)


@builder("gelu")
def gelu(x, approximate=None) -> Variable:
    r"""Gaussian error linear unit :math:`x \Phi(x)` (Hendrycks and Gimpel 2016), accurate in its negative tail, too.

    Parameters
    ----------
    x : Variable or array_like
    approximate : None or "tanh"
        ``"tanh"``: the usual approximation by a hyperbolic tangent.

    Examples
    --------
    >>> import symcnn as sc
    >>> sc.gelu(sc.input("x", (2, 3))).shape
    (2, 3)
    """
    x = as_variable(x)
    if approximate == "tanh":
        return 0.5 * x * (1 + tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * (x * x * x))))
    if approximate not in (None, "none"):
        raise InputError(
            "gelu: unknown approximation", expected="None or 'tanh'", found=repr(approximate), where=user_origin()
        )
    return 0.5 * x * erfc(x * -math.sqrt(0.5))


@builder("silu", "swish")
def silu(x) -> Variable:
    """``x * sigmoid(x)``.

    Examples
    --------
    >>> import symcnn as sc
    >>> sc.silu(sc.input("x", (2, 3))).shape
    (2, 3)
    """
    x = as_variable(x)
    return x * sigmoid(x)


@builder("hard_sigmoid")
def hard_sigmoid(x, alpha=0.2, beta=0.5) -> Variable:
    """``clip(alpha * x + beta, 0, 1)``, with ONNX's defaults.

    Examples
    --------
    >>> import symcnn as sc
    >>> sc.hard_sigmoid(sc.input("x", (2, 3))).shape
    (2, 3)
    """
    return clip(alpha * as_variable(x) + beta, 0, 1)


@builder("maxout")
def maxout(x, pieces, axis=1) -> Variable:
    """The maximum of every `pieces` consecutive channels (Goodfellow et al. 2013).

    Parameters
    ----------
    x : Variable or array_like
    pieces : int
        Divides the size of `axis`, which shrinks by that factor.
    axis : int

    Raises
    ------
    ShapeError
        If the size of `axis` is not a multiple of `pieces`.

    Examples
    --------
    >>> import symcnn as sc
    >>> sc.maxout(sc.input("x", (None, 6, 4, 4)), 2).shape
    (None, 3, 4, 4)
    """
    x = as_variable(x)
    axis = normalize_axis(axis, x.ndim)
    if not isinstance(pieces, int) or pieces < 1 or (x.shape[axis] or 0) % pieces:
        raise ShapeError("maxout: pieces must divide the size of the axis", expected=f"a divisor of {x.shape[axis]}",
                         found=pieces, where=user_origin())  # fmt: skip
    parts = [slice_axes(x, (*[WHOLE] * axis, (k, None, pieces), *[WHOLE] * (x.ndim - axis - 1))) for k in range(pieces)]
    found = parts[0]
    for part in parts[1:]:
        found = maximum(found, part)  # ties go to the first
    return found


@builder("logsumexp")
def logsumexp(x, axis=None, keepdims=False) -> Variable:
    r""":math:`\log \sum e^x` over `axis`, without overflow.

    Parameters
    ----------
    x : Variable or array_like
    axis : int, tuple of int or None
    keepdims : bool

    Raises
    ------
    ShapeError
        If an axis is out of range or empty.

    Examples
    --------
    >>> import symcnn as sc
    >>> x = sc.input("x", (2,))
    >>> sc.function([x], sc.logsumexp(x), device="reference")([1000, -1000])
    array(1000., dtype=float32)
    """
    x = as_variable(x)
    axes = normalize_axes(axis, x.ndim)
    # The value does not depend on the shift, so its derivative may ignore it; infinities are not shifted.
    shift = stop_gradient(max(x, axes, keepdims=True))
    shift = where(isfinite(shift), shift, 0)
    found = log(sum(exp(x - shift), axes, keepdims=True)) + shift
    return found if keepdims else squeeze(found, axes)


@builder("softmax")
def softmax(x, axis: int | tuple[int, ...] = -1) -> Variable:
    r""":math:`e^{x_i} / \sum_j e^{x_j}` along `axis`, stable at any size of `x`.

    Parameters
    ----------
    x : Variable or array_like
    axis : int or tuple of int

    Raises
    ------
    ShapeError
        If the axis is out of range or empty.

    Examples
    --------
    >>> import symcnn as sc
    >>> x = sc.input("x", (2,))
    >>> sc.function([x], sc.softmax(x), device="reference")([1000, 1000])
    array([0.5, 0.5], dtype=float32)
    """
    x = as_variable(x)
    axes = normalize_axes(axis, x.ndim)
    e = exp(x - stop_gradient(max(x, axes, keepdims=True)))
    return e / sum(e, axes, keepdims=True)


@builder("log_softmax")
def log_softmax(x, axis: int | tuple[int, ...] = -1) -> Variable:
    r""":math:`x_i - \log \sum_j e^{x_j}` along `axis`, stable at any size of `x`.

    Parameters
    ----------
    x : Variable or array_like
    axis : int or tuple of int

    Raises
    ------
    ShapeError
        If the axis is out of range or empty.

    Examples
    --------
    >>> import symcnn as sc
    >>> x = sc.input("x", (2,))
    >>> sc.function([x], sc.log_softmax(x), device="reference")([-1000, 1000])
    array([-2000.,     0.], dtype=float32)
    """
    x = as_variable(x)
    axes = normalize_axes(axis, x.ndim)
    shifted = x - stop_gradient(max(x, axes, keepdims=True))
    return shifted - log(sum(exp(shifted), axes, keepdims=True))


@builder("logaddexp")
def logaddexp(x, y) -> Variable:
    r""":math:`\log(e^x + e^y)`, without overflow.

    Examples
    --------
    >>> import symcnn as sc
    >>> sc.logaddexp(sc.input("x", (2, 1)), sc.input("y", (3,))).shape
    (2, 3)
    """
    x, y = as_operands(x, y)
    same_infinity = logical_and(equal(x, y), isinf(x))  # whose difference is no number
    gap = where(same_infinity, 0, y - x)
    return where(x >= y, x + softplus(gap), y + softplus(-gap))


@builder("log2")
def log2(x) -> Variable:
    """Logarithm to base 2.

    Examples
    --------
    >>> import symcnn as sc
    >>> sc.log2(sc.input("x", (2, 3))).shape
    (2, 3)
    """
    return log(x) * (1 / math.log(2))


@builder("log10")
def log10(x) -> Variable:
    """Logarithm to base 10.

    Examples
    --------
    >>> import symcnn as sc
    >>> sc.log10(sc.input("x", (2, 3))).shape
    (2, 3)
    """
    return log(x) * (1 / math.log(10))


@builder("exp2")
def exp2(x) -> Variable:
    """2 to the power `x`.

    Examples
    --------
    >>> import symcnn as sc
    >>> sc.exp2(sc.input("x", (2, 3))).shape
    (2, 3)
    """
    return exp(as_variable(x) * math.log(2))
