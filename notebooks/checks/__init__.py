"""Whether an answer to an exercise is right: ``check("05-2", answer)`` says so and does not give it away.

Exercise 2 of notebook 05 is `exercise_2` of `n05.py`: a function of the answer that returns if it is right, perhaps with
a remark, and raises `Wrong` with a hint if it is not.
"""

from importlib import import_module
from typing import NamedTuple

from .compare import Wrong


class Verdict(NamedTuple):
    """What is said of an answer; `right` is None where none was given."""

    right: bool | None
    text: str


def check(exercise: str, answer) -> None:
    """Print whether `answer` solves `exercise`, such as ``"05-2"``."""
    print(f"{exercise}: {verdict(exercise, answer).text}")


def verdict(exercise: str, answer) -> Verdict:
    """Judge `answer`, which may be anything: what it raises when it is tried is said, not raised."""
    judge = _judge(exercise)
    if answer is None or answer is ...:
        return Verdict(None, "no answer yet.")
    try:
        remark = judge(answer)
    except Wrong as hint:
        return Verdict(False, f"not yet. {hint}")
    except Exception as error:
        return Verdict(False, f"not yet. Trying your answer raised {type(error).__name__}: {error}")
    return Verdict(True, f"right. {remark or ''}".rstrip())


def _judge(exercise: str):
    number, _, part = exercise.partition("-")
    try:
        return getattr(import_module(f".n{number}", __name__), f"exercise_{part}")
    except (ImportError, AttributeError):
        raise ValueError(f"no exercise {exercise!r} has a checker; names are such as '05-2'") from None
