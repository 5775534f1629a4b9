"""The convolution, one output at a time: input, filters and output as numbers, and the sum of the moment written out."""

from __future__ import annotations

import numpy as np

import symcnn as sc
from symcnn.errors import ShapeError
from symcnn.keywords import checked_keywords
from symcnn.viz.cells import (
    CHARACTER,
    cell_size,
    checked_numbers,
    checked_whole,
    factor,
    grid,
    number,
    rounded,
    sheet,
    size_lines,
    words,
)
from symcnn.viz.figure import Figure, Live

# The data of the figure unless others are given: three channels of 5 x 5, two filters of 3 x 3.
X = np.array([
    [[0, 1, 2, 1, 0], [2, 0, 1, 0, 1], [1, 2, 2, 0, 0], [0, 1, 0, 2, 1], [1, 0, 2, 1, 2]],
    [[1, 0, 0, 2, 1], [0, 2, 1, 1, 0], [2, 1, 0, 1, 2], [1, 0, 2, 0, 1], [0, 2, 1, 0, 0]],
    [[2, 1, 0, 0, 1], [1, 1, 2, 0, 2], [0, 0, 1, 2, 1], [2, 0, 1, 1, 0], [0, 1, 0, 2, 2]],
])  # fmt: skip
W = np.array([
    [[[0, 1, 0], [1, -1, 0], [0, 0, 1]], [[1, 0, -1], [0, 1, 0], [-1, 0, 1]], [[0, 0, 1], [-1, 1, 0], [0, 1, -1]]],
    [[[-1, 0, 1], [0, 1, 0], [1, 0, -1]], [[0, 1, 0], [1, 0, 1], [0, -1, 0]], [[1, 0, 0], [0, -1, 0], [0, 0, 1]]],
])  # fmt: skip
B = np.array([1, 0])

MARGIN, TOP, GAP, BETWEEN, LINE = 20, 44, 30, 40, 21


@checked_keywords
def convolution(x=None, w=None, b=None, *, stride=1, padding=0, dilation=1, channels=None, filters=None, step=None):
    r"""Watch a convolution slide: every output is one sum over a window, all channels, and a bias.

    .. math:: y_{o,r,q} = b_o + \sum_{c,i,j} w_{o,c,i,j}\; x_{c,\; r s + i d - p,\; q s + j d - p}

    The live view plays; stride, padding, dilation and the number of channels can be changed in it.

    Parameters
    ----------
    x : (channels, rows, columns), optional
        One image; a small table unless given. At most 4 x 10 x 10.
    w : (filters, channels, filter rows, filter columns), optional
        At most 4 filters of 7 x 7.
    b : (filters,), optional
        Biases; zeros if `w` is given without.
    stride, padding, dilation : int
        At most 6, 3 and 6.
    channels, filters : int, optional
        Use the first so many only.
    step : int, optional
        Which output the still picture shows, counted row by row and filter by filter; one in the middle unless given.

    Returns
    -------
    Figure

    Raises
    ------
    ShapeError
        If `x`, `w` and `b` do not fit each other, are too large for a picture of numbers, or no window fits.
    InputError
        If a number is out of its range.

    Examples
    --------
    >>> print(convolution(stride=2, padding=1, step=0))
    convolution of 5 x 5 x 3 with 2 filters of 3 x 3
    rows and columns: floor((5 + 2·1 − 1·(3 − 1) − 1) / 2) + 1 = 3
    y[0, 0, 0]
      channel 0: 0·0 + 0·1 + 0·0 + 0·1 + 0·(−1) + 1·0 + 0·0 + 2·0 + 0·1 = 0
      channel 1: 0·1 + 0·0 + 0·(−1) + 0·0 + 1·1 + 0·0 + 0·(−1) + 0·0 + 2·1 = 3
      channel 2: 0·0 + 0·0 + 0·1 + 0·(−1) + 2·1 + 1·0 + 0·0 + 1·1 + 1·(−1) = 2
      0 + 3 + 2 + 1 = 6, the last term is the bias
    """
    x, w, b = _data(x, w, b, channels, filters)
    settings = {
        "stride": checked_whole("stride", stride, 1, 6),
        "padding": checked_whole("padding", padding, 0, 3),
        "dilation": checked_whole("dilation", dilation, 1, 6),
    }
    y = sc.conv2d(x[None], w, **settings) + b[:, None, None]
    y = sc.function([], y, device="reference")()[0]
    middle = len(y) // 2 * y[0].size + y[0].size // 2
    start = 0 if step is None else checked_whole("step", step, 0, y.size - 1)
    step = middle if step is None else start
    moment = _Moment(x, w, b, y, **settings, step=step)
    data = {"x": x.tolist(), "w": w.tolist(), "b": b.tolist(), "channels": len(x), "step": start, **settings}
    live = Live("convolutionView", data, ("cells", "player", "controls", "convolution"))
    return Figure("convolution, one output at a time", moment.picture(), moment.text(), live)


class _Moment:
    """One step of the sliding window: what it sees, the sum, and the picture of both."""

    def __init__(self, x, w, b, y, stride, padding, dilation, step):
        self.x, self.w, self.b, self.y = x, w, b, y
        self.stride, self.padding, self.dilation = stride, padding, dilation
        self.padded = np.pad(x, ((0, 0), (padding, padding), (padding, padding)))
        self.filter, row, column = self.at = tuple(int(i) for i in np.unravel_index(step, y.shape))
        rows, columns = w.shape[2:]
        self.seen = [
            [(row * stride + i * dilation, column * stride + j * dilation) for j in range(columns)] for i in range(rows)
        ]
        window = np.array([[[plane[at] for at in line] for line in self.seen] for plane in self.padded])
        self.sums = [*(window * w[self.filter]).sum(axis=(1, 2)), b[self.filter]]
        # (channel, row of the filter) -> the terms in that row
        self.terms = [
            [[f"{factor(a)}·{factor(v)}" for a, v in zip(*line, strict=True)] for line in zip(*pair, strict=True)]
            for pair in zip(window, w[self.filter], strict=True)
        ]
        self.name = f"y[{', '.join(map(str, self.at))}]"
        self.total = f"{' + '.join(map(factor, self.sums))} = {number(y[self.at])}"

    @property
    def title(self) -> str:
        (c, h, v), (f, _, kh, kw) = self.x.shape, self.w.shape
        return f"convolution of {h} x {v} x {c} with {f} filter{'s' * (f > 1)} of {kh} x {kw}"

    def sizes(self) -> list[str]:
        """The formula of the output's size with its numbers, by axis."""
        axes = list(zip(self.x.shape[1:], self.w.shape[2:], self.y.shape[1:], strict=True))
        rows, columns = (
            f"floor(({n} + 2·{self.padding} − {self.dilation}·({k} − 1) − 1) / {self.stride}) + 1 = {count}"
            for n, k, count in axes
        )
        below, beside = ((n + 2 * self.padding - self.dilation * (k - 1) - 1) % self.stride for n, k, _ in axes)
        return size_lines(rows, columns, (below, beside))

    def text(self) -> str:
        lines = [self.title, *self.sizes(), self.name]
        for c, rows in enumerate(self.terms):
            lines.append(f"  channel {c}: {' + '.join(t for row in rows for t in row)} = {number(self.sums[c])}")
        return "\n".join([*lines, f"  {self.total}, the last term is the bias"])

    def picture(self) -> str:
        """A column per channel: the input, the filters, the sum of the filter in use. The output stands at the right."""
        rows, columns = self.w.shape[2:]
        cell = cell_size(self.x, self.w, self.y)
        longest = sum(max(len(factor(v)) for v in a.ravel().tolist()) for a in (self.x, self.w))
        width = max(self.padded.shape[2] * cell, columns * cell, CHARACTER * (columns * (longest + 4) + 1))
        filters_at = TOP + self.padded.shape[1] * cell + BETWEEN
        sums_at = filters_at + len(self.w) * (rows * cell + BETWEEN) - 8
        *lefts, right = (MARGIN + c * (width + GAP) for c in range(len(self.x) + 1))
        parts = []
        for c, left in enumerate(lefts):
            parts += [
                *self._input(c, left, cell),
                *self._filters(c, left, filters_at, cell),
                *self._sum(c, left, sums_at),
            ]
        outputs, below = self._outputs(right, cell)
        foot = max(sums_at + (rows + 1) * LINE, below) + 24
        remark = f"the sum of each channel, and last the bias b[{self.filter}]{rounded(self.x, self.w, self.b)}"
        parts += [
            *outputs,
            words(MARGIN, foot, f"{self.name} = {self.total}", "mono strong total"),
            words(MARGIN, foot + 24, remark, "faint"),
            *(words(MARGIN, foot + 58 + k * LINE, line, "mono") for k, line in enumerate(self.sizes())),
        ]
        end = max(right + max(self.y.shape[2] * cell, 120), 600) + MARGIN
        return sheet(end, foot + 58 + len(self.sizes()) * LINE, f"{self.title}: {self.name} = {self.total}", parts)

    def _input(self, c: int, x: float, cell: float) -> list[str]:
        window = {at for line in self.seen for at in line}
        plane = grid(f"x[{c}]", x, TOP, cell, self.padded[c], lambda *at: "seen" * (at in window), self.padding)
        return [words(x, TOP - 12, f"input x[{c}]", "name"), plane]

    def _filters(self, c: int, x: float, y: float, cell: float) -> list[str]:
        parts = []
        for f, weights in enumerate(self.w[:, c]):
            name, used = f"w[{f}, {c}]", f == self.filter
            parts.append(words(x, y - 10, f"filter {name}", "name" if used else "faint"))
            parts.append(grid(name, x, y, cell, weights, lambda *_, used=used: "seen" if used else "soft"))
            y += len(weights) * cell + BETWEEN
        return parts

    def _sum(self, c: int, x: float, y: float) -> list[str]:
        first, *others = (" + ".join(terms) for terms in self.terms[c])
        parts = [words(x + 2 * CHARACTER, y, first, "mono")]
        parts += [words(x, y + i * LINE, f"+ {terms}", "mono") for i, terms in enumerate(others, start=1)]
        return [*parts, words(x, y + len(parts) * LINE, f"= {number(self.sums[c])}", "mono strong")]

    def _outputs(self, x: float, cell: float) -> tuple[list[str], float]:
        """The planes of the output one below the other, and where they end."""
        parts, y = [], TOP
        for f, plane in enumerate(self.y):
            parts.append(words(x, y - 12, f"output y[{f}]", "name"))
            parts.append(grid(f"y[{f}]", x, y, cell, plane, lambda *at, f=f: "now" * ((f, *at) == self.at)))
            y += len(plane) * cell + 20
            parts.append(words(x, y, f"bias b[{f}] = {number(self.b[f])}", "faint"))
            y += BETWEEN + 4
        return parts, y


def _data(x, w, b, channels, filters):
    """Image, filters and biases as float64 arrays that fit each other."""
    x = checked_numbers("convolution: x", X if x is None else x, "(channels, rows, columns)", (4, 10, 10))
    if w is None:
        w, b = W, B if b is None else b
    w = checked_numbers("convolution: w", w, "(filters, channels, filter rows, filter columns)", (4, 4, 7, 7))
    b = checked_numbers("convolution: b", np.zeros(len(w)) if b is None else b, "(filters,)", (4,))
    if x.shape[0] != w.shape[1] or len(b) != len(w):
        raise ShapeError(
            "image, filters and biases do not fit each other",
            expected="x (channels, rows, columns), w (filters, channels, filter rows, filter columns), b (filters,)",
            found=f"x {x.shape}, w {w.shape}, b {b.shape}",
            hint="the default image and filters have 3 channels: give both x and w" if len(x) != w.shape[1] else None,
        )
    channels = len(x) if channels is None else checked_whole("channels", channels, 1, len(x))
    filters = len(w) if filters is None else checked_whole("filters", filters, 1, len(w))
    return x[:channels], w[:filters, :channels], b[:filters]
