"""Activations as layers, by name and by class, against PyTorch."""

import numpy as np
import pytest

import symcnn as sc
from symcnn import nn
from symcnn.nn.activation import ACTIVATIONS
from tests.nn.compare import agree, randomize

rng = np.random.default_rng(0)

TWINS = [
    (nn.ReLU(), lambda t: t.ReLU()),
    (nn.LeakyReLU(), lambda t: t.LeakyReLU()),
    (nn.LeakyReLU(0.3), lambda t: t.LeakyReLU(0.3)),
    (nn.ELU(), lambda t: t.ELU()),
    (nn.ELU(0.5), lambda t: t.ELU(0.5)),
    (nn.SELU(), lambda t: t.SELU()),
    (nn.GELU(), lambda t: t.GELU()),
    (nn.GELU(approximate="tanh"), lambda t: t.GELU("tanh")),
    (nn.SiLU(), lambda t: t.SiLU()),
    (nn.Softplus(), lambda t: t.Softplus()),
    (nn.Sigmoid(), lambda t: t.Sigmoid()),
    (nn.HardSigmoid(alpha=1 / 6), lambda t: t.Hardsigmoid()),
    (nn.Tanh(), lambda t: t.Tanh()),
    (nn.Softmax(), lambda t: t.Softmax(-1)),
    (nn.Softmax(axis=1), lambda t: t.Softmax(1)),
    (nn.LogSoftmax(axis=1), lambda t: t.LogSoftmax(1)),
]


@pytest.mark.parametrize(("layer", "theirs"), TWINS, ids=[repr(layer) for layer, _ in TWINS])
def test_agree_with_torch(torch, layer, theirs):
    agree(torch, layer, theirs(torch.nn), 2 * rng.normal(size=(3, 4, 2, 3)))


def test_by_name_with_options():
    x = sc.input("x", (None, 5))
    for name in ACTIVATIONS:
        assert nn.Activation(name)(x) is getattr(sc, name)(x)
    assert nn.Activation("elu", alpha=0.5)(x) is sc.elu(x, 0.5)


def test_every_activation_has_a_class():
    assert {layer.name for layer, _ in TWINS} == set(ACTIVATIONS)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("channels", "shape"), [(1, (3, 4)), (4, (3, 4)), (4, (3, 4, 2, 3)), (1, (3, 4, 2, 3))])
def test_prelu_agrees_with_torch(torch, channels, shape, dtype):
    layer = nn.PReLU(channels, dtype=dtype)
    np.testing.assert_array_equal(layer.slope.get_value(), np.full(channels, 0.25))
    agree(torch, randomize(layer, rng), torch.nn.PReLU(channels), rng.normal(size=shape))


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda: nn.Activation("sigmod"), "did you mean 'sigmoid'"),
        (lambda: nn.Activation(sc.relu), r"(?s)no activation is called.*nn\.Lambda"),
        (lambda: nn.Activation("relu", slope=0.1), "relu has no option 'slope'"),
        (lambda: nn.Activation("leaky_relu", slpe=0.1), "did you mean 'slope'"),
        (lambda: nn.LeakyReLU("0.1"), "slope is no number"),
        (lambda: nn.GELU("erf"), "unknown approximation"),
        (lambda: nn.PReLU(0), "channels is a positive integer"),
    ],
)
def test_complaints(make, match):
    with pytest.raises(sc.errors.InputError, match=match):
        make()


def test_other_channels():
    with pytest.raises(sc.errors.ShapeError, match="takes 4 channels"):
        nn.PReLU(4)(sc.input("x", (None, 3)))


def test_description():
    layers = nn.Activation("tanh"), nn.Activation("elu", alpha=2.0), nn.LeakyReLU(0.2), nn.LeakyReLU(), nn.PReLU(3)
    assert [repr(layer) for layer in layers] == [
        "Activation('tanh')", "Activation('elu', alpha=2.0)", "LeakyReLU(slope=0.2)", "LeakyReLU()", "PReLU(3)"
    ]  # fmt: skip
