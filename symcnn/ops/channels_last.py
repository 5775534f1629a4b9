"""Image ops with the channels last: one op that wraps any of them.

Users write images as (N, C, H, W). In (N, H, W, C) the channels of a pixel are neighbours in memory: they fill vector
registers whatever the size of the image, and the pixels that a convolution gathers are runs of contiguous numbers. So
the layout phase of rewriting turns image ops into `ChannelsLast` ops; nothing else makes them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from symcnn.errors import ShapeError
from symcnn.ir.op import Op
from symcnn.ir.types import TensorType
from symcnn.ops.avg_pool import AvgPool2d, AvgPool2dGrad
from symcnn.ops.conv import Conv2d, Conv2dInputGrad, Conv2dWeightGrad
from symcnn.ops.conv_transpose import Conv2dTranspose
from symcnn.ops.lrn import ChannelWindowSum
from symcnn.ops.pool import MaxPool2d, MaxPool2dArgmax, MaxPool2dGrad, MaxPool2dTake
from symcnn.ops.resize import Upsample2d, Upsample2dGrad
from symcnn.ops.shape import transpose

LAST = (0, 2, 3, 1)
"""The axes of (N, C, H, W) in the order N, H, W, C."""
FIRST = (0, 3, 1, 2)
"""And back."""


@dataclass(frozen=True)
class ChannelsLast(Op):
    """`inner` on images in (N, H, W, C): those of its operands, and its result, that it declares to be images.

    Everything follows from the inner op by permuting axes: it sees types, arrays, operands and Variables as
    (N, C, H, W).
    """

    inner: Op

    @property
    def name(self):
        return self.inner.name

    def label(self):
        label = self.inner.label()
        return f"{label[:-1]}, layout=NHWC)" if label.endswith(")") else f"{label}(layout=NHWC)"

    @property
    def pattern(self):
        return self.inner.pattern

    @property
    def shape_only(self):
        return self.inner.shape_only

    @property
    def windows(self):
        return self.inner.windows and (ChannelsLast, self.inner.windows)

    @property
    def checked_indices(self):
        return self.inner.checked_indices

    @property
    def window_axis(self):
        axis = getattr(self.inner, "window_axis", None)
        return None if axis is None else LAST.index(axis)

    @property
    def smooth(self):
        return self.inner.smooth

    def infer(self, *types):
        return self._result(self.inner.infer(*self._operands(types, _type_first)), _type_last)

    def reference(self, *arrays):
        found = self.inner.reference(*self._operands(arrays, lambda a: a.transpose(FIRST)))
        return self._result(found, lambda a: a.transpose(LAST))

    def pullback(self, inputs, output, cotangent):
        output, cotangent = (self._result(v, lambda v: transpose(v, FIRST)) for v in (output, cotangent))
        found = self.inner.pullback(self._operands(inputs, lambda x: transpose(x, FIRST)), output, cotangent)
        return self._operands(found, lambda ct: None if ct is None else transpose(ct, LAST))

    def parameters(self, *types):
        return self.inner.parameters(*self._operands(types, _type_first))

    def nest(self, result, *operands):
        result = self._result(result, lambda r: r.transposed(FIRST))
        return self.inner.nest(result, *self._operands(operands, lambda x: x.transposed(FIRST)))

    def index_bound(self, position, *types):
        return self.inner.index_bound(position, *self._operands(types, _type_first))

    def flops(self, output, *types):
        return self.inner.flops(self._result(output, _type_first), *self._operands(types, _type_first))

    def _operands(self, values, reorder) -> tuple:
        return tuple(reorder(v) if k in self.inner.images else v for k, v in enumerate(values))

    def _result(self, value, reorder):
        return reorder(value) if self.inner.image_result else value


def _examples():
    """Some of the inner ops' examples: all of those that have kernels of their own, a few of the others."""
    kinds = (
        (slice(None), (Conv2d, Conv2dInputGrad, Conv2dWeightGrad, Conv2dTranspose)),
        (slice(0, 5, 2), (MaxPool2d, MaxPool2dArgmax, MaxPool2dGrad, MaxPool2dTake, AvgPool2d, AvgPool2dGrad)),
        (slice(3, None, 5), (Upsample2d, Upsample2dGrad)),
        (slice(0, 1), (ChannelWindowSum,)),
    )
    for chosen, classes in kinds:
        for cls in classes:
            for example in cls.examples[chosen]:
                op = ChannelsLast(cls(**example.attributes))
                shapes = op._operands(example.shapes, lambda shape: tuple(shape[k] for k in LAST))
                yield replace(example, shapes=shapes, attributes={"inner": op.inner})


ChannelsLast.examples = tuple(_examples())


def _type_first(t: TensorType) -> TensorType:
    if t.ndim != 4:
        raise ShapeError("images must have rank 4", expected="(N, H, W, C)", found=str(t))
    return t.with_shape(t.shape[k] for k in FIRST)


def _type_last(t: TensorType) -> TensorType:
    return t.with_shape(t.shape[k] for k in LAST)
