"""Where the elements of an operand of a product are, and who fetches them.

An operand has an axis of its own (the rows of the left side, the columns of the right) and shares the other, the steps
of the sum. Threads that are neighbours fetch neighbours in memory: along the steps or along the operand's own axis.
"""

from __future__ import annotations

from dataclasses import dataclass

from symcnn.backends.cuda.tuned.source import indent
from symcnn.backends.cuda.tuned.tiles import Tile

OUTSIDE = -(1 << 29)
"""A place that lies outside of any image, whatever is added to it."""


@dataclass(frozen=True)
class Operand:
    """What all operands share.

    Attributes
    ----------
    tile : Tile
    pointer : str
    side : str
        "left" or "right", with which the names of its variables begin.
    dtype : str
    """

    tile: Tile
    pointer: str
    side: str
    dtype: str

    @property
    def extent(self) -> int:
        return self.tile.rows if self.side == "left" else self.tile.columns

    @property
    def own_stride(self) -> int:
        """Elements in shared memory from one place of its own axis to the next."""
        return 1

    @property
    def step_stride(self) -> int:
        """Elements in shared memory from one step to the next."""
        return self.extent + self.tile.pad

    @property
    def size(self) -> int:
        """Elements of a stage in shared memory."""
        return self.tile.depth * self.step_stride

    @property
    def count(self) -> int:
        """Elements that a thread fetches."""
        return self.extent * self.tile.depth // self.tile.threads

    @property
    def first(self) -> str:
        return "first_row" if self.side == "left" else "first_column"

    @property
    def limit(self) -> str:
        return "rows" if self.side == "left" else "columns"

    def shared(self) -> list[str]:
        """Declarations of shared memory of its own."""
        return []

    def local(self) -> list[str]:
        """Declarations of arrays of a thread."""
        return []

    def setup(self) -> list[str]:
        """What is computed once."""
        return []

    def prologue(self) -> list[str]:
        """What happens before the first stage."""
        return []

    def epilogue(self) -> list[str]:
        """What happens at the end of each stage."""
        return []

    def fetch(self, registers: str) -> list[str]:
        """A thread's elements of the stage that begins with step ``start``, zeros outside of the operand."""
        raise NotImplementedError

    def put(self, registers: str, base: str) -> list[str]:
        """What was fetched, into shared memory."""
        raise NotImplementedError

    def rounded(self, value: str) -> str:
        """What is put there for a value."""
        return f"to_tf32({value})" if self.tile.tensor else value


class _AlongSteps(Operand):
    """Neighbouring threads fetch neighbouring steps: a thread has one step and several rows.

    For tensor cores, the steps are neighbours in shared memory, too.
    """

    @property
    def own_stride(self):
        return self.tile.depth + 4 if self.tile.tensor else 1

    @property
    def step_stride(self):
        return 1 if self.tile.tensor else self.extent + self.tile.pad

    @property
    def size(self):
        return self.extent * self.own_stride if self.tile.tensor else self.tile.depth * self.step_stride

    @property
    def apart(self) -> int:
        return self.tile.threads // self.tile.depth

    def own(self) -> str:
        """A thread's place number ``s`` along the operand's own axis, within the tile."""
        return f"quotient(thread, int32({self.tile.depth})) + s * {self.apart}"

    def step(self) -> str:
        return f"rest(thread, int32({self.tile.depth}))"

    def put(self, registers, base):
        return [
            f"for s in range({self.count}):",
            f"    at = {base} + {self.step()} * {self.step_stride} + ({self.own()}) * {self.own_stride}",
            f"    shared[uint32(at)] = {self.rounded(f'{registers}[s]')}",
        ]


class _AlongOwn(Operand):
    """Neighbouring threads fetch neighbours along the operand's own axis: a thread has one row and several steps."""

    @property
    def apart(self) -> int:
        return self.tile.threads // self.extent

    def own(self) -> str:
        return f"rest(thread, int32({self.extent}))"

    def step(self) -> str:
        """A thread's step number ``s``, within the stage."""
        return f"quotient(thread, int32({self.extent})) + s * {self.apart}"

    def put(self, registers, base):
        return [
            f"for s in range({self.count}):",
            f"    at = {base} + ({self.step()}) * {self.step_stride} + {self.own()}",
            f"    shared[uint32(at)] = {self.rounded(f'{registers}[s]')}",
        ]


class Matrix(Operand):
    """A matrix with any strides: element (own, step) lies at ``{side}_from + own * {side}_own + step * {side}_step``.

    ``{side}_along`` says whether neighbouring threads fetch neighbouring steps. Its variables are computed from it
    alone, so one kernel serves matrices and transposed ones.
    """

    def setup(self):
        side, t = self.side, self.tile
        per_step, per_own = t.threads // t.depth, t.threads // self.extent
        return [
            f"{side}_at_step = int32(rest(thread, int32({t.depth})) if {side}_along else quotient(thread, int32({self.extent})))",
            f"{side}_at_own = int32(quotient(thread, int32({t.depth})) if {side}_along else rest(thread, int32({self.extent})))",
            f"{side}_steps = int32(0 if {side}_along else {per_own})",
            f"{side}_owns = int32({per_step} if {side}_along else 0)",
            f"{side}_put = int32({side}_at_step * {self.step_stride} + {side}_at_own)",
            f"{side}_puts = int32({side}_steps * {self.step_stride} + {side}_owns)",
            f"{side}_at = int32({side}_from + ({self.first} + {side}_at_own) * {side}_own + {side}_at_step * {side}_step)",
            f"{side}_ats = int32({side}_owns * {side}_own + {side}_steps * {side}_step)",
        ]

    def fetch(self, registers):
        side = self.side
        return [
            f"for s in range({self.count}):",
            f"    inside = {self.first} + {side}_at_own + s * {side}_owns < {self.limit}",
            f"    if inside and start + {side}_at_step + s * {side}_steps < end:",
            f"        {registers}[s] = {self.pointer}[int32({side}_at + start * {side}_step + s * {side}_ats)]",
            "    else:",
            f"        {registers}[s] = {self.dtype}(0)",
        ]

    def put(self, registers, base):
        return [
            f"for s in range({self.count}):",
            f"    at = {base} + {self.side}_put + s * {self.side}_puts",
            f"    shared[uint32(at)] = {self.rounded(f'{registers}[s]')}",
        ]


class Patches(_AlongSteps):
    """The left side of a convolution: rows are pixels of the result, steps are (row tap, column tap, channel).

    The window of pixel (y, z) begins at ``(y * scale_h + first_h, z * scale_w + first_w)`` of the image, and its taps
    are ``move_h`` and ``move_w`` apart. The image has ``seen_h`` rows and ``seen_w`` columns, ``channels`` of its
    channels are seen from the one at ``image_from`` on, and it has the strides ``of_image``, ``of_row``, ``of_pixel``.
    A product has ``count_w`` columns of pixels and ``count_h`` rows, a window ``taps_w`` columns of taps.
    """

    def local(self):
        return [f"{name} = cuda.local.array({self.count}, int32)" for name in ("seen_at", "seen_row", "seen_column")]

    def setup(self):
        return [
            f"for s in range({self.count}):",
            f"    pixel = int32({self.first} + {self.own()})",
            "    line = quotient(pixel, count_w)",
            "    image = quotient(line, count_h)",
            "    row = int32(rest(line, count_h) * scale_h + first_h)",
            "    column = int32(rest(pixel, count_w) * scale_w + first_w)",
            "    seen_at[s] = int32(image_from + image * of_image + row * of_row + column * of_pixel)",
            f"    seen_row[s] = row if pixel < rows else int32({OUTSIDE})",
            "    seen_column[s] = column",
        ]

    def fetch(self, registers):
        return [
            f"step = int32(start + {self.step()})",
            "tap = quotient(step, channels)",
            "channel = rest(step, channels)",
            "tap_row = quotient(tap, taps_w)",
            "tap_column = rest(tap, taps_w)",
            f"down = int32(tap_row * move_h) if step < end else int32({OUTSIDE})",
            "right = int32(tap_column * move_w)",
            "offset = int32(tap_row * move_h * of_row + right * of_pixel + channel)",
            f"for s in range({self.count}):",
            *indent(
                guarded_fetch(
                    registers,
                    self.pointer,
                    self.dtype,
                    "int32(seen_row[s] + down)",
                    "int32(seen_column[s] + right)",
                    "seen_at[s] + offset",
                )
            ),
        ]


class Filters(_AlongSteps):
    """The right side of a convolution, its filters as they lie in memory; follows `Patches`, whose taps it has.

    The element of column n, channel c and tap (i, j) lies at
    ``filters_from + n * of_column + c * of_channel + i * of_tap_row + j * of_tap_column``.
    """

    def fetch(self, registers):
        return [
            "of_step = int32(filters_from + channel * of_channel + tap_row * of_tap_row + tap_column * of_tap_column)",
            f"for s in range({self.count}):",
            f"    filter = int32({self.first} + {self.own()})",
            f"    if filter < {self.limit} and step < end:",
            f"        {registers}[s] = {self.pointer}[int32(of_step + filter * of_column)]",
            "    else:",
            f"        {registers}[s] = {self.dtype}(0)",
        ]


class Cotangents(_AlongOwn):
    """The left side of a weight gradient: rows are output channels, steps the pixels of g. See `PixelTable`."""

    def shared(self):
        return [f"g_at = cuda.shared.array({2 * self.tile.depth}, int32)"]

    def fetch(self, registers):
        return [
            f"table = int32(rest(stage, int32(2)) * {self.tile.depth})",
            f"for s in range({self.count}):",
            f"    inside = {self.first} + {self.own()} < {self.limit}",
            f"    if inside and start + {self.step()} < end:",
            f"        {registers}[s] = {self.pointer}[int32(g_at[uint32(table + {self.step()})] + {self.first} + {self.own()})]",
            "    else:",
            f"        {registers}[s] = {self.dtype}(0)",
        ]


class PixelTable(_AlongOwn):
    """The right side of a weight gradient: columns are (row tap, column tap, channel), steps the pixels of g.

    Where the windows of these pixels begin in the image is computed by a few threads for all, a stage ahead. Names are
    those of `Patches`; ``count_h`` and ``count_w`` are the size of g, whose strides are ``g_image``, ``g_row`` and
    ``g_pixel``, and which begins at ``g_from``.
    """

    def shared(self):
        size = 2 * self.tile.depth
        return [f"{name} = cuda.shared.array({size}, int32)" for name in ("seen_at", "seen_row", "seen_column")]

    def setup(self):
        return [
            f"column = int32({self.first} + {self.own()})",
            "channel = rest(column, channels)",
            "tap = quotient(column, channels)",
            f"down = int32(quotient(tap, taps_w) * move_h) if column < {self.limit} else int32({OUTSIDE})",
            "right = int32(rest(tap, taps_w) * move_w)",
            "offset = int32(quotient(tap, taps_w) * move_h * of_row + right * of_pixel + channel)",
        ]

    def _tabulate(self, stage: str) -> list[str]:
        depth = self.tile.depth
        return [
            f"if thread < {depth}:",
            f"    pixel = int32(begin + {stage} * {depth} + thread)",
            "    line = quotient(pixel, count_w)",
            "    image = quotient(line, count_h)",
            "    row = rest(line, count_h)",
            "    place = rest(pixel, count_w)",
            f"    entry = uint32(rest({stage}, int32(2)) * {depth} + thread)",
            "    g_at[entry] = int32(g_from + image * g_image + row * g_row + place * g_pixel)",
            "    row = int32(row * scale_h + first_h)",
            "    place = int32(place * scale_w + first_w)",
            "    seen_at[entry] = int32(image_from + image * of_image + row * of_row + place * of_pixel)",
            f"    seen_row[entry] = row if pixel < end else int32({OUTSIDE})",
            "    seen_column[entry] = place",
        ]

    def prologue(self):
        return [*self._tabulate("int32(0)"), "cuda.syncthreads()"]

    def epilogue(self):
        return self._tabulate("int32(stage + 1)")

    def fetch(self, registers):
        return [
            f"for s in range({self.count}):",
            f"    entry = uint32(table + {self.step()})",
            *indent(
                guarded_fetch(
                    registers,
                    self.pointer,
                    self.dtype,
                    "int32(seen_row[entry] + down)",
                    "int32(seen_column[entry] + right)",
                    "seen_at[entry] + offset",
                )
            ),
        ]


def guarded_fetch(registers, pointer, dtype, row, column, at) -> list[str]:
    """Element ``s``, if it lies within the image: negative places are large ones without a sign."""
    return [
        f"in_row = uint32({row}) < uint32(seen_h)",
        f"if in_row and uint32({column}) < uint32(seen_w):",
        f"    {registers}[s] = {pointer}[int32({at})]",
        "else:",
        f"    {registers}[s] = {dtype}(0)",
    ]
