"""What a new network takes over from a trained one: weights by their names, and all layers but the last."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from os import PathLike
from typing import Any, Protocol, TypeVar, runtime_checkable

import numpy as np

from symcnn.arrays import as_numpy
from symcnn.errors import InputError
from symcnn.init import generator
from symcnn.keywords import checked_keywords, nearest
from symcnn.nn import weights
from symcnn.nn.conv import Conv2d
from symcnn.nn.dense import Dense
from symcnn.nn.module import Module
from symcnn.nn.sequential import Sequential
from symcnn.nn.side_heads import SideHeads


@dataclass(frozen=True)
class Matches:
    """What `load_matching` did; prints as a list, and is true if everything on either side found its counterpart.

    Attributes
    ----------
    loaded : tuple of str
        Paths in the model whose values were set.
    missing : tuple of str
        Paths in the model that the source does not have: they are as before.
    unfit : dict
        Path in the model -> (what is there, what the source has), where shapes or kinds of dtype differ: as before, too.
    unused : tuple of str
        Names in the source that the model does not have.
    """

    loaded: tuple[str, ...]
    missing: tuple[str, ...]
    unfit: dict[str, tuple[str, str]]
    unused: tuple[str, ...]

    def __bool__(self):
        return not (self.missing or self.unfit or self.unused)

    def __str__(self):
        here = len(self.loaded) + len(self.missing) + len(self.unfit)
        lines = [f"loaded {len(self.loaded)} of the model's {here} arrays"]
        lines += [
            f"  of another shape  {path}: {ours} here, {theirs} there" for path, (ours, theirs) in self.unfit.items()
        ]
        lines += [f"  not in the source {path}" for path in self.missing]
        lines += [f"  not in the model  {name}" for name in self.unused]
        return "\n".join(lines)

    __repr__ = __str__


@checked_keywords
def load_matching(model: Module, source, rename: Mapping | Callable | None = None) -> Matches:
    """Set those arrays of `model` that have a counterpart of the same path and shape in `source`.

    Parameters
    ----------
    model : Module
    source : path, Module, or mapping of names to arrays
        A safetensors file, a network, or for example the ``state_dict()`` of a network of PyTorch.
    rename : mapping or callable, optional
        From names in the source to paths in the model. A mapping takes whole names or leading parts of them,
        ``{"features.0": "conv1"}``; a callable gives the path, or ``None`` for what is to be left out.

    Returns
    -------
    Matches
        Which arrays were loaded, and which were not and why. Print it: what finds no counterpart stays as it was.

    Raises
    ------
    FileError
        If the file is missing or damaged.
    InputError
        If nothing at all fits, or two names become one. The model is then as before.

    Notes
    -----
    Dense weights are (in, out) here and (out, in) in PyTorch: transpose them. `Module.load` is for weights of the very
    same network, and refuses all others.

    Examples
    --------
    >>> import symcnn as sc
    >>> trained, model = sc.models.mlp([4, 3, 10]), sc.models.mlp([4, 3, 2])
    >>> load_matching(model, trained)
    loaded 2 of the model's 4 arrays
      of another shape  dense2.weight: float32 (3, 2) here, float32 (3, 10) there
      of another shape  dense2.bias: float32 (2,) here, float32 (10,) there
    """
    if not isinstance(model, Module):
        raise InputError("load_matching: this is no network", expected="a Module", found=type(model).__name__)
    arrays, targets = _renamed(_arrays(source), rename), dict(model.variables().items())
    unfit, loaded = {}, []
    for path, target in targets.items():
        if path not in arrays:
            continue
        array = arrays[path]
        if weights.fits(array, target):
            loaded.append(path)
        else:
            unfit[path] = f"{target.dtype} {target.shape}", f"{array.dtype} {array.shape}"
    missing = tuple(path for path in targets if path not in arrays)
    unused = tuple(name for name in arrays if name not in targets)
    found = Matches(tuple(loaded), missing, unfit, unused)
    if not loaded:
        hint = "rename={'their name': 'our path'}"
        if missing and unused:
            hint = f"{hint}, such as {unused[0]!r} for {missing[0]!r}"
        raise InputError("load_matching: nothing fits", found=str(found), hint=hint)
    for path in loaded:
        targets[path].set_value(arrays[path])
    return found


def _arrays(source) -> dict[str, np.ndarray]:
    if isinstance(source, Module):
        return {path: value.get_value() for path, value in source.variables().items()}
    if isinstance(source, Mapping):
        return {str(name): _array(str(name), value) for name, value in source.items()}
    if isinstance(source, (str, PathLike)):
        return weights.read(source)
    raise InputError(
        "load_matching: this holds no weights", expected="a path, a Module, or a mapping of names to arrays",
        found=type(source).__name__,
    )  # fmt: skip


def _array(name: str, value) -> np.ndarray:
    try:
        return np.asarray(as_numpy(value))
    except InputError as error:
        error.what = f"{name}: {error.what}"
        raise
    except ValueError as error:  # rows of several lengths
        raise InputError(f"{name} is no array", found=str(error)) from None


def _renamed(arrays, rename) -> dict[str, np.ndarray]:
    """The arrays under the paths that `rename` gives their names."""
    if rename is None:
        return arrays
    if not callable(rename) and not isinstance(rename, Mapping):
        raise InputError("load_matching: rename is a mapping or a callable", found=repr(rename))
    if isinstance(rename, Mapping):
        idle = [part for part in rename if not any(_leads(part, name) for name in arrays)]
        if idle:
            raise InputError(
                f"load_matching: the source has no {idle[0]!r} to rename", hint=nearest(str(idle[0]), arrays)
            )
    sources = {}
    for name in arrays:
        if callable(rename):
            path = rename(name)
        else:
            # The longest leading part counts: {"layer1": "a", "layer1.0": "b"} means what it says.
            leading = max((part for part in rename if _leads(part, name)), key=len, default=None)
            path = name if leading is None else f"{rename[leading]}{name[len(leading) :]}"
        if path is None:
            continue
        if path in sources:
            raise InputError(f"load_matching: {sources[path]!r} and {name!r} would both be {path!r}")
        sources[path] = name
    return {path: arrays[name] for path, name in sources.items()}


def _leads(part: str, name: str) -> bool:
    """Whether `part` is all of a dotted name or its beginning."""
    return name == part or name.startswith(f"{part}.")


@runtime_checkable
class HasHead(Protocol):
    """A module of another form than a chain, which replaces its last layer itself."""

    def with_head(self, classes: int, seed, init) -> Any: ...


M = TypeVar("M", bound=Module)


@checked_keywords
def replace_head(model: M, classes: int, seed: Any = None, init="glorot_uniform") -> M:
    """The same network with a fresh last layer, for other classes.

    Parameters
    ----------
    model : Sequential or OnnxModule
        Whose last layer with parameters is a `Dense` or a 1x1 `Conv2d`: all classifiers of `symcnn.models`. Or the module
        of an ONNX model that ends likewise; a softmax after it is left out, so that the output is logits.
    classes : int
        How many outputs the new layer has.
    seed : int, numpy.random.Generator or None
        Of its weights.
    init : str or callable
        Its initialiser.

    Returns
    -------
    Sequential or OnnxModule
        A new network, which shares all other layers with `model`: training one changes both, unless the layers are frozen
        or `nn.twin(model)` is given. Heads at the side (`SideHeads`) are replaced as well.

    Raises
    ------
    InputError
        If the model does not end like that.

    Examples
    --------
    >>> import symcnn as sc
    >>> model = replace_head(sc.models.lenet().freeze(), 2)
    >>> model["dense2"], model.trainable().keys()
    (Dense(500, 2), ['dense2.weight', 'dense2.bias'])
    """
    changed: Any
    if isinstance(model, HasHead):
        changed = model.with_head(classes, generator(seed), init)
    elif isinstance(model, Sequential):
        changed = _with_head(model, classes, generator(seed), init)
    else:
        raise InputError(
            "replace_head: only chains have one last layer", expected="a Sequential", found=type(model).__name__,
            hint="in a class of your own, replace the attribute: model.head = sc.nn.Dense(8, 2); "
            "networks of pixels are made anew: sc.models.fcn8s(classes=2, from_classifier=model)",
        )  # fmt: skip
    known = set(model.parameters())
    for path, parameter in changed.parameters().items():
        if parameter not in known:
            parameter.name = path
    return changed


def _with_head(chain, classes, seed, init):
    """A copy of the chain, not of its layers, with another last layer; chains inside chains likewise."""
    changed = copy.copy(chain)
    vars(changed).pop("_functions", None)  # compiled for the old head
    name, last = next(((k, v) for k, v in reversed(chain.layers.items()) if v.parameters()), (None, None))
    changed.layers = {**chain.layers, name: _fresh(name, last, classes, seed, init)}
    if isinstance(chain, SideHeads):
        changed.heads = {name: _fresh(name, head, classes, seed, init) for name, head in chain.heads.items()}
    return changed


def _fresh(name, layer, classes, seed, init):
    if isinstance(layer, Sequential):
        return _with_head(layer, classes, seed, init)
    if isinstance(layer, Dense):
        options = {"bias": layer.bias is not None, "init": init, "seed": seed, "dtype": layer.dtype.name}
        return Dense(layer.in_features, classes, **options)
    if type(layer) is Conv2d and layer.window == (1, 1) and layer.geometry["groups"] == 1:
        options = {"bias": layer.bias is not None, "init": init, "seed": seed, "dtype": layer.dtype.name}
        return Conv2d(layer.in_channels, classes, 1, **layer.geometry, **options)
    raise InputError(
        "replace_head: the last layer with parameters cannot be replaced", expected="Dense or Conv2d(.., .., 1)",
        found=f"{name}: {layer!r}" if name else "no layer with parameters",
    )  # fmt: skip
