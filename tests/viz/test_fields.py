"""What units see, against the truth: which pixels have a gradient when all weights are positive."""

from fractions import Fraction

import numpy as np
import pytest

import symcnn as sc
from symcnn import nn
from symcnn.viz.fields import fields

RNG = np.random.default_rng(0)
EXAMPLES = 64  # in each, a max-pooling chooses other pixels


def positive(model):
    for p in model.parameters():
        p.set_value(RNG.uniform(0.5, 1, p.shape).astype(p.dtype))
    return model


def truth(model, in_shape, unit):
    """(rows, columns) of bool: pixels with a non-zero gradient of the sum over channels, in any of many examples."""
    x = sc.input("x", (EXAMPLES, *in_shape))
    y = model(x)
    gradient = sc.grad(y[:, :, unit[0], unit[1]].sum(), x)
    images = RNG.uniform(0.5, 1, x.shape).astype("float32")
    return (sc.function([x], gradient, device="reference")(images) != 0).any(axis=(0, 1))


def seen(model, in_shape):
    """The fields of the output, and how many units there are."""
    x = sc.input("x", (1, *in_shape))
    y = model(x)
    return fields([y], x)[y], y.shape[2:]


LENET = sc.models.lenet(width=0.1)
DILATED = [
    nn.Conv2d(1, 1, 3, padding=1), nn.ReLU(), nn.Conv2d(1, 1, 3, padding=2, dilation=2), nn.ReLU(),
    nn.Conv2d(1, 1, 3, padding=4, dilation=4),
]  # fmt: skip
INCEPTION = nn.Parallel(
    nn.Conv2d(2, 1, 1),
    nn.Sequential(nn.Conv2d(2, 1, 1), nn.ReLU(), nn.Conv2d(1, 2, 3, padding=1)),
    nn.Sequential(nn.Conv2d(2, 1, 1), nn.ReLU(), nn.Conv2d(1, 1, 5, padding=2)),
    nn.Sequential(nn.MaxPool2d(3, stride=1, padding=1), nn.Conv2d(2, 1, 1)),
)
MODELS = {
    "lenet, conv2": (LENET[:4], (1, 28, 28)),
    "lenet, pool2": (LENET[:5], (1, 28, 28)),
    "dilated": (nn.Sequential(*DILATED), (1, 16, 20)),
    "dilated with holes": (nn.Sequential(nn.Conv2d(1, 1, 3, padding=2, dilation=2), DILATED[4]), (1, 16, 20)),
    "inception": (nn.Sequential(nn.Conv2d(1, 2, 3, stride=2), nn.ReLU(), INCEPTION), (1, 17, 15)),
    "pixels left over": (nn.Sequential(nn.Conv2d(1, 1, 3, stride=2), nn.Conv2d(1, 1, 3, padding=1)), (1, 8, 8)),
    "unequal axes": (nn.Sequential(nn.Conv2d(1, 1, (3, 2), stride=(1, 3), padding=(0, 1)), nn.ReLU()), (1, 7, 9)),
    "ceil_mode": (nn.Sequential(nn.AvgPool2d(3, stride=2, ceil_mode=True), nn.Conv2d(1, 1, 2)), (1, 8, 10)),
    "same": (nn.Sequential(nn.Conv2d(1, 1, 4, stride=3, padding="same")), (1, 10, 11)),
    "transposed": (nn.Sequential(nn.Conv2d(1, 1, 3, stride=2), nn.ConvTranspose2d(1, 1, 4, stride=2, padding=1)), (1, 9, 9)),
    "enlarged": (nn.Sequential(nn.MaxPool2d(2), nn.Upsample2d(3, "bilinear"), nn.Conv2d(1, 1, 3)), (1, 8, 6)),
    "padded and cropped": (nn.Sequential(nn.Pad2d(2), nn.Conv2d(1, 1, 3), nn.Crop2d((1, 2, 0, 1))), (1, 6, 7)),
    "all of it": (nn.Sequential(nn.Conv2d(1, 1, 3, padding=1), nn.GlobalAvgPool2d()), (1, 5, 6)),
}  # fmt: skip


@pytest.mark.parametrize("name", MODELS)
def test_a_unit_sees_the_pixels_that_have_a_gradient(name):
    model, in_shape = MODELS[name]
    positive(model)
    (rows, columns), units = seen(model, in_shape)
    for unit in {(0, 0), (units[0] // 2, units[1] // 3), (units[0] - 1, units[1] - 1)}:
        expected = truth(model, in_shape, unit)
        np.testing.assert_array_equal(np.outer(rows.sees[unit[0]], columns.sees[unit[1]]), expected)


@pytest.mark.parametrize("name", ["lenet, pool2", "dilated", "inception", "unequal axes"])
def test_size_jump_and_start_say_where_the_pixels_are(name):
    model, in_shape = MODELS[name]
    axes, units = seen(model, in_shape)
    for field, count in zip(axes, units, strict=True):
        for u in range(count):
            first = field.start + u * field.jump
            pixels = np.flatnonzero(field.sees[u])
            assert pixels[0] == max(first, 0)
            assert pixels[-1] == min(first + field.size, field.sees.shape[1]) - 1


@pytest.mark.parametrize(
    ("layers", "size", "jump", "start"),
    [
        ([nn.Conv2d(1, 1, 3)], 3, 1, 0),
        ([nn.Conv2d(1, 1, 3), nn.Conv2d(1, 1, 3), nn.Conv2d(1, 1, 3)], 7, 1, 0),  # three 3 x 3 see as one 7 x 7
        ([nn.Conv2d(1, 1, 7, stride=2, padding=3), nn.MaxPool2d(3, stride=2, padding=1)], 11, 4, -5),
        ([nn.Conv2d(1, 1, 3, dilation=2), nn.Conv2d(1, 1, 3, dilation=4)], 13, 1, 0),
        ([nn.Upsample2d(2, "nearest")], 1, Fraction(1, 2), 0),
        ([nn.Conv2d(1, 1, 3, stride=2), nn.ConvTranspose2d(1, 1, 4, stride=2)], 5, 1, -2),
    ],
)
def test_by_hand(layers, size, jump, start):
    (rows, columns), _ = seen(nn.Sequential(*layers), (1, 32, 32))
    for field in (rows, columns):
        assert (field.size, field.jump, field.start) == (size, jump, start)
