"""What torchvision and timm call the arrays of the networks of `symcnn.models`, and how they store them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np

import symcnn as sc
from symcnn.errors import InputError
from symcnn.keywords import nearest
from symcnn.nn import BatchNorm, LocalResponseNorm, Module
from symcnn.nn.sequential import Sequential, out_shape

NAMINGS = "torchvision", "timm"
_ROLES = {"gamma": "weight", "beta": "bias", "mean": "running_mean", "variance": "running_var"}  # of a batch norm
_BRANCHES = {
    "1x1.conv": "branch1", "3x3.reduce": "branch2.0", "3x3.conv": "branch2.1", "5x5.reduce": "branch3.0",
    "5x5.conv": "branch3.1", "pool.conv": "branch4.1",
}  # fmt: skip
_AROUND = {
    "conv1": "conv1.conv", "reduce2": "conv2.conv", "conv2": "conv3.conv", "dense": "fc", "aux.conv": "conv.conv",
    "aux.dense1": "fc1", "aux.dense2": "fc2",
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Stored:
    """An array as another library stores it: used like the Shared behind it, but of another shape.

    Attributes
    ----------
    shared : Shared
    shape : tuple of int
        There: the weight of a dense layer, (in, out) here, is (out, in), or (out, channels, height, width).
    """

    shared: sc.Shared
    shape: tuple[int, ...]

    @property
    def dtype(self) -> np.dtype:
        return self.shared.dtype

    @property
    def _is_dense(self) -> bool:
        return self.shared.ndim == 2

    def get_value(self) -> np.ndarray:
        value = self.shared.get_value()
        return np.array(value.T, order="C").reshape(self.shape) if self._is_dense else value

    def set_value(self, array) -> None:
        self.shared.set_value(array.reshape(len(array), -1).T if self._is_dense else array)


@dataclass(frozen=True)
class Family:
    """Networks of one kind, and what other libraries call their layers.

    Attributes
    ----------
    models : str
        Names in `symcnn.models`.
    layers : frozenset of str
        By these such a network is known.
    places : dict
        Naming -> a function of the network and the path of a layer, which gives the path of that layer there.
    note : str
        How the network of that name differs there, if it does.
    """

    models: str
    layers: frozenset[str]
    places: dict[str, Callable[[Sequential, str], str]]
    note: str | None = None


def stored(model: Module, naming: str) -> dict[str, Stored]:
    """The arrays of `model` by the names that they have in another library.

    Raises
    ------
    InputError
        If the naming is unknown, or has no such network.

    Examples
    --------
    >>> arrays = stored(sc.models.vgg16(width=1 / 64), "timm")
    >>> [(name, array.shape) for name, array in arrays.items()][-4:-2]
    [('pre_logits.fc2.weight', (64, 64, 1, 1)), ('pre_logits.fc2.bias', (64,))]
    """
    if naming not in NAMINGS:
        raise InputError(f"there is no naming {naming!r}", hint=nearest(str(naming), ("symcnn", *NAMINGS)))
    family = family_of(model)
    if family is None or not isinstance(model, Sequential):
        raise InputError(
            f"{naming} has no names for these layers", found=f"{type(model).__name__} of {', '.join(model.parts())[:100]}",
            expected=f"one of sc.models: {', '.join(family.models for family in FAMILIES)}",
            hint="sc.nn.load_matching(model, source, rename={...}) takes names of any kind",
        )  # fmt: skip
    if naming not in family.places:
        raise InputError(f"{naming} has no {family.models}", expected=" or ".join(map(repr, family.places)))
    return dict(_arrays(model, partial(family.places[naming], model)))


def family_of(model: Module) -> Family | None:
    """Which of the networks of `symcnn.models` this is, by the names of its layers."""
    names = model.parts().keys()
    return next((family for family in FAMILIES if family.layers <= names), None)


def _arrays(model: Sequential, place) -> Iterator[tuple[str, Stored]]:
    for path, owner, name, shared in model.owned_variables():
        layer = place(path.removesuffix(f".{name}"))
        role = _ROLES.get(name, name) if isinstance(owner, BatchNorm) else name
        shape = shared.shape[::-1] if shared.ndim == 2 else shared.shape
        if layer.startswith("pre_logits.") and shared.ndim == 2:
            shape = (shape[0], *_window(model, layer, shape[1]))
        yield f"{layer}.{role}", Stored(shared, shape)


def _window(model: Sequential, layer: str, size: int) -> tuple[int, ...]:
    """What the first dense layer of a VGG sees before it is flattened: timm has convolutions in its place."""
    if layer != "pre_logits.fc1" or model.in_shape is None:
        return size, 1, 1
    return out_shape(model[: list(model.layers).index("flatten")], model.in_shape)


def _same(model: Sequential, path: str) -> str:
    """ResNets have the names of torchvision here, too; those of timm are the same."""
    return path


def _numbered(model: Sequential, path: str) -> str:
    """torchvision's AlexNet and VGG: two chains, before and after the image is flattened; there, without response norms."""
    names = [name for name, layer in model.layers.items() if not isinstance(layer, LocalResponseNorm)]
    at, flat = names.index(path), names.index("flatten")
    return f"features.{at}" if at < flat else f"classifier.{at - flat - 1}"


def _timm_vgg(model: Sequential, path: str) -> str:
    heads = {"dense6": "pre_logits.fc1", "dense7": "pre_logits.fc2", "dense8": "head.fc"}
    return heads.get(path) or _numbered(model, path)


def _googlenet(model: Sequential, path: str) -> str:
    """torchvision's: a convolution is a part of a block, beside its batch norm, which there is none of here."""
    first, _, rest = path.partition(".")
    if first.startswith("inception"):
        return f"{first}.{_BRANCHES[rest]}.conv"
    if first.startswith("aux"):
        return f"{first}.{_AROUND[f'aux.{rest}']}"
    return _AROUND[path]


_ELSEWHERE = "export it with torch.onnx.export: sc.interop.onnx.load reads it as it is"
FAMILIES = (
    Family("resnet18, resnet34, resnet50", frozenset({"layer1", "layer4", "fc"}), {"torchvision": _same, "timm": _same}),
    Family("vgg16, vgg19", frozenset({"conv1_1", "conv5_1", "dense8"}), {"torchvision": _numbered, "timm": _timm_vgg}),
    Family(
        "alexnet", frozenset({"norm1", "conv5", "dense8"}), {"torchvision": _numbered},
        "torchvision's own alexnet is another network: one tower of 64, 192, 384, 256 and 256 filters without groups and "
        f"response norms; {_ELSEWHERE}",
    ),
    Family(
        "googlenet", frozenset({"inception3a", "inception5b", "dense"}), {"torchvision": _googlenet},
        "torchvision's own googlenet is another network: batch norms in place of biases and response norms, and 3x3 windows "
        f"where the paper has 5x5; {_ELSEWHERE}",
    ),
)  # fmt: skip
