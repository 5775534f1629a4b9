"""The loop: it learns, validates, follows its schedule, repeats with its seed."""

from functools import partial

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


def test_prefetching_changes_nothing():
    (_, first), (_, without), (_, far) = (fit(prefetch=depth) for depth in (2, 0, 9))
    assert first["loss"] == without["loss"] == far["loss"]
    for wrong in (-1, "no", 1.5):
        with pytest.raises(sc.InputError, match="a number of batches"):
            fit(prefetch=wrong)


def test_the_schedule_is_asked_before_every_step_and_the_rate_given_back():
    optimizer, asked = sc.optim.SGD(0.4), []

    def halve(epoch):
        asked.append(epoch)
        return 0.5 ** int(epoch)

    _, history = fit(epochs=4, batch_size=50, optimizer=optimizer, schedule=halve)
    assert asked == [k / 4 for k in range(16)]
    assert history["learning_rate"] == pytest.approx([0.4, 0.2, 0.1, 0.05])
    assert optimizer.learning_rate == 0.4


@pytest.mark.parametrize("factor", [-1, float("nan"), None, "half"])
def test_a_schedule_that_gives_no_factor(factor):
    optimizer = sc.optim.SGD(0.4)
    with pytest.raises(sc.errors.InputError, match="gave no factor"):
        fit(optimizer=optimizer, schedule=lambda epoch: 1 if epoch < 1 else factor)
    assert optimizer.learning_rate == 0.4


def test_a_schedule_may_observe_what_is_measured():
    class Watch:
        seen = []

        def __call__(self, epoch):
            return 1.0

        def observe(self, value):
            self.seen.append(value)

    watch = Watch()
    _, history = fit(schedule=watch)
    assert watch.seen == history["loss"]
    _, validated = fit(schedule=watch, validation=DATA)
    assert watch.seen[3:] == validated["val_loss"]


def test_steps_limit_a_run_even_within_an_epoch():
    step = sc.train.compile_step(sc.models.mlp([2, 2]), device="reference")
    _, history = fit(step.model, step=step, epochs=None, steps=10, validation=DATA)
    assert step.function.calls == 10 and history.epochs == 2  # 7 batches of 32 are 200 examples
    _, history = fit(epochs=2, steps=1000)
    assert history.epochs == 2


def test_on_epoch_and_step():
    model, seen = sc.models.mlp([2, 4, 2]), []
    step = sc.train.compile_step(model, device="reference")
    fit(model, step=step, on_epoch=lambda epoch, history: seen.append((epoch, history.epochs)))
    assert seen == [(0, 1), (1, 2), (2, 3)] and step.function is not None


def test_piped_progress_is_a_line_per_epoch(capsys):
    fit(epochs=2, validation=DATA, progress=True)
    out, err = capsys.readouterr()
    assert not err and [line.split("  ")[0] for line in out.splitlines()] == ["epoch 1/2", "epoch 2/2"]
    assert "val_accuracy" in out


def test_progress_bar(capsys):
    fit(epochs=2, progress="bar", validation=DATA)
    shown = capsys.readouterr().err
    assert "epoch 2/2" in shown and "val_accuracy" in shown


def test_no_progress(capsys):
    fit(epochs=2, progress=False, steps=3)
    assert capsys.readouterr() == ("", "")


def test_complaints():
    model = sc.models.mlp([2, 2])
    with pytest.raises(sc.errors.InputError, match="nothing to train on"):
        sc.train.fit(model, (np.zeros((0, 2)), np.zeros(0, int)))
    with pytest.raises(sc.errors.InputError, match="did you mean 'epochs'"):
        sc.train.fit(model, DATA, epoch=3)
    with pytest.raises(sc.errors.InputError, match="not a data set"):
        sc.train.fit(model, X)
    for wrong in ({"epochs": 0}, {"steps": 0}, {"batch_size": 2.5}):
        with pytest.raises(sc.errors.InputError, match="whole number, at least 1"):
            sc.train.fit(model, DATA, **wrong)
    step = sc.train.compile_step(model, device="reference")
    for twice in ({"loss": sc.losses.hinge}, {"optimizer": sc.optim.SGD(0.1)}):
        with pytest.raises(sc.errors.InputError, match="of its own"):
            sc.train.fit(model, DATA, step=step, **twice)
    with pytest.raises(sc.errors.InputError, match="no step"):
        sc.train.fit(model, DATA, step=print)
    with pytest.raises(sc.errors.InputError, match="not callable"):
        sc.train.fit(model, DATA, schedule=0.5)
    with pytest.raises(sc.errors.InputError, match="progress is one of"):
        sc.train.fit(model, DATA, progress="dots")
    with pytest.raises(sc.errors.InputError, match="empty"):
        sc.train.evaluate(model, (np.zeros((0, 2)), np.zeros(0, int)))


@pytest.mark.parametrize(
    "validation, match",
    [
        ((np.zeros((4, 3)), np.zeros(4, int)), "other inputs"),
        ((np.zeros((0, 2)), np.zeros(0, int)), "validation set is empty"),
        ((np.zeros((4, 2)), np.array([0, 1, 2, 0])), "out of range"),
    ],
)
def test_a_validation_set_that_does_not_fit_is_noticed_before_training(validation, match):
    step = sc.train.compile_step(sc.models.mlp([2, 2]), device="reference")
    with pytest.raises(sc.errors.SymcnnError, match=match):
        fit(step.model, step=step, validation=validation)
    assert step.function is None


def test_evaluate_weighs_examples_equally():
    model = sc.models.mlp([2, 2])
    whole, batched = (sc.train.evaluate(model, DATA, batch_size=b, device="reference") for b in (200, 33))
    assert whole["loss"] == pytest.approx(batched["loss"], rel=1e-6) and whole["accuracy"] == batched["accuracy"]


def test_evaluate_counts_no_labels_that_the_loss_ignores():
    model = sc.models.mlp([2, 2])
    labels = DATA[1].copy()
    labels[::3] = 255
    kept = labels != 255
    loss = partial(sc.losses.cross_entropy, ignore_index=255)
    found = sc.train.evaluate(model, (DATA[0], labels), loss=loss, batch_size=len(labels), device="reference")
    expected = sc.train.evaluate(model, (DATA[0][kept], labels[kept]), batch_size=len(labels), device="reference")
    assert found == pytest.approx(expected, rel=1e-6)


def test_evaluate_regression_has_no_accuracy():
    found = sc.train.evaluate(sc.models.mlp([2, 1]), (X, X[:, :1]), loss=sc.losses.squared_error, device="reference")
    assert found.keys() == {"loss"}


def test_penalty_and_constraint_are_the_steps():
    X = np.random.default_rng(0).normal(size=(8, 3))
    model = sc.models.mlp([3, 2])
    options = {"penalty": sc.regularize.L2(0.1), "constraint": sc.regularize.MaxNorm(0.5)}
    data = X, np.array([0, 1] * 4)
    sc.train.fit(model, data, epochs=1, device="reference", progress=False, **options)
    weight = model.parameters()["dense1.weight"].get_value()
    assert (np.linalg.norm(weight, axis=0) <= 0.5 + 1e-6).all()
    step = sc.train.compile_step(model, device="reference")
    with pytest.raises(sc.InputError, match="penalty of its own"):
        sc.train.fit(model, data, step=step, epochs=1, progress=False, **options)
