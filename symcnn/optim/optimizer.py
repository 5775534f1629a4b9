"""Optimizer: from parameters and gradients to the updates of one training step.

An optimiser is symbolic. It returns ``{shared: new value}`` for ``sc.function(..., updates=)``, so that its
arithmetic fuses with the rest of the step. Its learning rate and its slots (one array per parameter, such as the
velocity) are Shared: the rate can change without compiling anything again. All other options are constants of the
compiled step.
"""

from __future__ import annotations

import inspect

import numpy as np

import symcnn as sc
from symcnn.errors import InputError
from symcnn.keywords import ELSEWHERE, checked_keywords, checked_number
from symcnn.nn.freeze import matches, matching
from symcnn.nn.outline import described
from symcnn.optim.clipping import clip_by_norm, clip_by_value


class Optimizer:
    r"""Base of all optimisers. A new one defines ``direction(parameter, gradient)``.

    The step is :math:`w \leftarrow w - a_w d`, with the direction d that the optimiser makes of the gradient and the
    rate :math:`a_w` of that parameter. Before, gradients are clipped, by value and then by norm, and
    :math:`\lambda w` is added to them.

    Parameters
    ----------
    learning_rate : float
        The rate a.
    weight_decay : float
        The factor :math:`\lambda`; for SGD that of a penalty :math:`\lambda |w|^2 / 2`.
    clip_value : float, optional
        See `clip_by_value`.
    clip_norm : float, optional
        Bound of the norm of all gradients together; see `clip_by_norm`.
    rates : dict, optional
        Factors of the learning rate, at least 0, by patterns of paths as in ``model.freeze``, such as
        ``{"conv*": 0.1}``. Of several patterns that match a parameter the last one counts.

    Attributes
    ----------
    learning_rate : float
        May be set at any time, also between the calls of a compiled step.
    steps : Shared
        How many steps were made; counted by those optimisers alone that need to know.

    Raises
    ------
    InputError
        If a value is no number or outside its range, or a keyword is unknown.

    Examples
    --------
    The sign of the gradient, whatever its size:

    >>> import symcnn as sc
    >>> class SignDescent(Optimizer):
    ...     def direction(self, parameter, gradient):
    ...         return sc.sign(gradient), {}
    >>> w = sc.shared(np.array([1.0, -2.0]), name="w")
    >>> updates = SignDescent(0.1).updates([w], [sc.grad(sc.sum(w * w), w)])
    >>> _ = sc.function([], [], updates=updates, device="reference")()
    >>> w.get_value()
    array([ 0.9, -1.9])
    """

    counts_steps = False
    decoupled_decay = False  # whether weight decay bypasses the direction

    def __init__(
        self,
        learning_rate: float,
        weight_decay: float = 0.0,
        clip_value=None,
        clip_norm=None,
        rates: dict | None = None,
    ):
        # float64, so that the rate is rounded once, to the dtype of each parameter.
        self._rate = sc.shared(np.zeros((), "float64"), name="learning_rate")
        self.learning_rate = learning_rate
        self.steps = sc.shared(np.zeros((), "int64"), name="step")
        self.weight_decay = checked_number("weight_decay", weight_decay, 0)
        self.clip_value = None if clip_value is None else checked_number("clip_value", clip_value, 0, strict=True)
        self.clip_norm = None if clip_norm is None else checked_number("clip_norm", clip_norm, 0, strict=True)
        self.rates = _checked_rates({} if rates is None else rates)
        self._slots: dict[sc.Shared, dict[str, sc.Shared]] = {}  # by parameter and name
        self._paths: dict[str, sc.Shared] = {}  # the parameters trained so far
        self._known: set[str] = set()  # paths, also of parameters that are frozen

    def __setattr__(self, name: str, value):
        if name in ELSEWHERE["learning_rate"].split():
            raise InputError(f"{type(self).__name__} has no {name!r} to set", hint="did you mean 'learning_rate'?")
        super().__setattr__(name, value)

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        cls.__init__ = checked_keywords(cls.__init__)

    @property
    def learning_rate(self) -> float:
        return float(self._rate.get_value())

    @learning_rate.setter
    def learning_rate(self, value: float):
        if callable(value):
            raise InputError(
                "learning_rate is a number", found=repr(value), hint="a schedule is for sc.train.fit(..., schedule=...)"
            )
        self._rate.set_value(np.float64(checked_number("learning_rate", value, 0)))

    def updates(self, parameters, gradients) -> dict:
        """The new value of every parameter and slot, as one dict for ``sc.function(..., updates=)``.

        All new values are expressions of the old ones.

        Parameters
        ----------
        parameters : Parameters or sequence of Shared
            With paths, or known by their names.
        gradients : sequence of Variable
            One per parameter, in the same order.

        Raises
        ------
        InputError
            If there are not as many gradients as parameters, or a pattern of `rates` matches none of them.
        """
        by_path, gradients = _by_path(parameters), list(gradients)
        if len(by_path) != len(gradients):
            raise InputError(
                "updates: one gradient per parameter", expected=f"{len(by_path)} gradients", found=len(gradients)
            )
        self.check(by_path)
        self._paths |= by_path
        clipped = self._clipped(dict(zip(by_path.values(), gradients, strict=True)))
        updates = {}
        for path, parameter in by_path.items():
            factor = self._factor(path)
            if factor == 0:
                updates[parameter] = parameter
                continue
            direction, slots = self._decayed_direction(parameter, clipped[parameter])
            rate = (factor * self._rate).astype(parameter.dtype)
            updates |= {**slots, parameter: parameter - rate * direction}
        return {**updates, self.steps: self.steps + 1} if self.counts_steps else updates

    def check(self, paths) -> None:
        """Take note of paths that exist, also of frozen parameters: patterns of `rates` may match any of them.

        Raises
        ------
        InputError
            If a pattern matches none of all paths noted so far.
        """
        self._known |= set(paths)
        for pattern in self.rates:
            matching(self._known, pattern)

    def direction(self, parameter, gradient) -> tuple:
        """Which way to go, and what to remember: an expression of the parameter's shape, and ``{slot: new value}``."""
        raise NotImplementedError(f"{type(self).__name__} defines no direction(parameter, gradient)")

    def slot(self, name: str, parameter, start: float = 0.0):
        """The Shared called `name` that belongs to `parameter`; filled with `start` at first."""
        slots = self._slots.setdefault(parameter, {})
        if name not in slots:
            value = np.full(parameter.shape, start, parameter.dtype)
            slots[name] = sc.shared(value, name=f"{parameter.name or 'parameter'}.{name}")
        return slots[name]

    def variables(self) -> dict:
        """All that the optimiser remembers, by name: what a checkpoint holds.

        Slots exist once `updates` was called. Their names are made of the slot's and the parameter's path.

        Examples
        --------
        >>> import symcnn as sc
        >>> model, adam = sc.models.mlp([2, 2]), sc.optim.Adam()
        >>> parameters = model.parameters()
        >>> cost = sc.sum(model(sc.input("x", (None, 2))))
        >>> _ = adam.updates(parameters, sc.grad(cost, list(parameters)))
        >>> list(adam.variables())[:4]
        ['learning_rate', 'step', 'mean/dense1.weight', 'square/dense1.weight']
        """
        found: dict[str, sc.Shared] = {"learning_rate": self._rate}
        if self.counts_steps:
            found["step"] = self.steps
        for path, parameter in self._paths.items():
            found |= {f"{name}/{path}": slot for name, slot in self._slots.get(parameter, {}).items()}
        return found

    def __repr__(self):
        known = vars(self)
        options = {name: known[name] for name in inspect.signature(type(self).__init__).parameters if name in known}
        return described(self, f"{self.learning_rate:g}", **options | {"rates": self.rates or None})

    def _decayed_direction(self, parameter, gradient):
        if not self.weight_decay:
            return self.direction(parameter, gradient)
        decay = self.weight_decay * parameter
        if not self.decoupled_decay:
            return self.direction(parameter, gradient + decay)
        direction, slots = self.direction(parameter, gradient)
        return direction + decay, slots

    def _clipped(self, gradients: dict) -> dict:
        """Gradients by parameter: a weight that two layers share counts once in the norm."""
        values = list(gradients.values())
        if self.clip_value is not None:
            values = clip_by_value(values, self.clip_value)
        if self.clip_norm is not None:
            values = clip_by_norm(values, self.clip_norm)
        return dict(zip(gradients, values, strict=True))

    def _factor(self, path: str) -> float:
        """Of the learning rate."""
        return next((factor for pattern, factor in reversed(self.rates.items()) if matches(path, pattern)), 1.0)


def _by_path(parameters) -> dict:
    """Parameters by path; those of a plain sequence by name, with the position where names repeat."""
    if hasattr(parameters, "items"):
        return dict(parameters.items())
    found = {}
    for position, parameter in enumerate(parameters):
        name = parameter.name or "parameter"
        found[f"{name}.{position}" if name in found else name] = parameter
    return found


def _checked_rates(rates) -> dict[str, float]:
    if not isinstance(rates, dict) or not all(isinstance(pattern, str) for pattern in rates):
        raise InputError("rates are factors by pattern", expected='such as {"conv*": 0.1}', found=repr(rates))
    return {pattern: checked_number(f"the factor of {pattern!r} in rates", f, 0) for pattern, f in rates.items()}
