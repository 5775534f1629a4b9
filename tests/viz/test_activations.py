"""The activations of one image: the numbers that are told and the pixels that are drawn are what the layers give."""

import io
import re
from base64 import b64decode

import numpy as np
import pytest
from PIL import Image

import symcnn as sc
from symcnn import nn
from symcnn.errors import InputError, ShapeError
from symcnn.viz.activations import activations
from symcnn.viz.images import reduced, square, visible

rng = np.random.default_rng(0)


@pytest.fixture(scope="module")
def model():
    return sc.models.cs231n_convnet((3, 16, 16), classes=4, widths=(4, 6))


@pytest.fixture(scope="module")
def image():
    return rng.normal(size=(3, 16, 16)).astype("float32")


def show(*args, **kwargs):
    return activations(*args, device="reference", **kwargs)


def pictures(figure, name):
    """The pixels of the pictures of one layer, decoded by somebody else."""
    tiles = re.findall(r'<g class="tile" data-name="([^"]*)".*?base64,([^"]*)"', figure.svg)
    return [
        np.asarray(Image.open(io.BytesIO(b64decode(data))))
        for found, data in tiles
        if re.fullmatch(f"{name}(, .*)?", found)
    ]


def test_each_layer_has_its_channels_and_they_are_what_it_gives(model, image):
    figure = show(model, image, count=3)
    names = list(model.layers)
    for k, name in enumerate(names[:-2], start=1):  # flatten changes nothing, dense gives the scores
        expected = model[:k].predict(image[None], device="reference")[0]
        found = pictures(figure, name)
        assert len(found) == 3
        span = np.ptp(expected)
        for channel, pixels in zip(expected, found, strict=False):
            shade = (channel - expected.min()) / span * 255
            np.testing.assert_allclose(pixels, shade, atol=0.51)
        line = next(line for line in figure.text.splitlines() if line.startswith(f"{name} ")).split()
        assert [float(n) for n in line[-4:-1]] == pytest.approx(
            [expected.min(), expected.mean(), expected.max()], rel=6e-3, abs=1e-6
        )
        assert float(line[-1][:-1]) == pytest.approx(100 * (expected == 0).mean(), abs=0.51)
    assert "flatten" not in figure.svg and 'data-name="dense"' not in figure.svg


def test_scores_are_bars_with_the_names_of_the_classes(model, image):
    scores = model.predict(image[None], device="reference")[0]
    figure = show(model, image, classes=["cat", "dog", "a <b>", "d"])
    assert figure.svg.count('class="bar"') == 4 and "a &lt;b&gt;" in figure.svg
    best = ["cat", "dog", "a <b>", "d"][scores.argmax()]
    assert f"Largest scores: {best} {scores.max():.3g}" in figure.text
    assert "class 3" in show(model, image).svg
    widths = [float(w) for w in re.findall(r'class="bar" [^>]*width="([\d.]+)"', figure.svg)]
    np.testing.assert_allclose(widths, 110 * abs(scores) / (max(scores.max(), 0) - min(scores.min(), 0)), atol=0.06)


def test_of_many_classes_the_largest_scores():
    figure = show(sc.models.mlp([6, 5, 40]), rng.normal(size=6))
    assert figure.svg.count('class="bar"') == 10 and "of 40 scores" in figure.svg


def test_chosen_layers_and_blocks():
    model = sc.models.googlenet((3, 48, 48), width=1 / 16, classes=3)
    figure = show(model, rng.normal(size=(1, 3, 48, 48)), layers=["inception3a", "inception3a.3x3.conv"], count=2)
    assert [len(pictures(figure, name)) for name in ("inception3a", "inception3a.3x3.conv")] == [2, 2]
    assert "2 layers" in figure.title
    assert 'data-name="dense"' in show(model, rng.normal(size=(3, 48, 48)), layers="dense").svg


def test_a_network_that_answers_for_every_pixel():
    model = nn.Sequential(nn.Conv2d(1, 2, 3, padding=1, seed=0), nn.ReLU())
    figure = show(model, np.ones((1, 5, 7)))
    assert 'class="bar"' not in figure.svg and len(pictures(figure, "1")) == 2


def test_bytes_are_taken_as_predict_takes_them(model):
    pixels = rng.integers(0, 256, (3, 16, 16), dtype="uint8")
    assert show(model, pixels).text == show(model, pixels.astype("float32")).text


def test_the_title_says_what_a_picture_shows(model, image):
    channel = model[:1].predict(image[None], device="reference")[0, 1]
    low, high, mean = channel.min(), channel.max(), channel.mean()
    assert f"conv1_1, channel 2 of 4: 16×16, from {low:.4g} to {high:.4g}, mean {mean:.4g}" in show(model, image).svg


@pytest.mark.parametrize(
    "image, error, hint",
    [
        (np.zeros((2, 3, 16, 16)), ShapeError, "images[0]"),
        (np.zeros((16, 16)), ShapeError, "image[None]"),
        (np.zeros((16, 16, 3)), ShapeError, "to_nchw"),
        (np.zeros((3, 16, 17)), ShapeError, "(3, 16, 16)"),
        (np.full((3, 16, 16), np.nan), InputError, "isfinite"),
        ("cat.png", InputError, "an array (C, H, W)"),
        ([[1], [2, 3]], InputError, "an array (C, H, W)"),
        (None, InputError, "an array (C, H, W)"),
        (np.zeros((0, 3, 16, 16)), ShapeError, "(3, 16, 16)"),
    ],
)
def test_what_is_no_image(model, image, error, hint):
    with pytest.raises(error) as found:
        show(model, image)
    assert hint in str(found.value)


def test_other_unusable_arguments(model, image):
    with pytest.raises(InputError, match="no layer 'relu1_'") as error:
        show(model, image, layers=["relu1_"])
    assert "did you mean 'relu1_" in str(error.value)
    for arguments in ({"count": 0}, {"count": 2.5}, {"classes": ["a"]}, {"classes": "cats"}, {"chanels": 2}):
        with pytest.raises(InputError):
            show(model, image, **arguments)
    with pytest.raises(InputError, match="looks into a network"):
        show(sc.models.lenet, image)


def test_pictures_of_images():
    assert visible(rng.normal(size=(1, 4, 5))).shape == (4, 5)
    assert visible(rng.normal(size=(3, 4, 5))).shape == (4, 5, 3)
    assert visible(rng.normal(size=(7, 4, 5))).shape == (4, 5)
    np.testing.assert_array_equal(square([3.0, 1.0, 2.0]), [[3, 1], [2, 1]])
    assert square(np.arange(10)).shape == (3, 4)


@pytest.mark.parametrize("shape", [(7, 5), (8, 8), (3, 11), (1, 1)])
def test_reduced_images_are_means_of_blocks(shape):
    values = rng.normal(size=shape)
    found = reduced(values, 4)
    block = -(-max(shape) // 4)
    assert max(found.shape) <= 4
    expected = [
        [values[i : i + block, j : j + block].mean() for j in range(0, shape[1], block)]
        for i in range(0, shape[0], block)
    ]
    np.testing.assert_allclose(found, expected)
