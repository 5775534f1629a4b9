"""Initializer: a way to fill an array; and the generator that its random numbers come from."""

from __future__ import annotations

import inspect
from functools import update_wrapper
from typing import overload

import numpy as np

from symcnn.errors import InputError, ShapeError
from symcnn.ir.types import as_dtype
from symcnn.keywords import checked_number, meant, takes

_generator = np.random.default_rng(0)
_named: dict[str, Initializer] = {}


def seed(value: int) -> None:
    """Restart the generator that layers without a seed of their own draw from; it starts as ``seed(0)``."""
    global _generator
    _generator = generator(value)


def generator(seed=None) -> np.random.Generator:
    """The generator meant by `seed`: an integer, a Generator (passed on), or ``None`` for the process-wide one.

    Raises
    ------
    InputError
        If NumPy can make no generator of it.
    """
    if seed is None:
        return _generator
    try:
        return np.random.default_rng(seed)
    except (TypeError, ValueError):
        expected = "an integer, at least 0, or a numpy.random.Generator"
        raise InputError("this is no seed", expected=expected, found=repr(seed)) from None


class Initializer:
    """A way to fill an array, with its options.

    Parameters
    ----------
    fill : callable
        ``fill(shape, random, dtype, *, option=default, ...)``, with a Generator and "float32" or "float64".
    options : dict
        Values of options other than the defaults.

    Examples
    --------
    >>> from symcnn import init
    >>> init.normal((2, 3), seed=0, std=0.1).shape
    (2, 3)
    >>> small = init.normal(std=0.001)
    >>> small, bool(abs(small((2, 3), seed=0)).max() < 0.01)
    (normal(std=0.001), True)
    """

    def __init__(self, fill, options: dict[str, float]):
        update_wrapper(self, fill)
        known = [p for p in inspect.signature(fill).parameters.values() if p.kind is p.KEYWORD_ONLY]
        drawing = inspect.signature(lambda shape, seed=None, dtype="float32": ...)
        self.__signature__ = drawing.replace(parameters=[*drawing.parameters.values(), *known])
        self.name, self.fill, self.options = fill.__name__, fill, options
        self._known = [p.name for p in known]

    @overload
    def __call__(self, shape: tuple | list, seed=None, dtype="float32", **options: float) -> np.ndarray: ...
    @overload
    def __call__(
        self, shape: float | None = None, seed: None = None, dtype="float32", **options: float
    ) -> Initializer: ...
    def __call__(self, shape=None, seed=None, dtype="float32", **options):
        """Values of a shape, or without one an initialiser with other options.

        Parameters
        ----------
        shape : tuple of int, or float
            A number stands for the first option: ``constant(0.1)``.
        seed : int, numpy.random.Generator or None
            The same integer gives the same values; see `generator`.
        dtype : str
        **options : float

        Raises
        ------
        InputError
            If there is no such option, or its value is no number.
        ShapeError
            If this is no shape, or the initialiser has no values for it.
        DTypeError
            If there is no such dtype.
        """
        if isinstance(shape, tuple | list):
            options = self.options | self._checked(options)
            # Large networks have tens of millions of weights, and random float32 come twice as fast.
            precision = "float64" if as_dtype(dtype) == np.float64 else "float32"
            return np.asarray(self.fill(_checked_shape(shape), generator(seed), precision, **options), dtype, order="C")
        if seed is not None:
            raise InputError(f"{self.name}: options are given by name", expected=self._known, found=(shape, seed))
        if shape is not None:
            options |= dict.fromkeys(self._known[:1] or ["shape"], shape)
        return Initializer(self.fill, self.options | self._checked(options))

    def __repr__(self):
        options = ", ".join(f"{name}={value:g}" for name, value in self.options.items())
        return f"{self.name}({options})" if options else self.name

    def _checked(self, options: dict) -> dict[str, float]:
        for name in options:
            if name not in self._known:
                raise InputError(f"{self.name} has no option {name!r}", hint=meant(name, self._known))
        return {name: checked_number(f"{self.name}: {name}", value) for name, value in options.items()}


def initializer(fill) -> Initializer:
    """Decorate ``fill(shape, random, dtype, *, option=default)``: it becomes an initialiser, known by its name."""
    _named[fill.__name__] = Initializer(fill, {})
    return _named[fill.__name__]


def draw(init, shape, seed=None, dtype="float32", transposed: bool = False) -> np.ndarray:
    """Values of `shape` from an initialiser, given as a name of this package or as ``f(shape, seed, dtype)``.

    Parameters
    ----------
    init : str or callable
    shape : tuple of int
    seed, dtype
        As in `Initializer`.
    transposed : bool
        The shape is (in, out / groups, *window), that of a transposed convolution: values are drawn for the
        (out / groups, in, *window) that other weights have, so that inputs count as inputs.

    Raises
    ------
    InputError
        If the name is unknown, or this is no initialiser.
    ShapeError
        If the initialiser gives values of another shape.

    Examples
    --------
    >>> draw("zeros", (2, 2))
    array([[0., 0.],
           [0., 0.]], dtype=float32)
    """
    shape, dtype = _checked_shape(shape), as_dtype(dtype).name
    if isinstance(init, str):
        if init not in _named:
            raise InputError(f"no initialiser is called {init!r}", hint=meant(init, _named))
        init = _named[init]
    if not callable(init):
        raise InputError(
            "this is no initialiser",
            expected=f"a name or f(shape, seed, dtype), such as {next(iter(_named))!r}",
            found=repr(init),
        )
    if not takes(init, 3):
        raise InputError(
            "this initialiser does not take three arguments", expected="f(shape, seed, dtype)", found=repr(init)
        )
    wanted = (shape[1], shape[0], *shape[2:]) if transposed else shape
    values = np.asarray(init(wanted, seed, dtype), dtype)
    if values.shape != wanted:
        raise ShapeError(f"the initialiser {init!r} gives another shape", expected=wanted, found=values.shape)
    return np.asarray(values.swapaxes(0, 1), order="C") if transposed else values


def _checked_shape(shape) -> tuple[int, ...]:
    if not all(isinstance(size, int | np.integer) and size >= 0 for size in shape):
        raise ShapeError("a shape consists of integers, at least 0", found=shape)
    return tuple(map(int, shape))
