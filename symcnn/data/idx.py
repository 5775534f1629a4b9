"""IDX, the file format of MNIST and Fashion-MNIST: a magic number, the sizes, then the bytes."""

from __future__ import annotations

import gzip
import zlib
from math import prod

import numpy as np

from symcnn.errors import DTypeError, FileError
from symcnn.paths import as_path

# http://yann.lecun.com/exdb/mnist: the third byte of the magic number names the (big-endian) type.
_DTYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}


def read_idx(path) -> np.ndarray:
    """Read one IDX file, plain or gzip-compressed.

    Parameters
    ----------
    path : str or pathlib.Path
        Compressed files are recognised by their content, not by their name.

    Returns
    -------
    numpy.ndarray
        In native byte order; the caller owns it.

    Raises
    ------
    FileError
        If the file is missing, truncated, or not IDX.

    Examples
    --------
    >>> import tempfile, os
    >>> path = os.path.join(tempfile.mkdtemp(), "labels-idx1-ubyte.gz")
    >>> write_idx(path, np.array([7, 2, 1], "uint8"))
    >>> read_idx(path)
    array([7, 2, 1], dtype=uint8)
    """
    path = as_path(path)
    try:
        with open(path, "rb") as raw:
            compressed = raw.read(2) == b"\x1f\x8b"
            raw.seek(0)
            if compressed:
                with gzip.open(raw) as file:
                    return _parse(path, file)
            return _parse(path, raw)
    except FileError:
        raise
    except FileNotFoundError:
        raise FileError(f"{path} does not exist", hint="name the folder that holds the IDX files") from None
    except (OSError, EOFError, zlib.error) as error:
        raise FileError(f"{path} cannot be read: {error}", hint="the file is damaged or incomplete") from None


def _parse(path, file) -> np.ndarray:
    magic = file.read(4)
    if len(magic) < 4 or magic[:2] != b"\0\0" or magic[2] not in _DTYPES:
        raise FileError(
            f"{path} is not an IDX file",
            expected="a magic number 00 00 <type> <rank>",
            found=magic.hex(" ") or "an empty file",
        )
    dtype, rank = np.dtype(_DTYPES[magic[2]]), magic[3]
    sizes = file.read(4 * rank)
    if len(sizes) < 4 * rank:
        raise FileError(f"{path} ends within its header", expected=f"{rank} sizes", found=f"{4 + len(sizes)} bytes")
    shape = tuple(int.from_bytes(sizes[i : i + 4], "big") for i in range(0, len(sizes), 4))
    expected = prod(shape) * dtype.itemsize
    content = _read_at_most(file, expected + 1)
    if len(content) != expected:
        more = "more" if len(content) > expected else f"{len(content):,}"
        raise FileError(
            f"{path} is damaged: its size does not fit its header",
            expected=f"{expected:,} bytes after the header, for shape {shape}",
            found=f"{more} bytes",
        )
    try:
        array = np.frombuffer(content, dtype).reshape(shape)
    except ValueError as error:
        raise FileError(f"{path}: NumPy has no array of shape {shape}: {error}") from None
    return array.astype(dtype.newbyteorder("="))


def _read_at_most(file, count: int) -> bytes:
    """Up to `count` bytes, piece by piece: a header that claims a petabyte must not make us ask for one."""
    pieces, missing = [], count
    while missing and (piece := file.read(min(missing, 1 << 24))):
        pieces.append(piece)
        missing -= len(piece)
    return b"".join(pieces)


def write_idx(path, array) -> None:
    """Write `array` as an IDX file, compressed if the name ends in ``.gz``; the same array gives the same bytes.

    Raises
    ------
    DTypeError
        If IDX cannot hold the dtype.
    FileError
        If the file cannot be written.
    """
    path, array = as_path(path), np.asarray(array)
    dtype = array.dtype.newbyteorder(">")
    code = next((code for code, name in _DTYPES.items() if np.dtype(name) == dtype), None)
    if code is None:
        raise DTypeError(f"IDX cannot hold {array.dtype}", expected=", ".join(_DTYPES.values()))
    sizes = b"".join(size.to_bytes(4, "big") for size in array.shape)
    content = bytes((0, 0, code, array.ndim)) + sizes + array.astype(dtype).tobytes()
    if path.suffix == ".gz":
        content = gzip.compress(content, compresslevel=9, mtime=0)
    try:
        path.write_bytes(content)
    except OSError as error:
        raise FileError(f"{path} cannot be written: {error.strerror}") from None
