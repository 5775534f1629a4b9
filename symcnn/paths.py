"""Paths of files and folders, as people give them."""

from __future__ import annotations

import os
from pathlib import Path

from symcnn.errors import FileError


def as_path(path) -> Path:
    """`path` as a Path.

    Raises
    ------
    FileError
        If it is neither a text nor a path.

    Examples
    --------
    >>> as_path("weights.safetensors").suffix
    '.safetensors'
    """
    if not isinstance(path, (str, os.PathLike)):
        raise FileError("this is no path", expected="str or pathlib.Path", found=repr(path))
    return Path(path)
