"""Weights of other libraries: by their names and in their layout, from safetensors, NumPy's archives or a state_dict."""

from __future__ import annotations

from collections.abc import Mapping
from os import PathLike

import numpy as np

from symcnn.arrays import as_numpy
from symcnn.errors import InputError
from symcnn.interop import npz
from symcnn.interop.naming import family_of, stored
from symcnn.keywords import checked_keywords
from symcnn.nn import Module, weights
from symcnn.paths import as_path


@checked_keywords
def load_weights(model: Module, source, naming: str = "symcnn") -> None:
    """Set all arrays of a network from weights of another library.

    Parameters
    ----------
    model : Module
        With a naming other than its own: one of `symcnn.models`, also with another head.
    source : path or mapping
        A safetensors file, an .npz archive of NumPy, or names with arrays, such as the ``state_dict()`` of PyTorch.
    naming : {"symcnn", "torchvision", "timm"}
        Whose names these are. "symcnn": the paths of ``model.variables()``.

    Raises
    ------
    FileError
        If the weights are those of another network, or the file is missing or damaged; the model is then as before.
    InputError
        If there is no such naming of this network.

    Notes
    -----
    What fits: with the names of torchvision and of timm, vgg16 and vgg19 (with batch norms, too) and resnet18, resnet34 and
    resnet50 are those libraries' networks, and give their outputs. The names of torchvision's alexnet and googlenet are
    known as well, for networks that were built like ours; torchvision's own are others, and refused. Dense weights, (in,
    out) here and (out, in) there, are transposed.

    `symcnn.nn.load_matching` takes what fits, and leaves the rest as it is. For other classes, load and then replace the
    head: ``sc.nn.replace_head(model, 2)``.

    Examples
    --------
    >>> import symcnn as sc
    >>> model = sc.models.resnet18(width=1 / 16, classes=3)
    >>> theirs = {name: array.get_value() for name, array in stored(model, "torchvision").items()}
    >>> theirs["fc.weight"].shape, theirs["layer1.0.bn1.running_mean"].shape
    ((3, 32), (4,))
    >>> load_weights(model, theirs, naming="torchvision")
    """
    targets, about = _targets(model, naming)
    arrays, what = _read(source)
    arrays = {name: array for name, array in arrays.items() if name in targets or not _is_spare(name, targets)}
    weights.assign(arrays, targets, what, about)


@checked_keywords
def save_weights(model: Module, path, naming: str = "symcnn") -> None:
    """Write all arrays of a network as another library names and stores them.

    Parameters
    ----------
    model : Module
        As in `load_weights`.
    path : str or pathlib.Path
        ``"*.npz"``: an archive of NumPy; any other name: safetensors. PyTorch reads it with
        ``model.load_state_dict(safetensors.torch.load_file(path))``.
    naming : {"symcnn", "torchvision", "timm"}

    Raises
    ------
    InputError
        If there is no such naming of this network.
    FileError
        If the file cannot be written.

    Examples
    --------
    >>> import tempfile, symcnn as sc
    >>> path = tempfile.mkdtemp() + "/weights.npz"
    >>> save_weights(sc.models.mlp([4, 3, 2]), path)
    >>> with np.load(path) as arrays:
    ...     print(arrays.files)
    ['dense1.weight', 'dense1.bias', 'dense2.weight', 'dense2.bias']
    """
    targets, _ = _targets(model, naming)
    if as_path(path).suffix == ".npz":
        npz.write(path, {name: target.get_value() for name, target in targets.items()})
    else:
        weights.save(path, targets)


def _targets(model, naming):
    """What the arrays are to be set on, by name, and a hint for weights that do not fit."""
    if not isinstance(model, Module):
        raise InputError("this is no network", expected="a Module", found=type(model).__name__)
    if naming == "symcnn":
        return dict(model.variables().items()), None
    targets = stored(model, naming)
    family = family_of(model)
    return targets, family.note if family else None


def _read(source) -> tuple[dict[str, np.ndarray], str]:
    """The arrays by name, and what they come from, in words."""
    if isinstance(source, Mapping):
        return {str(name): _array(str(name), value) for name, value in source.items()}, "the mapping"
    if not isinstance(source, (str, PathLike)):
        raise InputError(
            "this holds no weights", expected="a path, or a mapping of names to arrays", found=type(source).__name__,
            hint="give model.state_dict()" if hasattr(source, "state_dict") else None,
        )  # fmt: skip
    path = as_path(source)
    return (npz.read(path) if path.suffix == ".npz" else weights.read(path)), str(path)


def _array(name: str, value) -> np.ndarray:
    if isinstance(value, Mapping):
        raise InputError(f"{name} is no array, but holds some", hint=f"give what is in it: source[{name!r}]")
    try:
        array = np.asarray(as_numpy(value))
    except InputError as error:
        error.what = f"{name}: {error.what}"
        raise
    except (ValueError, TypeError, RuntimeError) as error:
        raise InputError(f"{name} is no array", found=str(error)) from None
    if array.dtype.kind not in "biuf":
        raise InputError(f"{name} is no array of numbers", found=array.dtype)
    return array


def _is_spare(name: str, targets) -> bool:
    """What PyTorch has beside the arrays of such a network: how often a batch norm was trained, heads at the side."""
    if name.endswith(".num_batches_tracked"):
        return True
    return name.startswith(("aux1.", "aux2.")) and not any(known.startswith("aux") for known in targets)
