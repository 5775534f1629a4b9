"""Which pixels a score hangs on: its gradient with respect to the image, as a picture beside it and over it."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

import numpy as np

import symcnn as sc
from symcnn.errors import InputError
from symcnn.keywords import checked_keywords, checked_number, nearest
from symcnn.nn import Module
from symcnn.viz.activations import class_names
from symcnn.viz.figure import Figure
from symcnn.viz.images import one_example, square, visible
from symcnn.viz.palette import COLOURS, still_style
from symcnn.viz.png import stretched
from symcnn.viz.tiles import STYLE, Tile, facts, framed

METHODS = {
    "gradient": "|d score / d input|",
    "gradient x input": "|input × d score / d input|",
    "smooth": "|mean of d score / d input|",
}
LARGER = ".pictures text { font-size: 13.5px }"
SIZE, GAP, TOP = 264, 22, 52
BATCH = 8  # noisy copies at a time
BRIGHT = 0.995  # the share of the pixels that is below white, so that a single one does not leave the others dark


@dataclass(frozen=True, eq=False)
class Attribution:
    """How much each pixel matters to a score.

    Attributes
    ----------
    values : numpy.ndarray
        (H, W), or (n,) for a network that takes vectors; the largest of the channels.
    scores : numpy.ndarray
        (classes,), of the image.
    target : int
        The class.
    """

    values: np.ndarray
    scores: np.ndarray
    target: int


@checked_keywords
def saliency(
    model: Module, image, target: int | str | None = None, classes=None, method: str = "gradient",
    samples: int = 25, noise: float = 0.15, seed: int = 0, device: str = "cpu",
) -> Figure:  # fmt: skip
    """Show which pixels the score of a class depends on: the image, |d score / d input|, and one over the other.

    Bright is where a small change of the pixel changes the score most, not where the object is: gradients of one image are
    noisy, and ``method="smooth"`` takes the mean of those of noisy copies.

    Parameters
    ----------
    model : symcnn.nn.Module
        A network with scores (n, classes) before any softmax, which would mix in the scores of the other classes.
    image : array_like
        (C, H, W) or (1, C, H, W), prepared as the network was trained on.
    target : int or str, optional
        Class, by number or by its name in `classes`; by default that of the largest score.
    classes : sequence of str, optional
        Names of the classes.
    method : {"gradient", "gradient x input", "smooth"}
        The gradient g; x g, the share of each pixel if the network were linear; or the mean of g over noisy copies.
    samples, noise, seed
        Of the smooth method: number of copies, the standard deviation of the noise as a part of the range of the image,
        and where its random numbers start.
    device : str

    Returns
    -------
    Figure

    Raises
    ------
    InputError
        If `model` gives no scores, or there is no such class or method.
    ShapeError
        If `image` is not one image, or does not fit the network.

    Notes
    -----
    Simonyan, Vedaldi and Zisserman, *Deep inside convolutional networks*, ICLR workshop 2014 (arXiv:1312.6034): of the
    channels of a pixel the largest counts. Smilkov et al., *SmoothGrad: removing noise by adding noise*, 2017
    (arXiv:1706.03825).

    Examples
    --------
    >>> import symcnn as sc
    >>> image = np.linspace(0, 1, 28 * 28, dtype="float32").reshape(1, 28, 28)
    >>> figure = saliency(sc.models.lenet(), image, target=3, device="reference")
    >>> print(figure.title)
    What the score of class 3 depends on
    """
    found = attribution(model, image, target, classes, method, samples, noise, seed, device)
    batch = one_example("saliency", model, image)
    name = class_names("saliency", classes, found.scores)[found.target]
    title = f"What the score of {name} depends on"
    values = found.values if found.values.ndim == 2 else square(found.values)
    picture = visible(batch[0])
    shown = stretched(values, 0, np.quantile(values, BRIGHT))
    tiles = {
        "the image": Tile(picture, "the image", facts(batch[0])),
        METHODS[method]: Tile(shown, METHODS[method], facts(found.values)),
        "both": Tile(_overlay(picture, shown), "both", "the brighter on the left, the more colour"),
    }
    score = f"score {found.scores[found.target]:.3g}, {_rank(found)}"
    content = [f'<text class="name start" x="0" y="15">{escape(name)}: {score}</text>']
    for k, (heading, tile) in enumerate(tiles.items()):
        x = k * (SIZE + GAP)
        content.append(f'<text x="{x + SIZE / 2}" y="{TOP - 8}">{escape(heading)}</text>{tile.svg(x, TOP, SIZE)}')
    svg = framed("".join(content), 3 * SIZE + 2 * GAP, TOP + SIZE, title, still_style(STYLE + LARGER))
    return Figure(title, svg, f"{name}: {score}\n{METHODS[method]}: {facts(found.values)}\n{_spread(found.values)}")


def attribution(
    model, image, target=None, classes=None, method="gradient", samples=25, noise=0.15, seed=0, device="cpu"
) -> Attribution:
    """What `saliency` draws, as numbers; the parameters are the same.

    Examples
    --------
    >>> import symcnn as sc
    >>> layer = sc.nn.Dense(3, 2)
    >>> layer.weight.set_value([[1, 0], [-2, 0], [3, 0]])
    >>> attribution(layer, [1, 1, 1], target=0, device="reference").values
    array([1., 2., 3.], dtype=float32)
    """
    batch = one_example("saliency", model, image).astype(model.dtype)
    if method not in METHODS:
        raise InputError(f"saliency: no method {method!r}", hint=nearest(method, METHODS))
    x = sc.input("x", (None, *batch.shape[1:]), batch.dtype)
    answer = model(x)
    if not isinstance(answer, sc.Variable) or answer.ndim != 2 or answer.shape[1] is None:
        found = answer.shape if isinstance(answer, sc.Variable) else type(answer).__name__
        raise InputError("saliency asks a network for scores", expected="(n, classes)", found=found)
    choice = sc.input("choice", (answer.shape[1],), answer.dtype)
    gradient = sc.function([x, choice], [answer, sc.grad(sc.sum(answer @ choice), x)], device=device)
    scores = gradient(batch, np.zeros(answer.shape[1], answer.dtype))[0][0]
    number = _target(target, classes, scores)
    chosen = np.eye(len(scores), dtype=answer.dtype)[number]
    if method == "smooth":
        slopes = _smooth(lambda copies: gradient(copies, chosen)[1], batch, samples, noise, seed)
    else:
        slopes = gradient(batch, chosen)[1][0]
    values = np.abs(slopes * batch[0] if method == "gradient x input" else slopes)
    return Attribution(values.max(axis=0) if values.ndim == 3 else values, scores, number)


def _smooth(gradients, batch, samples, noise, seed) -> np.ndarray:
    """The mean of the gradients at noisy copies."""
    if not isinstance(samples, int) or isinstance(samples, bool) or samples < 1:
        raise InputError("saliency: samples is a whole number, at least 1", found=repr(samples))
    width = checked_number("saliency: noise", noise, 0) * np.ptp(batch)
    rng = np.random.default_rng(seed)
    total = np.zeros(batch.shape[1:])
    for start in range(0, samples, BATCH):
        count = min(BATCH, samples - start)
        copies = batch + width * rng.standard_normal((count, *batch.shape[1:]))
        total += gradients(copies.astype(batch.dtype)).sum(axis=0, dtype="float64")
    return total / samples


def _target(target, classes, scores) -> int:
    names = class_names("saliency", classes, scores)
    if target is None:
        return int(scores.argmax())
    if isinstance(target, str):
        if target not in names:
            raise InputError(f"saliency: no class {target!r}", hint=nearest(target, names))
        return names.index(target)
    if not isinstance(target, (int, np.integer)) or isinstance(target, bool) or not 0 <= target < len(scores):
        raise InputError(
            "saliency: target is the number of a class", expected=f"0 to {len(scores) - 1}", found=repr(target)
        )
    return int(target)


def _overlay(picture, shown) -> np.ndarray:
    """The image in grey, and over it a colour where `shown` is bright."""
    grey = picture.mean(axis=2) if picture.ndim == 3 else picture
    text = COLOURS["c1"][1]
    colour = np.array([int(text[k : k + 2], 16) for k in (1, 3, 5)])
    share = shown[..., None] / 255
    return ((1 - share) * 0.75 * grey[..., None] + share * colour).round().astype("uint8")


def _rank(found: Attribution) -> str:
    """``the largest of 10``."""
    place = 1 + int((found.scores > found.scores[found.target]).sum())
    return f"the largest of {len(found.scores)}" if place == 1 else f"place {place} of {len(found.scores)}"


def _spread(values) -> str:
    """How many pixels hold most of it."""
    ordered = np.sort(values.ravel())[::-1].cumsum(dtype="float64")
    if not ordered[-1]:
        return "It is 0 everywhere: no small change of the image changes the score."
    count = int(np.searchsorted(ordered, ordered[-1] / 2)) + 1
    return f"Half of it lies in {count / values.size:.0%} of the pixels."
