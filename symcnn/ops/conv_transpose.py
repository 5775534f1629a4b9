"""Transposed convolution: the input gradient of a convolution, used forward to enlarge images."""

from __future__ import annotations

from dataclasses import dataclass

from symcnn.errors import InputError, ShapeError
from symcnn.ir.op import Example, builder
from symcnn.ir.types import TensorType, shape_text
from symcnn.ir.variable import Variable, apply, user_origin
from symcnn.ops.conv import CASES, Conv2dInputGrad, agree, check_float, check_kernel, check_rank, float_operands, times
from symcnn.ops.window import Window2d, pair, window2d


@dataclass(frozen=True)
class Conv2dTranspose(Conv2dInputGrad):
    """`Conv2dInputGrad` used forward: no x says how large the result is, so a formula does (ONNX ``ConvTranspose``).

    g (N, I, H, W), w (I, O/groups, KH, KW) -> (N, O, OH, OW), where a convolution with this window would lead back from
    (OH, OW) to (H, W); of the `stride` sizes that do, `output_padding` chooses one.
    """

    output_padding: tuple[int, int] = (0, 0)

    images = (0,)
    shape_only = ()

    def label(self):
        shown = [str(self.window)] * (self.window != Window2d())
        shown += [f"output_padding={self.output_padding}"] * any(self.output_padding)
        return f"{self.name}({', '.join(shown)})" if shown else self.name

    examples = (
        *(Example((g, w), attributes) for _, w, g, attributes in CASES),
        Example(((2, 3, 3, 2), (3, 2, 3, 3)), {"window": Window2d((2, 3), ((1, 1), (0, 1))), "output_padding": (1, 2)}),
        Example(((1, 2, 3, 4), (2, 1, 1, 2)), {"window": Window2d((3, 2), "same")}),
    )

    def infer(self, g, w):
        check_rank("the image", "(N, C, H, W)", g)
        check_rank("the filters", "(in, out / groups, kh, kw)", w)
        check_float(g, w)
        check_kernel(w)
        groups = self.window.groups
        if not agree(g.shape[1], w.shape[0]):
            raise ShapeError(
                "the filters do not fit the image's channels", expected=f"an image with {w.shape[0]} channels",
                found=f"{g.shape[1]} channels: x {shape_text(g.shape)}, w {shape_text(w.shape)}",
                hint="a transposed convolution takes w as (in, out / groups, kh, kw)",
            )  # fmt: skip
        if g.shape[1] is not None and g.shape[1] % groups:
            raise ShapeError(
                f"{g.shape[1]} channels cannot be split into {groups} groups", expected=f"a multiple of {groups}"
            )
        sizes = (self._size(g.shape[2 + axis], w.shape[2 + axis], axis) for axis in (0, 1))
        return TensorType(g.dtype, (g.shape[0], times(w.shape[1], groups), *sizes))

    def _size(self, size, kernel, axis):
        if size is None or kernel is None:
            return None
        window = self.window
        if isinstance(window.padding, str):
            return size * window.stride[axis]
        before_padding = (size - 1) * window.stride[axis] + window.reach(kernel, axis) + self.output_padding[axis]
        found = before_padding - sum(window.padding[axis])
        if found < 1 or size < 1:
            raise ShapeError("the result would have no pixels", hint="use less padding or a larger image")
        return found

    def reference(self, g, w):
        return self.spread(g, w, self._hw(g, w))

    def _hw(self, g, w):
        return [self._size(g.shape[2 + axis], w.shape[2 + axis], axis) for axis in (0, 1)]

    def pullback(self, inputs, output, cotangent):
        g, w = inputs
        return self._cotangents(g, w, cotangent)

    def parameters(self, g, w):
        return self.window.parameters(self._hw(g, w), w.shape[2:])


@builder("conv2d_transpose")
def conv2d_transpose(x, w, stride=1, padding=0, output_padding=0, dilation=1, groups=1) -> Variable:
    r"""Transposed convolution: the gradient of `conv2d` by its images, used forward to enlarge them.

    Every pixel of x adds its filters, scaled, to a window of the result, which has
    ``(H - 1) stride + output_padding + (KH - 1) dilation + 1 - pads`` rows ("same": ``H * stride``).

    Parameters
    ----------
    x : (N, C, H, W)
    w : (C, out / groups, KH, KW)
        The filters of the convolution that leads back, so its first axis is C.
    stride, padding, dilation, groups
        Those of that convolution; see `conv2d`.
    output_padding : int or pair, less than the stride
        Rows and columns more at the bottom and right: which of the `stride` sizes that lead back is meant.

    Returns
    -------
    Variable
        (N, out, OH, OW).

    Raises
    ------
    ShapeError, DTypeError, InputError
        As `conv2d`.

    Notes
    -----
    ONNX ``ConvTranspose``. Zeiler et al., *Deconvolutional networks* (2010); Long et al., *Fully convolutional networks*
    (2015).

    Examples
    --------
    >>> import symcnn as sc
    >>> x, w = sc.input("x", (None, 8, 7, 7)), sc.input("w", (8, 3, 4, 4))
    >>> sc.conv2d_transpose(x, w, stride=2, padding=1).shape
    (None, 3, 14, 14)
    """
    x, w = float_operands("conv2d_transpose", x, w)
    window, extra = window2d(stride, padding, dilation, groups), pair("output_padding", output_padding, 0)
    if any(e >= s for e, s in zip(extra, window.stride, strict=True)) or (window.padding == "same" and any(extra)):
        raise InputError(
            "conv2d_transpose: output_padding must be less than the stride (and 0 with padding='same')", where=user_origin(),
            expected=f"less than {window.stride}", found=extra,
        )  # fmt: skip
    return apply(Conv2dTranspose(window, extra), x, w)
