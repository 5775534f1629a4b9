"""Grey and colour images as PNG, inline in a page: the few bytes of the format that are needed, with zlib alone."""

from __future__ import annotations

import struct
import zlib
from base64 import b64encode

import numpy as np

from symcnn.errors import ShapeError


def png(image) -> bytes:
    """Encode an image.

    Parameters
    ----------
    image : array_like
        uint8: grey (height, width), or colour (height, width, 3).

    Examples
    --------
    >>> png(np.zeros((2, 3), "uint8"))[:8]
    b'\\x89PNG\\r\\n\\x1a\\n'
    """
    image = np.asarray(image, "uint8")
    if image.shape[2:] not in ((), (3,)) or image.ndim < 2 or not image.size:
        raise ShapeError("png takes one image", expected="(height, width) or (height, width, 3)", found=image.shape)
    height, width = image.shape[:2]
    kind = 2 if image.ndim == 3 else 0  # colour or grey
    header = struct.pack(">IIBBBBB", width, height, 8, kind, 0, 0, 0)  # 8 bits, no interlacing
    rows = np.pad(image.reshape(height, -1), ((0, 0), (1, 0)))  # each row starts with its filter: 0, none
    chunks = (b"IHDR", header), (b"IDAT", zlib.compress(rows.tobytes(), 9)), (b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(*chunk) for chunk in chunks)


def img(image, alt: str, scale: int = 2) -> str:
    """An ``<img>`` element that holds an image, its pixels enlarged `scale` times and kept sharp."""
    height, width = np.shape(image)[:2]
    size = f'width="{width * scale}" height="{height * scale}"'
    return f'<img class="pixels" {size} alt="{alt}" src="{data_uri(image)}">'


def data_uri(image) -> str:
    """The address of an image that holds the image itself."""
    return f"data:image/png;base64,{b64encode(png(image)).decode()}"


def stretched(image, low=None, high=None) -> np.ndarray:
    """Any real image as uint8, from `low` (black) to `high` (white): by default its smallest and its largest value."""
    image = np.asarray(image, "float64")
    low = image.min() if low is None else low
    span = (image.max() if high is None else high) - low or 1.0
    return ((image - low) * (255 / span)).round().clip(0, 255).astype("uint8")


def _chunk(kind: bytes, content: bytes) -> bytes:
    checksum = zlib.crc32(kind + content)
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", checksum)
