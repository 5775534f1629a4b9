"""Notebook 10, what a network has learnt: a map by occlusion, and the smallest change that fools."""

import numpy as np

from .compare import require, same


def exercise_2(occlusion):
    """By how much a score falls when a square of the image is covered: where it is and how much depends on all channels."""
    rng = np.random.default_rng(10)
    weights, image = rng.normal(size=(2, 6, 9)), rng.normal(size=(2, 6, 9))
    before = image.copy()

    def score(images):
        require(np.ndim(images) == 4, f"score takes images (n, channels, height, width), not {np.shape(images)}.")
        return np.tanh((images * weights).sum(axis=(1, 2, 3)) / 10)

    given = occlusion(score, image, 3)
    require(given is not None and given is not ..., "It returns nothing yet.")
    require(np.array_equal(image, before), "It changes the image; cover a copy.")
    drops = np.zeros((2, 3))
    for i, j in np.ndindex(2, 3):
        covered = before.copy()
        covered[:, 3 * i : 3 * i + 3, 3 * j : 3 * j + 3] = 0
        drops[i, j] = score(before[None])[0] - score(covered[None])[0]
    same(given, drops, "These are not the falls of the score.", tolerance=1e-9)
    return "And it needed no gradient."


def exercise_3(fool):
    """The image within the bounds that raises a loss of this slope most."""
    rng = np.random.default_rng(11)
    image, slope = rng.uniform(0, 1, (1, 8, 8)), rng.normal(size=(1, 8, 8)) * 10.0 ** rng.integers(-4, 3, (1, 8, 8))
    given = fool(image.copy(), slope.copy(), 0.1)
    require(given is not None and given is not ..., "It returns nothing yet.")
    given = np.asarray(given, dtype="float64")
    require(given.shape == image.shape, f"The answer should be an image of shape {image.shape}, not {given.shape}.")
    require(np.all(np.abs(given - image) <= 0.1 + 1e-9), "Some pixel is changed by more than epsilon.")
    require(given.min() >= 0 and given.max() <= 1, "Some pixel is below 0 or above 1: no image has that.")
    best = np.clip(image + 0.1 * np.sign(slope), 0, 1)
    gain, most = np.sum((given - image) * slope), np.sum((best - image) * slope)
    require(gain > 0, "The loss falls: that is the other direction.")
    require(
        gain >= most * (1 - 1e-9),
        f"The loss rises by {gain / most:.0%} of what is possible. How far may each pixel go?",
    )
    return "No other image within these bounds is worse, as long as the slope holds."
