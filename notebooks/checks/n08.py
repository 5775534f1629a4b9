"""Notebook 08, data and initialisation: He's rule for a convolution, and normalising by channel."""

import numpy as np

from .compare import require, same


def exercise_2(sigma):
    """He's rule with the fan-in of a window over all channels."""
    same(
        sigma, np.sqrt(2 / (3 * 3 * 64)), "One output adds up one product for each pixel of the window in each channel."
    )


def exercise_3(normalised):
    """Both parts by the statistics of the first, per channel; a constant channel stays finite."""
    rng = np.random.default_rng(3)
    bright = np.array([1.0, 0.3, 0.0]).reshape(1, 3, 1, 1)
    training = (rng.integers(0, 256, (20, 3, 6, 5)) * bright).astype("uint8")
    other = rng.integers(0, 256, (7, 3, 6, 5)).astype("uint8")
    given = normalised(training.copy(), other.copy())
    require(isinstance(given, tuple | list) and len(given) == 2, "It should return two arrays.")
    require(not any(part is ... for part in given), "It returns nothing yet.")
    require(all(np.all(np.isfinite(part)) for part in given), "Somewhere it divides by 0: a channel may be constant.")
    mean, std = training.mean(axis=(0, 2, 3), keepdims=True), training.std(axis=(0, 2, 3), keepdims=True)
    for name, mine, images in (("training", given[0], training), ("other", given[1], other)):
        right = ((images - mean) / np.where(std > 0, std, 1))[:, :2]
        require(np.shape(mine) == images.shape, f"The {name} images should keep their shape.")
        same(np.asarray(mine)[:, :2], right, f"The {name} images are not normalised as the training images ask for.")
    return "The constant channel may be anything finite."
