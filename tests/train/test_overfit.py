"""Over-fitting a handful: it works, it leaves no trace, and failures come with the right advice."""

import numpy as np
import pytest

import symcnn as sc
from symcnn import nn

rng = np.random.default_rng(0)
X = rng.normal(size=(100, 4)).astype("float32")
LABELS = rng.integers(0, 3, 100)


def check(model, X=X, labels=LABELS, **options):
    return sc.train.overfit_check(model, (X, labels), device="reference", **options)


def mlp(width=64, **options):
    return sc.models.mlp([4, width, 3], seed=0, **options)


def test_random_labels_can_be_learnt_by_heart():
    model = mlp()
    before = [p.get_value() for p in model.parameters()]
    found = check(model, examples=16, optimizer=sc.optim.Adam(1e-2))
    assert found and found.ok and found.losses[-1] < 0.05 <= found.losses[-2]
    assert found.steps == len(found.losses) - 1 and "work together" in str(found)
    assert all((p.get_value() == b).all() for p, b in zip(model.parameters(), before, strict=True))


def test_dropout_and_noise_are_left_out_and_come_back():
    drop = nn.Dropout(0.9, seed=1)
    model = nn.Sequential(a=nn.Dense(4, 64, seed=0), act=nn.ReLU(), drop=drop, b=nn.Dense(64, 3, seed=2))
    assert check(model, examples=8, optimizer=sc.optim.Adam(1e-2))
    x = sc.input("x", (None, 64))
    assert drop(x, training=True) is not x and "forward" not in vars(drop)


def test_states_come_back():
    class Norm(nn.Module):
        def __init__(self):
            self.mean = nn.State(np.zeros(4, "float32"), "mean")

        def forward(self, x, training):
            if not training:
                return x - self.mean
            nn.record_update(self.mean, lambda old: 0.5 * old + 0.5 * sc.mean(x, axis=0))
            return x - sc.mean(x, axis=0)

    model = nn.Sequential(norm=Norm(), a=nn.Dense(4, 64, seed=0), act=nn.ReLU(), b=nn.Dense(64, 3, seed=2))
    assert check(model, X + 5, examples=8, optimizer=sc.optim.Adam(1e-2))
    assert (model.states()["norm.mean"].get_value() == 0).all()


def test_weights_come_back_after_an_error():
    model = mlp()
    before = [p.get_value() for p in model.parameters()]
    with pytest.raises(sc.InputError, match="out of range"):
        check(model, labels=np.full(100, 7))
    assert all((p.get_value() == b).all() for p, b in zip(model.parameters(), before, strict=True))


def test_contradicting_labels():
    found = check(mlp(), np.repeat(X[:8], 2, axis=0), np.tile([0, 1], 8), examples=16, steps=20)
    assert not found and "16 of the 16 examples are the same image with another label" in str(found)


def test_dead_units():
    model = mlp()
    model.parameters()["dense1.bias"].set_value(np.full(64, -100.0))
    found = check(model, steps=20)
    assert "100% of the units are dead" in found.text and "leaky ReLU" in found.text


@pytest.mark.parametrize(
    "rate, said", [(1e-9, "hardly moved"), (3e4, "too high"), (1e30, "too high"), (0.05, "still falling")]
)
def test_learning_rates(rate, said):
    found = check(mlp(), steps=10, optimizer=sc.optim.SGD(rate))
    assert not found.ok and said in found.text


def test_inputs_of_a_wrong_scale_and_bad_ones():
    found = check(mlp(), 1e3 * X, steps=5, optimizer=sc.optim.SGD(1e-9))
    assert "normalise" in found.text
    bad = X.copy()
    bad[:, 0] = np.nan
    found = check(mlp(), bad, steps=5)
    assert "clean the data" in found.text and len(found.losses) == 1


def test_complaints():
    with pytest.raises(sc.InputError, match="nothing to train on"):
        sc.train.overfit_check(mlp(), (X[:0], LABELS[:0]), device="reference")
    for wrong in ({"examples": 0}, {"examples": "a"}, {"steps": 2.5}, {"target": None}):
        with pytest.raises(sc.InputError, match=f"overfit_check: {next(iter(wrong))} is"):
            check(mlp(), **wrong)
    with pytest.raises(sc.InputError, match="did you mean 'examples'"):
        sc.train.overfit_check(mlp(), (X, LABELS), example=3)
