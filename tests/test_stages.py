"""The compiler's story: the stages in order, counted, and told as text."""

import numpy as np
import pytest

import symcnn as sc
from symcnn.ir.graph import toposort
from symcnn.ir.variable import made_by

NAMES = ["expression", "autodiff", "canonicalize", "stabilize", "specialize", "layout", "nests", "plan", "kernels"]


def neuron():
    x, w = sc.input("x", (None, 3)), sc.shared(np.ones(3, "float32"), "w")
    cost = sc.sum(sc.square(1 / (1 + sc.exp(-(x @ w)))))
    return sc.function([x], cost, updates={w: w - 0.1 * sc.grad(cost, w)})


def test_names_and_order():
    f = neuron()
    assert list(f.stages) == NAMES
    assert [name for name in f.node_counts if name in NAMES] == NAMES[:6]
    assert all(str(stage) for stage in f.stages.values())


def test_the_expression_is_what_the_user_wrote():
    stages = neuron().stages
    assert "exp" in str(stages["expression"]) and "sigmoid" not in str(stages["layout"]).split("return")[1]
    assert "sigmoid" not in str(stages["expression"]), "which grad has made, to differentiate it"
    assert stages["expression"].nodes < stages["autodiff"].nodes


def test_rewrites_say_what_they_did():
    applications = neuron().stages["stabilize"].applications
    assert any("sigmoid(x)" in str(a) and "stabilize.py:" in str(a) for a in applications)


def test_plan_and_kernels_wait_for_shapes():
    f = neuron()
    assert "not made yet" in str(f.stages["plan"])
    f.bind(x=(5, 3))
    assert "peak" in str(f.stages["plan"]) and "def kernel" in str(f.stages["kernels"])


def test_outputs_that_are_inputs():
    x, y, w = sc.input("x", (2,)), sc.input("y", (3,)), sc.shared(1.0, "w")
    f = sc.function([x, y], [y, w, x])
    assert f.stages["expression"].nodes == 3 and "return y, w, x" in f.explain()


def test_explain_shows_itself_as_text_in_a_terminal():
    f = neuron()
    text = f.explain()
    assert repr(text) == str(text) and text.function is f
    assert all(f"== {name}" in text for name in NAMES)


@pytest.mark.parametrize(
    "dtype, size, groups, algorithm",
    [
        ("float32", 3, 1, "winograd"),
        ("float64", 3, 1, "direct"),
        ("float32", 7, 1, "direct"),
        ("float32", 3, 32, "depthwise"),
    ],
)
def test_convolutions_say_which_algorithm_they_take(dtype, size, groups, algorithm):
    x, w = sc.input("x", (None, 32, 24, 24), dtype), sc.shared(np.ones((32, 32 // groups, size, size), dtype))
    f = sc.function([x], sc.conv2d(x, w, groups=groups))
    for _ in range(2):  # before and after the batch size is known
        (found,) = [k for k in f.kernels if "conv2d" in k.name]
        assert found.algorithm == algorithm
        f.bind(x=(16, 32, 24, 24))
    assert f"{found.shapes[0]}, {algorithm}" in str(f.stages["kernels"])
    assert algorithm in repr(found) and "def " not in repr(found)


def test_products_and_nests_say_which_algorithm_they_take():
    x, w = sc.input("x", (None, 64)), sc.shared(np.ones((64, 32), "float32"))
    outputs = [x @ w, sc.sum(x)]
    assert {k.algorithm for k in sc.function([x], outputs).kernels} == {"product", "generated"}
    assert {k.algorithm for k in sc.function([x], outputs, device="reference").kernels} == {"NumPy"}


def test_a_source_is_told_once_and_a_phase_without_effect_not_at_all():
    x = sc.input("x", (None, 32))
    w1, w2 = (sc.shared(np.ones((32, 32), "float32"), name) for name in ("w1", "w2"))
    text = sc.function([x], [x @ w1, x @ w2]).explain()
    assert text.count("class MatMul") == 1 and "source: as kernel 0" in text
    assert "== stabilize (5 nodes)\nunchanged" in text


def test_short_reprs():
    phase = neuron().phases[2]
    assert repr(phase).startswith("<phase stabilize: ") and "lambda" not in repr(phase.applications[0])
    assert "Pattern" not in repr(phase.applications[0].rule)


def test_a_constant_that_grad_made_first_is_the_users_as_well():
    with made_by("grad"):
        first = sc.constant(7.25)
    x = sc.input("x", ())
    f = sc.function([x], x * 7.25, device="reference")
    assert any(v is first for v in toposort(f.stages["expression"].outputs))
    assert f.node_counts["expression"] == f.node_counts["autodiff"] == 3
