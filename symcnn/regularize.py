"""Regularisation: penalties that are added to the loss, and constraints that hold after every update.

Both go into `symcnn.train.compile_step`, and choose parameters by patterns of their paths, as ``model.freeze`` does.
Without a pattern they choose the weights, which is what has two axes or more: biases, and the scales of
normalisations, are few and stay free.
"""

from __future__ import annotations

from functools import reduce
from operator import add

import symcnn as sc
from symcnn.errors import InputError
from symcnn.keywords import checked_keywords, checked_number, meant
from symcnn.nn.freeze import matches, matching
from symcnn.nn.outline import described

__all__ = ["L1", "L2", "Constraint", "MaxNorm", "NonNegative", "Penalty", "UnitNorm"]


def __getattr__(name: str):
    if name.startswith("__"):
        raise AttributeError(name)
    raise AttributeError(f"symcnn.regularize has no {name!r}; {meant(name, __all__)}")


class Rule:
    """What penalties and constraints have in common: they choose parameters.

    Parameters
    ----------
    *patterns : str
        Of paths; the weights by default.
    """

    @checked_keywords
    def __init__(self, *patterns: str):
        for pattern in patterns:
            if not isinstance(pattern, str):
                what = f"{type(self).__name__}: a pattern is a text"
                raise InputError(what, expected="such as 'conv*'", found=repr(pattern))
        self.patterns = patterns
        self._known: set[str] = set()

    def concerns(self, path: str, parameter) -> bool:
        """Whether the parameter at `path` is chosen."""
        return any(matches(path, pattern) for pattern in self.patterns) if self.patterns else parameter.ndim >= 2

    def check(self, paths) -> None:
        """Take note of paths that exist, also of frozen parameters: patterns may match any of them.

        Raises
        ------
        InputError
            If a pattern matches none of all paths noted so far.
        """
        self._known |= set(paths)
        for pattern in self.patterns:
            matching(self._known, pattern)

    def __repr__(self):
        numbers = [f"{value:g}" for value in vars(self).values() if isinstance(value, float)]
        options = {name: value for name, value in vars(self).items() if name == "axis"}
        return described(self, *numbers, *map(repr, self.patterns), **options)


class Penalty(Rule):
    """Base of penalties: ``strength`` times the sum of ``measure(parameter)``. They add up: ``L1(1e-5) + L2(1e-4)``.

    Parameters
    ----------
    strength : float
        At least 0.
    *patterns : str
        Which parameters are meant; the weights by default.

    Raises
    ------
    InputError
        If the strength is no number or negative.
    """

    @checked_keywords
    def __init__(self, strength: float, *patterns: str):
        super().__init__(*patterns)
        self.strength = checked_number(f"{type(self).__name__}: strength", strength, 0)

    def measure(self, parameter):
        """A scalar expression of one parameter."""
        raise NotImplementedError(f"{type(self).__name__} defines no measure(parameter)")

    def __call__(self, parameters):
        """The penalty as a scalar Variable; ``None`` if it concerns none of `parameters`.

        Parameters
        ----------
        parameters : Parameters

        Raises
        ------
        InputError
            If a pattern matches nothing; see `check`.
        """
        self.check(parameters.keys())
        chosen = [parameter for path, parameter in parameters.items() if self.concerns(path, parameter)]
        return self.strength * reduce(add, map(self.measure, chosen)) if chosen else None

    def __add__(self, other):
        return _Sum((self, other)) if isinstance(other, Penalty | _Sum) else NotImplemented


class L1(Penalty):
    r"""Sum of magnitudes, :math:`\lambda \sum |w|`: weights that are not needed become zero.

    Parameters
    ----------
    strength : float
        The factor :math:`\lambda`, at least 0.
    *patterns : str
        Which parameters are meant; the weights by default.

    Notes
    -----
    Tibshirani, *Regression shrinkage and selection via the lasso*, J. R. Stat. Soc. B 58 (1996).

    Examples
    --------
    >>> import numpy as np, symcnn as sc
    >>> layer = sc.nn.Dense(2, 2, init=sc.init.constant(-3.0))
    >>> float(sc.function([], L1(0.5)(layer.parameters()), device="reference")())
    6.0
    """

    def measure(self, parameter):
        return sc.sum(sc.abs(parameter))


class L2(Penalty):
    r"""Sum of squares, :math:`\lambda \sum w^2`: no weight becomes large.

    For `symcnn.optim.SGD` this is the same as ``weight_decay`` of :math:`2\lambda` on the same parameters.

    Parameters
    ----------
    strength : float
        The factor :math:`\lambda`, at least 0.
    *patterns : str
        Which parameters are meant; the weights by default.

    Notes
    -----
    Krogh and Hertz, *A simple weight decay can improve generalization*, NIPS 1991.

    Examples
    --------
    >>> import numpy as np, symcnn as sc
    >>> layer = sc.nn.Dense(2, 2, init=sc.init.constant(-3.0))
    >>> float(sc.function([], L2(0.5)(layer.parameters()), device="reference")())
    18.0
    """

    def measure(self, parameter):
        return sc.sum(sc.square(parameter))


class _Sum:
    """Several penalties."""

    def __init__(self, terms):
        self.terms = terms

    def __call__(self, parameters):
        found = [term(parameters) for term in self.terms]
        found = [penalty for penalty in found if penalty is not None]
        return reduce(add, found) if found else None

    def check(self, paths):
        for term in self.terms:
            term.check(paths)

    def __repr__(self):
        return " + ".join(map(repr, self.terms))

    __add__ = Penalty.__add__


class Constraint(Rule):
    """Base of constraints, which define ``project(value)``. They chain: ``MaxNorm(3, "conv*") + MaxNorm(2, "dense*")``.

    Parameters
    ----------
    *patterns : str
        Which parameters are meant; the weights by default.
    """

    def project(self, value):
        """The nearest allowed value, as an expression."""
        raise NotImplementedError(f"{type(self).__name__} defines no project(value)")

    def __call__(self, path: str, parameter, value):
        """What becomes of the new `value` of the parameter at `path`."""
        return self.project(value) if self.concerns(path, parameter) else value

    def __add__(self, other):
        return _Chain((self, other)) if isinstance(other, Constraint | _Chain) else NotImplemented


class MaxNorm(Constraint):
    r"""Bound the Euclidean norm of the incoming weights of each unit: longer ones are scaled down to it.

    .. math:: w_u \leftarrow w_u \min\left(1, \frac{b}{\|w_u\|}\right)

    Parameters
    ----------
    bound : float
        The bound b, above 0.
    *patterns : str
        Which parameters are meant; the weights by default.
    axis : int or tuple of int, optional
        The axes over which one norm runs. By default those of the inputs of one unit: the first axis of (in, out), all
        but the first of (out, in, height, width). For transposed convolutions, (in, out, height, width), say
        ``axis=(0, 2, 3)``.

    Raises
    ------
    InputError
        If the bound is no number or not above 0.

    Notes
    -----
    Srivastava et al., *Dropout*, JMLR 15 (2014), section 5.1; bounds of 3 to 4 are typical.

    Examples
    --------
    >>> import numpy as np, symcnn as sc
    >>> w = sc.constant(np.array([[3.0, 0.3], [4.0, 0.4]]))  # two inputs, two units
    >>> sc.function([], MaxNorm(1.0).project(w), device="reference")()
    array([[0.6, 0.3],
           [0.8, 0.4]])
    """

    @checked_keywords
    def __init__(self, bound: float, *patterns: str, axis=None):
        super().__init__(*patterns)
        self.bound, self.axis = checked_number("MaxNorm: bound", bound, 0, strict=True), axis

    def project(self, value):
        return value * (self.bound / sc.maximum(_norms(value, self.axis), self.bound))


class UnitNorm(Constraint):
    r"""Scale the incoming weights of each unit to Euclidean norm 1; all zero, they stay so.

    Parameters
    ----------
    *patterns : str
        Which parameters are meant; the weights by default.
    axis : int or tuple of int, optional
        As in `MaxNorm`.

    Examples
    --------
    >>> import numpy as np, symcnn as sc
    >>> w = sc.constant(np.array([[3.0, 0.0], [4.0, 0.0]]))
    >>> sc.function([], UnitNorm().project(w), device="reference")()
    array([[0.6, 0. ],
           [0.8, 0. ]])
    """

    @checked_keywords
    def __init__(self, *patterns: str, axis=None):
        super().__init__(*patterns)
        self.axis = axis

    def project(self, value):
        norms = _norms(value, self.axis)
        return value / sc.where(norms > 0, norms, 1.0)


class NonNegative(Constraint):
    """Negative weights become zero.

    Parameters
    ----------
    *patterns : str
        Which parameters are meant; the weights by default.

    Examples
    --------
    >>> import numpy as np, symcnn as sc
    >>> w = sc.constant(np.array([-1.0, 2.0]))
    >>> sc.function([], NonNegative().project(w), device="reference")()
    array([0., 2.])
    """

    def project(self, value):
        return sc.maximum(value, 0.0)


class _Chain:
    """Several constraints, one after the other."""

    def __init__(self, links):
        self.links = links

    def __call__(self, path, parameter, value):
        for link in self.links:
            value = link(path, parameter, value)
        return value

    def check(self, paths):
        for link in self.links:
            link.check(paths)

    def __repr__(self):
        return " + ".join(map(repr, self.links))

    __add__ = Constraint.__add__


def _norms(value, axis):
    """Norm of the incoming weights of each unit, in a shape that broadcasts against them."""
    if axis is None:
        axis = 0 if value.ndim == 2 else tuple(range(1, value.ndim))
    return sc.sqrt(sc.sum(sc.square(value), axis=axis, keepdims=True))
