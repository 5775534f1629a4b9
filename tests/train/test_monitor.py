"""The monitor: when it measures, what it records, that training does not notice, and its report."""

import json

import numpy as np
import pytest

import symcnn as sc
from symcnn import nn

rng = np.random.default_rng(0)
X = rng.normal(size=(64, 4)).astype("float32")
DATA = X, (X[:, 0] > 0).astype("int64")


def model(dead=False):
    network = nn.Sequential(
        a=nn.Dense(4, 8, seed=0), act=nn.ReLU(), drop=nn.Dropout(0.2, seed=1), b=nn.Dense(8, 2, seed=2)
    )
    if dead:
        network.parameters()["a.bias"].set_value(np.where(np.arange(8) < 6, -50.0, 0.0))
    return network


def fit(network, *callbacks, **options):
    options = {"epochs": 3, "batch_size": 16, "device": "reference", "progress": False} | options
    return sc.train.fit(network, DATA, callbacks=list(callbacks), **options)


def test_records_at_the_first_step_and_then_every_so_many():
    monitor = sc.train.Monitor(every=5)
    fit(model(), monitor)
    assert [r["step"] for r in monitor.records if r["layer"] == "a"] == [1, 5, 10]
    assert monitor.layers == ["a", "act", "drop", "b"]
    assert [r["epoch"] for r in monitor.records if r["layer"] == "a"] == [0.25, 1.25, 2.5]
    steps, norms = monitor.series("b", "weight_norm")
    assert steps.tolist() == [1, 5, 10] and (norms > 0).all()
    assert monitor.records[0]["examples"] == 16 and monitor.records[0]["loss"] > 0


def test_training_does_not_notice():
    watched, alone = model(), model()
    first, second = fit(watched, sc.train.Monitor(every=1)), fit(alone)
    assert first["loss"] == second["loss"]
    for a, b in zip(watched.parameters(), alone.parameters(), strict=True):
        np.testing.assert_array_equal(a.get_value(), b.get_value())


def test_one_function_for_the_whole_training(monkeypatch):
    names = []
    honest = sc.function
    monkeypatch.setattr(
        sc, "function", lambda *args, **options: names.append(options.get("name")) or honest(*args, **options)
    )
    fit(model(), sc.train.Monitor(every=2))
    assert names.count("probe") == 1


def test_a_planted_dead_layer_is_reported_with_advice():
    monitor = sc.train.Monitor()
    fit(model(dead=True), monitor, epochs=1)
    (found,) = [f for f in monitor.findings() if f.sign == "dead"]
    assert found.layer == "act" and found.value >= 0.75
    report = str(monitor.report())
    advice = " ".join(report.split())
    assert "of the units are dead" in advice and "leaky ReLU or maxout" in advice and "|dw|/|w|" in report
    assert max(map(len, report.splitlines())) <= 100


def test_records_are_plain_and_survive_a_checkpoint():
    monitor = sc.train.Monitor(every=5)
    fit(model(), monitor)
    assert {type(v) for r in monitor.records for v in r.values()} <= {int, float, str}
    again = sc.train.Monitor(every=5)
    again.restore(json.loads(json.dumps(monitor.state())))
    assert str(again.records) == str(monitor.records) and str(again.report()) == str(monitor.report())
    again.restore(sc.train.Monitor().state())
    assert again.records == [] and "Nothing measured" in again.report()


def test_complaints():
    monitor = sc.train.Monitor(every=5)
    fit(model(), monitor, epochs=1)
    with pytest.raises(sc.InputError, match="no layer 'ac'") as error:
        monitor.series("ac", "dead")
    assert "act" in error.value.hint
    with pytest.raises(sc.InputError, match="no number"):
        monitor.series("act", "ded")
    with pytest.raises(sc.InputError, match="at least 1"):
        sc.train.Monitor(every=0)
