"""Checkpoints as files: arrays and what goes with them in one safetensors file, which is written and read whole.

The state, a dict, lies as JSON in the file's metadata, beside a digest of all of it. One file cannot be half of one
checkpoint and half of another, and a file whose digest is wrong is noticed before anything is changed. See ADR 0013.
"""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

import numpy as np

from symcnn.errors import FileError, InputError
from symcnn.nn.weights import write_atomically

FORMAT = "symcnn checkpoint 1"
_NAME = re.compile(r"step-(\d{8,})\.safetensors")


def path_of(folder, steps: int) -> Path:
    """Where the checkpoint after so many steps lies."""
    return Path(folder) / f"step-{steps:08d}.safetensors"


def checkpoints(folder) -> dict[int, Path]:
    """The checkpoints in `folder` by their steps, newest first; none if there is no folder."""
    try:
        names = [path.name for path in Path(folder).iterdir()]
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise FileError(f"{folder} cannot be read: {error.strerror}") from None
    steps = [int(found[1]) for name in names if (found := _NAME.fullmatch(name))]
    return {count: path_of(folder, count) for count in sorted(steps, reverse=True)}


def write(path, arrays: dict[str, np.ndarray], state: dict) -> None:
    """Write a checkpoint, whole or not at all."""
    from safetensors.numpy import save

    try:
        text = json.dumps(state, default=_plain)
    except (TypeError, ValueError) as error:
        raise InputError(
            f"a checkpoint cannot hold this: {error}", expected="numbers, texts, lists, dicts and arrays by name"
        ) from None
    arrays = {name: np.array(array, order="C") for name, array in arrays.items()}
    metadata = {"format": FORMAT, "state": text, "sha256": _digest(arrays, text)}
    write_atomically(path, save(arrays, metadata))


def read(path) -> tuple[dict[str, np.ndarray], dict]:
    """Arrays and state of a checkpoint.

    Raises
    ------
    FileError
        If the file is missing, truncated, damaged or something else.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, "np") as file:
            metadata = file.metadata() or {}
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - it is no dict
    except OSError as error:
        raise FileError(f"{path} cannot be read: {error.strerror or error}") from None
    except (SafetensorError, KeyError, ValueError, TypeError) as error:
        raise FileError(f"{path} is damaged or no checkpoint", found=str(error)) from None
    if metadata.get("format") != FORMAT:
        raise FileError(
            f"{path} is no checkpoint", expected=FORMAT, found=metadata.get("format", "a file without a format")
        )
    text = metadata.get("state", "")
    if metadata.get("sha256") != _digest(arrays, text):
        raise FileError(f"{path} is damaged: its digest does not fit its content")
    try:
        return arrays, json.loads(text)
    except (ValueError, RecursionError) as error:  # somebody made the digest for it
        raise FileError(f"{path} is damaged: its state cannot be read", found=str(error)) from None


def _digest(arrays: dict[str, np.ndarray], text: str) -> str:
    digest = hashlib.sha256(text.encode())
    for name, array in sorted(arrays.items()):
        digest.update(f"{name} {array.dtype} {array.shape}".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()


def _plain(value):
    """NumPy's numbers as Python's; they are equal."""
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"{value!r} is {type(value).__name__}")
