"""The loop: it learns, validates, follows its schedule, repeats with its seed."""

import numpy as np
import pytest

import symcnn as sc

rng = np.random.default_rng(0)
X = rng.normal(size=(200, 2)).astype("float32")
DATA = X, (X[:, 0] * X[:, 1] > 0).astype("int64")


def fit(model=None, **options):
    model = model or sc.models.mlp([2, 16, 2])
    options = {"epochs": 3, "batch_size": 32, "device": "reference", "progress": False} | options
    return model, sc.train.fit(model, DATA, **options)


def test_learns_and_writes_history():
    model, history = fit(epochs=30, validation=DATA, optimizer=sc.optim.SGD(0.2, momentum=0.9))
    assert set(history) == {"loss", "val_loss", "val_accuracy", "learning_rate", "seconds"}
    assert history.epochs == 30 and history["val_accuracy"][-1] > 0.95
    found = sc.train.evaluate(model, DATA, device="reference")
    assert found == {"loss": history["val_loss"][-1], "accuracy": history["val_accuracy"][-1]}
    assert found["accuracy"] == sc.metrics.accuracy(model.predict(X, device="reference"), DATA[1])


def test_the_same_seed_repeats_the_run():
    (_, first), (_, again), (_, other) = fit(seed=1), fit(seed=1), fit(seed=2)
    assert first["loss"] == again["loss"] != other["loss"]


def test_schedule_sets_the_rate_and_gives_it_back():
    optimizer = sc.optim.SGD(0.4)
    _, history = fit(epochs=4, optimizer=optimizer, schedule=lambda epoch: 0.5**epoch)
    assert history["learning_rate"] == pytest.approx([0.4, 0.2, 0.1, 0.05])
    assert optimizer.learning_rate == 0.4


def test_an_interrupted_run_gives_the_rate_back():
    optimizer = sc.optim.SGD(0.4)

    def stop(epoch, history):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fit(optimizer=optimizer, schedule=lambda epoch: 0.1, on_epoch=stop)
    assert optimizer.learning_rate == 0.4


def test_on_epoch_and_step():
    model, seen = sc.models.mlp([2, 4, 2]), []
    step = sc.train.compile_step(model, device="reference")
    fit(model, step=step, on_epoch=lambda epoch, history: seen.append((epoch, history.epochs)))
    assert seen == [(0, 1), (1, 2), (2, 3)] and step.function is not None


def test_progress_bar(capsys):
    fit(epochs=2, progress=True, validation=DATA)
    shown = capsys.readouterr().err
    assert "epoch 2/2" in shown and "val_accuracy" in shown


def test_complaints():
    model = sc.models.mlp([2, 2])
    with pytest.raises(sc.errors.InputError, match="nothing to train on"):
        sc.train.fit(model, (np.zeros((0, 2)), np.zeros(0, int)))
    with pytest.raises(sc.errors.InputError, match="did you mean 'epochs'"):
        sc.train.fit(model, DATA, epoch=3)
    with pytest.raises(sc.errors.InputError, match="not a data set"):
        sc.train.fit(model, X)
    with pytest.raises(sc.errors.InputError, match="empty"):
        sc.train.evaluate(model, (np.zeros((0, 2)), np.zeros(0, int)))


def test_evaluate_weighs_examples_equally():
    model = sc.models.mlp([2, 2])
    whole, batched = (sc.train.evaluate(model, DATA, batch_size=b, device="reference") for b in (200, 33))
    assert whole["loss"] == pytest.approx(batched["loss"], rel=1e-6) and whole["accuracy"] == batched["accuracy"]


def test_evaluate_regression_has_no_accuracy():
    found = sc.train.evaluate(sc.models.mlp([2, 1]), (X, X[:, :1]), loss=sc.losses.squared_error, device="reference")
    assert found.keys() == {"loss"}
