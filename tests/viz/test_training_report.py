"""The training report: every part that was asked for, in all three forms; and each of four illnesses with its advice."""

import re
import xml.etree.ElementTree as ET
from html.parser import HTMLParser

import numpy as np
import pytest

import symcnn as sc
from symcnn.train import History
from symcnn.viz import training_report
from tests.viz import sick

rng = np.random.default_rng(0)
HISTORY = History(loss=[2.0, 1.0, 0.5], val_loss=[2.1, 1.2, 0.9], val_accuracy=[0.3, 0.6, 0.7], seconds=[1.0, 1.0, 1.0])
CLASSES = ("cat & dog", "<eel>", "fox")


@pytest.fixture(scope="module")
def model():
    return sc.nn.Sequential(
        conv=sc.nn.Conv2d(3, 2, 3, seed=0), flat=sc.nn.Flatten(), out=sc.nn.Dense(2 * 6 * 6, 3, seed=1)
    )


@pytest.fixture(scope="module")
def data():
    return sc.data.Dataset(rng.normal(size=(40, 3, 8, 8)).astype("float32"), rng.integers(0, 3, 40), CLASSES)


@pytest.fixture(scope="module")
def monitor():
    found = sc.train.Monitor(every=2)
    X = rng.normal(size=(32, 4))
    sc.train.fit(
        sc.models.mlp([4, 6, 2], seed=0), (X, np.arange(32) % 2), epochs=3, batch_size=8, callbacks=found,
        device="reference", progress=False,
    )  # fmt: skip
    return found


@pytest.fixture(scope="module")
def full(model, data, monitor):
    check = sc.train.check_gradients(model, data.images[:2], data.labels[:2], entries=1)
    return training_report(HISTORY, model=model, data=data, monitor=monitor, gradient_check=check, title="A & <B>")


def texts(figure):
    return [t.text for t in ET.fromstring(figure.svg).iter("{http://www.w3.org/2000/svg}text")]


def test_the_still_picture_has_every_part(full):
    found = texts(full)
    for heading in ("A & <B>", "Advice", "Curves", "Layers", "Confusion matrix", "Gradient check"):
        assert heading in found
    assert "Where it is wrong, and most certain" in found and "cat & dog" in found and "conv.weight" in found
    assert {"Loss", "Accuracy", "Update ratio |dw|/|w|", "healthy", "Dead units"} <= set(found)


def test_the_counts_are_those_of_the_confusion_matrix(full, model, data):
    expected = sc.metrics.confusion_matrix(model.predict(data), data.labels, 3)
    root = ET.fromstring(full.svg)
    counts = [
        int(t.text)
        for t in root.iter("{http://www.w3.org/2000/svg}text")
        if t.get("class") == "count" and t.get("text-anchor")
    ]
    assert counts == expected[expected > 0].tolist()
    assert f"{np.trace(expected) / 40:.3f}" in next(x for x in full.text.splitlines() if x.startswith("accuracy"))


def test_the_text_tells_the_same(full):
    assert full.text.startswith("A & <B>\n3 epochs; loss 0.5; val_loss 0.9; val_accuracy 0.7; seconds 3\n")
    for part in ("|dw|/|w|", "macro mean", "relative error", "Nothing looks wrong."):
        assert part in full.text


def test_the_live_view_holds_the_values_of_the_charts(full):
    charts = {chart["title"]: chart for chart in full.live.data["charts"]}
    loss = charts["Loss"]
    assert loss["at"] == [1, 2, 3] and dict(zip(loss["names"], loss["values"], strict=True)) == {
        "training": HISTORY["loss"],
        "validation": HISTORY["val_loss"],
    }
    assert [form["scale"]["log"] for form in loss["forms"]] == [False, True]
    assert charts["Dead units"]["percent"] and len(charts["Dead units"]["forms"]) == 1


class Balance(HTMLParser):
    def __init__(self):
        super().__init__()
        self.open = []

    def handle_starttag(self, tag, attributes):
        if tag not in ("img", "br", "input", "meta"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_the_page_is_whole_and_loads_nothing(full):
    parser = Balance()
    parser.feed(full.live.data["html"])
    assert parser.open == []
    assert "<eel>" not in full.live.data["html"] and "&lt;eel&gt;" in full.live.data["html"]
    assert not re.search(r'(src|href)="(?!data:|#)', full.html())


def test_figures_are_the_same_every_time(model, data):
    first, second = (training_report(HISTORY, model=model, data=data) for _ in range(2))
    assert first.html() == second.html()


@pytest.mark.parametrize(
    ("make", "advice"),
    [
        (sick.healthy, ["Nothing looks wrong."]),
        (sick.rate_too_high, ["goes up and down", "lower the learning rate"]),
        (sick.rate_too_low, ["raise the learning rate"]),
        (sick.overfitting, ["overfitting since epoch 3", "EarlyStopping"]),
        (
            sick.dead_units,
            ["of the units are dead", "leaky ReLU or maxout", "small positive bias", "no gradient arrives"],
        ),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_an_illness_is_told_with_its_cure(make, advice):
    history, monitor = make()
    figure = training_report(history, monitor=monitor)
    shown = " ".join(" ".join(filter(None, texts(figure))).split())
    assert all(words in shown and words in " ".join(figure.text.split()) for words in advice)


def test_every_illness_is_seen_in_its_chart():
    """By the values that are drawn: what a reader has to see."""

    def charts(history, monitor):
        figure = training_report(history, monitor=monitor)
        return {c["title"]: dict(zip(c["names"], c["values"], strict=True)) for c in figure.live.data["charts"]}

    low = charts(*sick.rate_too_low())
    assert max(max(values) for values in low["Update ratio |dw|/|w|"].values()) < 1e-4
    over = charts(*sick.overfitting())["Loss"]
    assert over["validation"][-1] > 2 * min(over["validation"]) and over["training"][-1] < 0.01
    dead = charts(*sick.dead_units())["Dead units"]
    assert min(dead["relu"]) > 0.8


def test_a_schedule_that_has_ended_is_no_low_learning_rate():
    history, monitor = sick.rate_too_low()
    cooled = History(history, learning_rate=[0.1] * 19 + [1e-6])
    assert "of their norm" in training_report(history, monitor=monitor).text
    assert "of their norm" not in training_report(cooled, monitor=monitor).text


def test_without_an_epoch():
    assert training_report({}).text.endswith("Nothing looks wrong.")
    assert training_report(History(), monitor=sc.train.Monitor()).svg


def test_long_runs_and_large_networks_stay_small():
    epochs = 10_000
    history = {name: rng.random(epochs).tolist() for name in ("loss", "val_loss", "val_accuracy")}
    monitor = sc.train.Monitor()
    row = {"mean": 0.0, "std": 1.0, "saturated": float("nan"), "size": 1, "kind": "x", "loss": 1.0, "examples": 8}
    numbers = ("weight_norm", "gradient_norm", "update_ratio", "norm", "dead")
    monitor.records = [
        row | {"step": step, "epoch": step / 10, "layer": f"block{k}.conv"} | dict.fromkeys(numbers, 0.01 * (k + 1))
        for step in range(1, 1000, 2)
        for k in range(64)
    ]
    figure = training_report(history, monitor=monitor)
    assert len(figure.html()) < 700_000 and len(figure.text.splitlines()) < 120
    assert "more; monitor.findings() has all of them" in figure.text
    names = next(c["names"] for c in figure.live.data["charts"] if "Weights" in c["title"])
    assert len(names) == 12 and {names[0], names[-1]} == {"block0.conv", "block63.conv"}
    dead = next(c["names"] for c in figure.live.data["charts"] if "Dead" in c["title"])
    assert dead == [f"block{k}.conv" for k in range(52, 64)]  # those with the most


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"history": sc.train.Monitor()}, "no history"),
        ({"history": {"loss": 3}}, "list of numbers"),
        ({"monitor": 3}, "no Monitor"),
        ({"gradient_check": {}}, "no GradientCheck"),
        ({"data": (np.zeros((2, 3, 8, 8)), [0, 1])}, "without model"),
        ({"model": sc.models.mlp([2, 2])}, "without data"),
        ({"model": sc.models.mlp([2, 2]), "data": (np.zeros((2, 2)), [0.5, 1.5])}, "no classes"),
        ({"model": sc.models.mlp([2, 2]), "data": (np.zeros((2, 2)), [[0], [1]])}, "no logits"),
        ({"model": sc.models.mlp([2, 2]), "data": (np.zeros((0, 2)), np.zeros(0, int))}, "empty"),
        ({"model": sc.models.mlp([2, 2]), "data": (np.zeros((2, 2)), [0, 1]), "classes": ["a"]}, "one name per class"),
        ({"model": 3, "data": (np.zeros((2, 2)), [0, 1])}, "no network"),
        ({"clases": ["a"]}, "no keyword"),
    ],
)
def test_refused(options, match):
    history = options.pop("history", HISTORY)
    with pytest.raises(sc.InputError, match=match):
        training_report(history, **options)
