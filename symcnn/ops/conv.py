"""Convolution and its derivatives: the three partial derivatives of one trilinear form.

With images x (N, C, H, W), filters w (O, C/groups, KH, KW) and output cotangents g (N, O, OH, OW), the number

    T(x, w, g) = sum over n, o, y, z, c, i, j of  g[n, o, y, z] w[o, c, i, j] x[n, c, row, column]

with ``row = y * stride + i * dilation - top`` (columns likewise; channels within the group of o) is linear in each of
the three. So are its derivatives in the other two:

    Conv2d           dT/dg   the convolution itself
    Conv2dInputGrad  dT/dx   its gradient by the images; used forward it is `conv2d_transpose`
    Conv2dWeightGrad dT/dw   its gradient by the filters

and the pullback of each one is the other two. Second derivatives need nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import numpy as np

from symcnn.errors import DTypeError, InputError, ShapeError
from symcnn.ir.loops import select
from symcnn.ir.op import Example, Op, build, builder
from symcnn.ir.types import TensorType, shape_text
from symcnn.ir.variable import Variable, apply, user_origin
from symcnn.ops.elementwise import as_operands, cast
from symcnn.ops.window import Window2d, window2d

_GEOMETRIES = (
    ((2, 3, 5, 6), (4, 3, 3, 2), Window2d()),
    ((2, 2, 7, 6), (3, 2, 3, 3), Window2d(stride=(2, 3), padding=((1, 0), (2, 1)))),
    ((1, 2, 7, 8), (2, 2, 2, 3), Window2d(stride=(3, 2), padding="same", dilation=(2, 1))),
    ((2, 4, 6, 5), (6, 2, 3, 2), Window2d(padding=((1, 1), (0, 2)), dilation=(2, 2), groups=2)),
    ((1, 3, 5, 5), (6, 1, 3, 3), Window2d(stride=(2, 2), padding=((1, 1), (1, 1)), groups=3)),  # depthwise
    ((2, 3, 4, 4), (2, 3, 1, 1), Window2d(stride=(2, 1))),
    ((1, 1, 1, 1), (1, 1, 1, 1), Window2d()),
    ((0, 2, 4, 4), (3, 2, 2, 2), Window2d()),
)
# What the examples of the whole family run: the shapes of x, w and g, and the attributes.
CASES = tuple(
    (x, w, (x[0], w[0], *window.output_sizes(x[2:], w[2:])), {"window": window}) for x, w, window in _GEOMETRIES
)


@dataclass(frozen=True)
class _Convolution(Op):
    """What the family shares: a window, and the geometry of x, w and g."""

    window: Window2d

    def label(self):
        shown = str(self.window)
        return f"{self.name}({shown})" if shown else self.name

    def _output(self, x: TensorType, w: TensorType) -> TensorType:
        """The type of g, after checking that x and w fit."""
        check_rank("the image", "(N, C, H, W)", x)
        check_rank("the filters", "(out, in / groups, kh, kw)", w)
        check_float(x, w)
        groups = self.window.groups
        if w.shape[0] is not None and w.shape[0] % groups:
            raise ShapeError(
                f"{w.shape[0]} filters cannot be split into {groups} groups", expected=f"a multiple of {groups}"
            )
        if not agree(x.shape[1], times(w.shape[1], groups)):
            split = f" in each of {groups} groups" if groups > 1 else ""
            raise ShapeError(
                "the filters do not fit the image's channels",
                expected=f"an image with {w.shape[1] * groups} channels (w has {w.shape[1]}{split})",
                found=f"{x.shape[1]} channels: x {shape_text(x.shape)}, w {shape_text(w.shape)}",
                hint="the image looks channels-last: pass layout='NHWC'" if x.shape[3] == w.shape[1] * groups
                else "w is (out, in / groups, kh, kw)",
            )  # fmt: skip
        check_kernel(w)
        sizes = self.window.output_sizes(x.shape[2:], w.shape[2:])
        return TensorType(x.dtype, (x.shape[0], w.shape[0], *sizes))

    def _check_output(self, g: TensorType, x: TensorType, w: TensorType):
        check_rank("the output's cotangent", "(N, O, OH, OW)", g)
        check_float(g)
        expected = self._output(x.with_dtype(g.dtype), w.with_dtype(g.dtype))
        if not all(map(agree, g.shape, expected.shape)):
            raise ShapeError(
                "the cotangent has not the shape of the convolution's output",
                expected=shape_text(expected.shape), found=shape_text(g.shape),
            )  # fmt: skip

    def _by_group(self, a: np.ndarray, axis: int) -> np.ndarray:
        """`a` with its channel axis split into (groups, channels of one group)."""
        groups = self.window.groups
        return a.reshape(*a.shape[:axis], groups, a.shape[axis] // groups, *a.shape[axis + 1 :])

    def _work(self, g, w) -> int:
        """A multiplication and an addition for every term of T."""
        return 2 * prod(g.shape) * prod(w.shape[1:])


@dataclass(frozen=True)
class Conv2d(_Convolution):
    """``y = dT/dg``: x (N, C, H, W), w (O, C/groups, KH, KW) -> y (N, O, OH, OW)."""

    images = (0,)
    examples = tuple(Example((x, w), attributes) for x, w, _, attributes in CASES)

    def infer(self, x, w):
        return self._output(x, w)

    def reference(self, x, w):
        window, kernel = self.window, w.shape[2:]
        count = window.output_sizes(x.shape[2:], kernel)
        padded, filters = window.padded(x, kernel), self._by_group(w, 0)
        y = np.zeros((x.shape[0], *filters.shape[:2], prod(count)), x.dtype)
        for tap in np.ndindex(*kernel):
            seen = self._by_group(padded[window.seen_by(tap, count)], 1)
            y += filters[(..., *tap)] @ _flat(seen)
        return y.reshape(x.shape[0], w.shape[0], *count)

    def pullback(self, inputs, output, cotangent):
        x, w = inputs
        return (
            apply(Conv2dInputGrad(self.window), cotangent, w, x),
            apply(Conv2dWeightGrad(self.window), x, cotangent, w),
        )

    def parameters(self, x, w):
        return self.window.parameters(x.shape[2:], w.shape[2:])

    def nest(self, result, x, w):
        n, o, *position = result.index
        first = _first_channel(o, w, self.window.groups)

        def term(c, *tap):
            (row, column), inside = self.window.pixel(result, position, tap, x.shape[2:])
            return select(inside, x[n, first + c, row, column], 0) * w[(o, c, *tap)]

        return result.fold("sum", w.shape[1:], term, result.dtype)

    def flops(self, output, x, w):
        return self._work(output, w)


@dataclass(frozen=True)
class Conv2dInputGrad(_Convolution):
    """``dT/dx``: g (N, O, OH, OW), w (O, C/groups, KH, KW) and the shape of x -> (N, C, H, W)."""

    images = (0, 2)
    shape_only = (2,)

    examples = tuple(Example((g, w, x), attributes) for x, w, g, attributes in CASES)

    def infer(self, g, w, like):
        self._check_output(g, like, w)
        return TensorType(g.dtype, like.shape)

    def reference(self, g, w, like):
        return self.spread(g, w, like.shape[2:])

    def spread(self, g, w, size):
        """Every output pixel adds its filters, scaled, to the pixels that it saw."""
        window, kernel, count = self.window, w.shape[2:], g.shape[2:]
        channels, filters, ct = window.groups * w.shape[1], self._by_group(w, 0), _flat(self._by_group(g, 1))
        dx = window.padded(np.zeros((g.shape[0], channels, *size), g.dtype), kernel)
        for tap in np.ndindex(*kernel):
            share = filters[(..., *tap)].swapaxes(1, 2) @ ct
            dx[window.seen_by(tap, count)] += share.reshape(g.shape[0], channels, *count)
        (top, _), (left, _) = window.pads(size, kernel)
        return dx[:, :, top : top + size[0], left : left + size[1]]

    def pullback(self, inputs, output, cotangent):
        g, w, _ = inputs
        return *self._cotangents(g, w, cotangent), None

    def _cotangents(self, g, w, cotangent):
        return apply(Conv2d(self.window), cotangent, w), apply(Conv2dWeightGrad(self.window), cotangent, g, w)

    def parameters(self, g, w, like):
        return self.window.parameters(like.shape[2:], w.shape[2:])

    def nest(self, result, g, w, *_):
        n, c, *pixel = result.index
        window = self.window
        per_group = w.shape[0] // window.groups
        group = c // w.shape[1] if window.groups > 1 else 0
        within_group = c - group * w.shape[1] if window.groups > 1 else c
        extents, candidates = zip(
            *(
                window.looking_at(axis, pixel[axis], window.before(result)[axis], w.shape[2 + axis], g.shape[2 + axis])
                for axis in (0, 1)
            ),
            strict=True,
        )

        def term(k, a, b):
            (y, i, on_row), (z, j, on_column) = candidates[0](a), candidates[1](b)
            o = group * per_group + k if window.groups > 1 else k
            return select(on_row & on_column, g[n, o, y, z] * w[o, within_group, i, j], 0)

        return result.fold("sum", (per_group, *extents), term, result.dtype)

    def flops(self, output, g, w, *_):
        return self._work(g, w)


@dataclass(frozen=True)
class Conv2dWeightGrad(_Convolution):
    """``dT/dw``: x (N, C, H, W), g (N, O, OH, OW) and the shape of w -> (O, C/groups, KH, KW)."""

    images = (0, 1)
    image_result = False
    shape_only = (2,)

    examples = tuple(Example((x, g, w), attributes) for x, w, g, attributes in CASES)

    def infer(self, x, g, like):
        check_float(x, g)
        self._check_output(g, x, like)
        return TensorType(g.dtype, like.shape)

    def reference(self, x, g, like):
        window, kernel, count = self.window, like.shape[2:], g.shape[2:]
        padded, ct = window.padded(x, kernel), _flat(self._by_group(g, 1))
        dw = np.zeros(self._by_group(like, 0).shape, g.dtype)
        for tap in np.ndindex(*kernel):
            seen = self._by_group(padded[window.seen_by(tap, count)], 1)
            dw[(..., *tap)] = (ct @ _flat(seen).swapaxes(2, 3)).sum(axis=0)
        return dw.reshape(like.shape)

    def pullback(self, inputs, output, cotangent):
        x, g, _ = inputs
        return (
            apply(Conv2dInputGrad(self.window), g, cotangent, x),
            apply(Conv2d(self.window), x, cotangent),
            None,
        )

    def parameters(self, x, g, like):
        return self.window.parameters(x.shape[2:], like.shape[2:])

    def nest(self, result, x, g, like):
        o, c, *tap = result.index
        channel = _first_channel(o, like, self.window.groups) + c

        def term(n, *position):
            (row, column), inside = self.window.pixel(result, position, tap, x.shape[2:])
            return select(inside, x[n, channel, row, column], 0) * g[(n, o, *position)]

        return result.fold("sum", (g.shape[0], *g.shape[2:]), term, result.dtype)

    def flops(self, output, x, g, like):
        return self._work(g, output)


def _flat(a: np.ndarray) -> np.ndarray:
    """`a` with rows and columns as one axis."""
    return a.reshape(*a.shape[:-2], a.shape[-2] * a.shape[-1])


def _first_channel(o, w, groups: int):
    """The first input channel that filter `o` looks at."""
    return o // (w.shape[0] // groups) * w.shape[1] if groups > 1 else 0


def agree(a, b) -> bool:
    return a is None or b is None or a == b


def times(size, groups):
    return None if size is None else size * groups


def check_rank(what: str, layout: str, t: TensorType):
    if t.ndim != 4:
        raise ShapeError(
            f"{what} must have rank 4", expected=layout, found=str(t),
            hint="add the missing axes with x[None] or sc.reshape" if t.ndim < 4 else None,
        )  # fmt: skip


def check_kernel(w: TensorType):
    if 0 in w.shape[2:]:
        raise ShapeError("a filter has at least one row and one column", found=f"w {shape_text(w.shape)}")


def check_float(*types: TensorType):
    dtypes = {t.dtype for t in types}
    if len(dtypes) > 1 or not types[0].is_float:
        raise DTypeError("operands must share one float dtype", found=", ".join(str(t.dtype) for t in types))


def float_operands(what: str, x, w) -> tuple[Variable, Variable]:
    """Image and filters in one float dtype: an integer image takes the filters' dtype, and the other way round."""
    x, w = as_operands(x, w)
    if not (x.type.is_float or w.type.is_float):
        raise DTypeError(
            f"{what}: image or filters must be float", where=user_origin(), found=f"x {x.dtype}, w {w.dtype}",
            hint="convert the image: x.astype('float32')",
        )  # fmt: skip
    dtype = w.dtype if not x.type.is_float else x.dtype if not w.type.is_float else np.result_type(x.dtype, w.dtype)
    return cast(x, dtype), cast(w, dtype)


@builder("conv2d")
def conv2d(x, w, stride=1, padding=0, dilation=1, groups=1, layout="NCHW") -> Variable:
    r"""Two-dimensional convolution (cross-correlation: filters are not flipped).

    .. math:: y_{n,o,y,z} = \sum_{c,i,j} w_{o,c,i,j}\; x_{n,\,c,\; y s + i d - p,\; z s + j d - p}

    with zeros outside the image; the output has floor((H + pads - (KH - 1) d - 1) / s) + 1 rows.

    Parameters
    ----------
    x : (N, C, H, W)
        Images; integer images take the dtype of `w`.
    w : (out, C / groups, KH, KW)
        Filters.
    stride, dilation : int or pair (rows, columns)
    padding : int, pair (rows, columns), 4-tuple (top, left, bottom, right) as in ONNX, "same" or "valid"
        "same" gives ceil(H / stride) rows (ONNX ``SAME_UPPER``).
    groups : int
        Filters are split into groups, each of which sees its own part of the channels; ``groups=C`` is depthwise.
    layout : {"NCHW", "NHWC"}
        Order of the axes of x and of the result; `w` stays as it is.

    Returns
    -------
    Variable
        (N, out, OH, OW).

    Raises
    ------
    ShapeError
        Wrong rank, channels that do not fit the filters, a kernel larger than the padded image.
    DTypeError
        Neither operand is float.
    InputError
        A stride, dilation, padding or groups out of range.

    Notes
    -----
    ONNX ``Conv``. Dumoulin and Visin, *A guide to convolution arithmetic for deep learning* (2016).

    Examples
    --------
    >>> import symcnn as sc
    >>> x, w = sc.input("x", (None, 3, 32, 32)), sc.input("w", (16, 3, 5, 5))
    >>> sc.conv2d(x, w, stride=2, padding="same").shape
    (None, 16, 16, 16)
    """
    x, w = float_operands("conv2d", x, w)
    window = window2d(stride, padding, dilation, groups)
    if layout == "NCHW":
        return apply(Conv2d(window), x, w)
    if layout != "NHWC":
        raise InputError(f"conv2d: layout={layout!r}", where=user_origin(), expected="'NCHW' or 'NHWC'")
    check_rank("the image", "(N, H, W, C)", x.type)
    y = apply(Conv2d(window), build("transpose", x, (0, 3, 1, 2)), w)
    return build("transpose", y, (0, 2, 3, 1))
