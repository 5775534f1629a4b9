"""Resize and Upsample: each axis by itself, as a weighted sum of a few of its pixels."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import reduce
from math import floor
from operator import add

import numpy as np

import symcnn as sc
from symcnn.errors import InputError, ShapeError
from symcnn.interop.onnx.interpolation import Interpolation
from symcnn.interop.onnx.operators.operands import countable
from symcnn.interop.onnx.operators.windows import sizes as known_sizes
from symcnn.interop.onnx.registry import operator
from symcnn.interop.onnx.values import Size, as_numbers, shape_of
from symcnn.ir.types import normalize_axis

MOST_SCALE, MOST_PIXELS = 2**13, 2**20  # of an axis; a file of a few bytes could ask for any number


@dataclass(frozen=True)
class Stretch:
    """How one axis is resized.

    Attributes
    ----------
    axis : int
    scale : float
    size : int or None
        Of the result; ``None``: the scale times the size before, rounded down.
    region : (float, float)
        From where to where of the axis is looked at, as parts of it.
    """

    axis: int
    scale: float
    size: int | None
    region: tuple[float, float] = (0.0, 1.0)

    @property
    def changes(self) -> bool:
        return self.scale != 1 or self.region != (0.0, 1.0)


@operator("Resize", numbers=(1, 2), sizes=(3,))
def resize(node, x, *inputs):
    """Opset 10 has the input scales; since opset 11 they are roi, scales and sizes, of which those not meant may be empty."""
    given = (None, *inputs) if node.opset < 11 else inputs
    roi, scales, sizes = (None if v is None or v.size == 0 else v for v in (*given, None, None, None)[:3])
    axes = tuple(normalize_axis(a, x.ndim) for a in node.get("axes") or range(x.ndim))
    interpolation = Interpolation(
        node.get("mode", "nearest"),
        node.get("coordinate_transformation_mode", "half_pixel" if node.opset >= 11 else "asymmetric"),
        node.get("nearest_mode", "round_prefer_floor" if node.opset >= 11 else "floor"),
        node.get("cubic_coeff_a", -0.75),
        bool(node.get("exclude_outside", 0)),
        bool(node.get("antialias", 0)),
    )
    if sizes is not None:
        scales, wanted = _fitted(node, x, axes, sizes)
    elif scales is not None:
        wanted = [None] * len(axes)
    else:
        raise InputError("neither scales nor sizes are given")
    regions = [(0.0, 1.0)] * len(axes)
    if interpolation.transformation == "tf_crop_and_resize" and roi is not None:
        regions = [(float(low), float(high)) for low, high in np.reshape(roi, (2, -1)).T]
    outside = node.get("extrapolation_value", 0.0)
    return _resized(x, _stretches(axes, scales, wanted, regions), interpolation, outside)


@operator("Upsample", numbers=(1,))
def upsample(node, x, scales=None):
    """Opset 6 has an attribute for each scale, opset 7 one for all of them, and opset 9 an input."""
    if scales is None:
        scales = node.get("scales") or (1.0, 1.0, node.get("height_scale", 1.0), node.get("width_scale", 1.0))
    mode = node.get("mode", "nearest")
    interpolation = Interpolation("linear" if mode == "bilinear" else mode, "asymmetric", "floor")
    axes = range(x.ndim)
    return _resized(x, _stretches(axes, scales, [None] * x.ndim, [(0.0, 1.0)] * x.ndim), interpolation)


def _stretches(axes, scales, sizes, regions) -> list[Stretch]:
    if not len(axes) == len(scales) == len(sizes) == len(regions):
        raise ShapeError("one scale or size is needed for each axis", expected=len(axes), found=len(scales))
    if not all(0 < scale <= MOST_SCALE for scale in scales):
        raise InputError(f"scales must be positive and at most {MOST_SCALE}", found=list(map(float, scales)))
    if any(size is not None and size > MOST_PIXELS for size in sizes):
        raise InputError(
            "the result is too large", expected=f"at most {MOST_PIXELS:,} pixels along an axis", found=sizes
        )
    return [Stretch(*of) for of in zip(axes, map(float, scales), sizes, regions, strict=True)]


def _fitted(node, x, axes, sizes) -> tuple[list[float], list[int | None]]:
    """Scales, and the sizes that they lead to: those asked for, or the nearest that keep the aspect ratio.

    An axis whose own size is asked for, which may be unknown, stays as it is.
    """
    own = shape_of(x)
    kept = [axis for axis, size in zip(axes, sizes, strict=False) if isinstance(size, Size) and size == own[axis]]
    before = {axis: 1 if axis in kept else int(as_numbers(own[[axis]], "sizes")[0]) for axis in axes}
    wanted = [1 if axis in kept else int(size) for axis, size in zip(axes, sizes, strict=False)]
    scales = [size / max(before[axis], 1) for axis, size in zip(axes, wanted, strict=False)]
    policy = node.get("keep_aspect_ratio_policy", "stretch")
    if policy == "stretch":
        return scales, [None if axis in kept else size for axis, size in zip(axes, wanted, strict=False)]
    common = min(scales) if policy == "not_larger" else max(scales)
    return [common] * len(axes), [floor(common * before[axis] + 0.5) for axis in axes]


def _resized(x, stretches: list[Stretch], interpolation: Interpolation, outside: float = 0.0):
    changed = [s for s in stretches if s.changes]
    scale = _as_upsampling(x, changed, interpolation)
    if scale is not None:
        return sc.upsample2d(x, scale, "nearest" if interpolation.mode == "nearest" else "bilinear")
    y = x if interpolation.mode == "nearest" else x.astype(np.result_type(x.dtype, np.float32))
    for stretch in changed:
        y = _along(y, stretch, interpolation, outside)
    return y.astype(x.dtype)


def _as_upsampling(x, changed: list[Stretch], how: Interpolation) -> tuple[Fraction, Fraction] | None:
    """The scale with which `symcnn.upsample2d` computes the same, in one kernel and for sizes that are not known yet."""
    if x.ndim != 4 or not changed or any(s.axis < 2 or s.region != (0.0, 1.0) for s in changed) or how.antialias:
        return None
    scales = {s.axis: Fraction(s.scale).limit_denominator(1000) for s in changed}
    if any(np.float32(scales[s.axis]) != np.float32(s.scale) for s in changed):
        return None
    if any(s.size is not None and s.size != floor(x.shape[s.axis] * scales[s.axis]) for s in changed):
        return None  # rounded up, to keep the aspect ratio
    enlarged = all(scale.denominator == 1 for scale in scales.values())
    copies = how.mode == "nearest" and enlarged and (how.transformation, how.rounding) == ("asymmetric", "floor")
    centred = (
        how.mode in ("nearest", "linear")
        and (how.transformation == "half_pixel" or (enlarged and how.transformation == "pytorch_half_pixel"))
        and (how.mode == "linear" or how.rounding == "round_prefer_floor")
        and not (how.mode == "linear" and (how.exclude_outside or not x.type.is_float))
    )
    return (scales.get(2, Fraction(1)), scales.get(3, Fraction(1))) if copies or centred else None


def _along(x, stretch: Stretch, interpolation: Interpolation, outside: float):
    """`x` resized along one axis."""
    axis, scale = stretch.axis, stretch.scale
    (n,) = known_sizes(x, slice(axis, axis + 1), "resizing")
    # In single precision, as the scales are: ten times 0.7 is then 7.
    size = floor(np.float32(scale) * np.float32(n)) if stretch.size is None else stretch.size
    positions = interpolation.positions(n, countable(size, "the size"), scale, stretch.region)
    column = tuple(-1 if k == axis else 1 for k in range(x.ndim))
    if interpolation.mode == "nearest":
        (pixels,), _ = interpolation.taps(n, scale, positions)
        y = sc.take(x, pixels, axis)
    else:
        taps = zip(*interpolation.taps(n, scale, positions), strict=True)
        y = reduce(
            add, (sc.take(x, pixels, axis) * weights.astype(x.dtype).reshape(column) for pixels, weights in taps)
        )
    if interpolation.transformation == "tf_crop_and_resize":
        inside = (positions >= 0) & (positions <= n - 1)
        y = y if inside.all() else sc.where(inside.reshape(column), y, np.asarray(outside, x.dtype))
    return y
