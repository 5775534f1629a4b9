"""Where the pixels of a resized axis come from, in the many ways that ONNX knows: plain NumPy, nothing is computed with images.

A pixel y of the result sits over a position v(y) of the axis before; `Interpolation.transformation` says how the two are
aligned. It becomes a weighted sum of the pixels around v, with weights by a kernel of their distance from v.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from symcnn.errors import InputError

ROUNDINGS = {
    "round_prefer_floor": lambda v: np.ceil(v - 0.5),
    "round_prefer_ceil": lambda v: np.floor(v + 0.5),
    "floor": np.floor,
    "ceil": np.ceil,
}


@dataclass(frozen=True)
class Interpolation:
    """The attributes of a Resize node.

    Attributes
    ----------
    mode : {"nearest", "linear", "cubic"}
    transformation : str
        ONNX's ``coordinate_transformation_mode``.
    rounding : str
        Of positions, for "nearest": one of `ROUNDINGS`.
    cubic : float
        The slope of the cubic kernel at distance 1.
    exclude_outside : bool
        Whether pixels beyond the edge weigh nothing; otherwise the edge is repeated.
    antialias : bool
        Whether the kernel widens where the axis shrinks.
    """

    mode: str = "nearest"
    transformation: str = "half_pixel"
    rounding: str = "round_prefer_floor"
    cubic: float = -0.75
    exclude_outside: bool = False
    antialias: bool = False

    def __post_init__(self):
        if self.mode not in ("nearest", "linear", "cubic"):
            raise InputError("mode is unknown", expected="nearest, linear or cubic", found=self.mode)
        if self.rounding not in ROUNDINGS:
            raise InputError("nearest_mode is unknown", expected=", ".join(ROUNDINGS), found=self.rounding)

    def positions(self, n: int, size: int, scale: float, region=(0.0, 1.0)) -> np.ndarray:
        """v(y) for all y of an axis of n pixels that becomes one of `size`.

        In single precision, as runtimes compute it: a pixel at (1 + 1/2) / 0.6 - 1/2 is at 2, though 0.6 is rounded.

        Raises
        ------
        InputError
            For a transformation that ONNX does not know.
        """
        y, single = np.arange(size, dtype=np.float32), np.float32(scale)
        stretched, half_pixel = single * np.float32(n), (y + 0.5) / single - 0.5
        match self.transformation:
            case "half_pixel":
                return half_pixel
            case "pytorch_half_pixel":
                return half_pixel if size > 1 else np.zeros(size)
            case "half_pixel_symmetric":
                return half_pixel + n / 2 * (1 - size / stretched)
            case "asymmetric":
                return y / single
            case "align_corners":
                return y * (n - 1) / (stretched - 1) if stretched != 1 else np.zeros(size)
            case "tf_crop_and_resize":
                low, high = (edge * (n - 1) for edge in region)
                return low + (y * (high - low) / (stretched - 1) if stretched != 1 else np.full(size, (high - low) / 2))
        raise InputError("coordinate_transformation_mode is unknown", found=self.transformation)

    def taps(self, n: int, scale: float, positions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(pixels, weights), both (taps, size): those of the axis of n pixels that every pixel of the result sums."""
        if self.mode == "nearest":
            pixels = ROUNDINGS[self.rounding](positions)[None]
            return _inside(pixels, n), np.ones(pixels.shape)
        radius = 1 if self.mode == "linear" else 2
        shrink = min(scale, 1.0) if self.antialias else 1.0
        count = 2 * int(np.ceil(radius / shrink))
        pixels = np.floor(positions) - count // 2 + 1 + np.arange(count)[:, None]
        weights = self._kernel(np.abs(pixels - positions) * shrink)
        if self.exclude_outside:
            weights = np.where((pixels >= 0) & (pixels < n), weights, 0)
        weights = weights / weights.sum(axis=0)
        used = weights.any(axis=1)
        return _inside(pixels, n)[used], weights[used]

    def _kernel(self, distance: np.ndarray) -> np.ndarray:
        """The triangle, or the cubic of Keys (1981)."""
        if self.mode == "linear":
            return np.maximum(1 - distance, 0)
        a, d = self.cubic, distance
        near = ((a + 2) * d - (a + 3)) * d**2 + 1
        far = ((d - 5) * d + 8) * d * a - 4 * a
        return np.where(d <= 1, near, np.where(d < 2, far, 0))


def _inside(pixels: np.ndarray, n: int) -> np.ndarray:
    return np.clip(pixels, 0, n - 1).astype(np.int64)
