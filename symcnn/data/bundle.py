"""A few files of known names, wherever a download left them: in a folder, one folder further down, or still in the archive."""

from __future__ import annotations

import gzip
import tarfile
import zlib
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from symcnn.errors import FileError
from symcnn.paths import as_path

# CIFAR's largest file has 156 MB and its archives unpack to 190 MB; a bomb of a few kB unpacks to whatever it likes.
LARGEST_FILE, LARGEST_ARCHIVE = 1 << 28, 1 << 30


def read_bundle(
    source, name: str, alternatives: Sequence[Sequence[str]], optional: Iterable[str] = ()
) -> dict[str, tuple[str, bytes]]:
    """Read the files of a data set into memory.

    Parameters
    ----------
    source : str or pathlib.Path
        A folder that holds the files, a folder whose sub-folder does, or a ``.tar`` or ``.tar.gz``, of which nothing
        is written to disk.
    name : str
        Of the data set, for errors.
    alternatives : sequence of sequences of file names
        The files of each format; the first format that is there completely is read.
    optional : iterable of file names
        Read as well where they exist.

    Returns
    -------
    dict
        file name -> (where it lies, its bytes)

    Raises
    ------
    FileError
        If no format is complete, or a file cannot be read or is far larger than any of the data set is.
    """
    source = as_path(source)
    hint = "name the published archive, or the folder that it unpacks to"
    optional = tuple(optional)
    wanted = {file for files in alternatives for file in files} | set(optional)
    if source.is_dir():
        folders = [source, *sorted(path for path in source.iterdir() if path.is_dir())]
        candidates = [{file: folder / file for file in wanted if (folder / file).is_file()} for folder in folders]
    elif source.is_file():
        candidates = [_members(source, wanted)]
    else:
        raise FileError(f"{name}: {source} does not exist", hint=hint)
    for files in alternatives:
        for found in candidates:
            if found.keys() >= set(files):
                return {file: _content(found[file]) for file in (*files, *optional) if file in found}
    nearest = max(candidates, key=len)
    missing = min(([file for file in files if file not in nearest] for files in alternatives), key=len)
    raise FileError(
        f"{name}: {source} does not hold its files",
        expected=" or ".join(f"{files[0]} ... {files[-1]}" for files in alternatives),
        found=f"no {', '.join(missing)}" if nearest else "none of them",
        hint=hint,
    )


def _content(found: Path | tuple[str, bytes]) -> tuple[str, bytes]:
    if not isinstance(found, Path):
        return found
    try:
        with open(found, "rb") as file:
            content = file.read(LARGEST_FILE + 1)
    except OSError as error:
        raise FileError(f"{found} cannot be read: {error.strerror}") from None
    _check_size(found, len(content))
    return str(found), content


def _members(archive: Path, wanted: set[str]) -> dict[str, tuple[str, bytes]]:
    """The wanted files of a tar archive, each at its top or in one folder; what else it holds is passed over."""
    try:
        with open(archive, "rb") as raw:
            compressed = raw.read(2) == b"\x1f\x8b"
            raw.seek(0)
            if compressed:
                with gzip.open(raw) as unpacked:
                    return _read_members(archive, unpacked, wanted)
            return _read_members(archive, raw, wanted)
    except FileError:
        raise
    # Damaged archives also show as values that no header can have.
    except (OSError, EOFError, zlib.error, tarfile.TarError, ValueError) as error:
        raise FileError(
            f"{archive} cannot be read as a .tar or .tar.gz archive: {error}", hint="the file is damaged or incomplete"
        ) from None


def _read_members(archive, stream, wanted):
    found: dict[str, tuple[str, bytes]] = {}
    bounded: Any = _Bounded(stream, archive)
    # As a stream, "r|": there is no seeking, so no header can send us round in circles.
    with tarfile.open(fileobj=bounded, mode="r|", bufsize=1 << 20) as tar:
        for member in tar:
            *folders, file = PurePosixPath(member.name).parts or ("",)
            if file not in wanted or len(folders) > 1 or member.type not in (tarfile.REGTYPE, tarfile.AREGTYPE):
                continue
            path = f"{archive}:{member.name}"
            _check_size(path, member.size)
            if file in found:
                raise FileError(f"{archive} holds {file} more than once", found=f"{found[file][0]} and {path}")
            reader = tar.extractfile(member)
            found[file] = path, reader.read() if reader else b""
    return found


def _check_size(path, size):
    if size > LARGEST_FILE:
        raise FileError(f"{path} is too large", expected=f"at most {LARGEST_FILE:,} bytes", found=f"{size:,} bytes")


class _Bounded:
    """A stream that ends in an error where no archive of a data set would go on."""

    def __init__(self, stream, path):
        self.stream, self.path, self.left = stream, path, LARGEST_ARCHIVE

    def read(self, size: int) -> bytes:
        content = self.stream.read(size)
        self.left -= len(content)
        if self.left < 0:
            raise FileError(
                f"{self.path} unpacks to more than {LARGEST_ARCHIVE:,} bytes", hint="this is another archive"
            )
        return content
