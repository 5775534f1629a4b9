"""The gradient check of a network: right gradients pass, a wrong one and a kink are found where they are."""

import numpy as np
import pytest

import symcnn as sc
from symcnn import nn
from symcnn.ops import elementwise

X = np.random.default_rng(0).normal(size=(5, 3)).astype("float32")
LABELS = np.array([0, 1, 1, 0, 1])


def network(activation):
    return nn.Sequential(first=nn.Dense(3, 4, seed=0), act=activation, last=nn.Dense(4, 2, seed=1))


def test_every_parameter_is_checked_at_its_largest_gradient_and_at_others():
    model = nn.Sequential(nn.Conv2d(1, 2, 3, seed=0), nn.BatchNorm(2), nn.Tanh(), nn.Flatten(), nn.Dense(8, 3, seed=1))
    images = np.random.default_rng(1).normal(size=(3, 1, 4, 4))
    check = sc.train.check_gradients(model, images, np.array([0, 1, 2]), entries=3)
    assert check.passed and {e.verdict for e in check.entries} == {"agrees"}
    assert max(e.error for e in check.entries if abs(e.analytic) > 1e-4) < 1e-6
    paths = list(model.trainable().keys())
    assert [e.parameter for e in check.worst()] == paths
    sizes = {path: min(3, parameter.size) for path, parameter in model.trainable().items()}
    assert len({(e.parameter, e.entry) for e in check.entries}) == len(check.entries) == sum(sizes.values())


def test_the_numbers_are_those_of_an_independent_gradient():
    """Of a linear network with squared error: dL/dw = 2 x^T (x w + b - t) / n."""
    model = nn.Sequential(dense=nn.Dense(3, 1, seed=0))
    targets = np.random.default_rng(1).normal(size=(5, 1))
    weight, bias = (p.get_value().astype("float64") for p in model.parameters())
    x = X.astype("float64")
    expected = 2 * x.T @ (x @ weight + bias - targets.astype("float32")) / len(x)
    check = sc.train.check_gradients(model, X, targets, sc.losses.squared_error, entries=3)
    for entry in check.entries[:3]:
        np.testing.assert_allclose([entry.analytic, entry.numeric], expected[entry.entry], rtol=1e-6)


def test_a_planted_bug_is_found_in_the_layers_behind_it(monkeypatch):
    row = elementwise.ROWS["tanh"]
    broken = type(row)(**{**vars(row), "pullback": lambda ct, out, x: (ct * (1 - out),)})
    monkeypatch.setitem(elementwise.ROWS, "tanh", broken)
    check = sc.train.check_gradients(network(nn.Tanh()), X, LABELS)
    assert not check.passed
    verdicts = {e.parameter: e.verdict for e in check.worst()}
    assert verdicts == {
        "first.weight": "differs", "first.bias": "differs", "last.weight": "agrees", "last.bias": "agrees",
    }  # fmt: skip


def test_a_slightly_wrong_gradient_is_no_kink(monkeypatch):
    row = elementwise.ROWS["tanh"]
    broken = type(row)(**{**vars(row), "pullback": lambda ct, out, x: (ct * (1 - out * out) * 1.001,)})
    monkeypatch.setitem(elementwise.ROWS, "tanh", broken)
    check = sc.train.check_gradients(network(nn.Tanh()), X, LABELS)
    assert {e.verdict for e in check.entries if e.parameter.startswith("first")} == {"differs"}


def test_at_a_kink_the_slope_of_one_side_is_right():
    """Blank images and no bias: every ReLU of the first layer stands at exactly 0."""
    check = sc.train.check_gradients(network(nn.ReLU()), np.zeros((2, 3)), np.array([0, 1]))
    verdicts = {e.verdict for e in check.entries if e.parameter == "first.bias"}
    assert check.passed and "kink" in verdicts
    table = str(check)
    assert "first.bias" in table and "kink" in table and len(table.splitlines()) == 2 + 4


def test_the_model_is_left_as_it_was():
    model = network(nn.ReLU())
    before = [p.get_value() for p in model.parameters()]
    sc.train.check_gradients(model, X, LABELS)
    for array, parameter in zip(before, model.parameters(), strict=True):
        np.testing.assert_array_equal(array, parameter.get_value())


@pytest.mark.parametrize(
    ("options", "match"),
    [({"entries": 0}, "entries"), ({"entries": True}, "entries"), ({"epsilon": 0}, "epsilon"), ({"eps": 1}, "epsilon")],
)
def test_refused(options, match):
    with pytest.raises(sc.InputError, match=match) as found:
        sc.train.check_gradients(network(nn.ReLU()), X, LABELS, **options)
    assert match in str(found.value)
