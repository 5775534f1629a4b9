"""The compiler's story: the stages in order, counted, and told as text."""

import numpy as np

import symcnn as sc

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


def test_explain_shows_itself_as_text():
    text = neuron().explain()
    assert repr(text) == str(text) and text._repr_html_().startswith("<pre>")
    assert all(f"== {name}" in text for name in NAMES)
