"""NumPy's .npz archives, which may come from anywhere: bounded, without pickles, all of an array or an error."""

from __future__ import annotations

import io
import zipfile
import zlib
from lzma import LZMAError
from math import prod

import numpy as np

from symcnn.errors import FileError
from symcnn.nn.weights import write_atomically
from symcnn.paths import as_path

LIMIT = 4 * 2**30  # bytes of all arrays of a file together; a few kB unpack to whatever they like
_HEADERS = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}


def write(path, arrays: dict[str, np.ndarray]) -> None:
    """Write arrays by name to an .npz file, whole or not at all; ``np.load`` reads it."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, array in arrays.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as file:
                np.lib.format.write_array(file, np.asanyarray(array), allow_pickle=False)
    write_atomically(path, content.getvalue())


def read(path) -> dict[str, np.ndarray]:
    """All arrays of an .npz file, by name.

    Raises
    ------
    FileError
        If there is no such file, or it is damaged, holds more than `LIMIT` bytes of numbers, or objects: these are pickles,
        which could run anything.
    """
    path, arrays, left = as_path(path), {}, LIMIT
    try:
        with zipfile.ZipFile(path) as archive:
            for member in archive.infolist():
                if not member.filename.endswith(".npy"):
                    raise FileError(
                        f"{path} is no archive of NumPy", expected="members *.npy", found=member.filename[:100],
                        hint="of PyTorch's files give what torch.load(path, weights_only=True) returns",
                    )  # fmt: skip
                name = member.filename.removesuffix(".npy")
                with archive.open(member) as file:
                    arrays[name] = _array(file, f"{path}: {name}", left)
                left -= arrays[name].nbytes
    except FileError:
        raise
    except OSError as error:
        raise FileError(f"{path} cannot be read: {error.strerror or error}") from None
    except (zipfile.BadZipFile, zlib.error, LZMAError, EOFError, ValueError, KeyError, RuntimeError) as error:
        raise FileError(f"{path} is damaged or no archive of NumPy", found=f"{error}"[:200]) from None
    return arrays


def _array(file, what: str, limit: int) -> np.ndarray:
    """One member; what claims to be larger than it is, is refused before it is allocated."""
    version = np.lib.format.read_magic(file)
    if version not in _HEADERS:
        raise FileError(f"{what} has an unknown format", expected="version 1.0 or 2.0", found=version)
    try:
        shape, by_columns, dtype = _HEADERS[version](file)
    except Exception as error:  # it is read as a literal of Python, by parsers that raise errors of many kinds
        raise FileError(f"{what}: the header is damaged", found=f"{error}"[:200]) from None
    if dtype.kind not in "biuf":
        raise FileError(f"{what} holds no numbers", expected="bool, integers or floats", found=str(dtype)[:100])
    wanted = prod(shape) * dtype.itemsize
    if not 0 <= wanted <= limit:
        raise FileError(f"{what} is too large", expected=f"at most {LIMIT:,} bytes in a file", found=f"{wanted:,}")
    content = file.read(wanted + 1)
    if len(content) != wanted:
        raise FileError(f"{what} is not all there", expected=f"{wanted:,} bytes", found=f"{len(content):,} or more")
    return np.frombuffer(content, dtype).reshape(shape, order="F" if by_columns else "C")
