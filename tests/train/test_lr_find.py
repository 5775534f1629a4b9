"""The range test: what it measures, what it suggests, and that it leaves no trace."""

import numpy as np
import pytest

import symcnn as sc
from symcnn import nn

rng = np.random.default_rng(0)
X = rng.normal(size=(200, 4)).astype("float32")
DATA = X, (X[:, 0] * X[:, 1] > 0).astype("int64")


def model():
    return nn.Sequential(
        a=nn.Dense(4, 16, seed=0), act=nn.ReLU(), drop=nn.Dropout(0.1, seed=1), b=nn.Dense(16, 2, seed=2)
    )


def test_rates_grow_by_a_constant_factor_and_the_test_stops_at_the_explosion():
    curve = sc.train.lr_find(model(), DATA, low=1e-4, high=1e6, steps=80, device="reference")
    factor = curve.rates[1:] / curve.rates[:-1]
    np.testing.assert_allclose(factor, factor[0])
    assert curve.rates[0] == 1e-4 and curve.rates[-1] < 1e6
    assert len(curve.rates) == len(curve.losses) == len(curve.smoothed) < 80
    assert np.isfinite(curve.losses).all()
    assert curve.suggestion == pytest.approx(curve.lowest / 10) and 1e-3 < curve.suggestion < 10
    assert 1e-3 < curve.steepest <= curve.lowest
    assert "Try a rate of" in str(curve)


def test_the_smoothed_loss_is_the_corrected_moving_average():
    curve = sc.train.lr_find(model(), DATA, high=0.1, steps=10, device="reference")
    for k in range(10):
        weights = 0.9 ** np.arange(k, -1, -1)
        assert curve.smoothed[k] == pytest.approx(np.average(curve.losses[: k + 1], weights=weights))


def test_the_losses_are_those_of_training_with_these_rates():
    trained, found = model(), sc.train.lr_find(model(), DATA, high=1.0, steps=5, seed=3, device="reference")
    step = sc.train.compile_step(trained, device="reference")
    batches = sc.data.Dataset(*DATA).batches(64, shuffle=True, seed=(3, 0))
    expected = []
    for rate, (images, labels) in zip(found.rates, (b for b in batches if len(b[1]) == 64), strict=False):
        step.optimizer.learning_rate = rate
        expected.append(step(images, labels))
    assert expected == found.losses[: len(expected)].tolist() and len(expected) == 3


def test_everything_is_as_before():
    network = model()
    step = sc.train.compile_step(network, optimizer=sc.optim.SGD(0.1, momentum=0.9), device="reference")
    twin = model()
    other = sc.train.compile_step(twin, optimizer=sc.optim.SGD(0.1, momentum=0.9), device="reference")
    for run in (step, other):
        run(*DATA), run(*DATA)
    function = step.function
    sc.train.lr_find(network, DATA, step=step, steps=30)
    assert step.function is function and step.optimizer.learning_rate == 0.1
    for _ in range(3):  # weights, velocities and masks agree
        assert step(*DATA) == other(*DATA)


def test_nothing_is_compiled_on_the_way(monkeypatch):
    built = []
    honest = sc.function
    monkeypatch.setattr(sc, "function", lambda *args, **options: built.append(1) or honest(*args, **options))
    sc.train.lr_find(model(), DATA, steps=12, device="reference")
    assert len(built) == 1


def test_a_loss_that_never_falls_has_no_suggestion():
    labels = rng.integers(0, 2, 200)
    curve = sc.train.lr_find(model(), (np.zeros((200, 4)), labels), low=1e-9, high=1e-6, steps=20, device="reference")
    assert curve.suggestion is None and curve.steepest is None and "No rate" in str(curve)


@pytest.mark.parametrize(
    "options, match",
    [
        ({"low": 1, "high": 0.1}, "range"),
        ({"low": 0}, "range"),
        ({"steps": 1}, "steps is"),
        ({"steps": "9"}, "steps is"),
        ({"batch_size": 2.5}, "batch_size is"),
    ],
)
def test_complaints(options, match):
    with pytest.raises(sc.InputError, match=match):
        sc.train.lr_find(model(), DATA, device="reference", **options)
    with pytest.raises(sc.InputError, match="did you mean 'steps'"):
        sc.train.lr_find(model(), DATA, step_s=3)
