"""Normalisation: activations shifted and scaled by their own mean and variance, or by given ones."""

from __future__ import annotations

from symcnn.errors import InputError, ShapeError
from symcnn.ir.op import builder
from symcnn.ir.types import normalize_axis, shape_text
from symcnn.ir.variable import Variable, user_origin
from symcnn.ops.elementwise import as_operands, as_variable, cast, float_dtypes, sqrt
from symcnn.ops.shape import reshape, reshape_like
from symcnn.ops.standardize import standardize
from symcnn.ops.statistics import mean as average
from symcnn.ops.statistics import var


@builder("batch_statistics")
def batch_statistics(x, axis=1) -> tuple[Variable, Variable]:
    """Mean and (biased) variance over all axes but `axis`: what `batch_norm` normalises by in training.

    Parameters
    ----------
    x : Variable or array_like
    axis : int
        The channels.

    Returns
    -------
    mean, variance : Variable
        (C,) each.

    Examples
    --------
    >>> import symcnn as sc
    >>> mean, variance = sc.batch_statistics(sc.input("x", (None, 16, 8, 8)))
    >>> mean.shape
    (16,)
    """
    x = float_image(x)
    axes = _all_but(axis, x.ndim)
    return reshape(average(x, axes, keepdims=True), (-1,)), reshape(var(x, axes, keepdims=True), (-1,))


@builder("batch_norm")
def batch_norm(x, gamma, beta, mean=None, variance=None, axis=1, epsilon=1e-5) -> Variable:
    r"""Batch normalisation.

    .. math:: y = \gamma \frac{x - \mu}{\sqrt{\sigma^2 + \epsilon}} + \beta

    with one mean, variance, gamma and beta per channel. Without `mean` and `variance` they are those of the batch
    (training); running averages make it the inference form.

    Parameters
    ----------
    x : (N, C, ...)
    gamma, beta : (C,)
    mean, variance : (C,), optional
        Both or none; see `batch_statistics`.
    axis : int
        The channels.
    epsilon : float

    Returns
    -------
    Variable
        The shape of x.

    Raises
    ------
    ShapeError
        If a parameter has not one element per channel.
    InputError
        If only one of `mean` and `variance` is given.

    Notes
    -----
    ONNX ``BatchNormalization``. Ioffe and Szegedy, *Batch normalization* (2015).

    Examples
    --------
    >>> import symcnn as sc
    >>> x, gamma, beta = sc.input("x", (None, 16, 8, 8)), sc.input("gamma", (16,)), sc.input("beta", (16,))
    >>> sc.batch_norm(x, gamma, beta).shape
    (None, 16, 8, 8)
    """
    x = float_image(x)
    axis = normalize_axis(axis, x.ndim)
    if (mean is None) != (variance is None):
        raise InputError("batch_norm: give both mean and variance, or neither", where=user_origin())
    gamma, beta = (_per_channel("batch_norm", n, v, x, axis) for n, v in (("gamma", gamma), ("beta", beta)))
    if mean is None:
        axes = _all_but(axis, x.ndim)
        if 0 in (gamma.ndim, beta.ndim):  # one number for all channels
            return standardize(x, axes, epsilon) * gamma + beta
        return standardize(x, axes, epsilon, gamma, beta)
    mean, variance = (_per_channel("batch_norm", n, v, x, axis) for n, v in (("mean", mean), ("variance", variance)))
    return (x - mean) * (gamma / sqrt(variance + epsilon)) + beta


@builder("layer_norm")
def layer_norm(x, gamma=None, beta=None, axis=-1, epsilon=1e-5) -> Variable:
    r"""Layer normalisation: every sample by its own mean and variance over the axes from `axis` to the last.

    Parameters
    ----------
    x : Variable or array_like
    gamma, beta : of shape ``x.shape[axis:]``, optional
    axis : int
    epsilon : float

    Returns
    -------
    Variable
        The shape of x.

    Raises
    ------
    ShapeError
        If the axis is out of range, or gamma or beta does not broadcast to x.

    Notes
    -----
    ONNX ``LayerNormalization``. Ba, Kiros and Hinton, *Layer normalization* (2016).

    Examples
    --------
    >>> import symcnn as sc
    >>> sc.layer_norm(sc.input("x", (None, 10, 64))).shape
    (None, 10, 64)
    """
    x = float_image(x)
    return _affine(standardize(x, tuple(range(normalize_axis(axis, x.ndim), x.ndim)), epsilon), gamma, beta)


@builder("group_norm")
def group_norm(x, groups, gamma=None, beta=None, epsilon=1e-5) -> Variable:
    r"""Group normalisation: every sample by the mean and variance of each group of channels and its pixels.

    Parameters
    ----------
    x : (N, C, ...)
    groups : int
        Divides C.
    gamma, beta : (C,), optional
    epsilon : float

    Returns
    -------
    Variable
        The shape of x.

    Raises
    ------
    ShapeError
        If the channels cannot be split into so many groups.

    Notes
    -----
    ONNX ``GroupNormalization``. Wu and He, *Group normalization* (2018).

    Examples
    --------
    >>> import symcnn as sc
    >>> sc.group_norm(sc.input("x", (None, 6, 8, 8)), 3).shape
    (None, 6, 8, 8)
    """
    x = float_image(x)
    check_channels("group_norm", x)
    if not isinstance(groups, int) or isinstance(groups, bool) or groups < 1:
        raise InputError("group_norm: groups must be a positive integer", where=user_origin(), found=repr(groups))
    if x.shape[1] is not None and x.shape[1] % groups:
        raise ShapeError(
            f"group_norm: {x.shape[1]} channels cannot be split into {groups} groups",
            where=user_origin(),
            found=str(x.type),
        )
    y = reshape_like(standardize(reshape(x, (None, groups, -1)), (2,), epsilon), x)
    return _affine(y, *(_maybe_per_channel("group_norm", n, v, x) for n, v in (("gamma", gamma), ("beta", beta))))


@builder("instance_norm")
def instance_norm(x, gamma=None, beta=None, epsilon=1e-5) -> Variable:
    r"""Instance normalisation: every channel of every sample by the mean and variance of its pixels.

    Parameters
    ----------
    x : (N, C, ...)
    gamma, beta : (C,), optional
    epsilon : float

    Returns
    -------
    Variable
        The shape of x.

    Raises
    ------
    ShapeError
        If x has no channels, or gamma or beta has not one element for each.

    Notes
    -----
    ONNX ``InstanceNormalization``. Ulyanov, Vedaldi and Lempitsky, *Instance normalization* (2016).

    Examples
    --------
    >>> import symcnn as sc
    >>> sc.instance_norm(sc.input("x", (None, 3, 8, 8))).shape
    (None, 3, 8, 8)
    """
    x = float_image(x)
    check_channels("instance_norm", x)
    y = standardize(x, tuple(range(2, x.ndim)), epsilon)
    return _affine(y, *(_maybe_per_channel("instance_norm", n, v, x) for n, v in (("gamma", gamma), ("beta", beta))))


def float_image(x) -> Variable:
    """`x` as a Variable, in float."""
    x = as_variable(x)
    return cast(x, float_dtypes(x.dtype)[1])


def _all_but(axis: int, ndim: int) -> tuple[int, ...]:
    axis = normalize_axis(axis, ndim)
    return tuple(k for k in range(ndim) if k != axis)


def _affine(x: Variable, gamma, beta) -> Variable:
    x = x if gamma is None else x * gamma
    return x if beta is None else x + beta


def _per_channel(what: str, name: str, value, x: Variable, axis: int = 1) -> Variable:
    """A vector of one element per channel, with axes of size 1 added so that it broadcasts along `axis` of `x`."""
    _, value = as_operands(x, value)
    if value.ndim == 0:
        return value
    if value.ndim != 1 or (None not in (value.shape[0], x.shape[axis]) and value.shape[0] != x.shape[axis]):
        raise ShapeError(
            f"{what}: {name} needs one element per channel", where=user_origin(), expected=shape_text((x.shape[axis],)),
            found=f"{name} {shape_text(value.shape)}, x {shape_text(x.shape)} with channels on axis {axis}",
        )  # fmt: skip
    return reshape(value, tuple(-1 if k == axis else 1 for k in range(x.ndim)))


def _maybe_per_channel(what, name, value, x):
    return None if value is None else _per_channel(what, name, value, x)


def check_channels(what: str, x: Variable):
    """ShapeError unless `x` has an axis of channels."""
    if x.ndim < 2:
        raise ShapeError(
            f"{what}: there is no channel axis", where=user_origin(), expected="(N, C, ...)", found=str(x.type)
        )
