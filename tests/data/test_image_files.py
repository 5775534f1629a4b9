"""Image files as an array: what Pillow decodes, upright and to size; damaged and dangerous files say so."""

import struct
import sys
import threading
import zlib

import numpy as np
import pytest

from symcnn.config import config
from symcnn.data import ImageFiles, image_files
from symcnn.errors import FileError, InputError, PackageError, ShapeError

Image = pytest.importorskip("PIL.Image")


def picture(height=6, width=8, seed=0, channels=3):
    return np.random.default_rng(seed).integers(0, 256, (height, width, channels)).astype("uint8")


@pytest.fixture
def files(tmp_path):
    """Five images of noise, which PNG keeps exactly."""
    paths = [tmp_path / f"{i}.png" for i in range(5)]
    for i, path in enumerate(paths):
        Image.fromarray(picture(seed=i)).save(path)
    return paths


def expected(*seeds):
    return np.stack([picture(seed=i).transpose(2, 0, 1) for i in seeds])


def test_looks_like_an_array(files):
    images = ImageFiles(files)
    assert images.shape == (5, 3, 6, 8) and images.dtype == np.uint8 and images.ndim == 4 and len(images) == 5
    np.testing.assert_array_equal(images[[3, 0, 3]], expected(3, 0, 3))
    np.testing.assert_array_equal(images[1:4], expected(1, 2, 3))
    np.testing.assert_array_equal(images[-1], expected(4)[0])
    np.testing.assert_array_equal(images[np.arange(5) == 2], expected(2))
    np.testing.assert_array_equal(np.asarray(images), expected(*range(5)))
    assert images[[]].shape == (0, 3, 6, 8)


@pytest.mark.parametrize("threads", [1, 3])
def test_any_number_of_threads(files, monkeypatch, threads):
    monkeypatch.setattr(config, "threads", threads)
    before = threading.active_count()
    np.testing.assert_array_equal(ImageFiles(files)[[4, 2, 0]], expected(4, 2, 0))
    assert threading.active_count() == before


def test_brightness_alone(files):
    images = ImageFiles(files, mode="L")
    assert images.shape == (5, 1, 6, 8)
    np.testing.assert_array_equal(images[0, 0], np.asarray(Image.fromarray(picture()).convert("L")))


@pytest.mark.parametrize("kind", ["1", "L", "LA", "P", "RGBA", "CMYK", "I;16"])
def test_every_kind_of_image_becomes_rgb(tmp_path, kind):
    if kind == "I;16":
        source = Image.fromarray(picture()[:, :, 0].astype("uint16") * 257)
        wanted = np.repeat(picture()[:, :, :1], 3, axis=2)
    else:
        source = Image.fromarray(picture()).convert(kind)
        wanted = np.asarray(source.convert("RGB"))
    path = tmp_path / ("a.tif" if kind == "CMYK" else "a.png")
    source.save(path)
    np.testing.assert_array_equal(ImageFiles([path])[0], wanted.transpose(2, 0, 1))


def test_palette_with_opacity(tmp_path):
    """Pillow warns of a direct conversion, and warnings are errors here."""
    source = Image.fromarray(picture()).convert("P")
    source.save(tmp_path / "a.png", transparency=bytes(range(256)))
    np.testing.assert_array_equal(
        ImageFiles([tmp_path / "a.png"])[0], np.moveaxis(np.asarray(source.convert("RGB")), 2, 0)
    )


# How the stored pixels have to be turned, by the EXIF standard: the first row is at the ..., the first column at the ...
UPRIGHT = {
    1: lambda a: a,
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.transpose(1, 0, 2),
    6: lambda a: np.rot90(a, -1),
    7: lambda a: a[::-1, ::-1].transpose(1, 0, 2),
    8: lambda a: np.rot90(a),
}


@pytest.mark.parametrize("orientation", UPRIGHT)
def test_orientation(tmp_path, orientation):
    image = Image.fromarray(picture())
    exif = image.getexif()
    exif[0x0112] = orientation
    image.save(tmp_path / "a.png", exif=exif)
    images = ImageFiles([tmp_path / "a.png"])
    wanted = UPRIGHT[orientation](picture()).transpose(2, 0, 1)
    assert images.shape[1:] == wanted.shape
    np.testing.assert_array_equal(images[0], wanted)


def test_scaling_averages_instead_of_picking(tmp_path):
    """A checkerboard of single pixels becomes gray."""
    board = np.indices((64, 96)).sum(axis=0) % 2 * 255
    Image.fromarray(board.astype("uint8")).save(tmp_path / "a.png")
    found = ImageFiles([tmp_path / "a.png"], size=(16, 24), mode="L")[0, 0]
    assert found.shape == (16, 24) and abs(found.astype(int) - 127).max() <= 8


@pytest.mark.parametrize(("height", "width"), [(20, 60), (60, 20), (42, 42)])
def test_crop_keeps_the_aspect_and_the_middle(tmp_path, height, width):
    """Thirds of red, green and blue along the longer side: the middle is green."""
    colours = np.zeros((height, width, 3), "uint8")
    along = np.arange(max(height, width)) * 3 // max(height, width)
    along = along[None] if width >= height else along[:, None]
    for channel in range(3):
        colours[..., channel] = 255 * (along == channel)
    Image.fromarray(colours).save(tmp_path / "a.png")
    cropped = ImageFiles([tmp_path / "a.png"], size=(20, 20), fit="crop")[0].mean(axis=(1, 2))
    stretched = ImageFiles([tmp_path / "a.png"], size=(20, 20))[0].mean(axis=(1, 2))
    np.testing.assert_allclose(stretched, 85, atol=2)
    assert (cropped[1] > 250) == (height != width)


def test_small_jpegs_of_large_ones(tmp_path):
    """Decoding at a quarter of the size is close to decoding all and scaling then."""
    y, x = np.mgrid[:200, :300]
    smooth = np.stack([x * 255 // 299, y * 255 // 199, (x + y) * 255 // 498], axis=-1).astype("uint8")
    Image.fromarray(smooth).save(tmp_path / "a.jpg", quality=95)
    found = ImageFiles([tmp_path / "a.jpg"], size=(20, 30))[0].astype(int)
    wanted = np.asarray(Image.fromarray(smooth).resize((30, 20), Image.Resampling.BOX)).transpose(2, 0, 1)
    assert abs(found - wanted).max() <= 6


def test_sizes_that_differ(tmp_path, files):
    Image.fromarray(picture(7, 8)).save(tmp_path / "odd.png")
    with pytest.raises(ShapeError) as caught:
        ImageFiles([*files, tmp_path / "odd.png"])
    for part in ("odd.png", "7 x 8", "0.png", "6 x 8", "size="):
        assert part in str(caught.value)
    assert ImageFiles([*files, tmp_path / "odd.png"], size=(6, 8)).shape == (6, 3, 6, 8)


def test_a_file_that_changes_its_size_later(files):
    images = ImageFiles(files)
    Image.fromarray(picture(9, 9)).save(files[2])
    with pytest.raises(ShapeError, match="differ"):
        images[2]


def broken(files):
    whole = files[0].read_bytes()
    yield "empty", b""
    yield "text", b"hello"
    yield "cut in the header", whole[:20]
    yield "cut in the pixels", whole[:-40]
    yield "damaged", whole[:60] + bytes(20) + whole[80:]
    yield "a program for Ghostscript", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 8 6\n%%EndComments\n"


@pytest.mark.parametrize("kind", range(6))
def test_files_that_are_no_images(files, kind):
    _, content = list(broken(files))[kind]
    files[1].write_bytes(content)
    with pytest.raises(FileError, match=r"1\.png cannot be read") as caught:
        ImageFiles(files, size=(6, 8))[[0, 1, 2]]
    assert __file__ in str(caught.value.where)


def test_missing_file(files):
    files[3].unlink()
    with pytest.raises(FileError, match=r"3\.png does not exist"):
        ImageFiles(files)


def png_of(width, height):
    """A PNG that claims a size, without pixels."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(b"\0" * 1000)) + chunk(b"IEND", b"")


@pytest.mark.parametrize("side", [10_000, 60_000])
def test_decompression_bombs(tmp_path, side):
    (tmp_path / "a.png").write_bytes(png_of(side, side))
    for size in (None, (8, 8)):
        with pytest.raises(FileError, match="bomb"):
            ImageFiles([tmp_path / "a.png"], size=size)[0]


def test_the_limit_is_pillows(files, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 47)
    with pytest.raises(FileError, match="bomb"):
        ImageFiles(files)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", None)
    assert len(ImageFiles(files)) == 5


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"mode": "rgb"}, "RGB"),
        ({"fit": "crp"}, "crop"),
        ({"size": 32}, "height, width"),
        ({"size": (32, 0)}, "at least 1"),
        ({"sise": (3, 3)}, "size"),
    ],
)
def test_unusable_arguments(files, arguments, says):
    with pytest.raises(InputError) as caught:
        ImageFiles(files, **arguments)
    assert says in str(caught.value)


def test_a_path_that_is_alone(files):
    for path in (files[0], str(files[0])):
        with pytest.raises(InputError, match="one path"):
            ImageFiles(path)


def test_no_files():
    with pytest.raises(InputError, match="no files"):
        ImageFiles([])
    assert ImageFiles([], size=(4, 5)).shape == (0, 3, 4, 5)


def test_without_pillow(files, monkeypatch):
    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(PackageError) as caught:
        ImageFiles(files)
    assert "pip install" in caught.value.hint and isinstance(caught.value, ImportError)


def test_every_extension_has_a_format():
    Image.init()
    formats = {Image.registered_extensions()[extension] for extension in image_files.EXTENSIONS}
    assert formats <= set(image_files.FORMATS)
