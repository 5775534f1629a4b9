"""The input gradient of a convolution of images with their channels last.

Seen from a pixel of the image, windows begin at every stride-th place, so that it is seen through every stride-th tap
only. Pixels that are seen through the same taps form a class, ``stride_h * stride_w`` of them in all, and each class is a
convolution of g of its own, without strides, which has no other taps than those. Nothing is multiplied by the zeros
between strides.

Along one axis, tap i of the window y sees pixel ``y * stride + i * dilation - before``. With ``common`` the greatest
common divisor of stride and dilation, a pixel is seen at all if ``common`` divides its place ``pixel + before``, and then
through the taps ``tap0, tap0 + jump, ..`` with ``jump = stride / common``: the first one is the place divided by
``common``, times the inverse of ``dilation / common``, modulo ``jump``. From one of these taps to the next, the window
moves back by ``dilation / common``.
"""

from __future__ import annotations

from math import ceil, gcd, prod

from symcnn.backends.cuda.tuned.implicit import Implicit, Problem
from symcnn.backends.cuda.tuned.operands import Filters
from symcnn.schedule.plan import View

PER_AXIS = ("kernel", "before", "stride", "dilation", "common", "inverse", "jump")


class Conv2dInputGrad(Implicit):
    """The kernels of ``ChannelsLast(Conv2dInputGrad)``: g (N, OH, OW, O), w (O, C / groups, KH, KW), shape of x.

    Those of ``ChannelsLast(Conv2dTranspose)`` are the same: only where the size of the result comes from differs.
    """

    title = "An input gradient of a convolution."
    seen_channel = 0
    window = (*(f"{name}_{axis}" for axis in "hw" for name in PER_AXIS), "size_h", "size_w")

    def accepts(self, op, types, output_type) -> bool:
        return super().accepts(op, types[:2], output_type)

    def problem(self, op, output: View, operands) -> Problem:
        (g, w), window = operands[:2], op.inner.window
        size, kernel_size = output.shape[1:3], w.shape[2:]
        numbers: list[int] = []
        for axis, (before, _) in enumerate(window.pads(size, kernel_size)):
            stride, dilation = window.stride[axis], window.dilation[axis]
            common = gcd(stride, dilation)
            jump = stride // common
            inverse = pow(dilation // common, -1, jump) if jump > 1 else 0
            numbers += [kernel_size[axis], before, stride, dilation, common, inverse, jump]
        count = tuple(ceil(n / stride) for n, stride in zip(size, window.stride, strict=True))
        values = dict(zip(self.window, (*numbers, *size), strict=True))
        return Problem(
            image=g,
            filters=w,
            groups=window.groups,
            classes=prod(window.stride),
            rows=output.shape[0] * prod(count),
            columns=w.shape[1],
            channels=w.shape[0] // window.groups,
            seen_channel=self.seen_channel,
            count=(count[0], count[1]),
            jump=(values["jump_h"], values["jump_w"]),
            window=values,
        )

    def before(self, right):
        lines = [
            "class_w = rest(outer, stride_w)",
            "class_h = rest(quotient(outer, stride_w), stride_h)",
            "group = quotient(quotient(outer, stride_w), stride_h)",
        ]
        for axis in "hw":
            lines += [
                f"place_{axis} = int32(class_{axis} + before_{axis})",
                f"tap0_{axis} = rest(int32(quotient(place_{axis}, common_{axis}) * inverse_{axis}), jump_{axis})",
                f"seen_through_{axis} = quotient(int32(kernel_{axis} - tap0_{axis} + jump_{axis} - 1), jump_{axis})",
                f"some_{axis} = seen_through_{axis} if rest(place_{axis}, common_{axis}) == 0 else int32(0)",
                f"taps_{axis} = max(some_{axis}, int32(1))",  # something to divide by
                f"first_{axis} = floor_divide(int32(place_{axis} - tap0_{axis} * dilation_{axis}), stride_{axis})",
                f"move_{axis} = int32(-quotient(dilation_{axis}, common_{axis}))",
                f"scale_{axis} = int32(1)",
            ]
        lines += ["depth = int32(some_h * some_w * channels)", "image_from = int32(group * channels)"]
        if right is Filters:
            start = "group * of_group + tap0_h * filter_row + tap0_w * filter_column"
            return [
                *lines,
                f"filters_from = int32({start})",
                "of_tap_row = int32(jump_h * filter_row)",
                "of_tap_column = int32(jump_w * filter_column)",
            ]
        return [*lines, "right_from = int32(group * right_group + (tap0_h * jump_w + tap0_w) * right_class)"]

    def place(self, op):
        column = "column = int32(group * columns + across)"
        if op.inner.window.stride == (1, 1):
            return ["row = line", column]
        return [
            "high = quotient(line, count_w)",
            "down = int32(rest(high, count_h) * stride_h + class_h)",
            "right = int32(rest(line, count_w) * stride_w + class_w)",
            "row = int32((quotient(high, count_h) * size_h + down) * size_w + right)",
            "inside = down < size_h and right < size_w",
            column,
        ]
