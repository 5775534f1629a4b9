"""Walking, rebuilding and evaluating graphs."""

import gc
import weakref

import numpy as np
import pytest

import symcnn as sc
from symcnn.ir.graph import consumers, evaluate, leaves, rebuild, substitute, toposort, value_inputs
from symcnn.ir.printer import names_of, print_graph


@pytest.fixture
def x():
    return sc.input("x", (None, 3))


def test_inputs_come_before_what_reads_them(x):
    y = sc.exp(x)
    z = y * y + sc.sum(y)
    order = toposort([z, y])
    position = {v: k for k, v in enumerate(order)}
    assert len(position) == len(order) == 5
    assert all(position[i] < position[v] for v in order for i in v.inputs)


def test_shape_only_operands_are_no_data(x):
    y = sc.exp(x)
    z = sc.broadcast_like(sc.sum(x), y)
    assert y in set(toposort([z]))
    assert y not in set(toposort([z], value_inputs))
    (leaf,) = leaves([z])
    assert leaf is x


def test_consumers_count_every_use(x):
    y = sc.exp(x)
    z = y * y
    users = consumers([z])
    assert [u is z for u in users[y]] == [True, True]
    assert users[z] == []


def test_rebuild_and_substitute_keep_what_does_not_change(x):
    y = sc.exp(x)
    z = y + 1
    assert rebuild(z, z.inputs) is z
    w = sc.input("w", (None, 3))
    (found,) = substitute([z * y], {x: w})
    assert found is (sc.exp(w) + 1) * sc.exp(w)
    (found,) = substitute([z], {w: x})
    assert found is z
    (found,) = substitute([z], {y: w})
    assert found is w + 1
    assert found.origin.file == __file__


def test_evaluate(x):
    s = sc.shared(np.ones(3, "float32"))
    y = sc.tanh(x) + s * sc.constant(2.0)
    X = np.ones((2, 3), "float32")
    seen = []
    (found,) = evaluate([y], {x: X}, lambda v, arrays, result: seen.append(v))
    np.testing.assert_allclose(found, np.tanh(1) + 2)
    assert [v.op.name for v in seen] == [v.op.name for v in toposort([y]) if v.op]
    (found,) = evaluate([y], {x: X, sc.tanh(x): 0 * X})  # a given value is not computed
    np.testing.assert_allclose(found, np.full((2, 3), 2))
    with pytest.raises(KeyError, match="no value for input"):
        evaluate([y], {})


def test_what_is_used_for_its_shape_alone_is_not_computed(x):
    seen = []
    z = sc.broadcast_like(sc.sum(x), sc.exp(x))
    evaluate([z], {x: np.ones((2, 3), "float32")}, lambda v, arrays, result: seen.append(v.op.name))
    assert "exp" not in seen


def test_nothing_keeps_a_dropped_graph_alive():
    x = sc.input("x", (3,))
    y = sc.exp(sc.sin(x) * 3)
    gone = [weakref.ref(v) for v in (y, y.inputs[0])]
    f = sc.function([x], [y, sc.grad(sc.sum(y), x)], device="reference")
    f(np.ones(3))
    del y, f
    gc.collect()
    assert [r() for r in gone] == [None, None]


def test_names_are_short_unique_and_the_users():
    x, other = sc.input("x", ()), sc.input("x", ())
    w = sc.shared(1.0, "w")
    names = names_of([x * w + other])
    assert (names[x], names[w], names[other]) == ("x", "w", "x.2")
    assert len(set(names.values())) == len(names)


def test_print_graph(x):
    w = sc.shared(np.ones((3, 2), "float32"), "w")
    text = print_graph([sc.tanh(x @ w) * 0.5, sc.sum(x)], ["y", "total"])
    assert text.splitlines() == [
        "x = input : float32[?, 3]",
        "w = shared : float32[3, 2]",
        "%2 = matmul(x, w) : float32[?, 2]",
        "%3 = tanh(%2) : float32[?, 2]",
        "%5 = multiply(%3, 0.5) : float32[?, 2]",
        "%6 = sum(axes=(0, 1))(x) : float32[]",
        "return y=%5, total=%6",
    ]
    assert f"# {__file__}:" in print_graph([sc.tanh(x)], origins=True)
