"""Graphs that are not sound, and results that are too large: an error of ours that names the node."""

import numpy as np
import pytest

from symcnn.errors import InputError, SymcnnError

pytest.importorskip("onnx")
from onnx.helper import make_node

from symcnn.interop.onnx import load
from symcnn.interop.onnx.file import read
from symcnn.interop.onnx.translate import translate
from symcnn.ir.graph import evaluate
from symcnn.ir.variable import Variable
from tests.interop.onnx.graphs import apply, graph, value

X = np.ones((2, 3), "float32")


def run(*nodes, tensors=(), outputs=("y",)):
    model = graph(nodes, [value("x", X)], [value(name, "float32") for name in outputs], tensors)
    return load(model, device="reference")(X)


@pytest.mark.parametrize(
    ("op", "arrays", "attributes"),
    [
        ("Relu", (), {}),  # no input
        ("Relu", (X, X), {}),  # one too many
        ("Concat", (X, X), {"axis": "two"}),  # of the wrong kind
        ("DepthToSpace", (np.ones((1, 4, 2, 2), "float32"),), {}),  # an attribute is missing
        ("Transpose", (X,), {"perm": [0, 0]}),
        ("Einsum", (X,), {"equation": "ij->ijk"}),
        ("ConstantOfShape", (np.array([-1]),), {}),
    ],
)
@pytest.mark.parametrize("known", [False, True])
def test_malformed_nodes_are_named(op, arrays, attributes, known):
    with pytest.raises(SymcnnError) as error:
        apply(op, *arrays, known=range(len(arrays)) if known else (), **attributes)
    assert f"{op}_0" in str(error.value)


def test_what_nothing_makes_cannot_be_read():
    with pytest.raises(InputError, match="Relu_0 reads 'nowhere'"):
        run(make_node("Relu", ["nowhere"], ["y"]))
    with pytest.raises(InputError, match="the graph reads 'z'"):
        run(make_node("Relu", ["x"], ["y"]), outputs=("z",))


def test_outputs_that_a_translation_does_not_have():
    with pytest.raises(InputError, match="optional output is not supported") as error:
        run(make_node("Relu", ["x"], ["y", "more"], name="two"))
    assert "two" in str(error.value)


@pytest.mark.parametrize(
    ("node", "numbers"),
    [
        (make_node("ConstantOfShape", ["n"], ["y"]), np.array([10**6, 10**6])),
        (make_node("Expand", ["x", "n"], ["y"]), np.array([10**12, 2, 3])),
        (make_node("Tile", ["x", "n"], ["y"]), np.array([10**6, 10**6])),
        (make_node("Pad", ["x", "n"], ["y"]), np.array([0, 0, 10**6, 10**6])),
        (make_node("Pad", ["x", "n"], ["y"], mode="edge"), np.array([0, 0, 10**10, 0])),
        (make_node("OneHot", ["x", "n", "x"], ["y"]), np.array(10**12)),
        (make_node("Range", ["zero", "n", "one"], ["y"]), np.array(10**12)),
    ],
    ids=lambda v: getattr(v, "op_type", ""),
)
def test_results_that_would_fill_the_memory_are_refused(node, numbers):
    with pytest.raises(InputError, match="too large") as error:
        run(node, tensors={"n": numbers, "zero": np.array(0), "one": np.array(1)})
    assert node.op_type in str(error.value)


def test_only_small_constants_are_computed_while_translating(monkeypatch):
    model = read(
        graph([make_node("ConstantOfShape", ["n"], ["y"])], [], [value("y", "float32")], {"n": np.array([2, 3])})
    )
    (now,) = translate(model, model.tensors)
    monkeypatch.setattr("symcnn.interop.onnx.translate.FOLDED", 16)
    (later,) = translate(model, model.tensors)
    assert isinstance(now, np.ndarray)
    assert isinstance(later, Variable)
    np.testing.assert_array_equal(now, evaluate([later], {})[0])
