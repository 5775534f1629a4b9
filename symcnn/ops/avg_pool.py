"""Average pooling and its adjoint.

Both are linear, and each is the other's pullback. What they share is the count: how many pixels a window sees.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import numpy as np

from symcnn.errors import DTypeError
from symcnn.ir.loops import call, const
from symcnn.ir.op import Example, build, builder
from symcnn.ir.types import TensorType
from symcnn.ir.variable import Variable, apply
from symcnn.ops.elementwise import as_variable, cast, float_dtypes
from symcnn.ops.pool import CASES, Pool, check_same, image, pooling


@dataclass(frozen=True)
class AvgPool2d(Pool):
    """``y[n, c, p]``: the sum of what window p sees, divided by how many pixels that are.

    With `count_include_pad` padding counts as pixels of value 0; what a last window of `ceil_mode` sees beyond the
    padding never counts.
    """

    count_include_pad: bool = False

    images = (0,)
    examples = tuple(
        Example((x,), {**attributes, "count_include_pad": flag}) for x, _, attributes in CASES for flag in (False, True)
    )

    def infer(self, x):
        _check_float(x)
        return self.output(x)

    def reference(self, x):
        return self.seen(x, 0).sum(axis=0) / self._counts(x.shape[2:]).astype(x.dtype)

    def _counts(self, size) -> np.ndarray:
        """(OH, OW): how many pixels every window sees."""
        rows, columns = (self._counts_along(axis, size) for axis in (0, 1))
        return np.maximum(np.outer(rows, columns), 1)

    def _counts_along(self, axis, size):
        before, after = self.window.pads(size, self.window_size)[axis]
        low, high = (-before, size[axis] + after) if self.count_include_pad else (0, size[axis])
        count = self.window.output_size(size[axis], self.window_size[axis], axis, self.ceil_mode)
        windows = np.arange(count)[:, None] * self.window.stride[axis] - before
        seen = windows + np.arange(self.window_size[axis]) * self.window.dilation[axis]
        return ((low <= seen) & (seen < high)).sum(axis=1)

    def pullback(self, inputs, output, cotangent):
        return (apply(self.sibling(AvgPool2dGrad), cotangent, inputs[0]),)

    def parameters(self, x):
        return self.window.parameters(x.shape[2:], self.window_size)

    def nest(self, result, x):
        total = self.fold_taps(result, "sum", x, lambda value: value, 0, result.dtype)
        return total / self._count(result, result.index[2:], x.shape[2:])

    def _count(self, result, position, size):
        """How many pixels the window at `position` sees, in a nest."""
        rows, columns = (self._count_along(result, axis, position[axis], size[axis]) for axis in (0, 1))
        count = rows * columns
        return (const(count) if isinstance(count, int) else count).cast(result.dtype)

    def _count_along(self, result, axis, y, size):
        window, kernel, dilation = self.window, self.window_size[axis], self.window.dilation[axis]
        known = isinstance(window.padding, str) or not self.ceil_mode
        if known and (self.count_include_pad or window.padding == ((0, 0), (0, 0))):
            return kernel
        before = window.before(result)[axis]
        start = y * window.stride[axis] - before
        low, high = (-before, size + window.padding[axis][1]) if self.count_include_pad else (0, size)
        first = call("maximum", (low - start + (dilation - 1)) // dilation, 0)
        last = call("minimum", (high - start + (dilation - 1)) // dilation, kernel)
        return last - first if dilation == 1 else call("maximum", last - first, 1)


@dataclass(frozen=True)
class AvgPool2dGrad(AvgPool2d):
    """The adjoint of `AvgPool2d`: every window spreads its cotangent evenly over the pixels it sees."""

    images = (0, 1)
    shape_only = (1,)

    @property
    def pattern(self):
        return "gather" if self.windows_are_disjoint() else "fold"

    examples = tuple(
        Example((y, x), {**attributes, "count_include_pad": flag})
        for x, y, attributes in CASES
        for flag in (False, True)
    )

    def infer(self, ct, like):
        _check_float(ct)
        check_same(self.output(like), ct)
        return like.with_dtype(ct.dtype)

    def reference(self, ct, like):
        share = ct / self._counts(like.shape[2:]).astype(ct.dtype)
        return self.collect([share] * prod(self.window_size), like, ct.dtype)

    def pullback(self, inputs, output, cotangent):
        return apply(self.sibling(AvgPool2d), cotangent), None

    def parameters(self, ct, like):
        return self.window.parameters(like.shape[2:], self.window_size)

    def nest(self, result, ct, like):
        n, c, *_ = result.index
        return self.fold_windows(
            result, ct, lambda position, tap: ct[(n, c, *position)] / self._count(result, position, like.shape[2:])
        )


def _check_float(x: TensorType):
    if not x.is_float:
        raise DTypeError("averages are of float images", found=str(x), hint="convert the image: x.astype('float32')")


@builder("avg_pool2d")
def avg_pool2d(x, window, stride=None, padding=0, ceil_mode=False, count_include_pad=False, dilation=1) -> Variable:
    """The average of every window of an image.

    Parameters
    ----------
    x : (N, C, H, W)
        Integer images are averaged in float.
    window, stride, padding, ceil_mode, dilation
        As `max_pool2d`.
    count_include_pad : bool
        Whether padding counts as pixels of value 0; otherwise the average is over the image's pixels alone.

    Returns
    -------
    Variable
        (N, C, OH, OW).

    Raises
    ------
    ShapeError, InputError
        As `max_pool2d`.

    Notes
    -----
    ONNX ``AveragePool``.

    Examples
    --------
    >>> import symcnn as sc
    >>> sc.avg_pool2d(sc.input("x", (None, 8, 28, 28)), 3, stride=2, ceil_mode=True).shape
    (None, 8, 14, 14)
    """
    size, geometry = pooling("avg_pool2d", window, stride, padding, dilation)
    x = as_variable(x)
    x = cast(x, float_dtypes(x.dtype)[1])
    return apply(AvgPool2d(size, geometry, bool(ceil_mode), bool(count_include_pad)), x)


@builder("global_avg_pool2d")
def global_avg_pool2d(x) -> Variable:
    """The average of every channel: (N, C, H, W) -> (N, C, 1, 1), ONNX ``GlobalAveragePool``.

    Examples
    --------
    >>> import symcnn as sc
    >>> sc.global_avg_pool2d(sc.input("x", (None, 64, 7, 7))).shape
    (None, 64, 1, 1)
    """
    return build("mean", image(x), axis=(2, 3), keepdims=True)
