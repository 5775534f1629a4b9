"""Callbacks: when they are called, what they see, how they end a run."""

import os
import signal

import numpy as np
import pytest

import symcnn as sc
from symcnn.train import Callback

rng = np.random.default_rng(0)
X = rng.normal(size=(20, 2))
DATA = X, (X[:, 0] > 0).astype("int64")


def fit(callbacks, **options):
    options = {"epochs": 2, "batch_size": 8, "device": "reference", "progress": False} | options
    return sc.train.fit(options.pop("model", None) or sc.models.mlp([2, 2]), DATA, callbacks=callbacks, **options)


class Record(Callback):
    def __init__(self, log, name=""):
        self.log, self.name = log, name

    def on_start(self, run):
        self.log.append(f"start{self.name}")

    def on_step(self, run):
        self.log.append(f"{run.epoch}.{run.batch}{self.name}")

    def on_epoch(self, run):
        self.log.append(f"epoch{self.name}")

    def on_end(self, run):
        self.log.append(f"end{self.name}")


def test_order_of_calls():
    log = []
    fit(Record(log))
    assert log == ["start", "0.1", "0.2", "0.3", "epoch", "1.1", "1.2", "1.3", "epoch", "end"]
    log = []
    fit([Record(log, "a"), Record(log, "b")], epochs=1, batch_size=20)
    assert log == ["starta", "startb", "0.1a", "0.1b", "epocha", "epochb", "endb", "enda"]


def test_what_a_run_tells():
    class Look(Callback):
        seen, losses = [], []

        def on_step(self, run):
            self.seen.append((run.steps_done, len(run.images), len(run.labels), run.batches, run.epochs))
            self.losses.append(run.loss)

        def on_epoch(self, run):
            assert run.metrics["loss"] == run.mean_loss == run.history["loss"][-1]
            assert run.metrics["loss"] == pytest.approx(np.dot(self.losses[-3:], [8, 8, 4]) / 20)

    fit([Look()], validation=DATA)
    assert Look.seen == [
        (1, 8, 8, 3, 2),
        (2, 8, 8, 3, 2),
        (3, 4, 4, 3, 2),
        (4, 8, 8, 3, 2),
        (5, 8, 8, 3, 2),
        (6, 4, 4, 3, 2),
    ]


class At(Callback):
    """Does something after a number of steps."""

    def __init__(self, steps, action):
        self.steps, self.action = steps, action

    def on_step(self, run):
        if run.steps_done == self.steps:
            self.action(run)


def test_stop_ends_the_run_after_the_step_and_writes_the_epoch_down(capsys):
    log = []
    history = fit([At(5, lambda run: run.stop("enough")), Record(log)], epochs=9, progress=True)
    assert log[-3:] == ["1.2", "epoch", "end"] and history.epochs == 2
    assert "stopped in epoch 2, after batch 2 of 3: enough" in capsys.readouterr().out


def interrupt(run):
    os.kill(os.getpid(), signal.SIGINT)


def test_ctrl_c_keeps_weights_and_history(capsys):
    before = signal.getsignal(signal.SIGINT)
    log, model = [], sc.models.mlp([2, 2], seed=0)
    history = fit([At(5, interrupt), Record(log)], model=model, epochs=9, progress=True)
    assert log[-2:] == ["1.2", "end"] and history.epochs == 1
    assert "stopped in epoch 2, after batch 2 of 3: interrupted" in capsys.readouterr().out
    assert signal.getsignal(signal.SIGINT) is before
    other = sc.models.mlp([2, 2], seed=0)
    fit([], model=other, steps=5)
    assert all(
        (a.get_value() == b.get_value()).all() for a, b in zip(model.parameters(), other.parameters(), strict=True)
    )


def test_a_second_ctrl_c_ends_the_program():
    optimizer = sc.optim.SGD(0.3)
    with pytest.raises(KeyboardInterrupt):
        fit([At(5, lambda run: (interrupt(run), interrupt(run)))], optimizer=optimizer, schedule=lambda epoch: 0.1)
    assert optimizer.learning_rate == 0.3


def test_ctrl_c_does_not_wait_for_the_validation():
    class Slow:
        def __call__(self, data):
            if len(data) > 2:
                os.kill(os.getpid(), signal.SIGINT)
                raise AssertionError("went on")

    log = []
    history = fit(Record(log), validation=DATA, evaluation=Slow())
    assert log[-2:] == ["0.3", "end"] and history.epochs == 0


def test_a_handler_of_the_program_stays():
    def mine(number, frame):
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGINT, mine)
    try:
        assert fit([At(5, interrupt)]).epochs == 1
        assert signal.getsignal(signal.SIGINT) is mine
    finally:
        signal.signal(signal.SIGINT, before)


def test_complaints():
    with pytest.raises(sc.InputError, match="a class, not an object") as error:
        fit([sc.train.EarlyStopping])
    assert error.value.hint == "EarlyStopping()"
    for wrong in (print, [print], "csv", None, {}, int):
        with pytest.raises(sc.InputError, match="no callback"):
            fit(wrong)
    for wrong in (3, lambda epoch: None):
        with pytest.raises(sc.InputError, match="on_epoch is a function of two"):
            fit([], on_epoch=wrong)
    with pytest.raises(sc.InputError, match="did you mean 'patience'"):
        sc.train.EarlyStopping(patienc=3)
