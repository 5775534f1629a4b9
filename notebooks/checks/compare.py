"""How answers are compared with what is right: numerically, and with a hint instead of the solution."""

import numpy as np


class Wrong(Exception):
    """An answer is not right; the message is a hint for the learner."""


def require(condition, hint: str) -> None:
    """Raise `Wrong` with `hint` unless `condition` holds."""
    if not condition:
        raise Wrong(hint)


def same(answer, expected, hint: str = "That is not the value.", *, tolerance: float = 1e-3) -> None:
    """Raise `Wrong` unless `answer` is `expected`, a number or an array, within a relative `tolerance`; of an array, relative
    to its largest entry.
    """
    expected = np.asarray(expected, dtype="float64")
    require(answer is not None and answer is not ..., "There is nothing yet.")
    kind = f"an array of shape {expected.shape}" if expected.ndim else "a number"
    try:
        given = np.asarray(answer, dtype="float64")
    except (TypeError, ValueError):
        raise Wrong(f"The answer should be {kind}, not {type(answer).__name__}.") from None
    require(given.shape == expected.shape, f"The answer should be {kind}, not of shape {given.shape}.")
    scale = np.abs(expected).max(initial=0.0)
    require(np.all(np.abs(given - expected) <= tolerance * scale + 1e-12), hint)
