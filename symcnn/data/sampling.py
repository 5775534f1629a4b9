"""Which examples come when: the order of an epoch, balanced draws, stratified parts; each follows from a seed alone."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from symcnn.errors import DTypeError, InputError


def generator(seed: int | Sequence[int], *position: int) -> np.random.Generator:
    """Random numbers that depend on `seed` and `position` only; without a position those of ``default_rng(seed)``."""
    try:
        if seed is None:
            raise TypeError("NumPy would take another seed every time")
        return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=position))  # type: ignore[arg-type]
    except (TypeError, ValueError):
        raise InputError(
            "this is no seed",
            expected="an integer from 0, or a sequence of them such as (seed, epoch)",
            found=repr(seed),
        ) from None


def balanced_rows(labels: np.ndarray, per_class: int, rng: np.random.Generator) -> np.ndarray:
    """`per_class` rows of every class that occurs, class by class.

    A class with fewer examples gives each of them equally often, up to one; a class with more gives as many, none twice.
    """
    chosen = []
    for label in np.unique(labels):
        rows = np.flatnonzero(labels == label)
        whole, rest = divmod(per_class, len(rows))
        chosen += [np.tile(rows, whole), rng.permutation(rows)[:rest]]
    return np.concatenate(chosen) if chosen else np.arange(0)


def parts(labels: np.ndarray, fractions: Sequence[float], rng: np.random.Generator) -> list[np.ndarray]:
    """Masks of disjoint parts of the rows, each with its fraction of every class, rounded; and first of what is left."""
    part = np.zeros(len(labels), int)
    for label in np.unique(labels):
        rows = rng.permutation(np.flatnonzero(labels == label))
        start = 0
        for number, fraction in enumerate(fractions, 1):
            count = round(fraction * len(rows))
            part[rows[start : start + count]] = number
            start += count
    return [part == number for number in range(len(fractions) + 1)]


def class_labels(labels, what: str) -> np.ndarray:
    if len(labels.shape) != 1 or labels.dtype.kind not in "iu":
        raise DTypeError(
            f"{what} needs class labels",
            expected="integers of shape (n,)",
            found=f"{labels.dtype} of shape {labels.shape}",
            hint=_as_classes(labels, what),
        )
    labels = np.asarray(labels)
    if labels.size and labels.min() < 0:
        raise InputError(f"{what}: class labels count from 0", found=labels.min())
    return labels


def _as_classes(labels, what: str) -> str | None:
    """How labels of this form become class labels."""
    if len(labels.shape) == 2 and labels.shape[1] == 1:
        return "labels[:, 0]"
    if len(labels.shape) == 2:
        return "labels.argmax(axis=1), if they are one-hot"
    if len(labels.shape) == 1:
        return "labels.astype(int), if they are whole numbers"
    return "stratified=False" if what == "split" else None
