"""Unknown keywords get an error of the family, with the nearest known name as a hint."""

from __future__ import annotations

import inspect
from difflib import get_close_matches
from functools import wraps

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
