"""IDX files: what is written is read back; damaged and foreign files say so."""

import gzip

import numpy as np
import pytest

from symcnn.data import read_idx, write_idx
from symcnn.errors import DTypeError, FileError


@pytest.mark.parametrize("name", ["plain", "compressed.gz"])
@pytest.mark.parametrize("dtype", ["uint8", "int8", "int16", "int32", "float32", "float64"])
def test_round_trip(tmp_path, name, dtype):
    array = (np.arange(24).reshape(2, 3, 4) - 5).astype(dtype)
    write_idx(tmp_path / name, array)
    found = read_idx(tmp_path / name)
    assert found.dtype == dtype and found.flags.writeable
    np.testing.assert_array_equal(found, array)


@pytest.mark.parametrize("shape", [(0,), (0, 28, 28), (1, 1)])
def test_empty_and_tiny(tmp_path, shape):
    write_idx(tmp_path / "a", np.zeros(shape, "uint8"))
    assert read_idx(tmp_path / "a").shape == shape


def test_the_same_array_gives_the_same_bytes(tmp_path):
    array = np.arange(1000, dtype="int32")
    for name in ("a.gz", "b.gz"):
        write_idx(tmp_path / name, array)
    assert (tmp_path / "a.gz").read_bytes() == (tmp_path / "b.gz").read_bytes()


def test_unsupported_dtype(tmp_path):
    with pytest.raises(DTypeError, match="int64"):
        write_idx(tmp_path / "a", np.zeros(3, "int64"))


@pytest.mark.parametrize("cut", [1, 3, 7, 20, 31])
def test_truncated(tmp_path, cut):
    write_idx(tmp_path / "a", np.arange(24, dtype="uint8"))
    (tmp_path / "a").write_bytes((tmp_path / "a").read_bytes()[:cut])
    with pytest.raises(FileError):
        read_idx(tmp_path / "a")


@pytest.mark.parametrize(
    "content", [b"", b"PK\x03\x04 a zip", b"\x1f\x8b broken gzip", gzip.compress(b"\0\0\x07\x01", mtime=0)]
)
def test_foreign(tmp_path, content):
    (tmp_path / "a").write_bytes(content)
    with pytest.raises(FileError):
        read_idx(tmp_path / "a")


def test_truncated_gzip(tmp_path):
    write_idx(tmp_path / "a.gz", np.random.default_rng(0).integers(0, 255, 5000).astype("uint8"))
    (tmp_path / "a.gz").write_bytes((tmp_path / "a.gz").read_bytes()[:-900])
    with pytest.raises(FileError, match="damaged"):
        read_idx(tmp_path / "a.gz")


def test_missing(tmp_path):
    with pytest.raises(FileError, match="does not exist"):
        read_idx(tmp_path / "nothing")
    with pytest.raises(FileError, match="cannot be written"):
        write_idx(tmp_path / "nowhere" / "a", np.zeros(3, "uint8"))


def test_a_header_that_claims_too_much(tmp_path):
    """A petabyte, an array of 65 axes, and one that has no element but impossible sizes."""
    huge, deep, empty = bytes((0, 0, 8, 2)) + b"\xff" * 8, bytes((0, 0, 8, 65)), bytes((0, 0, 8, 3))
    for content in (huge, deep + b"\0\0\0\1" * 65 + b"x", empty + b"\xff" * 8 + b"\0" * 4):
        for name, data in (("plain", content), ("compressed", gzip.compress(content))):
            (tmp_path / name).write_bytes(data)
            with pytest.raises(FileError):
                read_idx(tmp_path / name)


def test_trailing_bytes(tmp_path):
    write_idx(tmp_path / "a", np.arange(24, dtype="uint8"))
    with open(tmp_path / "a", "ab") as file:
        file.write(b"x")
    with pytest.raises(FileError, match="more bytes"):
        read_idx(tmp_path / "a")
