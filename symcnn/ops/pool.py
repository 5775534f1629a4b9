"""Pooling: the largest value in every window of an image, and what all poolings share (the average is in `avg_pool`).

Padding is below every value, so it never wins. The gradient goes to the pixel that won; so two ops are linear maps
chosen by the winners, and each is the other's pullback:

    MaxPool2dArgmax  x          -> which tap won, in every window
    MaxPool2dGrad    ct, argmax -> every pixel collects from the windows that it won
    MaxPool2dTake    x, argmax  -> every window takes the pixel at its winning tap
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from math import prod

import numpy as np

from symcnn.errors import DTypeError, InputError, ShapeError
from symcnn.ir.loops import INT, call, const, select
from symcnn.ir.op import Example, Op, build, builder
from symcnn.ir.types import TensorType
from symcnn.ir.variable import Variable, apply, user_origin
from symcnn.ops.elementwise import as_variable
from symcnn.ops.window import AXES, Window2d, pair, window2d

_GEOMETRIES = (
    ((2, 3, 4, 6), {"window_size": (2, 2), "window": Window2d((2, 2))}),
    ((1, 2, 7, 6), {"window_size": (3, 2), "window": Window2d((2, 3), ((1, 0), (0, 1)))}),
    ((2, 1, 5, 7), {"window_size": (3, 3), "window": Window2d((1, 2), "same")}),
    ((1, 2, 6, 5), {"window_size": (3, 2), "window": Window2d((2, 2)), "ceil_mode": True}),
    ((1, 2, 6, 8), {"window_size": (3, 3), "window": Window2d((2, 3), ((1, 1), (1, 0))), "ceil_mode": True}),
    ((1, 1, 8, 7), {"window_size": (3, 2), "window": Window2d((2, 1), ((1, 2), (0, 1)), (2, 3))}),
    ((1, 1, 1, 1), {"window_size": (1, 1), "window": Window2d()}),
    ((0, 2, 4, 4), {"window_size": (2, 2), "window": Window2d((2, 2))}),
)
# What the examples of the whole family run: the shapes of an image and of its windows, and the attributes.
CASES = tuple(
    (x, (*x[:2], *a["window"].output_sizes(x[2:], a["window_size"], a.get("ceil_mode", False))), a)
    for x, a in _GEOMETRIES
)


@dataclass(frozen=True)
class Pool(Op):
    """What the family shares: the geometry of the windows, and the ways from an image to its windows and back."""

    window_size: tuple[int, int]
    window: Window2d
    ceil_mode: bool = False

    @property
    def geometry(self) -> tuple:
        """Which pixels the windows see."""
        return self.window_size, self.window, self.ceil_mode

    def label(self):
        shown = [f"{self.window_size[0]}x{self.window_size[1]}", *[str(self.window)] * (self.window != Window2d())]
        shown += [f"{k}=True" for k in ("ceil_mode", "count_include_pad") if getattr(self, k, False)]
        return f"{self.name}({', '.join(shown)})"

    def sibling(self, kind: type[Pool]) -> Pool:
        """Another op of the family with the same attributes."""
        return kind(**{f.name: getattr(self, f.name) for f in fields(self)})

    def sizes(self, x) -> tuple:
        """How many windows there are along rows and columns."""
        return self.window.output_sizes(x.shape[2:], self.window_size, self.ceil_mode)

    def output(self, x: TensorType) -> TensorType:
        """The type of one value per window."""
        if x.ndim != 4:
            raise ShapeError("images must have rank 4", expected="(N, C, H, W)", found=str(x))
        return x.with_shape((*x.shape[:2], *self.sizes(x)))

    def flops(self, output, *types):
        return (output.size or 0) * prod(self.window_size)

    # ---- NumPy

    def seen(self, x: np.ndarray, value) -> np.ndarray:
        """(taps, N, C, OH, OW): what every window sees through each of its taps, `value` outside the image."""
        count = self.sizes(x)
        padded = self.window.padded(x, self.window_size, value, count)
        return np.stack([padded[self.window.seen_by(tap, count)] for tap in np.ndindex(*self.window_size)])

    def collect(self, shares, like: np.ndarray, dtype) -> np.ndarray:
        """The adjoint of `seen`: every pixel sums ``shares[tap]`` over the windows that see it through that tap."""
        count, size = self.sizes(like), like.shape[2:]
        (top, _), (left, _) = self.window.pads(size, self.window_size)
        total = self.window.padded(np.zeros(like.shape, dtype), self.window_size, 0, count)
        for share, tap in zip(shares, np.ndindex(*self.window_size), strict=True):
            total[self.window.seen_by(tap, count)] += share
        return total[:, :, top : top + size[0], left : left + size[1]]

    # ---- loops

    def fold_taps(self, result, kind, x, body, outside, dtype):
        """Fold ``body(element)`` over the taps of the window at the result's point, with `outside` for padding."""
        n, c, *position = result.index

        def term(*tap):
            (row, column), inside = self.window.pixel(result, position, tap, x.shape[2:], self.ceil_mode)
            return select(inside, body(x[n, c, row, column]), outside)

        return result.fold(kind, self.window_size, term, dtype)

    def fold_windows(self, result, ct, share):
        """Sum ``share(position, tap)`` over the windows that look at the result's point."""
        _, _, *pixel = result.index
        before = self.window.before(result)
        (rows, row), (columns, column) = (
            self.window.looking_at(axis, pixel[axis], before[axis], self.window_size[axis], ct.shape[2 + axis])
            for axis in (0, 1)
        )

        def term(a, b):
            (y, i, on_row), (z, j, on_column) = row(a), column(b)
            return select(on_row & on_column, share((y, z), (i, j)), 0)

        if (rows, columns) == (1, 1):
            return term(const(0), const(0))
        return result.fold("sum", (rows, columns), term, result.dtype)

    @property
    def tap_dtype(self) -> np.dtype:
        """Of the number of a tap: one byte where that is enough."""
        return np.dtype("uint8" if prod(self.window_size) <= 256 else "int32")

    def may_see_padding(self) -> bool:
        """Whether a window may look beyond the image."""
        return self.ceil_mode or self.window.padding != ((0, 0), (0, 0))

    def windows_are_disjoint(self) -> bool:
        """Whether no pixel is seen twice: then the way back reads one window per pixel."""
        return self.window.dilation == (1, 1) and all(
            s >= k for s, k in zip(self.window.stride, self.window_size, strict=True)
        )


@dataclass(frozen=True)
class MaxPool2d(Pool):
    """``y[n, c, p]``: the largest pixel that window p sees; NaN if it sees one."""

    images = (0,)
    windows = Pool.geometry
    examples = tuple(Example((x,), attributes) for x, _, attributes in CASES)

    def infer(self, x):
        return self.output(x)

    def reference(self, x):
        return self.seen(x, _lowest(x.dtype)).max(axis=0)

    def pullback(self, inputs, output, cotangent):
        (x,) = inputs
        winners = apply(self.sibling(MaxPool2dArgmax), x)
        return (apply(self.sibling(MaxPool2dGrad), cotangent, winners, x),)

    def parameters(self, x):
        return self.window.parameters(x.shape[2:], self.window_size)

    def nest(self, result, x):
        return self.fold_taps(result, "max", x, lambda value: value, _lowest(x.dtype), x.dtype)


@dataclass(frozen=True)
class MaxPool2dArgmax(Pool):
    """The tap ``i * KW + j`` through which each window sees its largest pixel, the first in scan order among equals.

    Padding is never the largest, even if all pixels are -inf.
    """

    images = (0,)
    windows = Pool.geometry
    smooth = False
    examples = MaxPool2d.examples

    def infer(self, x):
        if not x.is_float:
            raise DTypeError("only float images have a gradient", found=str(x))
        return self.output(x).with_dtype(self.tap_dtype)

    def reference(self, x):
        pads = self.window.pads(x.shape[2:], self.window_size)
        row, column = (
            np.maximum(-((np.arange(count) * stride - before) // dilation), 0)
            for count, stride, dilation, (before, _) in zip(
                self.sizes(x), self.window.stride, self.window.dilation, pads, strict=True
            )
        )
        first = row[:, None] * self.window_size[1] + column  # tap that sees the image
        return np.maximum(self.seen(x, -np.inf).argmax(axis=0), first).astype(self.tap_dtype)

    def pullback(self, inputs, output, cotangent):
        return (None,)

    def parameters(self, x):
        return self.window.parameters(x.shape[2:], self.window_size)

    def nest(self, result, x):
        tap = self.fold_taps(result, "argmax", x, lambda value: value, -np.inf, INT)
        if self.may_see_padding():
            row, column = (
                call("maximum", (before - y * stride + (dilation - 1)) // dilation, 0)
                for y, before, stride, dilation in zip(
                    result.index[2:], self.window.before(result), self.window.stride, self.window.dilation, strict=True
                )
            )
            tap = call("maximum", tap, row * self.window_size[1] + column)  # the first that sees the image
        return tap.cast(self.tap_dtype)


@dataclass(frozen=True)
class MaxPool2dGrad(Pool):
    """``dx``: every pixel sums the cotangents of the windows that it won; ct and argmax (N, C, OH, OW), the shape of x."""

    images = (0, 1, 2)
    shape_only = (2,)
    examples = tuple(
        Example(
            (y, y, x), attributes, dtypes=("float", "uint8", "float"), integers={1: prod(attributes["window_size"])}
        )
        for x, y, attributes in CASES
    )

    @property
    def pattern(self):
        return "gather" if self.windows_are_disjoint() else "fold"

    def infer(self, ct, argmax, like):
        check_same(self.output(like), ct, argmax)
        return like.with_dtype(ct.dtype)

    def reference(self, ct, argmax, like):
        shares = (np.where(argmax == tap, ct, 0) for tap in range(prod(self.window_size)))
        return self.collect(shares, like, ct.dtype)

    def pullback(self, inputs, output, cotangent):
        _, winners, _ = inputs
        return apply(self.sibling(MaxPool2dTake), cotangent, winners), None, None

    def parameters(self, ct, argmax, like):
        return self.window.parameters(like.shape[2:], self.window_size)

    def nest(self, result, ct, argmax, like):
        n, c, *_ = result.index

        def share(position, tap):
            won = argmax[(n, c, *position)].equals((tap[0] * self.window_size[1] + tap[1]).cast(argmax.dtype))
            return call("where", won, ct[(n, c, *position)], const(0, ct.dtype), dtype=ct.dtype)

        return self.fold_windows(result, ct, share)

    def flops(self, output, *types):
        return types[0].size or 0


@dataclass(frozen=True)
class MaxPool2dTake(Pool):
    """Every window takes from x (N, C, H, W) the pixel at its tap in argmax (N, C, OH, OW)."""

    images = (0, 1)
    pattern = "gather"
    examples = tuple(
        Example((x, y), attributes, dtypes=("float", "uint8"), integers={1: prod(attributes["window_size"])})
        for x, y, attributes in CASES
    )

    def infer(self, x, argmax):
        check_same(self.output(x), argmax)
        return x.with_shape(argmax.shape)

    def reference(self, x, argmax):
        return np.take_along_axis(self.seen(x, 0), argmax[None].astype("int64"), axis=0)[0]

    def pullback(self, inputs, output, cotangent):
        x, winners = inputs
        return apply(self.sibling(MaxPool2dGrad), cotangent, winners, x), None

    def parameters(self, x, argmax):
        return self.window.parameters(x.shape[2:], self.window_size)

    def nest(self, result, x, argmax):
        n, c, *position = result.index
        winner, columns = argmax[result.index].cast(INT), self.window_size[1]
        (row, column), inside = self.window.pixel(
            result, position, (winner // columns, winner % columns), x.shape[2:], self.ceil_mode
        )
        return select(inside, x[n, c, row, column], 0)

    def flops(self, output, *types):
        return 0


def _lowest(dtype: np.dtype):
    """What is below every value: padding, for a maximum."""
    return -np.inf if dtype.kind == "f" else False if dtype.kind == "b" else int(np.iinfo(dtype).min)


def check_same(expected: TensorType, *found: TensorType):
    """ShapeError unless all have the expected shape, as far as it is known."""
    for t in found:
        if t.ndim != 4 or any(None not in (a, b) and a != b for a, b in zip(expected.shape, t.shape, strict=True)):
            raise ShapeError("an operand has not the shape of the pooled image", expected=expected.shape, found=t.shape)


def pooling(what: str, window, stride, padding, dilation):
    """(window_size, Window2d) from what users write."""
    size = pair(f"{what}: window", window)
    geometry = window2d(size if stride is None else stride, padding, dilation)
    if not isinstance(geometry.padding, str):
        for axis, pads in enumerate(geometry.padding):
            if max(pads) >= geometry.reach(size[axis], axis):
                raise InputError(
                    f"{what}: a window could lie wholly in the padding", where=user_origin(),
                    expected=f"less padding than the {geometry.reach(size[axis], axis)} {AXES[axis]} that a window reaches over",
                    found=f"padding {pads}",
                )  # fmt: skip
    return size, geometry


@builder("max_pool2d")
def max_pool2d(x, window, stride=None, padding=0, ceil_mode=False, dilation=1) -> Variable:
    r"""The largest value in every window of an image.

    .. math:: y_{n,c,y,z} = \max_{i,j} \; x_{n,\,c,\; y s + i d - p,\; z s + j d - p}

    over the taps that lie in the image. NaN wins; among equals the gradient goes to the first in scan order.

    Parameters
    ----------
    x : (N, C, H, W)
    window : int or pair (rows, columns)
    stride : int or pair, optional
        The window's size unless given.
    padding : int, pair (rows, columns), 4-tuple (top, left, bottom, right) as in ONNX, "same" or "valid"
        Padding is never the maximum.
    ceil_mode : bool
        Whether a last window may hang over the bottom and right, as long as it starts inside the image.
    dilation : int or pair

    Returns
    -------
    Variable
        (N, C, OH, OW) of the dtype of x.

    Raises
    ------
    ShapeError
        Wrong rank, or a window larger than the padded image.
    InputError
        An argument out of range.

    Notes
    -----
    ONNX ``MaxPool``.

    Examples
    --------
    >>> import symcnn as sc
    >>> sc.max_pool2d(sc.input("x", (None, 8, 28, 28)), 2).shape
    (None, 8, 14, 14)
    """
    size, geometry = pooling("max_pool2d", window, stride, padding, dilation)
    return apply(MaxPool2d(size, geometry, bool(ceil_mode)), as_variable(x))


@builder("global_max_pool2d")
def global_max_pool2d(x) -> Variable:
    """The largest value of every channel: (N, C, H, W) -> (N, C, 1, 1), ONNX ``GlobalMaxPool``.

    Examples
    --------
    >>> import symcnn as sc
    >>> sc.global_max_pool2d(sc.input("x", (None, 64, 7, 7))).shape
    (None, 64, 1, 1)
    """
    return build("max", image(x), axis=(2, 3), keepdims=True)


def image(x) -> Variable:
    """`x` as a Variable of rank 4."""
    x = as_variable(x)
    if x.ndim != 4:
        raise ShapeError("images must have rank 4", where=user_origin(), expected="(N, C, H, W)", found=str(x.type))
    return x
