"""The picture of an activation function: curves, formulas and saturated zones against the functions themselves."""

import math
import re
from xml.etree import ElementTree

import numpy as np
import pytest

import symcnn as sc
from symcnn.errors import GradientError, InputError, ShapeError
from symcnn.viz.activation import BOTTOM, FORMULAS, LEFT, RIGHT, TOP, activation

FUNCTIONS = {  # as textbooks define them
    "sigmoid": lambda x: 1 / (1 + math.exp(-x)),
    "tanh": math.tanh,
    "relu": lambda x: max(0.0, x),
    "leaky_relu": lambda x: max(0.01 * x, x),
    "elu": lambda x: x if x > 0 else math.exp(x) - 1,
    "selu": lambda x: 1.0507009873554805 * (x if x > 0 else 1.6732632423543772 * (math.exp(x) - 1)),
    "gelu": lambda x: x * (1 + math.erf(x / math.sqrt(2))) / 2,
    "silu": lambda x: x / (1 + math.exp(-x)),
    "softplus": lambda x: math.log1p(math.exp(x)),
    "hard_sigmoid": lambda x: min(max(0.2 * x + 0.5, 0.0), 1.0),
}


def slope(f, x):
    return (f(x + 1e-5) - f(x - 1e-5)) / 2e-5


def curves(svg):
    """[(x, f), (x, f')] as the first panel draws them, in the units of its axes."""
    panel = next(g for g in ElementTree.fromstring(svg).iter() if g.get("class") == "panel")
    ticks = [t for t in panel if t.get("class") == "tick" and t.get("text-anchor") == "end"]
    low, high = (float(t.text.replace("−", "-")) for t in (ticks[0], ticks[-1]))
    found = []
    for name in ("line0", "line1"):
        path = [p for p in panel if p.get("class") == name][-1].get("d")
        points = np.array(re.findall(r"[ML]([-\d.]+) ([-\d.]+)", path), float)
        x = -6 + 12 * (points[:, 0] - LEFT) / (RIGHT - LEFT)
        found.append((x, low + (high - low) * (BOTTOM - points[:, 1]) / (BOTTOM - TOP)))
    return found


@pytest.mark.parametrize("name", FORMULAS)
def test_curves(name):
    (x, f), (_, df) = curves(activation(name).svg)
    exact = FUNCTIONS[name]
    np.testing.assert_allclose(f, [exact(v) for v in x], atol=0.04)
    smooth = np.abs(x) > 0.1 if name != "hard_sigmoid" else np.abs(np.abs(x) - 2.5) > 0.1
    np.testing.assert_allclose(df[smooth], [slope(exact, v) for v in x[smooth]], atol=0.04)


def evaluated(text: str, x: float, f) -> float:
    """A formula as the figure writes it."""
    if "cut off" in text:
        text = f"min(max({text.split(',')[0]}, 0), 1)"
    text = text.split(", Φ:")[0].split(", σ:")[0].replace("−", "-").replace(", else", " else")
    text = text.replace("²", "**2").replace("2x", "2 * x").replace("|x|", "abs(x)")
    text = re.sub(r"(?<=[\dx)]) (?=[x(Φφ]|exp)", " * ", text)  # what stands beside each other is multiplied
    phi = math.exp(-x * x / 2) / math.sqrt(2 * math.pi)
    names = {
        "x": x, "f": f, "exp": math.exp, "log": math.log, "max": max, "min": min, "abs": abs, "φ": lambda _: phi,
        "Φ": lambda v: (1 + math.erf(v / math.sqrt(2))) / 2, "σ": lambda v: 1 / (1 + math.exp(-v)),
    }  # fmt: skip
    return eval(text, {"__builtins__": {}}, names)


@pytest.mark.parametrize("name", FORMULAS)
def test_formulas_are_true(name):
    f, (of_f, of_slope) = FUNCTIONS[name], FORMULAS[name]
    for x in (-3.1, -1.2, -0.3, 0.4, 1.7, 3.3):
        assert evaluated(of_f, x, f) == pytest.approx(f(x), abs=0.02)
        assert evaluated(of_slope, x, f) == pytest.approx(slope(f, x), abs=0.02)


def zones(figure):
    """Numbers of the sentence about saturation."""
    return [float(n) for n in re.findall(r"-?\d+\.?\d*", figure.text.replace("−", "-").split("saturated")[1])]


def test_saturated_zones():
    # sigmoid: f (1 - f) = 0.05 / 4; tanh: 1 - f^2 = 0.05
    f = (1 - math.sqrt(1 - 0.05)) / 2
    edge = math.log((1 - f) / f)
    assert zones(activation("sigmoid")) == pytest.approx([-edge, edge], abs=0.006)
    edge = math.atanh(math.sqrt(0.95))
    assert zones(activation("tanh")) == pytest.approx([-edge, edge], abs=0.006)
    assert "saturated below 0" in activation("relu").text
    assert "nowhere saturated" in activation(abs).text
    assert "nowhere saturated" in activation(lambda x: 3 * x).text
    assert "saturated everywhere" in activation(lambda x: 0 * x).text
    assert activation("sigmoid").svg.count('class="zone"') == 2


def test_functions_of_ones_own():
    figure = activation(lambda x: sc.maximum(2 * x + 1, -x))
    (x, f), (_, df) = curves(figure.svg)
    np.testing.assert_allclose(f, np.maximum(2 * x + 1, -x), atol=0.1)
    np.testing.assert_allclose(
        df[np.abs(x + 1 / 3) > 0.1], np.where(x > -1 / 3, 2, -1)[np.abs(x + 1 / 3) > 0.1], atol=0.1
    )
    assert activation(sc.nn.LeakyReLU(0.2)).title.startswith("LeakyReLU(slope=0.2)")


def test_gaps_where_a_function_is_not_finite():
    figure = activation(sc.log, -2, 2)
    assert "nan" not in figure.svg and '"f":[null' in figure.html()


def test_small_multiples():
    figure = activation(["sigmoid", "tanh", "relu"])
    assert figure.svg.count('class="panel"') == 3 and len(figure.text.splitlines()) == 3
    assert figure.html() == activation(["sigmoid", "tanh", "relu"]).html()
    ElementTree.fromstring(figure.svg)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"function": "sigmoyd"}, InputError, "did you mean 'sigmoid'"),
        ({"function": ["relu", "tan h"]}, InputError, "did you mean 'tanh'"),
        ({"function": "ReLU"}, InputError, "did you mean 'relu'"),
        ({"function": sc.nn.Softmax()}, ShapeError, "element by element"),
        ({"function": 3}, InputError, "a name or a function"),
        ({"function": []}, InputError, "1 to 12"),
        ({"function": lambda x: x.sum()}, ShapeError, "element by element"),
        ({"function": lambda x: 3.0}, ShapeError, "element by element"),
        ({"function": lambda x: sc.constant(np.ones(241))}, GradientError, ""),
        ({"function": sc.log, "low": -3, "high": -1}, InputError, "nowhere finite"),
        ({"low": 2, "high": 1}, InputError, "low < high"),
        ({"low": float("nan")}, InputError, "low"),
        ({"func": "relu"}, InputError, "did you mean 'function'"),
    ],
)
def test_what_cannot_be_drawn(arguments, error, message):
    with pytest.raises(error) as caught:
        activation(**arguments)
    assert message in str(caught.value)
