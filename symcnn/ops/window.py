"""The geometry of windows that slide over an image: what convolution and pooling share.

Along each axis, the window at output position y looks through its tap i at the pixel

    pixel = y * stride + i * dilation - before

where `before` is the padding at the low end. The inverse question, which windows look at a given pixel, is what every
adjoint asks; `Window2d.looking_at` answers it, so that adjoints too are written as gathers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from symcnn.errors import InputError, ShapeError
from symcnn.ir.loops import Expr, within
from symcnn.ir.variable import user_origin

if TYPE_CHECKING:
    from collections.abc import Callable

AXES = ("rows", "columns")
Pads = tuple[tuple[int, int], tuple[int, int]]


@dataclass(frozen=True)
class Window2d:
    """Stride, padding, dilation and groups of a convolution or a pooling; sizes are not its business.

    Attributes
    ----------
    stride, dilation : (rows, columns)
    padding : ((top, bottom), (left, right)) or "same"
        ``"same"`` pads so that an axis of size n gives ceil(n / stride) outputs; an odd total puts the extra line at the
        bottom and right (ONNX ``SAME_UPPER``).
    groups : int
        Channels are split into so many groups that do not see each other.
    """

    stride: tuple[int, int] = (1, 1)
    padding: Pads | str = ((0, 0), (0, 0))
    dilation: tuple[int, int] = (1, 1)
    groups: int = 1

    def __str__(self):
        short = {"stride": self.stride, "padding": self.padding, "dilation": self.dilation, "groups": self.groups}
        default = Window2d()
        return ", ".join(f"{k}={_compact(v)}" for k, v in short.items() if v != getattr(default, k))

    # ---- sizes

    def reach(self, kernel: int, axis: int) -> int:
        """Pixels from the first to the last tap of a window with `kernel` taps, both included."""
        return (kernel - 1) * self.dilation[axis] + 1

    def pads(self, image, kernel) -> Pads:
        """((top, bottom), (left, right)) for an image and a kernel of these concrete (rows, columns)."""
        if not isinstance(self.padding, str):
            return self.padding
        rows, columns = (self._same(image[axis], kernel[axis], axis) for axis in (0, 1))
        return rows, columns

    def _same(self, size: int, kernel: int, axis: int) -> tuple[int, int]:
        outputs = -(-size // self.stride[axis])
        total = max((outputs - 1) * self.stride[axis] + self.reach(kernel, axis) - size, 0)
        return total // 2, total - total // 2

    def output_size(self, size: int | None, kernel: int | None, axis: int, ceil_mode: bool = False) -> Any:
        """How many windows fit along an axis (0: rows, 1: columns); ``None`` while a size is unknown.

        With `ceil_mode` a last window may hang over the end, as long as it starts inside the image or its low padding.

        Raises
        ------
        ShapeError
            If not even one window fits.
        """
        if size is None or kernel is None:
            return None
        stride = self.stride[axis]
        if isinstance(self.padding, str):
            return -(-size // stride)
        before, after = self.padding[axis]
        room = size + before + after - self.reach(kernel, axis)
        if room < 0:
            spread = f" with dilation {self.dilation[axis]}" if self.dilation[axis] > 1 else ""
            raise ShapeError(
                f"the window is larger than the padded image: {self.reach(kernel, axis)} > {size + before + after} {AXES[axis]}",
                expected=f"at least {self.reach(kernel, axis)} {AXES[axis]} for a window of {kernel}{spread}",
                found=f"{size} {AXES[axis]} + padding {before} + {after}",
                hint="use a smaller window, more padding (padding='same' keeps the size), or a larger image",
            )
        if not ceil_mode:
            return room // stride + 1
        windows = -(-room // stride) + 1
        return windows - 1 if (windows - 1) * stride >= size + before else windows

    def output_sizes(self, image, kernel, ceil_mode: bool = False) -> tuple[Any, Any]:
        """`output_size` of both axes."""
        rows, columns = (self.output_size(image[axis], kernel[axis], axis, ceil_mode) for axis in (0, 1))
        return rows, columns

    # ---- NumPy references

    def padded(self, x: np.ndarray, kernel, value=0, count=None) -> np.ndarray:
        """`x` with its padding filled by `value`, and as much more as `count` (rows, columns) of windows look at."""
        pads = self.pads(x.shape[2:], kernel)
        if count is not None:
            needed = [
                (n - 1) * s + self.reach(k, axis)
                for axis, (n, s, k) in enumerate(zip(count, self.stride, kernel, strict=True))
            ]
            pads = [(b, max(a, n - b - size)) for (b, a), n, size in zip(pads, needed, x.shape[2:], strict=True)]
        return np.pad(x, ((0, 0), (0, 0), *pads), constant_values=value)

    def seen_by(self, tap, count) -> tuple:
        """Index into a padded image: the pixels that the windows, `count` (rows, columns) of them, see through `tap`."""
        return (..., *(self._seen(tap[axis], count[axis], axis) for axis in (0, 1)))

    def _seen(self, tap, count, axis):
        first, stride = tap * self.dilation[axis], self.stride[axis]
        return slice(first, first + (count - 1) * stride + 1 if count else first, stride)

    # ---- loop nests

    def parameters(self, image, kernel) -> tuple[int, ...]:
        """What an op with this window returns from `Op.parameters`: (top, left) unless they are known already."""
        (top, _), (left, _) = self.pads(image, kernel)
        return (top, left) if isinstance(self.padding, str) else ()

    def before(self, result) -> tuple:
        """(top, left) in a nest: numbers, or run-time parameters for "same" padding."""
        if isinstance(self.padding, str):
            return result.param(0), result.param(1)
        (top, _), (left, _) = self.padding
        return top, left

    def pixel(self, result, position, tap, image, ceil_mode: bool = False) -> tuple[tuple[Expr, Expr], Expr | bool]:
        """(row, column) that the window at `position` sees through `tap`, and the condition that `image` contains it."""
        row, column = (
            y * s + i * d - b
            for y, s, i, d, b in zip(position, self.stride, tap, self.dilation, self.before(result), strict=True)
        )
        if self.padding == ((0, 0), (0, 0)) and not ceil_mode:
            return (row, column), True
        return (row, column), within((row, 0, image[0]), (column, 0, image[1]))

    def looking_at(self, axis: int, pixel: Expr, before, kernel, windows) -> tuple[Any, Callable[..., Any]]:
        """The windows, out of `windows` along an axis, that look at `pixel`, and through which tap.

        Returns
        -------
        extent : int or Expr
            How many candidates there are.
        candidate : callable
            counter -> (window, tap, condition that this is one).
        """
        stride, dilation = self.stride[axis], self.dilation[axis]
        place = pixel + before
        if stride == 1 or dilation > 1:  # one candidate per tap

            def through(tap):
                offset = place - tap * dilation
                window = offset // stride
                condition = within((window, 0, windows))
                return window, tap, condition if stride == 1 else condition & (offset % stride).equals(0)

            return kernel, through

        def starting_back(back):  # the last window that starts at or before the pixel, and those before it
            window = place // stride - back
            tap = place - window * stride
            condition = within((window, 0, windows))
            exact = isinstance(kernel, int) and kernel % stride == 0
            return window, tap, condition if exact else condition & (tap < kernel)

        return (kernel + (stride - 1)) // stride, starting_back


# -- What users write ------------------------------------------------------------------------------------------------


def window2d(stride: Any = 1, padding: Any = 0, dilation: Any = 1, groups: int = 1) -> Window2d:
    """A `Window2d` from what users write.

    Parameters
    ----------
    stride, dilation : int or pair (rows, columns)
    padding : int, pair (rows, columns), 4-tuple (top, left, bottom, right), pair of pairs, "same" or "valid"
        A 4-tuple is in the order of ONNX ``pads``; a pair of pairs is ((top, bottom), (left, right)).
    groups : int

    Raises
    ------
    InputError
        If one of them is not an integer in its range.
    """
    return Window2d(
        stride=pair("stride", stride),
        padding=_padding(padding),
        dilation=pair("dilation", dilation),
        groups=_integer("groups", groups, 1),
    )


def pair(what: str, value, low: int = 1) -> tuple[int, int]:
    """(rows, columns) from an int or a pair."""
    if isinstance(value, (tuple, list)):
        if len(value) != 2:
            raise InputError(f"{what} must be an int or a pair (rows, columns)", where=user_origin(), found=repr(value))
        rows, columns = (_integer(what, v, low) for v in value)
        return rows, columns
    both = _integer(what, value, low)
    return both, both


def _integer(what: str, value, low: int) -> int:
    try:
        number = value.__index__()
    except (AttributeError, TypeError):
        number = None
    if number is None or isinstance(value, bool):
        raise InputError(f"{what} must be made of integers", where=user_origin(), found=repr(value))
    if number < low:
        hint = {"stride": "a stride of 1 visits every position; to walk backwards flip the image, x[..., ::-1]",
                "dilation": "1 means neighbouring taps", "padding": "to crop, slice the image: x[:, :, 1:-1]"}.get(what)  # fmt: skip
        raise InputError(f"{what} must be at least {low}", where=user_origin(), found=repr(value), hint=hint)
    return number


def _padding(padding) -> Pads | str:
    if isinstance(padding, str):
        if padding not in ("same", "valid"):
            raise InputError(
                f"padding={padding!r}",
                where=user_origin(),
                expected="'same', 'valid', an int, a pair or (top, left, bottom, right)",
            )
        return "same" if padding == "same" else ((0, 0), (0, 0))
    if isinstance(padding, (tuple, list)):
        if len(padding) == 2 and all(isinstance(p, (tuple, list)) for p in padding):
            rows, columns = (pair("padding", p, 0) for p in padding)
            return rows, columns
        if len(padding) == 4:
            top, left, bottom, right = (_integer("padding", p, 0) for p in padding)
            return (top, bottom), (left, right)
        if len(padding) != 2:
            raise InputError(
                "padding has the wrong length", where=user_origin(), found=repr(padding),
                expected="an int, a pair (rows, columns), (top, left, bottom, right), 'same' or 'valid'",
            )  # fmt: skip
    rows, columns = pair("padding", padding, 0)
    return (rows, rows), (columns, columns)


def _compact(value):
    """``(2, 2)`` as 2, ``((1, 1), (2, 2))`` as (1, 2), others as they are."""
    while isinstance(value, tuple) and all(v == value[0] for v in value):
        value = value[0]
    if isinstance(value, tuple) and all(isinstance(v, tuple) and v[0] == v[1] for v in value):
        value = tuple(v[0] for v in value)
    return value
