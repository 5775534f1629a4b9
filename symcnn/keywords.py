"""Arguments are checked where they are given: unknown keywords, with the nearest known name as a hint, and numbers."""

from __future__ import annotations

import inspect
from difflib import get_close_matches
from functools import wraps
from math import inf
from numbers import Real

from symcnn.errors import InputError


def nearest(name: str, known) -> str:
    """A hint for a mistyped `name`: the nearest of `known`, or all of them."""
    known = [str(k) for k in known]
    close = get_close_matches(name, known, n=1)
    return f"did you mean {close[0]!r}?" if close else f"known: {', '.join(known) or 'none'}"


def checked_keywords(function):
    """Decorate `function` so that an unknown keyword raises an InputError that suggests a known one.

    Examples
    --------
    >>> @checked_keywords
    ... def convolve(x, *, stride=1):
    ...     return stride
    >>> convolve(0, strde=2)
    Traceback (most recent call last):
    symcnn.errors.InputError: convolve has no keyword 'strde'
      where:    ...
      hint:     did you mean 'stride'?
    """
    parameters = inspect.signature(function).parameters
    if any(p.kind is p.VAR_KEYWORD for p in parameters.values()):
        return function
    known = [name for name in parameters if name != "self"]
    shown = function.__qualname__.removesuffix(".__init__")

    @wraps(function)
    def checked(*args, **kwargs):
        for name in kwargs:
            if name not in parameters:
                raise InputError(f"{shown} has no keyword {name!r}", hint=nearest(name, known))
        return function(*args, **kwargs)

    return checked


def checked_number(what: str, value, low: float = -inf, high: float = inf, *, strict: bool = False) -> float:
    """`value` as a finite float in ``low <= value < high``; `strict`: in ``low < value < high``.

    Raises
    ------
    InputError
        If `value` is no number, or lies elsewhere.

    Examples
    --------
    >>> checked_number("momentum", 0.9, 0, 1)
    0.9
    >>> checked_number("momentum", "0.9", 0, 1)
    Traceback (most recent call last):
    symcnn.errors.InputError: momentum is no number
      where:    ...
      expected: 0 <= momentum < 1
      found:    '0.9'
    """
    name = what.rpartition(" ")[2]
    below = "" if low == -inf else f"{low:g} {'<' if strict else '<='} "
    expected = f"{below}{name} < {high:g}" if below or high < inf else "a finite number"
    if not isinstance(value, Real) or isinstance(value, bool):
        raise InputError(f"{what} is no number", expected=expected, found=repr(value))
    number = float(value)
    if not (low < number < high if strict else low <= number < high) or number == -inf:
        raise InputError(f"{what} is out of range", expected=expected, found=value)
    return number
