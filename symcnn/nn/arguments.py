"""What layers ask of their arguments and inputs, and how they make parameters and describe themselves."""

from __future__ import annotations

import inspect
from math import prod
from typing import Any

import numpy as np

import symcnn as sc
from symcnn import init as initial
from symcnn.data.layouts import layout_hint
from symcnn.errors import DTypeError, InputError, ShapeError
from symcnn.nn.summary import shape_text

# ---- arguments


def drawn(init, shape, seed, dtype, transposed: bool = False) -> np.ndarray:
    """First values of an array of a layer; see `symcnn.init.draw`."""
    values = initial.draw(init, shape, seed, dtype, transposed)
    if values.dtype.kind != "f" or dtype is None:
        raise DTypeError("layers compute in float32 or float64", found=dtype)
    return values


def parameter(name: str, init, shape, seed, dtype, transposed: bool = False) -> sc.Shared:
    """A Shared of `shape` with values by an initialiser."""
    return sc.shared(drawn(init, shape, seed, dtype, transposed), name=name)


def bias_parameter(bias, size: int, seed, dtype) -> sc.Shared | None:
    """The bias that a layer's argument asks for: none, zeros (True), one number, or values by an initialiser."""
    if bias is None or bias is False:
        return None
    if isinstance(bias, int) and bias is not True:
        raise InputError("this is no bias", expected="True, False, a float, or an initialiser", found=bias)
    init = "zeros" if bias is True else initial.constant(bias) if isinstance(bias, float) else bias
    return parameter("bias", init, (size,), seed, dtype)


def scale_and_shift(shape, affine: bool, dtype) -> tuple[sc.Shared | None, sc.Shared | None]:
    """Gamma and beta of a normalisation, if it has them."""
    if not affine:
        return None, None
    shape = shape if isinstance(shape, tuple) else (shape,)
    return parameter("gamma", "ones", shape, None, dtype), parameter("beta", "zeros", shape, None, dtype)


def random_seed(seed) -> int:
    """The seed of a layer's own random stream, from what users give (see `symcnn.init.generator`)."""
    return int(initial.generator(seed).integers(2**31))


def check_positive(layer, **sizes) -> None:
    """InputError unless all are positive integers."""
    for name, size in sizes.items():
        if not isinstance(size, (int, np.integer)) or isinstance(size, bool) or size < 1:
            raise InputError(f"{type(layer).__name__}: {name} is a positive integer", found=repr(size))


def as_pair(layer, name: str, value) -> tuple[int, int]:
    """(rows, columns) from an int or a pair of positive ints."""
    given: Any = value if isinstance(value, (tuple, list)) and len(value) == 2 else (value, value)
    for size in given:
        check_positive(layer, **{name: size})
    rows, columns = map(int, given)
    return rows, columns


def as_sides(layer, name: str, value) -> tuple[int, int, int, int]:
    """(top, left, bottom, right) from an int, a pair (rows, columns), or all four."""
    given = tuple(value) if isinstance(value, (tuple, list)) else (value,)
    if len(given) not in (1, 2, 4) or not all(
        isinstance(v, (int, np.integer)) and not isinstance(v, bool) and v >= 0 for v in given
    ):
        raise InputError(
            f"{type(layer).__name__}: {name} counts pixels", found=repr(value),
            expected="an int, a pair (rows, columns) or (top, left, bottom, right), at least 0",
        )  # fmt: skip
    top, left, bottom, right = (int(v) for v in given * (4 // len(given)))
    return top, left, bottom, right


# ---- inputs


def check_images(layer, x, channels: int | None = None) -> None:
    """ShapeError unless `x` is a batch of images, (n, channels, height, width)."""
    if x.ndim == 4 and (channels is None or x.shape[1] in (None, channels)):
        return
    expected = ("n", "channels" if channels is None else channels, "height", "width")
    raise ShapeError(
        f"{type(layer).__name__} takes other images", expected=shape_text(expected), found=shape_text(x.shape),
        hint=_hint(channels, x.shape),
    )  # fmt: skip


def check_channels(layer, x, channels: int) -> None:
    """ShapeError unless `x` has so many channels: (n, channels, ...)."""
    if x.ndim < 2 or x.shape[1] not in (None, channels):
        raise ShapeError(
            f"{type(layer).__name__} takes {channels} channels", expected=f"(n, {channels}, ...)",
            found=shape_text(x.shape), hint=_hint(channels, x.shape),
        )  # fmt: skip


def check_same_shape(layer, first, *others, hint: str | None = None) -> None:
    """ShapeError unless expressions that `layer` adds have one shape, as far as it is known."""
    for other in others:
        if first.ndim != other.ndim or any(
            None not in (a, b) and a != b for a, b in zip(first.shape, other.shape, strict=True)
        ):
            raise ShapeError(
                f"{type(layer).__name__} adds what has one shape", expected=shape_text(first.shape),
                found=shape_text(other.shape), hint=hint,
            )  # fmt: skip


def _hint(channels: int | None, shape) -> str | None:
    """What `shape`, of a batch that does not fit a layer for images, looks like; ``None`` if like nothing known."""
    if len(shape) == 2:
        return "sc.nn.Reshape makes images (channels, height, width) of rows"
    if channels is None:
        return "images without a channel axis: images[:, None] adds it" if len(shape) == 3 else None
    sizes = (shape[1:3], shape[2:4])  # where height and width may be
    hints = (layout_hint(shape, (channels, *size)) for size in sizes if len(size) == 2)
    return next(filter(None, hints), None)


def flat_size(shape) -> int | None:
    """Elements of one example of a batch of `shape`, if known."""
    return None if None in shape[1:] else prod(shape[1:])


# ---- description


def described(layer, *leading, **options) -> str:
    """The call that makes `layer`: its leading arguments, and the options that are not at their defaults."""
    known = inspect.signature(type(layer).__init__).parameters
    shown = [f"{k}={v!r}" for k, v in options.items() if k not in known or not _same(v, known[k].default)]
    return f"{type(layer).__name__}({', '.join([*map(str, leading), *shown])})"


def _same(value, default) -> bool:
    return type(value) is type(default) and value == default
