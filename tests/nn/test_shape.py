"""Layers of shape against NumPy and PyTorch."""

import numpy as np
import pytest

import symcnn as sc
from symcnn import nn
from tests.nn.compare import agree

rng = np.random.default_rng(0)


def test_flatten_and_reshape_keep_the_order_of_elements():
    X = rng.normal(size=(2, 3, 4, 5)).astype("float32")
    np.testing.assert_array_equal(nn.Flatten().predict(X, device="reference"), X.reshape(2, 60))
    np.testing.assert_array_equal(nn.Reshape((5, -1)).predict(X, device="reference"), X.reshape(2, 5, 12))
    np.testing.assert_array_equal(nn.Reshape(60).predict(X, device="reference"), X.reshape(2, 60))
    back = nn.Sequential(nn.Flatten(), nn.Reshape((3, 4, 5)))
    np.testing.assert_array_equal(back.predict(X, device="reference"), X)


@pytest.mark.parametrize("mode", ["constant", "edge", "reflect"])
@pytest.mark.parametrize("padding", [1, (1, 2), (0, 1, 2, 3)])
def test_pad_agrees_with_torch(torch, padding, mode):
    given = (padding,) if isinstance(padding, int) else padding
    top, left, bottom, right = given * (4 // len(given))
    value, theirs = (0.5, "constant") if mode == "constant" else (0.0, {"edge": "replicate"}.get(mode, mode))
    agree(
        torch, nn.Pad2d(padding, mode, value),
        lambda x: torch.nn.functional.pad(x, (left, right, top, bottom), theirs, value), rng.normal(size=(2, 3, 4, 5)),
    )  # fmt: skip


@pytest.mark.parametrize("margin", [0, 1, (1, 2), (0, 1, 2, 0)])
def test_crop_undoes_padding(margin):
    X = rng.normal(size=(2, 3, 6, 7)).astype("float32")
    model = nn.Sequential(nn.Pad2d(margin), nn.Crop2d(margin))
    np.testing.assert_array_equal(model.predict(X, device="reference"), X)


def test_crop_agrees_with_slices(torch):
    agree(torch, nn.Crop2d((1, 0, 2, 3)), lambda x: x[:, :, 1:-2, :-3], rng.normal(size=(2, 3, 6, 7)))


@pytest.mark.parametrize("mode", ["bilinear", "nearest"])
@pytest.mark.parametrize("scale", [2, (1, 3)])
def test_upsampling_agrees_with_torch(torch, scale, mode):
    agree(
        torch,
        nn.Upsample2d(scale, mode),
        torch.nn.Upsample(scale_factor=scale, mode=mode),
        rng.normal(size=(2, 3, 4, 5)),
    )


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda: nn.Pad2d(-1), "counts pixels"),
        (lambda: nn.Pad2d((1, 2, 3)), "counts pixels"),
        (lambda: nn.Pad2d("same"), "counts pixels"),
        (lambda: nn.Pad2d(1, mode="wrap"), "unknown mode"),
        (lambda: nn.Pad2d(1, value=None), "value is no number"),
        (lambda: nn.Crop2d(1.5), "counts pixels"),
        (lambda: nn.Upsample2d(0), "positive number"),
        (lambda: nn.Upsample2d(2, mode="cubic"), "mode='cubic'"),
        (lambda: nn.Reshape((None, 3)), "shape is a positive integer"),
        (lambda: nn.Reshape((-1, -1)), "at most one size is -1"),
        (lambda: nn.Reshape("784"), "shape is a positive integer"),
    ],
)
def test_complaints(make, match):
    with pytest.raises(sc.errors.InputError, match=match):
        make()


@pytest.mark.parametrize(
    ("layer", "shape", "match"),
    [
        (nn.Crop2d(2), (None, 3, 4, 9), "nothing would remain"),
        (nn.Crop2d(2), (None, 9, 9), "takes other images"),
        (nn.Pad2d(3, mode="reflect"), (None, 3, 3, 3), "too short to reflect"),
        (nn.Upsample2d(2), (None, 10), "takes other images"),
        (nn.Reshape((3, 5)), (None, 14), "reshape"),
    ],
)
def test_other_inputs(layer, shape, match):
    with pytest.raises(sc.errors.ShapeError, match=match):
        layer(sc.input("x", shape))


def test_description():
    layers = nn.Pad2d((1, 2), mode="edge"), nn.Crop2d(1), nn.Reshape((1, 28, 28)), nn.Upsample2d(2, mode="nearest")
    assert [repr(layer) for layer in layers] == [
        "Pad2d((1, 2), mode='edge')", "Crop2d(1)", "Reshape((1, 28, 28))", "Upsample2d(2, mode='nearest')"
    ]  # fmt: skip
