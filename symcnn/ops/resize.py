"""Resizing images: nearest-neighbour and bilinear interpolation, and the adjoint.

With half-pixel centres, output pixel y of an axis enlarged by s = p / q sits over the input at

    v(y) = (y + 1/2) / s - 1/2 = ((2 y + 1) q - p) / (2 p)

"nearest" takes the pixel nearest to v (of two equally near, the first), "bilinear" weighs pixel i with
``max(0, 1 - |v - i|)``, v clamped to the image. All positions and weights are ratios of integers, so they are exact.
The adjoint asks, for pixel i, which y it contributed to: those with v(y) within one pixel of i.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor
from typing import TYPE_CHECKING, Any

import numpy as np

from symcnn.errors import DTypeError, InputError, ShapeError
from symcnn.ir.loops import call, const, select, within
from symcnn.ir.op import Example, Op, builder
from symcnn.ir.types import TensorType
from symcnn.ir.variable import Variable, apply, user_origin
from symcnn.ops.elementwise import as_variable, cast, float_dtypes

if TYPE_CHECKING:
    from collections.abc import Callable

CASES = tuple(
    ((1, 2, h, w), (1, 2, floor(h * sh), floor(w * sw)), {"scale": (Fraction(sh), Fraction(sw)), "mode": mode})
    for mode in ("nearest", "bilinear")
    for h, w, sh, sw in (
        (3, 4, 2, 3), (1, 1, 3, 2), (2, 1, 1, 4), (4, 5, Fraction(3, 2), Fraction(5, 3)), (6, 5, Fraction(1, 2), Fraction(2, 3)),
    )
)  # fmt: skip


@dataclass(frozen=True)
class _Axis:
    """One axis resized by `scale`: where its output pixels look, in integers that may be loop expressions."""

    scale: Fraction
    mode: str

    def size(self, n) -> Any:
        """Pixels of the result, for n of the image."""
        return None if n is None else floor(n * self.scale)

    def position(self, y: int) -> Fraction:
        """v(y), exactly."""
        return (y + Fraction(1, 2)) / self.scale - Fraction(1, 2)

    def sources(self, n: int, dtype) -> list[tuple[np.ndarray, np.ndarray]]:
        """(pixels, weights) for all outputs of an axis of n pixels: one pair for "nearest", two for "bilinear"."""
        places = [self.position(y) for y in range(self.size(n))]
        if self.mode == "nearest":
            return [(np.array([ceil(v - Fraction(1, 2)) for v in places], int), np.ones(len(places), dtype))]
        places = [min(max(v, Fraction(0)), Fraction(n - 1)) for v in places]
        low = np.array([floor(v) for v in places], int)
        high_weight = np.array([float(v - floor(v)) for v in places], dtype)
        return [(low, 1 - high_weight), (np.minimum(low + 1, n - 1), high_weight)]

    # ---- loops: positions are counted in units of 1 / (2 p) of a pixel

    @property
    def unit(self) -> int:
        return 2 * self.scale.numerator

    def clamped(self, y, n):
        """v(y), clamped to an image of n pixels."""
        p, q = self.scale.numerator, self.scale.denominator
        return call("minimum", call("maximum", y * (2 * q) + (q - p), 0), (n - 1) * self.unit)

    def nearest(self, y):
        """The pixel that output y takes."""
        q = self.scale.denominator
        return (y * (2 * q) + (q - 1)) // self.unit

    def lerp(self, y, n, element):
        """``element(pixel)`` interpolated at v(y)."""
        if self.mode == "nearest":
            return element(self.nearest(y))
        place = self.clamped(y, n)
        low = place // self.unit
        here, there = element(low), element(call("minimum", low + 1, n - 1))
        weight = (place - low * self.unit).cast(here.dtype) / const(self.unit, here.dtype)
        return here * (1 - weight) + there * weight

    def touching(self, i, n, outputs) -> tuple[int, Callable[..., Any]]:
        """The outputs, out of `outputs`, that pixel i of n contributes to.

        Returns
        -------
        extent : int
            How many candidates there are.
        candidate : callable
            counter -> (output, integer weight in units of 1 / `weight_unit`, condition that this is one).
        """
        p, q = self.scale.numerator, self.scale.denominator
        if self.mode == "nearest":
            first = (i * (2 * p) + q) // (2 * q)

            def taking(r):
                y = first + r
                inside = within((y, 0, outputs))
                return y, const(1), inside if q == 1 else inside & self.nearest(y).equals(i)

            return ceil(self.scale), taking
        first = (i * (2 * p) - (p + q)) // (2 * q) + 1

        def weighing(r):
            y = first + r
            distance = call("absolute", self.clamped(y, n) - i * self.unit)
            return y, call("maximum", self.unit - distance, 0), within((y, 0, outputs))

        return ceil(2 * self.scale), weighing

    @property
    def weight_unit(self) -> int:
        return 1 if self.mode == "nearest" else self.unit


@dataclass(frozen=True)
class Upsample2d(Op):
    """x (N, C, H, W) -> (N, C, floor(H sh), floor(W sw)); linear in x."""

    scale: tuple[Fraction, Fraction]
    mode: str

    images = (0,)
    pattern = "gather"
    examples = tuple(Example((x,), attributes) for x, _, attributes in CASES)

    def label(self):
        return f"{self.name}({self.mode}, {' x '.join(map(str, self.scale))})"

    @property
    def axes(self) -> tuple[_Axis, _Axis]:
        return _Axis(self.scale[0], self.mode), _Axis(self.scale[1], self.mode)

    def infer(self, x):
        if x.ndim != 4:
            raise ShapeError("images must have rank 4", expected="(N, C, H, W)", found=str(x))
        if self.mode == "bilinear" and not x.is_float:
            raise DTypeError("bilinear interpolation is of float images", found=str(x))
        return x.with_shape((*x.shape[:2], *(axis.size(n) for axis, n in zip(self.axes, x.shape[2:], strict=True))))

    def reference(self, x):
        rows, columns = (axis.sources(n, x.dtype) for axis, n in zip(self.axes, x.shape[2:], strict=True))
        tall = sum((x[:, :, pixels] * weights[:, None] for pixels, weights in rows), np.zeros((), x.dtype))
        return sum((tall[..., pixels] * weights for pixels, weights in columns), np.zeros((), x.dtype))

    def pullback(self, inputs, output, cotangent):
        return (apply(Upsample2dGrad(self.scale, self.mode), cotangent, inputs[0]),)

    def nest(self, result, x):
        n, c, y, z = result.index
        rows, columns = self.axes
        return rows.lerp(y, x.shape[2], lambda i: columns.lerp(z, x.shape[3], lambda j: x[n, c, i, j]))

    def flops(self, output, *types):
        return (output.size or 0) * (8 if self.mode == "bilinear" else 0)


@dataclass(frozen=True)
class Upsample2dGrad(Upsample2d):
    """The adjoint of `Upsample2d`: every pixel sums the cotangents it contributed to; ct and the shape of x."""

    images = (0, 1)
    pattern = "fold"
    shape_only = (1,)
    examples = tuple(Example((y, x), attributes) for x, y, attributes in CASES)

    def infer(self, ct, like):
        expected = super().infer(like.with_dtype(ct.dtype))
        if any(None not in (a, b) and a != b for a, b in zip(expected.shape, ct.shape, strict=True)):
            raise ShapeError("the cotangent has not the shape of the enlarged image", expected=expected, found=ct)
        return TensorType(ct.dtype, like.shape)

    def reference(self, ct, like):
        rows, columns = (axis.sources(n, ct.dtype) for axis, n in zip(self.axes, like.shape[2:], strict=True))
        tall = np.zeros((*ct.shape[:3], like.shape[3]), ct.dtype)
        for pixels, weights in columns:
            for z, (pixel, weight) in enumerate(zip(pixels, weights, strict=True)):
                tall[..., pixel] += weight * ct[..., z]
        total = np.zeros(like.shape, ct.dtype)
        for pixels, weights in rows:
            for y, (pixel, weight) in enumerate(zip(pixels, weights, strict=True)):
                total[:, :, pixel] += weight * tall[:, :, y]
        return total

    def pullback(self, inputs, output, cotangent):
        return apply(Upsample2d(self.scale, self.mode), cotangent), None

    def nest(self, result, ct, like):
        n, c, *pixel = result.index
        (rows, row), (columns, column) = (
            axis.touching(pixel[k], like.shape[2 + k], ct.shape[2 + k]) for k, axis in enumerate(self.axes)
        )
        unit = self.axes[0].weight_unit * self.axes[1].weight_unit

        def term(a, b):
            (y, row_weight, on_row), (z, column_weight, on_column) = row(a), column(b)
            value = ct[n, c, y, z]
            if unit > 1:
                value = value * (row_weight * column_weight).cast(ct.dtype) / const(unit, ct.dtype)
            return select(on_row & on_column, value, 0)

        return result.fold("sum", (rows, columns), term, result.dtype)


def _scale(value) -> tuple[Fraction, Fraction]:
    pair = value if isinstance(value, (tuple, list)) else (value, value)
    try:
        found = tuple(Fraction(v).limit_denominator(1000) for v in pair)
    except (TypeError, ValueError, OverflowError):
        found = ()
    if len(found) != 2 or min(found) <= 0:
        raise InputError(
            "upsample2d: scale must be a positive number or a pair (rows, columns)",
            where=user_origin(),
            found=repr(value),
        )
    return found


@builder("upsample2d")
def upsample2d(x, scale, mode="bilinear") -> Variable:
    r"""Images enlarged (or reduced) by `scale`, with half-pixel centres and the edge repeated.

    .. math:: y_{n,c,a,b} = \sum_{i,j} \max(0, 1 - |v_a - i|)\,\max(0, 1 - |v_b - j|)\; x_{n,c,i,j},
              \qquad v_a = (a + \tfrac12) / s - \tfrac12

    (v clamped to the image) for "bilinear"; the pixel nearest to v for "nearest".

    Parameters
    ----------
    x : (N, C, H, W)
    scale : number or pair (rows, columns)
        A ratio of small integers; the result has floor(H * scale) rows. Reducing samples, it does not average.
    mode : {"bilinear", "nearest"}

    Returns
    -------
    Variable
        (N, C, floor(H scale), floor(W scale)).

    Raises
    ------
    ShapeError
        If x has not rank 4.
    InputError
        An unknown mode, or a scale that is not positive.

    Notes
    -----
    ONNX ``Resize`` with ``coordinate_transformation_mode="half_pixel"`` and ``nearest_mode="round_prefer_floor"``;
    ``align_corners=False`` elsewhere.

    Examples
    --------
    >>> import symcnn as sc
    >>> sc.upsample2d(sc.input("x", (None, 3, 16, 16)), 2).shape
    (None, 3, 32, 32)
    """
    if mode not in ("bilinear", "nearest"):
        raise InputError(f"upsample2d: mode={mode!r}", where=user_origin(), expected="'bilinear' or 'nearest'")
    x = as_variable(x)
    if mode == "bilinear":
        x = cast(x, float_dtypes(x.dtype)[1])
    return apply(Upsample2d(_scale(scale), mode), x)
