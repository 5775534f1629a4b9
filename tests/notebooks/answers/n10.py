"""Right and wrong answers to the exercises of notebook 10."""

import numpy as np


def occlusion(score, image, size, *, channels=slice(None), fill=0.0):
    rows, columns = image.shape[1] // size, image.shape[2] // size
    covered = np.repeat(image[None], rows * columns, axis=0)
    for k, (i, j) in enumerate(np.ndindex(rows, columns)):
        covered[k, channels, i * size : (i + 1) * size, j * size : (j + 1) * size] = fill
    return (score(image[None])[0] - score(covered)).reshape(rows, columns)


def that_covers_for_good(score, image, size):
    result = occlusion(score, image, size)
    image[:] = 0
    return result


def fool(image, slope, epsilon):
    return np.clip(image + epsilon * np.sign(slope), 0, 1)


RIGHT = {"10-2": [occlusion], "10-3": [fool]}
WRONG = {
    "10-2": [
        lambda *operands: -occlusion(*operands),
        lambda *operands: occlusion(*operands, channels=0),
        lambda *operands: occlusion(*operands, fill=1.0),
        lambda score, image, size: occlusion(score, image, size).T,
        that_covers_for_good,
        lambda *operands: ...,
    ],
    "10-3": [
        lambda image, slope, epsilon: fool(image, -slope, epsilon),
        lambda image, slope, epsilon: image + epsilon * np.sign(slope),
        lambda image, slope, epsilon: np.clip(image + epsilon * slope / np.abs(slope).max(), 0, 1),
        lambda image, slope, epsilon: fool(image, slope, 2 * epsilon),
        lambda *operands: ...,
    ],
}
