"""Compiled kernels on disk: one file per kernel, named by the hash of everything it depends on.

A file is written under a temporary name and moved into place, so readers never see half of one and concurrent
processes at worst do the same work twice. Each begins with the hash of its contents: whatever is damaged is compiled
again. Nothing is unpickled. A folder that cannot be used costs one warning, and kernels live in memory only.
"""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
import warnings
from collections.abc import Iterable
from pathlib import Path

_IMPORT = re.compile(r"^from ([\w.]+) import (\([^)]*\)|.*)$", re.MULTILINE)
MAGIC = b"symcnn-kernel-1\n"


def content_hash(*parts: str | bytes) -> str:
    """A name that stands for `parts`."""
    digest = hashlib.sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        digest.update(len(data).to_bytes(8, "little") + data)
    return digest.hexdigest()[:32]


_caches: dict[Path, KernelCache] = {}


def cache_in(folder: Path) -> KernelCache:
    """The cache in a folder, which remembers whether that can be used."""
    return _caches.setdefault(folder, KernelCache(folder))


def package_sources(package) -> dict[str, str]:
    """Module -> source, of all modules of a package: what is read at import cannot be changed by an edit later."""
    here = Path(package.__file__).parent
    paths = {path.relative_to(here).with_suffix(""): path for path in here.rglob("*.py")}
    return {".".join([package.__name__, *name.parts]): path.read_text() for name, path in paths.items()}


def imported(modules: Iterable[str], sources: dict[str, str]) -> set[str]:
    """`modules` and all that they import, and so on, as far as it is among `sources`."""
    found, waiting = set(), list(modules)
    while waiting:
        name = waiting.pop()
        if name in sources and name not in found:
            found.add(name)
            for package, names in _IMPORT.findall(sources[name]):
                waiting += [package, *(f"{package}.{n}" for n in re.findall(r"\w+", names))]
    return found


class KernelCache:
    """A folder of object files.

    Parameters
    ----------
    folder : pathlib.Path
        Made when first written to.
    """

    def __init__(self, folder: Path):
        self.folder, self.usable = folder, True

    def is_writable(self) -> bool:
        """Whether a kernel can probably be stored, as far as permissions tell; nothing is written."""
        existing = next(folder for folder in (self.folder, *self.folder.absolute().parents) if folder.exists())
        return self.usable and os.access(existing, os.W_OK)

    def read(self, key: str) -> tuple[str, bytes] | None:
        """Symbol and object code stored under `key`; ``None`` if absent or damaged."""
        try:
            data = (self.folder / f"{key}.kernel").read_bytes()
        except OSError:
            return None
        magic, digest, rest = data[: len(MAGIC)], data[len(MAGIC) : len(MAGIC) + 32], data[len(MAGIC) + 32 :]
        if magic != MAGIC or hashlib.sha256(rest).digest() != digest:
            return None
        symbol, _, code = rest.partition(b"\n")
        return symbol.decode(), code

    def __contains__(self, key: str) -> bool:
        return (self.folder / f"{key}.kernel").exists()

    def write(self, key: str, symbol: str, code: bytes, source: str) -> None:
        """Store a kernel, its readable source beside it."""
        rest = symbol.encode() + b"\n" + code
        self._replace(f"{key}.py", source.encode())
        self._replace(f"{key}.kernel", MAGIC + hashlib.sha256(rest).digest() + rest)

    def _replace(self, name: str, data: bytes) -> None:
        if not self.usable:
            return
        temporary = None
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            handle, temporary = tempfile.mkstemp(dir=self.folder, suffix=".tmp")
            with os.fdopen(handle, "wb") as file:
                file.write(data)
            os.replace(temporary, self.folder / name)
        except OSError as error:
            self.usable = False
            if temporary is not None:
                Path(temporary).unlink(missing_ok=True)
            warnings.warn(
                f"symcnn cannot write its kernel cache in {self.folder} ({error.strerror}): kernels are compiled again by "
                "each process. Set SYMCNN_CACHE_DIR to a writable folder.",
                RuntimeWarning,
                stacklevel=2,
            )
