"""Pooling, one window at a time: forward, with the winner marked, then backward, the gradient on its way to the pixels."""

from __future__ import annotations

import numpy as np

import symcnn as sc
from symcnn.errors import InputError
from symcnn.keywords import checked_keywords, nearest
from symcnn.viz.cells import (
    cell_size,
    checked_numbers,
    checked_whole,
    factor,
    grid,
    number,
    rounded,
    route,
    sheet,
    size_lines,
    words,
)
from symcnn.viz.figure import Figure, Live

# The image of the figure unless one is given; in some windows two pixels are equal, and the first wins.
X = np.array([
    [1, 3, 2, 1, 0, 4], [2, 9, 1, 1, 5, 2], [1, 3, 2, 3, 6, 0],
    [5, 6, 1, 2, 6, 1], [0, 2, 8, 4, 3, 3], [7, 1, 0, 5, 2, 1],
])  # fmt: skip

LARGEST = (12, 12)
MARGIN, TOP, GAP, LINE = 20, 72, 64, 22


@checked_keywords
def pooling(x=None, kind="max", window=2, stride=None, padding=0, *, step=None) -> Figure:
    r"""Watch pooling slide over an image, and its gradient go back.

    .. math:: y_p = \max_{q \in p} x_q \qquad\text{or}\qquad y_p = \frac{1}{|p|} \sum_{q \in p} x_q

    over the pixels q of the image that window p sees. Backward, ``dy`` (1, 2, 3, ... in this figure) goes to the winner
    of its window, the first among equals, or is spread evenly; where windows overlap, gradients add up. The live view
    plays; kind, window, stride and padding can be changed in it.

    Parameters
    ----------
    x : (rows, columns), optional
        One channel of an image, at most 12 x 12; a small table unless given.
    kind : {"max", "average"}
    window, stride, padding : int
        The stride is the window's size unless given; the padding is at most half of the window.
    step : int, optional
        What the still picture shows: window after window forward, then the same backward. The end unless given.

    Returns
    -------
    Figure

    Raises
    ------
    ShapeError
        If `x` is no small image, or no window fits.
    InputError
        If `kind` is another word, or a number is out of its range.

    Examples
    --------
    >>> print(pooling([[1, 2], [4, 3]], "average"))
    average pooling of 2 x 2, window 2, stride 2
    rows and columns: floor((2 + 2·0 − 2) / 2) + 1 = 1
    y[0, 0] = (1 + 2 + 4 + 3) / 4 = 2.5
    dx += dy[0, 0] / 4 = 0.25
    """
    x = checked_numbers("pooling: x", X if x is None else x, "(rows, columns)", LARGEST)
    if kind not in ("max", "average"):
        raise InputError(f"pooling: kind={kind!r}", hint=nearest(str(kind), ("max", "average")))
    window = checked_whole("window", window, 1, 6)
    stride = window if stride is None else checked_whole("stride", stride, 1, 6)
    padding = checked_whole("padding", padding, 0, window // 2)
    pooled = _Pooled(x, kind, window, stride, padding)
    step = checked_whole("step", pooled.steps - 1 if step is None else step, 0, pooled.steps - 1)
    start = 0 if step == pooled.steps - 1 else step  # the live view has the end still before it
    data = {"x": x.tolist(), "kind": kind, "window": window, "stride": stride, "padding": padding, "step": start}
    live = Live("poolingView", data, ("cells", "player", "controls", "pooling"))
    return Figure("pooling, one window at a time", pooled.picture(step), pooled.text(step), live)


class _Pooled:
    """An image, its windows, and the picture of any step."""

    def __init__(self, x, kind, window, stride, padding):
        self.x, self.kind, self.window, self.stride, self.padding = x, kind, window, stride, padding
        pool = sc.max_pool2d if kind == "max" else sc.avg_pool2d
        image = sc.input("x", x.shape, "float64")
        y = pool(image[None, None], window, stride, padding)[0, 0]
        dy = sc.input("dy", y.shape, "float64")
        self.y = sc.function([image], y, device="reference")(x)
        # The cost sum(y dy) has dy as its gradient by y.
        self.gradient = sc.function([image, dy], sc.grad((y * dy).sum(), image), device="reference")
        self.dy = np.arange(1.0, self.y.size + 1).reshape(self.y.shape)
        self.steps = 2 * self.y.size
        self.title = f"{kind} pooling of {len(x)} x {x.shape[1]}, window {window}, stride {stride}"

    def place(self, step) -> tuple[int, int]:
        """Of the window, among all windows."""
        row, column = divmod(step % self.y.size, self.y.shape[1])
        return row, column

    def seen(self, step) -> list[tuple[int, int]]:
        """The pixels of the image that the window sees."""
        rows, columns = (
            [
                a * self.stride - self.padding + i
                for i in range(self.window)
                if 0 <= a * self.stride - self.padding + i < n
            ]
            for a, n in zip(self.place(step), self.x.shape, strict=True)
        )
        return [(r, q) for r in rows for q in columns]

    def receivers(self, step) -> list[tuple[int, int]]:
        """Those of them that the gradient goes to."""
        seen = self.seen(step)
        return [max(seen, key=lambda at: self.x[at])] if self.kind == "max" else seen

    def sentences(self, step) -> tuple[str, str]:
        """The arithmetic of this step, and what it means."""
        row, column = self.place(step)
        name, dy, to = f"[{row}, {column}]", self.dy[row, column], self.receivers(step)
        values, y = [self.x[at] for at in self.seen(step)], number(self.y[row, column])
        winner = f"[{to[0][0]}, {to[0][1]}]"
        if self.kind == "max" and step < self.y.size:
            return f"y{name} = max({', '.join(map(number, values))}) = {y}", f"won by x{winner}, in the ring"
        if self.kind == "max":
            meaning = "all of the gradient goes to the pixel that won; the others of the window get none"
            return f"dx{winner} += dy{name} = {number(dy)}", meaning
        if step < self.y.size:
            meaning = "padding is not counted" if self.padding else "the mean of what the window sees"
            return f"y{name} = ({' + '.join(map(factor, values))}) / {len(values)} = {y}", meaning
        share = f"dx += dy{name} / {len(to)} = {number(dy / len(to))}"
        return share, f"the gradient is spread evenly over the {len(to)} pixels of the window"

    def sizes(self) -> list[str]:
        """The formula of the output's size with its numbers, by axis."""
        rows, columns = (
            f"floor(({n} + 2·{self.padding} − {self.window}) / {self.stride}) + 1 = {count}"
            for n, count in zip(self.x.shape, self.y.shape, strict=True)
        )
        below, beside = ((n + 2 * self.padding - self.window) % self.stride for n in self.x.shape)
        return size_lines(rows, columns, (below, beside))

    def text(self, step) -> str:
        forward = step % self.y.size
        sentences = (self.sentences(moment)[0] for moment in (forward, forward + self.y.size))
        return "\n".join([self.title, *self.sizes(), *sentences])

    def picture(self, step) -> str:
        """From left to right: the input and the output, then the gradient by the output and the gradient by the input."""
        count, pad = self.y.size, self.padding
        backward, at, place = step >= count, step % count, self.place(step)
        done = np.arange(count).reshape(self.y.shape) <= at
        y = np.where(done | backward, self.y, np.nan)
        dy = np.where(backward, self.dy, np.nan)
        dx = self.gradient(self.x, self.dy * done) if backward else np.full(self.x.shape, np.nan)
        padded = np.pad(self.x, pad, constant_values=-np.inf if self.kind == "max" else np.nan)
        cell = max(36, cell_size(padded, self.y, self.dy, self.gradient(self.x, self.dy)))
        columns_at = [float(MARGIN)]
        for columns in (padded.shape[1], max(self.y.shape[1], 90 / cell), max(self.y.shape[1], 90 / cell)):
            columns_at.append(columns_at[-1] + columns * cell + GAP)
        x_at, y_at, dy_at, dx_at = columns_at
        window = {(place[0] * self.stride + i, place[1] * self.stride + j) for i, j in np.ndindex(*[self.window] * 2)}
        to = self.receivers(step)
        winners = [self.receivers(k)[0] for k in range(count if backward else at + 1)] if self.kind == "max" else []
        rings = {(r + pad, q + pad) for r, q in winners}
        parts = [
            words(x_at, 28, "forward", "faint" if backward else "name"),
            words(dy_at, 28, "backward", "name" if backward else "faint"),
            *(
                words(left, TOP - 12, name)
                for left, name in zip(columns_at, ("input x", "output y", "gradient dy", "gradient dx"), strict=True)
            ),
            grid("x", x_at, TOP, cell, padded, lambda *c: "seen" * (c in window) + " best" * (c in rings), pad),
            grid("y", y_at, TOP, cell, y, lambda *c: "now" * (c == place and not backward)),
            grid("dy", dy_at, TOP, cell, dy, lambda *c: "back" * (c == place and backward)),
            grid("dx", dx_at, TOP + pad * cell, cell, dx, lambda *c: "back" * (c in to and backward)),
        ]
        # A route runs between two grids, from row to row: of the one pixel, or of the middle of all that share.
        rows = [r for r, _ in to]
        pixels = TOP + (pad + (min(rows) + max(rows) + 1) / 2) * cell
        row = TOP + (place[0] + 0.5) * cell
        if backward:
            parts.append(route(dy_at + self.y.shape[1] * cell, row, dx_at, pixels, "gradient"))
        else:
            parts.append(route(x_at + padded.shape[1] * cell, pixels, y_at, row))
        foot = TOP + len(padded) * cell + 46
        sentence, meaning = self.sentences(step)
        remark = rounded(self.x, self.y, dx[~np.isnan(dx)])
        parts += [
            words(MARGIN, foot, sentence, "mono strong total"),
            words(MARGIN, foot + 26, meaning + remark, "faint"),
        ]
        parts += [words(MARGIN, foot + 60 + k * LINE, line, "mono") for k, line in enumerate(self.sizes())]
        right = max(dx_at + self.x.shape[1] * cell + MARGIN, 700)
        return sheet(right, foot + 60 + len(self.sizes()) * LINE, f"{self.title}: {sentence}", parts)
