"""Convolution of images with their channels last: a pixel of the result for each row of a product."""

from __future__ import annotations

from math import prod

from symcnn.backends.cuda.tuned.implicit import Implicit, Problem
from symcnn.backends.cuda.tuned.operands import Filters
from symcnn.schedule.plan import View


class Conv2d(Implicit):
    """The kernels of ``ChannelsLast(Conv2d)``: x (N, H, W, C) and w (O, C / groups, KH, KW)."""

    title = "A convolution."
    seen_channel = 1
    window = ("depth", "scale_h", "scale_w", "first_h", "first_w", "move_h", "move_w", "taps_w")

    def problem(self, op, output: View, operands) -> Problem:
        (x, w), window = operands, op.inner.window
        (top, _), (left, _) = window.pads(x.shape[1:3], w.shape[2:])
        numbers = (prod(w.shape[1:]), *window.stride, -top, -left, *window.dilation, w.shape[3])
        return Problem(
            image=x,
            filters=w,
            groups=window.groups,
            classes=1,
            rows=prod(output.shape[:3]),
            columns=output.shape[3] // window.groups,
            channels=w.shape[1],
            seen_channel=self.seen_channel,
            count=(output.shape[1], output.shape[2]),
            jump=(1, 1),
            window=dict(zip(self.window, numbers, strict=True)),
        )

    def before(self, right):
        lines = ["image_from = int32(outer * channels)"]
        if right is Filters:
            return [
                *lines,
                "filters_from = int32(outer * of_group)",
                "of_tap_row = filter_row",
                "of_tap_column = filter_column",
            ]
        return [*lines, "right_from = int32(outer * right_group)"]

    def place(self, op):
        return ["row = line", "column = int32(outer * columns + across)"]
