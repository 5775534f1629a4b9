"""Depthwise convolutions, each of whose groups has one channel: too little for a product, they only move memory.

Forward and backward to the images, one thread computes one element of the result. For the weight gradient, the threads
of a block that have the same channel share the pixels of a piece of the sum.
"""

from __future__ import annotations

from math import ceil, prod

from symcnn.backends.cuda.launch import Kernel, Launch
from symcnn.backends.cuda.tuned.adding import TEAM, Adder, piece_view
from symcnn.backends.cuda.tuned.precision import one_precision
from symcnn.backends.cuda.tuned.source import Ending, indent, kernel
from symcnn.backends.cuda.tuned.tiles import PROCESSORS
from symcnn.schedule.plan import View

MOST_TAPS = 64  # whose sums a thread can hold in registers
WINDOW = tuple(f"{name}_{axis}" for axis in "hw" for name in ("taps", "scale", "before", "move"))
IMAGE = ("seen_h", "seen_w", "of_image", "of_row", "of_pixel")
FILTERS = ("of_column", "of_tap_row", "of_tap_column")
PLACES = ("column = rest(element, taps_w)", "row = quotient(element, taps_w)", "at = element")
PIXEL = (
    "line = quotient(pixel, count_w)",
    "image = quotient(line, count_h)",
    "line = rest(line, count_h)",
    "across = rest(pixel, count_w)",
)


class _Depthwise:
    """What the three have in common."""

    def accepts(self, op, types, output_type) -> bool:
        return one_precision(*types[:2], output_type)

    def algorithm_for(self, op, output: View, operands) -> str:
        return "depthwise"

    def suits(self, window, filter_shape) -> bool:
        """Whether the filters (out, channels of a group, KH, KW) are those of a depthwise convolution, surely."""
        return window.groups > 1 and filter_shape[1] == 1


class _PerElement(_Depthwise):
    """One thread per element of the result."""

    title: str
    integers = ("columns", "multiple", "count", "count_h", "count_w", *WINDOW, *IMAGE, *FILTERS)

    def workspace(self, op, output: View, operands, geometry) -> int:
        return 0

    def kernels(self, op, types, output_type, finish, geometry) -> list[Kernel]:
        return [self._kernel(Ending(output_type.dtype.name, finish), geometry)]

    def launches(self, op, types, output_type, output, operands, finish, geometry, workspace) -> list[Launch]:
        (image, w), count = operands[:2], prod(output.shape)
        if not count:
            return []
        ending, window = Ending(output.dtype.name, finish), op.inner.window
        seen = output if self._is_backward else image
        pads = window.pads(seen.shape[1:3], w.shape[2:])
        per_axis = [(w.shape[2 + k], window.stride[k], pads[k][0], window.dilation[k]) for k in (0, 1)]
        return [
            Launch(
                kernel=self._kernel(ending, geometry),
                operands=(image, w, *ending.views(None)),
                sizes=(
                    *(output.shape[3], w.shape[0] // window.groups, count, *output.shape[1:3]),
                    *(number for axis in per_axis for number in axis),
                    *(*image.shape[1:3], *image.strides[:3]),
                    *(w.strides[0], *w.strides[2:]),
                    *ending.sizes(),
                ),
                grid=(ceil(count / geometry.flat), 1, 1),
            )
        ]

    _is_backward = False

    def _sum(self) -> list[str]:
        """Lines that add to ``value`` all terms of the element at ``line`` and ``across`` of an image."""
        raise NotImplementedError

    def _kernel(self, ending: Ending, geometry) -> Kernel:
        body = [
            f"element = int32(cuda.blockIdx.x * {geometry.flat} + cuda.threadIdx.x)",
            "if element < count:",
            "    column = rest(element, columns)",
            "    pixel = quotient(element, columns)",
            *indent(PIXEL),
            f"    value = {ending.dtype}(0)",
            *indent(self._sum()),
            "    row = pixel",
            *indent(ending.store("element")),
        ]
        return kernel(self.title, (ending.dtype,) * 2, ending, self.integers, geometry.flat, body)


class DepthwiseConv2d(_PerElement):
    """The kernel of ``ChannelsLast(Conv2d)`` with one channel per group; ``multiple`` filters see each channel."""

    title = "A depthwise convolution."

    def _sum(self):
        return [
            "at = int32(image * of_image + quotient(column, multiple))",
            "for i in range(taps_h):",
            "    down = int32(line * scale_h + i * move_h - before_h)",
            "    if 0 <= down and down < seen_h:",
            "        for j in range(taps_w):",
            "            right = int32(across * scale_w + j * move_w - before_w)",
            "            if 0 <= right and right < seen_w:",
            "                tap = int32(column * of_column + i * of_tap_row + j * of_tap_column)",
            "                value += x0[int32(at + down * of_row + right * of_pixel)] * x1[tap]",
        ]


class DepthwiseConv2dInputGrad(_PerElement):
    """The kernel of ``ChannelsLast(Conv2dInputGrad)`` and of ``ChannelsLast(Conv2dTranspose)``, likewise."""

    title = "An input gradient of a depthwise convolution."
    _is_backward = True

    def _sum(self):
        return [
            "for i in range(taps_h):",
            "    high = int32(line + before_h - i * move_h)",
            "    down = quotient(high, scale_h)",
            "    if high >= 0 and rest(high, scale_h) == 0 and down < seen_h:",
            "        for j in range(taps_w):",
            "            wide = int32(across + before_w - j * move_w)",
            "            right = quotient(wide, scale_w)",
            "            if wide >= 0 and rest(wide, scale_w) == 0 and right < seen_w:",
            "                at = int32(image * of_image + down * of_row + right * of_pixel)",
            "                tap = int32(i * of_tap_row + j * of_tap_column)",
            "                for filter in range(int32(column * multiple), int32(column * multiple + multiple)):",
            "                    value += x0[int32(at + filter)] * x1[int32(tap + filter * of_column)]",
        ]


class DepthwiseConv2dWeightGrad(_Depthwise):
    """The kernels of ``ChannelsLast(Conv2dWeightGrad)`` with one channel per group and a known number of taps."""

    integers = (
        *("columns", "multiple", "pixels", "steps", "count_h", "count_w", "of_image_g", "of_row_g", "of_pixel_g"),
        *("scale_h", "before_h", "move_h", "scale_w", "before_w", "move_w"),
        *IMAGE,
    )

    def suits(self, window, filter_shape):
        if not super().suits(window, filter_shape) or None in filter_shape[2:]:
            return False
        return prod(filter_shape[2:]) <= MOST_TAPS

    def workspace(self, op, output: View, operands, geometry) -> int:
        pieces, _ = _cut(output, operands[1], geometry)
        return output.dtype.itemsize * prod(output.shape) * pieces

    def kernels(self, op, types, output_type, finish, geometry) -> list[Kernel]:
        dtype = output_type.dtype.name
        return [self._kernel(dtype, output_type.shape[2:], geometry), *_adder(dtype, finish, geometry).kernels()]

    def launches(self, op, types, output_type, output, operands, finish, geometry, workspace) -> list[Launch]:
        (x, g), window, dtype, count = operands[:2], op.inner.window, output.dtype.name, prod(output.shape)
        if not count:
            return []
        launches, pixels = [], prod(g.shape[:3])
        pieces, steps = _cut(output, g, geometry)
        partial = piece_view(workspace, dtype, pieces * count)
        pads = window.pads(x.shape[1:3], output.shape[2:])
        per_axis = [(window.stride[k], pads[k][0], window.dilation[k]) for k in (0, 1)]
        if pixels:
            launches.append(
                Launch(
                    kernel=self._kernel(dtype, output.shape[2:], geometry),
                    operands=(g, x, partial),
                    sizes=(
                        *(output.shape[0], output.shape[0] // window.groups, pixels, steps, *g.shape[1:3]),
                        *g.strides[:3],
                        *(number for axis in per_axis for number in axis),
                        *(*x.shape[1:3], *x.strides[:3]),
                    ),
                    grid=(ceil(output.shape[0] / (geometry.flat // TEAM)), pieces, 1),
                )
            )
        adder = _adder(dtype, finish, geometry)
        return [*launches, adder.launch(partial, pieces if pixels else 0, count, (output.shape[3],))]

    def _kernel(self, dtype: str, kernel_size, geometry) -> Kernel:
        """A team of threads for each column, all taps in each of its threads."""
        height, width = kernel_size
        taps, elements = height * width, geometry.flat // TEAM
        body = [
            f"sums = cuda.shared.array({elements * taps}, {dtype})",
            f"own = cuda.local.array({taps}, {dtype})",
            "thread = int32(cuda.threadIdx.x)",
            f"member = quotient(thread, int32({elements}))",
            f"lane = rest(thread, int32({elements}))",
            f"first_column = int32(cuda.blockIdx.x * {elements})",
            "piece = int32(cuda.blockIdx.y)",
            "begin = int32(piece * steps)",
            "end = min(int32(begin + steps), pixels)",
            f"for tap in range({taps}):",
            f"    own[tap] = {dtype}(0)",
            "if first_column + lane < columns:",
            "    column = int32(first_column + lane)",
            f"    for pixel in range(int32(begin + member), end, int32({TEAM})):",
            *indent(PIXEL, 2),
            "        value = x0[int32(image * of_image_g + line * of_row_g + across * of_pixel_g + column)]",
            "        at = int32(image * of_image + quotient(column, multiple))",
            f"        for i in range({height}):",
            "            down = int32(line * scale_h + i * move_h - before_h)",
            f"            for j in range({width}):",
            "                right = int32(across * scale_w + j * move_w - before_w)",
            "                if 0 <= down and down < seen_h and 0 <= right and right < seen_w:",
            f"                    own[i * {width} + j] += value * x1[int32(at + down * of_row + right * of_pixel)]",
            f"for turn in range({TEAM}):",
            "    if member == turn:",
            f"        for tap in range({taps}):",
            f"            place = uint32(lane * {taps} + tap)",
            "            if turn > 0:",
            "                sums[place] += own[tap]",
            "            else:",
            "                sums[place] = own[tap]",
            "    cuda.syncthreads()",
            f"for place in range(thread, int32({elements * taps}), int32({geometry.flat})):",
            f"    element = int32(first_column * {taps} + place)",
            f"    if element < columns * {taps}:",
            f"        y0[int32(piece * columns * {taps} + element)] = sums[uint32(place)]",
        ]
        title = "A weight gradient of a depthwise convolution."
        return kernel(title, (dtype, dtype), Ending(dtype), self.integers, geometry.flat, body)


def _cut(output: View, g: View, geometry) -> tuple[int, int]:
    """Into how many pieces of how many pixels the sum is cut."""
    pixels, blocks = prod(g.shape[:3]), ceil(max(1, output.shape[0]) / (geometry.flat // TEAM))
    pieces = max(1, min(ceil(4 * PROCESSORS / blocks), pixels // (8 * TEAM)))
    steps = max(1, ceil(pixels / pieces))
    return max(1, ceil(pixels / steps)), steps


def _adder(dtype: str, finish, geometry) -> Adder:
    return Adder(dtype, finish, ("taps_w",), PLACES, geometry)


class Choice:
    """An entry that takes the depthwise kernels where the types say that they suit, and the general ones elsewhere."""

    def __init__(self, depthwise, general, filters: int):
        self.depthwise, self.general, self._filters = depthwise, general, filters

    def accepts(self, op, types, output_type) -> bool:
        return self.general.accepts(op, types, output_type)

    def algorithm_for(self, op, output: View, operands) -> str:
        shape = (*operands, output)[self._filters].shape
        return self._chosen(op, shape).algorithm_for(op, output, operands)

    def workspace(self, op, output: View, operands, geometry) -> int:
        return max(entry.workspace(op, output, operands, geometry) for entry in (self.depthwise, self.general))

    def kernels(self, op, types, output_type, finish, geometry) -> list[Kernel]:
        chosen = self._chosen(op, (*types, output_type)[self._filters].shape)
        return chosen.kernels(op, types, output_type, finish, geometry)

    def launches(self, op, types, output_type, output, operands, finish, geometry, workspace) -> list[Launch]:
        chosen = self._chosen(op, (*types, output_type)[self._filters].shape)
        return chosen.launches(op, types, output_type, output, operands, finish, geometry, workspace)

    def _chosen(self, op, filter_shape):
        return self.depthwise if self.depthwise.suits(op.inner.window, filter_shape) else self.general
