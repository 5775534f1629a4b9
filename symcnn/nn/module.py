"""Module: an object that owns Shared parameters and builds an expression from its input.

A module's attributes say what it consists of: a Shared is a parameter, a State is remembered but not trained, a Module is
a part; lists, tuples and dicts of them count as well. Nothing is registered.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from math import prod
from typing import Self

import numpy as np

import symcnn as sc
from symcnn.arrays import as_numpy, gpu_of
from symcnn.backends.base import backend
from symcnn.config import config
from symcnn.data import Dataset
from symcnn.data.layouts import layout_hint
from symcnn.errors import DTypeError, InputError, ShapeError, SymcnnError
from symcnn.keywords import checked_count, checked_keywords, nearest
from symcnn.nn import weights
from symcnn.nn.freeze import set_frozen
from symcnn.nn.habits import absent
from symcnn.nn.inputs import fits
from symcnn.nn.outline import outline
from symcnn.nn.outputs import joined
from symcnn.nn.place import note_place
from symcnn.nn.scope import layer_scope
from symcnn.nn.state import State
from symcnn.nn.summary import Summary, shape_text, summarize
from symcnn.nn.trace import record_output

_training: ContextVar[bool] = ContextVar("training", default=False)  # of the module whose forward runs


_FREEZES = "model.freeze('conv*') and model.unfreeze('conv*') say what is trained"


class Parameters(list):
    """A list of Shared that also knows their paths.

    Examples
    --------
    >>> import symcnn as sc
    >>> layer = sc.nn.Dense(3, 2)
    >>> found = layer.parameters()
    >>> found.keys(), found["bias"].shape, len(found)
    (['weight', 'bias'], (2,), 2)
    """

    def __init__(self, by_path: dict):
        super().__init__(by_path.values())
        self._by_path = dict(by_path)

    def __getitem__(self, key):
        if not isinstance(key, str):
            return super().__getitem__(key)
        if key not in self._by_path:
            raise KeyError(f"no parameter {key!r}; {nearest(key, self._by_path)}")
        return self._by_path[key]

    def keys(self) -> list[str]:
        return list(self._by_path)

    def values(self) -> list:
        return list(self)

    def items(self) -> list[tuple]:
        return list(self._by_path.items())

    @property
    def count(self) -> int:
        """How many numbers they hold together."""
        return sum(p.size for p in self)


class Module:
    """Base of layers and networks. A new one defines ``forward(x, training)``.

    Attributes
    ----------
    in_shape : tuple of int or None
        Shape of one example, where the module knows it; ``None`` for sizes that may differ from call to call.
    frozen : frozenset of str
        Names of the module's own arrays that training leaves as they are; see `freeze`.

    Examples
    --------
    >>> import symcnn as sc
    >>> class Scale(sc.nn.Module):
    ...     def __init__(self):
    ...         self.factor = sc.shared(np.float32(2), name="factor")
    ...
    ...     def forward(self, x, training):
    ...         return self.factor * x
    >>> Scale().parameters().keys()
    ['factor']
    >>> Scale().predict(np.ones((2, 1), "float32"), device="reference")
    array([[2.],
           [2.]], dtype=float32)
    """

    in_shape: tuple[int | None, ...] | None = None
    frozen: frozenset[str] = frozenset()

    @checked_keywords
    def __init__(self):  # nothing is registered; here for the error of Flatten(start_dim=1)
        pass

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        if "__init__" in vars(cls):
            cls.__init__ = checked_keywords(cls.__init__)
        if list(inspect.signature(cls.forward).parameters)[:3] != ["self", "x", "training"]:
            raise InputError(
                f"{cls.__name__}: forward has other parameters", expected="forward(self, x, training)",
                found=f"forward{inspect.signature(cls.forward)}",
            )  # fmt: skip

    def __getattr__(self, name: str):
        """Only asked for what is not there."""
        if hasattr(type(self), name):  # a property that failed: its own error
            return object.__getattribute__(self, name)
        raise absent(self, name)

    def __setattr__(self, name: str, value):
        if callable(getattr(Module, name, None)) and (isinstance(value, Module) or not callable(value)):
            raise InputError(
                f"{type(self).__name__}.{name} is a method: an attribute of that name would hide it",
                found=f"{name} = {value!r:.60}", hint=_FREEZES if name == "trainable" else "call it otherwise",
            )  # fmt: skip
        super().__setattr__(name, value)

    def forward(self, x, training: bool):
        """The output as an expression of `x`, (n, ...)."""
        raise NotImplementedError(f"{type(self).__name__} defines no forward(x, training)")

    def __call__(self, x, training: bool | None = None):
        """Apply the module: an expression of `x`.

        Parameters
        ----------
        x : Variable
            (n, ...); integers, such as uint8 images, become floats.
        training : bool, optional
            Whether dropout drops, and batch norm normalises by the batch. By default as in the module whose `forward`
            applies this one, and False outside of any.

        Returns
        -------
        Variable

        Raises
        ------
        ShapeError
            If `x` does not fit; the error names the layer, by its path, and what came to it.
        InputError
            If `x` is an array: `predict` takes those.
        """
        if not isinstance(x, sc.Variable):
            raise InputError(
                f"{type(self).__name__} is applied to an expression", found=type(x).__name__, expected="a Variable",
                hint="model.predict(X) computes with arrays; sc.input(name, shape) makes a Variable",
            )  # fmt: skip
        if x.dtype.kind in "iub":
            x = x.astype(self.dtype)
        training = _training.get() if training is None else training
        around = _training.set(training)
        try:
            with layer_scope(self):
                output = self.forward(x, training)
                if output is None:
                    raise InputError(
                        f"{type(self).__name__}.forward returned nothing", hint="return an expression of x"
                    )
        except SymcnnError as error:
            note_place(error, self, x)
            raise
        finally:
            _training.reset(around)
        record_output(self, output)
        return output

    @property
    def dtype(self) -> np.dtype:
        """dtype of the parameters and states; the default dtype for a module without any."""
        # Asked at every step: the walk ends at the first array.
        return next((value.dtype for *_, value in self.owned_variables()), np.dtype(config.default_dtype))

    def parts(self) -> dict[str, Module]:
        """The modules that this one consists of, by name."""
        return dict(_members(vars(self), Module))

    def modules(self) -> dict[str, Module]:
        """This module (path ``""``) and all inside it, outer before inner; one that occurs twice has its first path."""
        return dict(self._walk())

    def _walk(self) -> Iterator[tuple[str, Module]]:
        to_visit: list[tuple[str, Module]] = [("", self)]
        seen = set()
        while to_visit:
            path, module = to_visit.pop()
            if id(module) in seen:
                continue
            seen.add(id(module))
            yield path, module
            inner = [(_join(path, name), part) for name, part in module.parts().items()]
            to_visit += reversed(inner)

    def owned_variables(self) -> Iterator[tuple[str, Module, str, sc.Shared]]:
        """Every Shared of this module and all inside it, once: its path, the module that owns it, its name there, itself."""
        seen = set()
        for path, module in self._walk():
            for name, value in _members(vars(module), sc.Shared):
                if value not in seen:
                    seen.add(value)
                    yield _join(path, name), module, name, value

    def variables(self) -> Parameters:
        """All arrays, parameters and states: what `save` writes."""
        return self._chosen(lambda value, frozen: True)

    def parameters(self) -> Parameters:
        """What training changes, in the order of definition; by index or by path such as ``"conv1.weight"``."""
        return self._chosen(lambda value, frozen: not isinstance(value, State))

    def states(self) -> Parameters:
        """What is remembered but not trained, such as the running averages of batch norms."""
        return self._chosen(lambda value, frozen: isinstance(value, State))

    def trainable(self) -> Parameters:
        """The parameters that are not frozen."""
        return self._chosen(lambda value, frozen: not frozen and not isinstance(value, State))

    def _chosen(self, wanted) -> Parameters:
        return Parameters(
            {
                path: value
                for path, module, name, value in self.owned_variables()
                if wanted(value, name in module.frozen)
            }
        )

    def freeze(self, *patterns: str) -> Self:
        """Keep training from changing some of the arrays, by their paths; without a pattern, all of them.

        No gradient is computed for a frozen parameter, and a frozen batch norm normalises by its running averages.

        Parameters
        ----------
        *patterns : str
            Paths of modules or arrays, with the wildcards of file names: ``"conv1"``, ``"block*"``, ``"*.bias"``.

        Returns
        -------
        Module
            This module.

        Raises
        ------
        InputError
            If a pattern matches nothing.

        Examples
        --------
        >>> import symcnn as sc
        >>> model = sc.models.mlp([4, 3, 2])
        >>> model.freeze("dense1").trainable().keys()
        ['dense2.weight', 'dense2.bias']
        >>> model.unfreeze("*.bias").trainable().keys()
        ['dense1.bias', 'dense2.weight', 'dense2.bias']
        """
        set_frozen(self, patterns, True)
        return self

    def unfreeze(self, *patterns: str) -> Self:
        """Undo `freeze` for some paths, or for all."""
        set_frozen(self, patterns, False)
        return self

    def predict(self, X, batch_size: int = 128, device: str = "cpu") -> np.ndarray:
        """Outputs for the examples `X`, computed batch by batch, in evaluation mode.

        Parameters
        ----------
        X : array_like or Dataset
            (n, ...); read and cast to the dtype of the parameters batch by batch, so it may be larger than memory. Of a
            data set its images, as its batches have them, in order. An array that lies on the device is taken as it is.
        batch_size : int
        device : str
            "cpu", "cuda" or "reference"; see `symcnn.function`.

        Returns
        -------
        numpy.ndarray
            (n, ...): for the networks of `symcnn.models` the logits (n, classes). A tuple, list or dict of them for a
            module that puts out one. Of an array on the device they stay there, computed in one piece.

        Raises
        ------
        ShapeError
            If `X` does not fit the module.
        InputError
            If `X` is no array of numbers, or the batch size no positive integer.
        """
        checked_count("predict: batch_size", batch_size)
        if isinstance(X, Dataset):
            if len(X):
                return joined([self.predict(images, batch_size, device) for images, _ in X.batches(batch_size)])
            X = X.images
        if backend(device).device_array(X) is not None:
            images = self.as_input(X, device)
            return self._compiled(images, device)(images)
        X = X if hasattr(X, "shape") and gpu_of(X) is None else _as_array(X)
        self._check_shape(X.shape)
        outputs = []
        for start in range(0, max(len(X), 1), batch_size):
            batch = self.as_input(X[start : start + batch_size])
            outputs.append(self._compiled(batch, device)(batch))
        return joined(outputs)

    def as_input(self, X, device: str = "reference"):
        """`X` as this module takes it: uint8 stays, everything else in the dtype of the parameters.

        What lies on the `device` stays there, and must have such a dtype.
        """
        images = backend(device).device_array(X)
        if images is not None:
            self._check_shape(images.shape)
            if images.dtype not in (np.uint8, self.dtype):
                expected = f"{self.dtype} or uint8"
                raise DTypeError(f"images on {device} are not converted", expected=expected, found=images.dtype)
            return images
        X = _as_array(X)
        self._check_shape(X.shape)
        return X if X.dtype == np.uint8 else X.astype(self.dtype, copy=False)

    def _check_shape(self, shape):
        if self.in_shape is not None and not fits(shape[1:], self.in_shape):
            one = " (one example needs a batch axis: X[None])" if shape == self.in_shape else ""
            raise ShapeError(
                f"{type(self).__name__} takes other inputs",
                expected=shape_text((None, *self.in_shape)),
                found=f"{shape}{one}",
                hint=layout_hint(shape, self.in_shape) or _flat_hint(shape, self.in_shape),
            )
        if not shape:
            raise ShapeError(f"{type(self).__name__} takes a batch of examples", expected="(n, ...)", found=shape)

    def _compiled(self, X, device):
        """The function behind predict, built once per shape of an example, dtype and device."""
        cache = self.__dict__.setdefault("_functions", {})
        shape = self.in_shape or X.shape[1:]
        key = shape, X.dtype, device
        if key not in cache:
            x = sc.input("x", (None, *shape), X.dtype)
            cache[key] = sc.function([x], self(x), device=device)
        return cache[key]

    def summary(self, in_shape=None, depth=None, batch=1, plan=False, device="cpu") -> Summary:
        """A table of the layers: output shape, parameters, FLOPs, memory forward and backward.

        Printed, or shown as HTML by a notebook. What the columns mean says `symcnn.nn.summary.Summary`; it has their
        totals as attributes.

        Parameters
        ----------
        in_shape : tuple of int, optional
            Shape of one example; by default the module's own `in_shape`.
        depth : int, optional
            Levels to open: with 1, a block such as an inception module is one row; by default all are opened.
        batch : int
            Examples that the memory is for. FLOPs are always those of one.
        plan : bool
            Also tell the peak memory that the compiler plans for inference and for a training step (SGD with momentum,
            cross-entropy) on such a batch. Compiles both, which may take seconds.
        device : str
            The backend that is planned for.

        Examples
        --------
        >>> import symcnn as sc
        >>> table = sc.models.mlp([784, 128, 10]).summary()
        >>> print(table)
        layer   kind                output    parameters   FLOPs  forward  backward
        ---------------------------------------------------------------------------
        dense1  Dense(784, 128)     (n, 128)     100,480   201 k    512 B    402 kB
        act1    Activation('relu')  (n, 128)           0     128    512 B     512 B
        dense2  Dense(128, 10)      (n, 10)        1,290  2.57 k     40 B   5.20 kB
        ---------------------------------------------------------------------------
        total                                    101,770   204 k  1.06 kB    408 kB
        FLOPs: 1 example, forward, a multiply-add is 2. Memory: 1 example, outputs and gradients.
        >>> table.flops
        203530
        """
        return summarize(self, in_shape or self.in_shape, depth, batch, plan, device)

    def save(self, path) -> None:
        """Write parameters and states to a safetensors file, atomically: a reader never sees half of it."""
        weights.save(path, self.variables())

    def load(self, path) -> None:
        """Read parameters and states from a file written by `save`.

        Raises
        ------
        FileError
            If the file is missing, truncated, foreign, or of another network; the module is then as before.
        """
        weights.load(path, self.variables())

    def __repr__(self):
        return outline(self)


def _members(attributes: Mapping, kind: type) -> Iterator[tuple]:
    """(name, value) of what is of this kind among `attributes` and in the lists, tuples and dicts among them."""
    for name, value in attributes.items():
        if isinstance(value, kind):
            yield name, value
        elif isinstance(value, (list, tuple)):
            yield from ((f"{name}.{inner}", v) for inner, v in _members(dict(enumerate(value)), kind))
        elif isinstance(value, dict):
            yield from ((f"{name}.{inner}", v) for inner, v in _members(value, kind))


def _flat_hint(shape, in_shape) -> str | None:
    """What to do with images where rows are expected."""
    if len(shape) > 2 and len(in_shape) == 1 and in_shape[0] == prod(shape[1:]):
        return "X.reshape(len(X), -1) makes rows of images, sc.nn.Flatten() does it within a network"
    return None


def _as_array(X) -> np.ndarray:
    """`X` as an array of numbers."""
    if (gpu := gpu_of(X)) is not None:
        hint = f"give x.cpu(), or device={gpu!r}"
        raise InputError(f"this {type(X).__name__} is on {gpu}, and not where it is to be used", hint=hint)
    X = as_numpy(X)
    try:
        X = np.asarray(X)
    except (ValueError, TypeError, RuntimeError) as error:  # rows of several lengths; a list of tensors
        raise InputError("these are no examples", expected="an array (n, ...)", found=str(error)) from None
    if X.dtype.kind not in "biuf":
        found = f"an array of {X.dtype}" if X.ndim else "no array"
        raise InputError(
            "these are no examples", expected="an array (n, ...) of numbers", found=found,
            hint="sc.data.image_folder reads the images of a folder",
        )  # fmt: skip
    return X


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
