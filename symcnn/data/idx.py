"""IDX, the file format of MNIST and Fashion-MNIST: a magic number, the sizes, then the bytes."""

from __future__ import annotations

import gzip
import zlib
from math import prod
from pathlib import Path

import numpy as np

from symcnn.errors import DTypeError, FileError

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
    path = Path(path)
    try:
        content = path.read_bytes()
        if content[:2] == b"\x1f\x8b":
            content = gzip.decompress(content)
    except FileNotFoundError:
        raise FileError(f"{path} does not exist", hint="name the folder that holds the IDX files") from None
    except (OSError, EOFError, zlib.error) as error:
        raise FileError(f"{path} cannot be read: {error}", hint="the file is damaged or incomplete") from None
    if len(content) < 4 or content[:2] != b"\0\0" or content[2] not in _DTYPES:
        raise FileError(
            f"{path} is not an IDX file",
            expected="a magic number 00 00 <type> <rank>",
            found=content[:4].hex(" ") or "an empty file",
        )
    dtype, start = np.dtype(_DTYPES[content[2]]), 4 + 4 * content[3]
    shape = tuple(int.from_bytes(content[i : i + 4], "big") for i in range(4, start, 4))
    expected = start + prod(shape) * dtype.itemsize
    if len(content) != expected:
        raise FileError(
            f"{path} is damaged: its size does not fit its header",
            expected=f"{expected:,} bytes for shape {shape}",
            found=f"{len(content):,} bytes",
        )
    return np.frombuffer(content, dtype, offset=start).reshape(shape).astype(dtype.newbyteorder("="))


def write_idx(path, array) -> None:
    """Write `array` as an IDX file, compressed if the name ends in ``.gz``; the same array gives the same bytes.

    Raises
    ------
    DTypeError
        If IDX cannot hold the dtype.
    """
    array = np.asarray(array)
    dtype = array.dtype.newbyteorder(">")
    code = next((code for code, name in _DTYPES.items() if np.dtype(name) == dtype), None)
    if code is None:
        raise DTypeError(f"IDX cannot hold {array.dtype}", expected=", ".join(_DTYPES.values()))
    sizes = b"".join(size.to_bytes(4, "big") for size in array.shape)
    content = bytes((0, 0, code, array.ndim)) + sizes + array.astype(dtype).tobytes()
    if str(path).endswith(".gz"):
        content = gzip.compress(content, compresslevel=9, mtime=0)
    Path(path).write_bytes(content)
