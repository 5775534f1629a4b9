"""Early stopping: when it stops, what it restores."""

import numpy as np
import pytest

import symcnn as sc
from symcnn.train import Callback, EarlyStopping

X = np.random.default_rng(0).normal(size=(16, 2))
DATA = X, (X[:, 0] > 0).astype("int64")


class Scripted:
    """An evaluation that measures what it is told to."""

    def __init__(self, values, name="loss"):
        self.values, self.name = iter([values[0], *values]), name  # fit tries it once before the first epoch

    def __call__(self, data):
        return {self.name: next(self.values)}


class Weights(Callback):
    def __init__(self):
        self.after = []

    def on_epoch(self, run):
        self.after.append(run.model.parameters()[0].get_value())


def fit(stopping, values, name="loss", **options):
    model, weights = sc.models.mlp([2, 2]), Weights()
    options = {"epochs": len(values), "device": "reference", "progress": False} | options
    history = sc.train.fit(
        model, DATA, DATA, evaluation=Scripted(values, name), callbacks=[stopping, weights], **options
    )
    found = model.parameters()[0].get_value()
    final = [k for k, w in enumerate(weights.after) if (w == found).all()]
    return history, final


@pytest.mark.parametrize(
    "values, options, epochs, kept",
    [
        ([5, 4, 6, 6, 6, 6], {}, 5, 1),
        ([5, 4, 6, 3, 6, 6], {}, 6, 3),
        ([5, 4, 3, 2], {}, 4, 3),
        ([5, 6, 1], {"patience": 1}, 2, 0),
        ([5, 6, 1], {"patience": 0}, 2, 0),
        ([5, 4.8, 4.6, 4.4, 1], {"min_delta": 0.5, "patience": 2}, 3, 0),
        ([5, 4.8, 4.6, 4.5, 1], {"min_delta": 0.3, "patience": 2}, 5, 4),
        ([float("nan"), 4, float("nan"), float("nan"), float("nan"), 1], {}, 5, 1),
        ([float("nan")] * 4, {"patience": 2}, 2, 1),
        ([5, 4, 6, 6, 6, 6], {"restore_best": False}, 5, 4),
    ],
)
def test_losses(values, options, epochs, kept):
    history, final = fit(EarlyStopping(**options), values)
    assert history.epochs == epochs and final == [kept]


def test_accuracies_rise_and_mode_decides():
    history, final = fit(EarlyStopping("val_accuracy", patience=2), [0.1, 0.5, 0.4, 0.3, 0.9], "accuracy")
    assert history.epochs == 4 and final == [1]
    history, final = fit(EarlyStopping("val_accuracy", patience=2, mode="min"), [0.1, 0.5, 0.4, 0.3, 0.9], "accuracy")
    assert history.epochs == 3 and final == [0]


def test_what_it_says(capsys):
    fit(EarlyStopping(patience=1), [5, 4, 6], progress=True)
    said = capsys.readouterr().out.splitlines()
    assert said[-2] == "stopped after epoch 3: val_loss has not improved for 1 epoch"
    assert said[-1] == "the model has the weights of epoch 2 (val_loss 4.0000)"


def test_it_may_be_used_again():
    stopping = EarlyStopping(patience=1)
    assert fit(stopping, [5, 4, 6, 6])[0].epochs == 3
    assert fit(stopping, [9, 8, 7, 8, 8])[0].epochs == 4
    assert stopping.best == 7 and stopping.best_epoch == 2


def test_complaints():
    with pytest.raises(sc.InputError, match="no validation set"):
        sc.train.fit(sc.models.mlp([2, 2]), DATA, callbacks=EarlyStopping(), device="reference", progress=False)
    with pytest.raises(sc.InputError, match="not measured") as error:
        fit(EarlyStopping("val_los"), [1, 2])
    assert error.value.hint == "did you mean 'val_loss'?"
    for wrong in (
        {"mode": "least"},
        {"patience": -1},
        {"min_delta": float("nan")},
        {"patience": "3"},
        {"monitor": None},
    ):
        with pytest.raises(sc.InputError):
            EarlyStopping(**wrong)
