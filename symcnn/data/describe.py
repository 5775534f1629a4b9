"""Know your data: what is in a data set, and what in it looks like a mistake."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import numpy as np

from symcnn.data.layouts import check_layout
from symcnn.data.moments import Moments, chunks
from symcnn.errors import ShapeError

_LOOKED_AT = 1 << 27  # numbers; a second or two
_LISTED = 20  # classes


@dataclass(frozen=True, repr=False)
class Description:
    """A report on a data set, made by `Dataset.describe`; printed, it is a page of text.

    Attributes
    ----------
    facts : dict of str to str
        What there is: images, values, labels, classes.
    notes : tuple of str
        What looks like a mistake, or should be known before training; empty where nothing does.
    """

    facts: dict[str, str]
    notes: tuple[str, ...]

    def __str__(self):
        rows = [*self.facts.items(), *(("note", note) for note in self.notes)]
        return "\n".join(f"{name:8} {text}" for name, text in rows)

    __repr__ = __str__


def describe(data, limit: int | None = None) -> Description:
    """Look at the stored images and labels of a `Dataset`, at no more than `limit` images; see `Dataset.describe`."""
    images, labels = data.images, data.labels
    count = len(images)
    facts = {"images": f"{count:,} x {images.dtype}{list(images.shape[1:])}, {_megabytes(images)}"}
    if not count:
        return Description(facts, ("there is no example",))
    size = prod(images.shape[1:])
    limit = min(count, limit or max(1, _LOOKED_AT // max(size, 1)))
    rows = None if limit == count else np.linspace(0, count - 1, limit).astype("int64")
    seen = _Images(images, rows)
    facts["values"] = seen.facts()
    if rows is not None:
        facts["values"] += f" ({limit:,} images, evenly spaced, were looked at)"
    class_labels = len(labels.shape) == 1 and labels.dtype.kind in "iu"
    notes = [*_layout_notes(images), *seen.notes(np.asarray(labels) if class_labels else None)]
    facts["labels"] = f"{labels.dtype}{list(labels.shape[1:])}" if len(labels.shape) > 1 else str(labels.dtype)
    if class_labels:
        labels = np.asarray(labels)
        facts["classes"] = _classes(labels, data.classes)
        notes += _class_notes(labels, data)
    else:
        notes += _target_notes(labels)
    if data.steps:
        notes.append("this is what is stored; batches are transformed, see print(dataset)")
    return Description(facts, tuple(notes))


class _Images:
    """One pass over images: range, moments, which are equal and which are empty."""

    def __init__(self, images, rows):
        channels_apart = len(images.shape) == 4 and images.shape[1] <= 4
        self.moments = Moments((0, 2, 3) if channels_apart else tuple(range(len(images.shape))))
        self.low, self.high, self.broken, self.blank = np.inf, -np.inf, 0, 0
        self.rows = range(len(images)) if rows is None else rows
        self.hashes = []
        for chunk in chunks(images, rows):
            flat = np.ascontiguousarray(chunk).reshape(len(chunk), -1)
            finite = np.isfinite(flat).all(axis=1)
            self.broken += len(flat) - int(finite.sum())
            if flat.size and finite.any():
                self.low = min(self.low, flat[finite].min())
                self.high = max(self.high, flat[finite].max())
                self.moments.add(chunk[finite])
            self.blank += int((flat == flat[:, :1]).all(axis=1).sum()) if flat.shape[1] > 1 else 0
            self.hashes += [hash(row.tobytes()) for row in flat]

    def facts(self) -> str:
        if not self.moments.count:
            return "none"
        mean, std = (np.atleast_1d(v) for v in (self.moments.mean, np.sqrt(self.moments.variance)))
        return f"{self.low:g} to {self.high:g}, mean {_figures(mean)}, std {_figures(std)}"

    def notes(self, labels):
        if self.broken:
            yield _many(self.broken, "image holds NaN or infinity", "images hold NaN or infinity")
        first: dict[int, int] = {}
        copies = contradictions = 0
        for row, key in zip(self.rows, self.hashes, strict=True):
            if key in first:
                copies += 1
                contradictions += labels is not None and labels[row] != labels[first[key]]
            else:
                first[key] = row
        if copies:
            text = _many(copies, "image is a copy of another", "images are copies of others")
            yield text + (f", {contradictions:,} with another label" if contradictions else "")
        if self.blank:
            yield _many(
                self.blank, "image is blank: all its pixels are equal", "images are blank: all pixels are equal"
            )
        if self.moments.count:
            mean, std = np.abs(self.moments.mean).max(), np.sqrt(np.max(self.moments.variance))
            if mean > 2 or not 0.1 < std < 10:
                yield "values are not normalised: normalize = Normalize.fit(train), then .map(normalize) on every split"


def _layout_notes(images):
    if len(images.shape) == 4 and images.shape[2] != images.shape[3]:
        try:
            check_layout(images)
        except ShapeError as error:
            yield f"channels come first, and these are {error.found}; {error.hint}"
    if len(images.shape) == 3:
        yield "images have no channel axis: images[:, None] adds it"


def _classes(labels, names) -> str:
    counts = _counts(labels, names)
    if len(set(counts.values())) == 1:
        return f"{len(counts)}, {next(iter(counts.values())):,} examples each"
    listed = list(counts.items())[:_LISTED]
    width = max(len(name) for name, _ in listed)
    text = "".join(f"\n  {name:{width}} {n:8,}  {n / len(labels):6.1%}" for name, n in listed)
    return f"{len(counts)}{text}" + (f"\n  and {len(counts) - _LISTED} more" if len(counts) > _LISTED else "")


def _counts(labels, names) -> dict[str, int]:
    values, counts = np.unique(labels, return_counts=True)
    found = dict.fromkeys(names, 0)
    for value, n in zip(values.tolist(), counts.tolist(), strict=True):
        found[names[value] if 0 <= value < len(names) else str(value)] = n
    return found


def _class_notes(labels, data):
    counts = _counts(labels, data.classes)
    missing = [name for name, n in counts.items() if not n]
    if missing:
        yield f"without an example: {', '.join(missing[:_LISTED])}"
    if labels.min() < 0:
        yield f"class labels count from 0, and the lowest is {labels.min()}"
    elif not data.classes and labels.max() >= len(counts):
        yield f"{len(counts)} classes have labels up to {labels.max()}: np.unique(labels, return_inverse=True) numbers them"
    largest, smallest = max(counts.values()), min(n for n in counts.values() if n)
    if largest > 2 * smallest and not data.per_class:
        yield f"the largest class has {largest / smallest:.3g} times the examples of the smallest: balanced(), class_weights()"
    if len(counts) > 1 and len(labels) > 2 and (np.diff(labels.astype("int64")) >= 0).all():
        yield "labels are sorted: shuffle, or a batch shows one class only"


def _target_notes(labels):
    if labels.dtype.kind != "f" or len(labels.shape) > 2:
        return
    values = np.asarray(labels)
    if (
        values.ndim == 2
        and values.shape[1] > 1
        and ((values == 0) | (values == 1)).all()
        and (values.sum(axis=1) == 1).all()
    ):
        yield "labels are one-hot: labels.argmax(axis=1) are class labels, which balance, splits and metrics take"
    elif np.isfinite(values).all() and (values == np.rint(values)).all():
        yield "labels are whole numbers in floats: labels.astype(int), if they are classes"


def _figures(values) -> str:
    return " ".join(f"{value:.3g}" for value in values)


def _many(count: int, one: str, more: str) -> str:
    return f"1 {one}" if count == 1 else f"{count:,} {more}"


def _megabytes(images) -> str:
    return f"{prod(images.shape) * images.dtype.itemsize / 1e6:,.1f} MB"
