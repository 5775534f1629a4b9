"""What nodes say about windows that slide over an image: kernel, strides, dilations, and padding in all of its forms.

Signals (N, C, L) are images with one row.
"""

from __future__ import annotations

from typing import Any

import symcnn as sc
from symcnn.errors import InputError, ShapeError
from symcnn.interop.onnx.values import as_numbers, shape_of
from symcnn.ops.window import Window2d

AUTO_PADS = ("NOTSET", "VALID", "SAME_UPPER", "SAME_LOWER")


def as_image(x):
    """`x` (N, C, H, W), or (N, C, L) with a row axis added; filters likewise.

    Raises
    ------
    ShapeError
        If it has more or fewer axes.
    """
    if x.ndim not in (3, 4):
        raise ShapeError(
            f"windows over {max(x.ndim - 2, 0)} axes are not supported", expected="(N, C, L) or (N, C, H, W)", found=str(x.type)
        )  # fmt: skip
    return sc.expand_dims(x, 2) if x.ndim == 3 else x


def as_before(y, x):
    """An image `y` with as many axes as `x`, of which `as_image` had made one."""
    return sc.squeeze(y, 2) if x.ndim == 3 else y


def sizes(x, axes: slice, what: str) -> tuple[int, ...]:
    """Some sizes of `x`.

    Raises
    ------
    NeedsSizes
        If one of them is unknown.
    """
    return tuple(int(n) for n in as_numbers(shape_of(x)[axes], what))


def pair(node, attribute: str, default: int = 1) -> tuple[int, int]:
    """(rows, columns) from an attribute with one number per axis; of signals, `default` for the rows."""
    given = tuple(node.get(attribute, ()))
    if len(given) > 2:
        raise ShapeError(f"{attribute} is for {len(given)} axes", expected="one or two")
    rows, columns = (default,) * (2 - len(given)) + given
    return rows, columns


def explicit_pads(node) -> tuple[tuple[int, int], tuple[int, int]]:
    """((top, bottom), (left, right)) from the attribute ``pads``: all beginnings, then all ends."""
    given = tuple(node.get("pads", ()))
    if len(given) not in (0, 2, 4):
        raise ShapeError("pads have the wrong length", expected="2 or 4", found=given)
    half = len(given) // 2
    rows, columns = ((0, 0),) * (2 - half) + tuple(zip(given[:half], given[half:], strict=True))
    return rows, columns


def auto_pad(node) -> str:
    """The attribute of this name.

    Raises
    ------
    InputError
        If it is none of `AUTO_PADS`.
    """
    found = node.get("auto_pad", "NOTSET") or "NOTSET"
    if found not in AUTO_PADS:
        raise InputError("auto_pad is unknown", expected=", ".join(AUTO_PADS), found=found)
    return found


def geometry(node, image, kernel) -> dict[str, Any]:
    """Stride, dilation and padding of a window of `kernel` (rows, columns) as `symcnn.conv2d` takes them."""
    found: dict[str, Any] = {"stride": pair(node, "strides"), "dilation": pair(node, "dilations")}
    mode = auto_pad(node)
    if mode == "NOTSET":
        return {**found, "padding": explicit_pads(node)}
    if mode == "SAME_LOWER":
        return {**found, "padding": _same_lower(image, kernel, **found)}
    return {**found, "padding": "same" if mode == "SAME_UPPER" else 0}


def _same_lower(image, kernel, stride, dilation):
    """ "same" with the extra line of an odd total at the top and left."""
    size = (1, 1)  # with a stride of 1 the total is the same for all sizes
    if stride != (1, 1):
        size = sizes(image, slice(2, None), "the padding SAME_LOWER")
    rows, columns = Window2d(stride, "same", dilation).pads(size, kernel)
    return rows[::-1], columns[::-1]
