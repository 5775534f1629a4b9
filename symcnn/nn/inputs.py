"""What layers ask of their inputs, and hints at what came instead."""

from __future__ import annotations

from math import prod

from symcnn.data.layouts import layout_hint
from symcnn.errors import ShapeError
from symcnn.nn.summary import shape_text


def check_images(layer, x, channels: int | None = None) -> None:
    """ShapeError unless `x` is a batch of images, (n, channels, height, width)."""
    if x.ndim == 4 and (channels is None or x.shape[1] in (None, channels)):
        return
    expected = ("n", "channels" if channels is None else channels, "height", "width")
    raise ShapeError(
        f"{type(layer).__name__} takes other images", expected=shape_text(expected), found=shape_text(x.shape),
        hint=_hint(channels, x.shape),
    )  # fmt: skip


def check_channels(layer, x, channels: int) -> None:
    """ShapeError unless `x` has so many channels: (n, channels, ...)."""
    if x.ndim < 2 or x.shape[1] not in (None, channels):
        raise ShapeError(
            f"{type(layer).__name__} takes {channels} channels", expected=f"(n, {channels}, ...)",
            found=shape_text(x.shape), hint=_hint(channels, x.shape) if x.ndim > 2 else None,
        )  # fmt: skip


def check_same_shape(layer, first, *others, hint: str | None = None) -> None:
    """ShapeError unless expressions that `layer` adds have one shape, as far as it is known."""
    for other in others:
        if first.ndim != other.ndim or any(
            None not in (a, b) and a != b for a, b in zip(first.shape, other.shape, strict=True)
        ):
            raise ShapeError(
                f"{type(layer).__name__} adds what has one shape", expected=shape_text(first.shape),
                found=shape_text(other.shape), hint=hint,
            )  # fmt: skip


def _hint(channels: int | None, shape) -> str | None:
    """What `shape`, of a batch that does not fit a layer for images, looks like; ``None`` if like nothing known."""
    if len(shape) == 2:
        return "sc.nn.Reshape makes images (channels, height, width) of rows"
    if channels is None:
        return "images without a channel axis: images[:, None] adds it" if len(shape) == 3 else None
    if len(shape) == 3 and channels > 1:
        return f"one image ({channels}, height, width) needs a batch axis: image[None]"
    sizes = (shape[1:3], shape[2:4])  # where height and width may be
    hints = (layout_hint(shape, (channels, *size)) for size in sizes if len(size) == 2)
    return next(filter(None, hints), None)


def flat_size(shape) -> int | None:
    """Elements of one example of a batch of `shape`, if known."""
    return None if None in shape[1:] else prod(shape[1:])


def fits(shape, in_shape) -> bool:
    """Whether `shape` is `in_shape`, where that is known."""
    return len(shape) == len(in_shape) and all(known in (None, n) for n, known in zip(shape, in_shape, strict=True))
