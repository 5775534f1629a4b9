"""sc.draw: numbers on the right arrows, layers in boxes, texts, files, errors; the graph stays as it is."""

import re
import time
from xml.etree import ElementTree

import numpy as np
import pytest

import symcnn as sc
from symcnn import nn
from symcnn.ir.graph import toposort

pytest.importorskip("fast_sugiyama")

NEURON = {"w0": 2, "x0": -1, "w1": -3, "x1": -2, "w2": -3}
SPACE = "{http://www.w3.org/2000/svg}"


def neuron():
    w0, x0, w1, x1, w2 = (sc.input(name, ()) for name in NEURON)
    return 1 / (1 + np.exp(-(w0 * x0 + w1 * x1 + w2)))


def labels(figure, kind):
    """Key of a box -> the label of this kind, read from the picture."""
    root = ElementTree.fromstring(figure.svg)
    return {t.get(f"data-{kind}"): t.text for t in root.iter(f"{SPACE}text") if t.get(f"data-{kind}")}


def test_the_circuit_of_the_lecture():
    figure = sc.draw(neuron(), values=NEURON)
    values, gradients = labels(figure, "value"), labels(figure, "gradient")
    assert {name: values[name] for name in NEURON} == {
        "w0": "2.00", "x0": "-1.00", "w1": "-3.00", "x1": "-2.00", "w2": "-3.00"
    }  # fmt: skip
    assert {name: gradients[name] for name in NEURON} == {
        "w0": "d -0.20", "x0": "d 0.39", "w1": "d -0.39", "x1": "d -0.59", "w2": "d 0.20"
    }  # fmt: skip
    output = next(key for key, text in gradients.items() if text == "d 1.00")
    assert values[output] == "0.73"
    assert [values[k] for k in values if k.startswith("%")] == [
        "-2.00", "6.00", "4.00", "1.00", "-1.00", "0.37", "1.37", "0.73"
    ]  # fmt: skip


def test_labels_stand_above_and_below_the_arrow_of_their_box():
    root = ElementTree.fromstring(sc.draw(neuron(), values=NEURON).svg)
    place = {
        g.get("data-key"): [float(n) for n in re.findall(r"-?[\d.]+", g.get("transform"))]
        for g in root.iter(f"{SPACE}g")
        if g.get("transform")
    }
    for text in root.iter(f"{SPACE}text"):
        for kind, side in ("value", -1), ("gradient", 1):
            if key := text.get(f"data-{kind}"):
                x, y = place[key]
                assert 0 < float(text.get("x")) - x < 60 and 0 < side * (float(text.get("y")) - y) < 25


def test_the_same_graph_gives_the_same_picture():
    first, second = (sc.draw(neuron(), values=NEURON) for _ in range(2))
    assert first.svg == second.svg and first.html() == second.html()


def test_what_was_not_computed_is_not_zero():
    x, k = sc.input("x", ()), sc.input("k", ())
    figure = sc.draw(x * sc.stop_gradient(k) + sc.where(x > 5.0, x, 0.0), values={"x": 2, "k": 3})
    gradients = labels(figure, "gradient")
    assert gradients["x"] == "d 3.00" and gradients["k"] == "no d"
    assert "no d" not in sc.draw([x * 2, x * 3], values={"x": 1}).svg  # of two outputs there is no gradient at all


def test_gradients_of_several_readers_add_up():
    x = sc.input("x", ())
    figure = sc.draw(x * x + sc.exp(x), values={"x": 1})
    parts = labels(figure, "part")
    assert sorted(parts.values()) == ["d 1.00", "d 1.00", "d 2.72"]
    assert labels(figure, "gradient")["x"] == "d 4.72"
    sums = [line for step in figure.live.data["steps"] for line in step["sums"]]
    assert sums[-1].endswith("= 4.72") and sums[-1].startswith("gradients add up: ")


def test_the_steps_say_local_times_upstream():
    steps = sc.draw(neuron(), values=NEURON).live.data["steps"]
    forward = [s for s in steps if s["phase"] == "forward"]
    backward = [s for s in steps if s["phase"] == "backward"]
    assert [s["text"] for s in forward][:3] == [
        "2.00 * (-1.00) = -2.00",
        "(-3.00) * (-2.00) = 6.00",
        "(-2.00) + 6.00 = 4.00",
    ]
    assert [s["title"] for s in backward][:3] == [
        "the gradient of the output by itself is 1", "backward: divide", "backward: add"
    ]  # fmt: skip
    exp = next(s for s in backward if s["title"] == "backward: exp")
    assert exp["rows"] == [["in", "upstream * out", "0.37 x (-0.53) = -0.20"]]
    product = [s for s in backward if s["title"] == "backward: multiply"]
    assert {row[0]: row[2] for s in product for row in s["rows"]} == {
        "w0": "(-1.00) x 0.20 = -0.20", "x0": "2.00 x 0.20 = 0.39", "w1": "(-2.00) x 0.20 = -0.39", "x1": "(-3.00) x 0.20 = -0.59"
    }  # fmt: skip


def test_gradients_of_arrays_are_those_of_grad():
    rng = np.random.default_rng(0)
    x, w = sc.input("x", (None, 1, 9, 9)), sc.shared(rng.normal(size=(3, 1, 3, 3)), name="w", dtype="float32")
    cost = sc.mean(sc.max_pool2d(sc.relu(sc.conv2d(x, w)), 2) ** 2)
    X = rng.normal(size=(2, 1, 9, 9)).astype("float32")
    figure = sc.draw(cost, values={"x": X})
    by_w, by_x = sc.function([x], sc.grad(cost, [w, x]), device="reference")(X)
    gradients = labels(figure, "gradient")
    for name, g in {"w": by_w, "x": by_x}.items():
        mean, std = (float(t) for t in gradients[name].removeprefix("d ").split(" ± "))
        np.testing.assert_allclose([mean, std], [g.mean(), g.std()], atol=0.006, rtol=0.06)
    assert figure.svg.count("<image") == 6  # x, the map and its relu as pictures, forward and backward
    assert figure.svg.count('class="bar of-gradient"') > 3  # what is smaller, as histograms


class TestModels:
    def test_layers_are_boxes(self):
        figure = sc.draw(sc.models.lenet(init="zeros"))
        assert set(re.findall(r'data-key="([^"]+)"', figure.svg)) >= {"x", "conv1", "conv2", "dense1", "dense2"}
        assert {"conv1", "conv2", "dense1", "dense2"} <= set(figure.live.data["levels"])
        assert "conv1.weight" in figure.live.data["levels"]["conv1"]["svg"]

    def test_equal_blocks_are_one_with_a_number(self):
        figure = sc.draw(sc.models.googlenet(init="zeros"))
        assert "inception4a .. inception4e x 5" in figure.svg
        inside = figure.live.data["levels"]["inception4a.."]["svg"]
        assert all(f'data-key="inception4{k}"' in inside for k in "abcde")

    def test_forward_and_gradient_of_googlenet_in_three_seconds(self):
        model = sc.models.googlenet(init="zeros")
        cost = sc.mean(model(sc.input("x", (None, 3, 224, 224))) ** 2)
        gradients = sc.grad(cost, list(model.parameters()))
        start = time.perf_counter()
        figure = sc.draw([cost, *gradients])
        assert time.perf_counter() - start < 3
        assert figure.svg.count('class="box') < 70  # collapsed
        assert (
            'data-key="d inception5b"' in figure.svg + str(figure.live.data["levels"].keys())
            or "d inception5a" in figure.svg
        )

    def test_every_op_is_somewhere(self):
        """However groups are formed, each Variable has one box."""
        model = sc.models.resnet18(width=0.125, init="zeros")
        cost = sc.mean(model(sc.input("x", (None, *model.in_shape))))
        outputs = [cost, *sc.grad(cost, list(model.parameters()))]
        figure = sc.draw(outputs)
        text = figure.svg + "".join(level["svg"] for level in figure.live.data["levels"].values())
        boxes = re.findall(r'class="box (?:op|input|shared)[^"]*" data-key="([^"]+)"', text)
        assert len(boxes) == len(set(boxes))
        named = [v for v in toposort(outputs) if not (isinstance(v, sc.Constant) and v.ndim == 0)]
        assert len(boxes) == len(named)

    def test_a_module_whose_input_is_unknown(self):
        with pytest.raises(sc.InputError, match="shape of an example") as caught:
            sc.draw(nn.Dense(3, 2))
        assert "sc.draw(model(sc.input" in caught.value.hint


def test_a_crowd_without_layers_comes_in_parts():
    h = sc.input("x", (None, 4))
    for _ in range(400):
        h = sc.tanh(h) * 0.5
    figure = sc.draw(h)
    assert "part 1 of" in figure.svg and figure.svg.count('class="box') < 130


def test_functions_show_the_kernels_of_their_ops():
    x = sc.input("x", (None,))
    f = sc.function([x], sc.exp(x) * 2, device="reference", name="f")
    figure = sc.draw(f)
    assert figure.title == "graph of f, layout"
    details, sources = figure.live.data["details"], figure.live.data["sources"]
    assert all("kernel" in said for said in details.values() if "label" in said) and len(sources) == 1
    assert sc.draw(f, stage="expression").title == "graph of f, expression"
    assert sc.draw(f, values={"x": [1.0, 2.0]}).title == "graph of f, expression"


def test_steps_can_be_drawn_once_they_are_built():
    step = sc.train.compile_step(sc.models.mlp([4, 3]), device="reference")
    with pytest.raises(sc.InputError, match="not built yet"):
        sc.draw(step)
    step.compile(np.zeros((2, 4), "float32"), np.array([0, 1]))
    assert "dense1" in sc.draw(step, collapse=True).svg


def test_files(tmp_path):
    figure = sc.draw(neuron(), values=NEURON)
    for suffix in ("svg", "html", "dot", "txt"):
        figure.save(tmp_path / f"a.{suffix}")
    assert (tmp_path / "a.dot").read_text().startswith("digraph {")
    assert (tmp_path / "a.txt").read_text() == f"{figure}\n"
    assert ElementTree.parse(tmp_path / "a.svg").getroot().get("role") == "img"


def test_pages_of_two_hundred_nodes_are_small():
    h = sc.input("x", (None, 64))
    for k in range(40):
        h = sc.tanh(h @ sc.shared(np.zeros((64, 64), "float32"), name=f"w{k}")) * sc.sigmoid(h)
    assert len(toposort([h])) >= 200
    assert len(sc.draw(h).html().encode()) < 250_000
    assert len(sc.draw(h, collapse=False).html().encode()) < 250_000


def test_names_are_escaped():
    x = sc.input("<b>&\"'", ())
    figure = sc.draw(sc.exp(x), values={"<b>&\"'": 1})
    ElementTree.fromstring(figure.svg)
    assert "<b>" not in figure.svg


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"what": 3}, "there is no graph"),
        ({"what": []}, "there is no graph"),
        ({"what": "net"}, "there is no graph"),
        ({"direction": "left"}, "direction='left'"),
        ({"values": {"x": 1}}, "y missing"),
        ({"values": {"x": 1, "y": 2, "z": 3}}, "no input 'z'"),
        ({"values": {"x": [1, 2], "y": 2}}, "x has another shape"),
        ({"colour": 3}, "colour"),
    ],
)
def test_wrong_arguments(arguments, message):
    x, y = sc.input("x", ()), sc.input("y", ())
    with pytest.raises((sc.InputError, sc.ShapeError), match=re.escape(message)):
        sc.draw(**{"what": x * y, **arguments})


def test_a_stage_that_is_none():
    f = sc.function([x := sc.input("x", ())], x + 1, device="reference")
    with pytest.raises(sc.InputError, match="no graph 'nests'"):
        sc.draw(f, stage="nests")


@pytest.mark.parametrize(
    "make",
    [
        lambda: sc.constant(2.0),
        lambda: sc.input("x", ()),
        lambda: sc.constant(np.zeros((3, 3))),
        lambda: [sc.input("x", ()), sc.constant(1.0)],
        lambda: sc.dropout(sc.input("x", (None, 3)), 0.5, seed=1),
        lambda: sc.input("x", (0, 3)) * 2,
    ],
)
def test_small_and_odd_graphs(make):
    ElementTree.fromstring(sc.draw(make()).svg)


@pytest.mark.parametrize("value", [np.nan, np.inf, -1e30, 1e-30, 0.0])
def test_odd_numbers(value):
    x = sc.input("x", (3,))
    figure = sc.draw(sc.sum(x * x), values={"x": [value, 1, 2]})
    ElementTree.fromstring(figure.svg)
    assert labels(figure, "value")["x"]


def test_drawing_leaves_the_graph_alone():
    y = neuron()
    before = {v: (v.inputs, v.op, v.type, v.origin) for v in toposort([y])}
    sc.draw(y, values=NEURON)
    assert before == {v: (v.inputs, v.op, v.type, v.origin) for v in toposort([y])}


def test_random_ops_are_run():
    x = sc.input("x", (4,))
    assert "value" in sc.draw(sc.sum(sc.dropout(x, 0.5, seed=0)), values={"x": np.ones(4)}).svg
