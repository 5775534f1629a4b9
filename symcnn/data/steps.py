"""Steps: what is done to each batch between storage and network, ``step(images, labels, rng) -> (images, labels)``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from inspect import isclass

import numpy as np

from symcnn.data.lazy import name_of
from symcnn.errors import InputError
from symcnn.keywords import takes


@dataclass(frozen=True)
class OfImages:
    """A function of the images alone, as a step."""

    function: Callable

    @property
    def __name__(self):
        return name_of(self.function)

    def __call__(self, images, labels, rng):
        return self.function(images), labels


def check_step(transform, what: str, arguments: int) -> None:
    """`transform` is a function of so many arguments.

    Raises
    ------
    InputError
        If it is none, or a class where an instance is meant.
    """
    form = "transform(images) -> images" if arguments == 1 else "transform(images, labels, rng) -> (images, labels)"
    other = "augment" if arguments == 1 else "map"
    meant_instance = isclass(transform) and not issubclass(transform, np.generic)  # np.float32(images) is a function
    if not callable(transform) or meant_instance:
        hint = f"{transform.__name__}(...), an instance of the class" if meant_instance else None
        raise InputError(f"{what} needs a function", expected=form, found=repr(transform), hint=hint)
    if not takes(transform, arguments):
        raise InputError(
            f"{what}: {name_of(transform)} does not take {arguments} argument{'s' * (arguments > 1)}",
            expected=form,
            hint=f"is it one for dataset.{other}?",
        )


def applied(step, images, labels, rng):
    """``step(images, labels, rng)``, which is a pair of as many images and labels.

    Raises
    ------
    InputError
        If it is not.
    """
    found = step(images, labels, rng)
    if not isinstance(found, tuple) or len(found) != 2 or not len(images) == len(found[0]) == len(found[1]):
        raise InputError(
            f"{name_of(step)} does not return a pair (images, labels) of as many examples as it was given",
            found=[np.shape(part) for part in found] if isinstance(found, tuple) else type(found).__name__,
        )
    return found
