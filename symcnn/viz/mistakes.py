"""What a classifier says of a data set: how often it takes each class for each other, and where it errs with certainty."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

import numpy as np

from symcnn.errors import InputError
from symcnn.metrics import ConfusionMatrix
from symcnn.viz.png import img, stretched

MOST_PIXELS = 64  # of a side; larger images are shown with fewer
SIDE = 112  # pixels on the page that an image is enlarged to, at most


@dataclass(frozen=True, eq=False)
class Mistake:
    """An example that is classified wrongly.

    Attributes
    ----------
    row : int
        Which example it is.
    picture : numpy.ndarray or None
        uint8, (height, width) or (height, width, 3); ``None`` of what is no image.
    truth, answer : int
        Its class, and what the classifier says.
    certainty : float
        The probability that it gives its answer.
    """

    row: int
    picture: np.ndarray | None
    truth: int
    answer: int
    certainty: float


def softmax(logits) -> np.ndarray:
    """Probabilities (n, classes) of logits."""
    shifted = np.exp(logits - logits.max(axis=1, keepdims=True))
    return shifted / shifted.sum(axis=1, keepdims=True)


def worst_mistakes(images, logits, labels, count: int = 24, rows=None) -> list[Mistake]:
    """The mistakes that the classifier is most certain of, the most certain first.

    Parameters
    ----------
    images : numpy.ndarray
        (n, ...), those of (n, channels, height, width) are shown.
    logits, labels : numpy.ndarray
        (n, classes) and (n,).
    count : int
        At most so many.
    rows : numpy.ndarray, optional
        Which examples of their data set these are; by default 0, 1, ...
    """
    probability = softmax(logits)
    answers = probability.argmax(axis=1)
    wrong = np.flatnonzero(answers != labels)
    certainty = probability[wrong, answers[wrong]]
    chosen = wrong[np.argsort(-certainty, kind="stable")][:count]
    rows = np.arange(len(labels)) if rows is None else rows
    return [
        Mistake(int(rows[k]), picture(images[k]), int(labels[k]), int(answers[k]), float(probability[k, answers[k]]))
        for k in chosen
    ]


def judged(model, data, classes, count: int = 24) -> tuple[ConfusionMatrix, list[Mistake]]:
    """The confusion matrix of `model` on `data`, and its worst mistakes; reads batch by batch.

    Parameters
    ----------
    model : Module
        Puts out logits (n, classes), or (n, classes, height, width): then pixels are counted, and no mistakes shown.
    data : Dataset
        Labelled with classes; labels that are none, such as 255, do not count.
    classes : tuple of str
        Their names; empty for numbers.

    Raises
    ------
    InputError
        If the labels are no classes, or the outputs no logits of them.
    """
    if data.labels.dtype.kind not in "iu":
        raise InputError("training_report: the labels are no classes", found=data.labels.dtype, expected="integers")
    confusion, mistakes, first = None, [], 0
    for images, labels in data.batches(128):
        logits = model.predict(images)
        if logits.ndim != labels.ndim + 1:
            raise InputError(
                "training_report: the model puts out no logits of these labels",
                expected=f"outputs (n, classes{', ...' * (labels.ndim > 1)})", found=f"outputs of shape {logits.shape}",
            )  # fmt: skip
        confusion = confusion or ConfusionMatrix(_names(classes, logits.shape[1]))
        known = (labels >= 0) & (labels < logits.shape[1])
        confusion.update(logits.argmax(axis=1)[known], labels[known])
        if labels.ndim == 1:
            mistakes += worst_mistakes(
                images[known], logits[known], labels[known], count, first + np.flatnonzero(known)
            )
            mistakes = sorted(mistakes, key=lambda mistake: -mistake.certainty)[:count]
        first += len(images)
    if confusion is None:
        raise InputError("training_report: the data set is empty")
    return confusion, mistakes


def _names(classes, count) -> tuple[str, ...]:
    if classes and len(classes) != count:
        raise InputError("training_report: one name per class", expected=f"{count} names", found=len(classes))
    return tuple(classes) or tuple(map(str, range(count)))


def picture(image) -> np.ndarray | None:
    """An example (channels, height, width) as a picture of grey or colour; ``None`` if it is no image."""
    if image.ndim != 3 or not image.size:
        return None
    step = -(-max(image.shape[1:]) // MOST_PIXELS)
    image = image[:, ::step, ::step]
    image = image if image.dtype == np.uint8 else stretched(image)
    return image.transpose(1, 2, 0) if len(image) == 3 else image[0]


def mistake_tiles(mistakes, classes) -> str:
    """HTML: each mistake with what it was taken for, how certainly, and what it is."""
    tiles = []
    for mistake in mistakes:
        truth, answer = escape(classes[mistake.truth]), escape(classes[mistake.answer])
        shown = "" if mistake.picture is None else _shown(mistake.picture, f"{truth}, taken for {answer}")
        tiles.append(
            f'<figure title="example {mistake.row}">{shown}<figcaption>{answer} {mistake.certainty:.0%}<br>'
            f"<span>is: {truth}</span></figcaption></figure>"
        )
    return f'<div class="tiles">{"".join(tiles) or "<p>None: every test image is classified rightly.</p>"}</div>'


def _shown(pixels, alt) -> str:
    return img(pixels, alt, scale=max(1, SIDE // max(pixels.shape[:2])))
