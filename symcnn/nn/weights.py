"""Weights on disk: safetensors, which holds arrays and nothing that could run."""

from __future__ import annotations

import os
import tempfile

import numpy as np

from symcnn.errors import FileError
from symcnn.keywords import nearest
from symcnn.paths import as_path


def save(path, parameters) -> None:
    """Write the values of `Parameters` to a safetensors file, whole or not at all."""
    from safetensors.numpy import save as to_bytes

    content = to_bytes({name: p.get_value() for name, p in parameters.items()}, {"format": "symcnn"})
    write_atomically(path, content)


def load(path, parameters) -> None:
    """Set `Parameters` from a file; all of them, or none and a FileError."""
    assign(read(path), parameters, path)


def assign(arrays, parameters, source, about: str | None = None) -> None:
    """Set `Parameters` from arrays by name; all of them, or none and a FileError.

    Parameters
    ----------
    arrays : mapping
    parameters : Parameters or mapping
    source : object
        What the arrays were read from, for errors.
    about : str, optional
        A hint for weights that do not fit.
    """
    parameters = dict(parameters)
    missing, extra = sorted(parameters.keys() - arrays.keys()), sorted(arrays.keys() - parameters.keys())
    if extra and missing and all(f"model/{name}" in arrays for name in parameters):
        raise FileError(
            f"{source} is a checkpoint of a training, with more in it than weights",
            hint="sc.train.fit(..., resume=folder) goes on from it; for the weights alone "
            "sc.nn.load_matching(model, path, rename=lambda name: name.removeprefix('model/'))",
        )
    if missing or extra:
        raise FileError(
            f"{source} holds the weights of another network",
            expected=f"{_some(missing)}, absent from the file" if missing else None,
            found=f"{_some(extra)}, unknown to this network" if extra else None,
            hint=about or (nearest(missing[0], extra) if missing and extra else None),
        )
    for name, target in parameters.items():
        array = arrays[name]
        if not fits(array, target):
            raise FileError(
                f"{source}: {name} does not fit",
                expected=f"{target.dtype} {target.shape}",
                found=f"{array.dtype} {array.shape}",
                hint=about,
            )
    for name, target in parameters.items():
        target.set_value(arrays[name])


def fits(array, target) -> bool:
    """Whether `array` can become the value of the Shared `target`."""
    return array.shape == target.shape and np.can_cast(array.dtype, target.dtype, "same_kind")


def write_atomically(path, content: bytes) -> None:
    """Write beside the target, then rename: a crash leaves the old file or the new one."""
    path = as_path(path)
    try:
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    except OSError as error:
        raise FileError(f"{path} cannot be written: {error.strerror}") from None
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o666 & ~_umask())
        os.replace(temporary, path)
    except BaseException as error:
        os.unlink(temporary)
        if isinstance(error, OSError):  # such as a full disk
            raise FileError(f"{path} cannot be written: {error.strerror or error}") from None
        raise


def _umask() -> int:
    """The process's umask, which can only be read by setting it; mkstemp ignores it."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def read(path) -> dict[str, np.ndarray]:
    """All arrays of a safetensors file, by name; a FileError if there is none, or it is no such file."""
    from safetensors import SafetensorError
    from safetensors.numpy import load as from_bytes

    path = as_path(path)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise FileError(f"{path} cannot be read: {error.strerror}") from None
    if content[:2] == b"PK":
        raise FileError(
            f"{path} is a zip archive, as PyTorch and NumPy write them", expected="a safetensors file",
            hint="torch.load(path, weights_only=True) or np.load(path) gives arrays by name, which sc.nn.load_matching(model, arrays) "
            "and sc.interop.load_weights(model, arrays) take",
        )  # fmt: skip
    try:
        return from_bytes(content)
    except (SafetensorError, KeyError, ValueError, TypeError) as error:
        raise FileError(
            f"{path} is damaged or no safetensors file", found=str(error), hint="the network is as it was before"
        ) from None


def _some(names: list[str]) -> str:
    return ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")
