"""Saliency: gradients against finite differences, by hand where the network is linear, and against each other."""

import io
import re
from base64 import b64decode

import numpy as np
import pytest
from PIL import Image

import symcnn as sc
from symcnn import nn
from symcnn.errors import InputError, ShapeError
from symcnn.viz.saliency import attribution, saliency

rng = np.random.default_rng(0)


@pytest.fixture(scope="module")
def model():
    """In float64, for differences; smooth, so that they exist everywhere."""
    return nn.Sequential(
        nn.Conv2d(2, 3, 3, seed=0, dtype="float64"), nn.Tanh(), nn.AvgPool2d(2), nn.Flatten(),
        nn.Dense(12, 4, seed=1, dtype="float64"), in_shape=(2, 6, 6),
    )  # fmt: skip


@pytest.fixture(scope="module")
def image():
    return rng.normal(size=(2, 6, 6))


def explain(*args, **kwargs):
    return attribution(*args, device="reference", **kwargs)


def slopes(model, image, target, step=1e-6):
    """The gradient of a score by central differences, a pixel at a time."""
    found = np.empty_like(image)
    for place in np.ndindex(image.shape):
        moved = np.stack([image, image])
        moved[(0, *place)] += step
        moved[(1, *place)] -= step
        above, below = model.predict(moved, device="reference")[:, target]
        found[place] = (above - below) / (2 * step)
    return found


def test_the_gradient_is_that_of_finite_differences(model, image):
    for target in (0, 3):
        found = explain(model, image, target)
        np.testing.assert_allclose(found.values, abs(slopes(model, image, target)).max(axis=0), rtol=1e-6)


def test_gradient_times_input(model, image):
    found = explain(model, image, 1, method="gradient x input")
    np.testing.assert_allclose(found.values, abs(image * slopes(model, image, 1)).max(axis=0), rtol=1e-6)


def test_smooth_is_the_mean_over_noisy_copies(model, image):
    noise = 0.2 * np.ptp(image) * np.random.default_rng(5).standard_normal((10, *image.shape))
    expected = np.mean([slopes(model, image + one, 2) for one in noise], axis=0)
    found = explain(model, image, 2, method="smooth", samples=10, noise=0.2, seed=5)
    np.testing.assert_allclose(found.values, abs(expected).max(axis=0), rtol=1e-5)
    other = explain(model, image, 2, method="smooth", samples=10, noise=0.2, seed=6)
    assert not np.allclose(found.values, other.values)
    same = explain(model, image, 2, method="smooth", samples=3, noise=0)
    np.testing.assert_allclose(same.values, explain(model, image, 2).values)


def test_by_default_the_largest_score(model, image):
    scores = model.predict(image[None], device="reference")[0]
    found = explain(model, image)
    assert found.target == scores.argmax()
    np.testing.assert_allclose(found.scores, scores)


def test_the_figure_shows_it(model, image):
    names = ["cat", "dog", "a <b>", "bird"]
    figure = saliency(model, image, target="a <b>", classes=names, device="reference")
    assert figure.title == "What the score of a <b> depends on" and "a &lt;b&gt;: score" in figure.svg
    found = explain(model, image, 2)
    _, middle, both = (
        np.asarray(Image.open(io.BytesIO(b64decode(data)))) for data in re.findall('64,([^"]*)"', figure.svg)
    )
    shade = found.values / np.quantile(found.values, 0.995) * 255
    np.testing.assert_allclose(middle, shade.clip(0, 255), atol=0.51)
    assert both.shape == (6, 6, 3)
    place = 1 + (found.scores > found.scores[2]).sum()
    assert ("the largest" if place == 1 else f"place {place}") + " of 4" in figure.text


def test_a_network_that_takes_vectors():
    layer = sc.models.mlp([9, 3])
    figure = saliency(layer, rng.normal(size=9), target=1, device="reference")
    weights = layer.parameters()["dense1.weight"].get_value()
    np.testing.assert_allclose(explain(layer, rng.normal(size=9), 1).values, abs(weights[:, 1]), rtol=1e-6)
    assert "9, from" in figure.text


def test_bytes_are_differentiated_as_numbers():
    model = sc.models.lenet((1, 16, 16), width=1 / 4)
    pixels = rng.integers(0, 256, (1, 16, 16), dtype="uint8")
    found = explain(model, pixels, 0)
    np.testing.assert_allclose(found.values, explain(model, pixels.astype("float32"), 0).values)
    assert found.values.max() > 0


def test_a_score_that_does_not_change():
    figure = saliency(sc.models.lenet(init="zeros"), np.ones((1, 28, 28)), device="reference")
    assert "0 everywhere" in figure.text


def test_unusable_arguments(model, image):
    for arguments in (
        {"target": 4}, {"target": -1}, {"target": 1.5}, {"target": True}, {"target": "cat"}, {"classes": ["a"]},
        {"method": "smooth", "samples": 0}, {"method": "smooth", "noise": -1}, {"method": "smooth", "noise": "much"},
    ):  # fmt: skip
        with pytest.raises(InputError):
            saliency(model, image, device="reference", **arguments)
    with pytest.raises(InputError, match="no method 'gradients'") as error:
        saliency(model, image, method="gradients")
    assert "did you mean 'gradient'" in str(error.value)
    with pytest.raises(ShapeError, match="takes one image"):
        saliency(model, np.stack([image, image]))
    with pytest.raises(InputError, match="asks a network for scores"):
        saliency(model[:2], image)
