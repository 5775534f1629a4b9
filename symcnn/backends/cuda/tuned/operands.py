"""Where the elements of an operand of a product are, and who fetches them.

An operand has an axis of its own (the rows of the left side, the columns of the right) and shares the other, the steps
of the sum. Threads that are neighbours fetch neighbours in memory: along the steps or along the operand's own axis.
"""

from __future__ import annotations

from dataclasses import dataclass

from symcnn.backends.cuda.tuned.precision import VECTOR
from symcnn.backends.cuda.tuned.source import divided, indent, modulo
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
    wide : bool
        Whether four neighbours in memory may be loaded at once: their address is always a multiple of 16 bytes.
    """

    tile: Tile
    pointer: str
    side: str
    dtype: str
    wide: bool = False

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
    def vector(self) -> int:
        """How many elements one load brings; no more than leave a load for every thread."""
        return VECTOR if self.wide and self.extent * self.tile.depth >= VECTOR * self.tile.threads else 1

    @property
    def count(self) -> int:
        """Loads of a thread."""
        return self.extent * self.tile.depth // self.tile.threads // self.vector

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

    def _load(self, registers: str, condition: str, at: str) -> list[str]:
        """Load number ``s``, zeros unless `condition` holds."""
        fetched = [f"{registers}[s] = {self.pointer}[{at}]"]
        if self.vector > 1:
            fetched = [f"a, b, c, d = load4({self.pointer}, {at})"]
            fetched += [f"{registers}[s * 4 + {k}] = {name}" for k, name in enumerate("abcd")]
        zeros = [f"{registers}[s * {self.vector} + {k}] = {self.dtype}(0)" for k in range(self.vector)]
        return [f"if {condition}:", *indent(fetched), "else:", *indent(zeros)]

    def _put(self, registers: str, first: str, apart) -> list[str]:
        """Load number ``s`` into shared memory, its elements `apart`."""
        stores = [
            f"shared[at + uint64({apart} * {k})] = {self.rounded(f'{registers}[s * {self.vector} + {k}]')}"
            for k in range(self.vector)
        ]
        return [f"for s in range({self.count}):", *indent([f"at = uint64(uint32({first}))", *stores])]

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
    def _threads(self) -> int:
        """How many threads share the steps of a row."""
        return self.tile.depth // self.vector

    def own(self) -> str:
        """Where load number ``s`` is along the operand's own axis, within the tile."""
        return f"{divided('thread', self._threads)} + s * {self.tile.threads // self._threads}"

    def step(self) -> str:
        return f"{modulo('thread', self._threads)} * {self.vector}"

    def put(self, registers, base):
        first = f"{base} + {self.step()} * {self.step_stride} + ({self.own()}) * {self.own_stride}"
        return self._put(registers, first, self.step_stride)


class _AlongOwn(Operand):
    """Neighbouring threads fetch neighbours along the operand's own axis: a thread has one row and several steps."""

    @property
    def _threads(self) -> int:
        """How many threads share a step."""
        return self.extent // self.vector

    def own(self) -> str:
        return f"{modulo('thread', self._threads)} * {self.vector}"

    def step(self) -> str:
        """Which step of the stage load number ``s`` is of."""
        return f"{divided('thread', self._threads)} + s * {self.tile.threads // self._threads}"

    def put(self, registers, base):
        return self._put(registers, f"{base} + ({self.step()}) * {self.step_stride} + {self.own()}", 1)


class Matrix(Operand):
    """A matrix with any strides: element (own, step) lies at ``{side}_from + own * {side}_own + step * {side}_step``.

    ``{side}_along`` says whether neighbouring threads fetch neighbouring steps. Its variables are computed from it
    alone, so one kernel serves matrices and transposed ones.
    """

    def setup(self):
        side, t, v = self.side, self.tile, self.vector
        along, across = t.depth // v, self.extent // v
        return [
            f"{side}_at_step = int32({modulo('thread', along)} * {v} if {side}_along else {divided('thread', across)})",
            f"{side}_at_own = int32({divided('thread', along)} if {side}_along else {modulo('thread', across)} * {v})",
            f"{side}_steps = int32(0 if {side}_along else {t.threads // across})",
            f"{side}_owns = int32({t.threads // along} if {side}_along else 0)",
            f"{side}_put = int32({side}_at_step * {self.step_stride} + {side}_at_own)",
            f"{side}_puts = int32({side}_steps * {self.step_stride} + {side}_owns)",
            f"{side}_apart = int32({self.step_stride} if {side}_along else 1)",
            f"{side}_at = int32({side}_from + ({self.first} + {side}_at_own) * {side}_own + {side}_at_step * {side}_step)",
            f"{side}_ats = int32({side}_owns * {side}_own + {side}_steps * {side}_step)",
        ]

    def fetch(self, registers):
        side = self.side
        inside = f"{self.first} + {side}_at_own + s * {side}_owns < {self.limit}"
        condition = f"{inside} and start + {side}_at_step + s * {side}_steps < end"
        at = f"int32({side}_at + start * {side}_step + s * {side}_ats)"
        return [f"for s in range({self.count}):", *indent(self._load(registers, condition, at))]

    def put(self, registers, base):
        return self._put(registers, f"{base} + {self.side}_put + s * {self.side}_puts", f"{self.side}_apart")


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
            *indent(self._load(registers, *_seen("s"))),
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
            *indent(
                self._load(registers, f"filter < {self.limit} and step < end", "int32(of_step + filter * of_column)")
            ),
        ]


class Cotangents(_AlongOwn):
    """The left side of a weight gradient: rows are output channels, steps the pixels of g. See `PixelTable`."""

    def shared(self):
        return [f"g_at = cuda.shared.array({2 * self.tile.depth}, int32)"]

    def fetch(self, registers):
        own = f"{self.first} + {self.own()}"
        inside = f"{own} < {self.limit} and start + {self.step()} < end"
        return [
            f"table = int32((stage & 1) * {self.tile.depth})",
            f"for s in range({self.count}):",
            *indent(self._load(registers, inside, f"int32(g_at[uint32(table + {self.step()})] + {own})")),
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
            f"    entry = uint32(({stage} & 1) * {depth} + thread)",
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
            *indent(self._load(registers, *_seen("entry"))),
        ]


def _seen(entry: str) -> tuple[str, str]:
    """Whether entry number `entry` of the pixels, seen through the tap at hand, lies within the image, and where.

    Negative places are large ones without a sign.
    """
    row, column = f"uint32(seen_row[{entry}] + down)", f"uint32(seen_column[{entry}] + right)"
    return f"{row} < uint32(seen_h) and {column} < uint32(seen_w)", f"int32(seen_at[{entry}] + offset)"
