"""Image files as an array that decodes them when it is indexed. Needs Pillow, from the extra ``symcnn[images]``."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from os import PathLike
from pathlib import Path

import numpy as np

from symcnn.config import config
from symcnn.data.lazy import LazyArray
from symcnn.errors import FileError, InputError, PackageError, ShapeError, line_of, user_frame
from symcnn.keywords import checked_keywords, nearest
from symcnn.paths import as_path

# Endings, and the formats in which Pillow may look for an image, whatever the ending says. There are no others, because
# some of those that Pillow knows start a program: EPS runs Ghostscript.
EXTENSIONS = (".jpg", ".jpeg", ".png", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".ppm", ".pgm", ".pbm")
FORMATS = ("JPEG", "PNG", "BMP", "GIF", "WEBP", "TIFF", "PPM")

CHANNELS = {"RGB": 3, "L": 1}
FITS = ("stretch", "crop")

_ORIENTATION, _TURNED = 0x0112, (5, 6, 7, 8)  # the EXIF tag, and its values that swap height and width


class ImageFiles(LazyArray):
    """What looks like a uint8 array (n, channels, height, width) and reads the files of the rows that are asked for.

    Parameters
    ----------
    files : sequence of paths
    size : (height, width), optional
        Images of other sizes are scaled to it, with an antialiasing filter. Without it all must be of one size.
    mode : {"RGB", "L"}
        Three channels, or brightness alone; images of the other kind are converted, opacity is dropped.
    fit : {"stretch", "crop"}
        Where the aspect differs from that of `size`: stretch the image, or cut off what is too much at both ends.

    Attributes
    ----------
    shape : tuple of int
    dtype : numpy.dtype
        uint8
    files : tuple of pathlib.Path

    Raises
    ------
    FileError
        If a file cannot be read as an image (its name is in the message), or is so large that Pillow takes it for a
        decompression bomb. Here for the headers if `size` is not given, else when the image is asked for.
    ShapeError
        If sizes differ and `size` is not given.
    InputError
        If an argument is none of those above.
    PackageError
        If Pillow is not installed.

    Notes
    -----
    Images are turned upright as their EXIF orientation says. Those of 16 bits per pixel keep the upper eight. Several
    threads decode (``config.threads``), as Pillow lets others run meanwhile. An image is decoded each time it is
    indexed; ``np.asarray(images)`` decodes all of them into memory.

    Examples
    --------
    >>> import tempfile
    >>> from PIL import Image
    >>> folder = Path(tempfile.mkdtemp())
    >>> for name, colour in (("a.png", "red"), ("b.png", "lime")):
    ...     Image.new("RGB", (48, 32), colour).save(folder / name)
    >>> images = ImageFiles([folder / "a.png", folder / "b.png"])
    >>> images, images[1, :, 0, 0]
    (ImageFiles(uint8[2, 3, 32, 48]), array([  0, 255,   0], dtype=uint8))
    """

    @checked_keywords
    def __init__(
        self,
        files: Iterable,
        size: tuple[int, int] | None = None,
        mode: str = "RGB",
        fit: str = "stretch",
    ):
        for name, value, known in (("mode", mode, CHANNELS), ("fit", fit, FITS)):
            if value not in known:
                raise InputError(f"ImageFiles: unknown {name} {value!r}", hint=nearest(str(value), known))
        frame = user_frame()
        # Errors happen in other threads, whose stacks do not lead here.
        self._where = line_of(frame.f_code.co_filename, frame.f_lineno)
        if isinstance(files, (str, PathLike)):
            raise InputError(
                "ImageFiles: this is one path", found=repr(files), hint="[path]; image_folder reads a folder"
            )
        self.files = tuple(map(as_path, files))
        self.target, self.mode, self.fit = None if size is None else _checked_size(size), mode, fit
        _pillow()
        height, width = self.target or self._common_size()
        self.shape, self.dtype = (len(self.files), CHANNELS[mode], height, width), np.dtype("uint8")

    def read(self, rows):
        found = np.empty((len(rows), *self.shape[1:]), "uint8")

        def fill(i):
            image = self._open(self.files[rows[i]], self._decoded)
            if image.shape != self.shape[1:]:
                self._refuse_sizes(self.files[rows[i]], image.shape[1:], "the others", self.shape[2:])
            found[i] = image

        _in_threads(fill, range(len(rows)))
        return found

    def _common_size(self) -> tuple[int, int]:
        if not self.files:
            raise InputError("ImageFiles: there are no files", hint="give a size, if that may be")
        sizes = _in_threads(lambda path: self._open(path, _upright_size), self.files)
        for path, size in zip(self.files, sizes, strict=True):
            if size != sizes[0]:
                self._refuse_sizes(path, size, self.files[0], sizes[0])
        return sizes[0]

    def _refuse_sizes(self, path, size, other, other_size):
        raise ShapeError(
            "images differ in size",
            where=self._where,
            expected="one height and width for all",
            found=f"{size[0]} x {size[1]} in {path}, {other_size[0]} x {other_size[1]} in {other}",
            hint="size=(height, width) scales them all",
        )

    def _open(self, path: Path, use: Callable):
        """``use(image)`` of the file, or a FileError that names it."""
        Image, _ = _pillow()
        try:
            with Image.open(path, formats=FORMATS) as image:
                pixels, limit = image.width * image.height, Image.MAX_IMAGE_PIXELS
                if limit and pixels > limit:
                    raise Image.DecompressionBombError(f"{image.width} x {image.height} pixels")
                return use(image)
        except FileNotFoundError:
            raise FileError(f"{path} does not exist", where=self._where) from None
        except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
            raise FileError(
                f"{path} could be a decompression bomb",
                where=self._where,
                expected=f"at most {Image.MAX_IMAGE_PIXELS:,} pixels",
                found=error,
                hint="if you trust it, set PIL.Image.MAX_IMAGE_PIXELS",
            ) from None
        # Decoders meet nonsense in many ways: as OSError, SyntaxError, struct.error, IndexError and others.
        except Exception as error:
            raise FileError(
                f"{path} cannot be read as an image: {error}",
                where=self._where,
                expected=f"a file of {', '.join(FORMATS)}",
                hint="the file is damaged, incomplete or of another kind",
            ) from None

    def _decoded(self, image) -> np.ndarray:
        """The pixels as they are wanted, (channels, height, width)."""
        Image, ImageOps = _pillow()
        if self.target:
            # A JPEG can be decoded at a half, a quarter or an eighth of its size, which saves most of the work.
            image.draft(None, (2 * max(self.target), 2 * max(self.target)))
        image = _in_8_bits(ImageOps.exif_transpose(image))
        if image.mode == "P" and "transparency" in image.info:
            image = image.convert("RGBA")
        image = image.convert(self.mode)
        if self.target:
            height, width = self.target
            box = _centre(image.size, (width, height)) if self.fit == "crop" else None
            image = image.resize((width, height), Image.Resampling.BILINEAR, box=box)
        pixels = np.asarray(image)
        return pixels[None] if pixels.ndim == 2 else np.moveaxis(pixels, -1, 0)


def _upright_size(image) -> tuple[int, int]:
    """(height, width) by the headers alone."""
    turned = image.getexif().get(_ORIENTATION) in _TURNED
    return (image.width, image.height) if turned else (image.height, image.width)


def _in_8_bits(image):
    """Gray images of 16 bits, which `convert` would clip at 255 instead of scaling them."""
    if image.mode == "F":
        raise ValueError("it holds floating-point numbers, whose range is unknown")
    if not image.mode.startswith("I"):
        return image
    Image, _ = _pillow()
    pixels = np.asarray(image)
    if pixels.size and not 0 <= pixels.min() <= pixels.max() < 1 << 16:
        raise ValueError("it has more than 16 bits per pixel")
    return Image.fromarray((pixels >> 8).astype("uint8"))


def _centre(size: tuple[int, int], target: tuple[int, int]) -> tuple[float, float, float, float]:
    """The largest box of the aspect of `target` in the middle of `size`; both (width, height)."""
    scale = min(size[0] / target[0], size[1] / target[1])
    margins = [max(0.0, (side - scale * goal) / 2) for side, goal in zip(size, target, strict=True)]
    return margins[0], margins[1], size[0] - margins[0], size[1] - margins[1]


def _in_threads(function: Callable, items: Sequence) -> list:
    if len(items) < 2 or config.threads == 1:
        return [function(item) for item in items]
    with ThreadPoolExecutor(min(config.threads, len(items)), "symcnn-images") as pool:
        return list(pool.map(function, items))


def _checked_size(size) -> tuple[int, int]:
    try:
        height, width = (int(side) for side in size)
    except (TypeError, ValueError):
        raise InputError("ImageFiles: a size is (height, width)", found=size, hint="size=(224, 224)") from None
    if min(height, width) < 1:
        raise InputError("ImageFiles: height and width are at least 1", found=size)
    return height, width


def _pillow():
    try:
        from PIL import Image, ImageOps
    except ImportError:
        raise PackageError("reading image files needs Pillow", hint="pip install 'symcnn[images]'") from None
    return Image, ImageOps
