"""Heads at the side of a chain: heard in training, silent otherwise."""

import numpy as np
import pytest

import symcnn as sc
from symcnn import nn


def model(heads=("a",)):
    return nn.SideHeads(
        {f"aux{layer}": (layer, nn.Dense(3, 2, seed=1)) for layer in heads},
        a=nn.Dense(4, 3, seed=2),
        act=nn.ReLU(),
        out=nn.Dense(3, 2, seed=3),
    )


def test_outputs_of_training_and_evaluation():
    network, x = model(("a", "act")), sc.input("x", (None, 4))
    X = np.random.default_rng(0).normal(size=(5, 4)).astype("float32")
    main, first, second = sc.function([x], list(network(x, training=True)), device="reference")(X)
    weight = {path: p.get_value() for path, p in network.parameters().items()}
    hidden = X @ weight["a.weight"]
    np.testing.assert_allclose(first, hidden @ weight["auxa.weight"], rtol=1e-5)
    np.testing.assert_allclose(second, np.maximum(hidden, 0) @ weight["auxact.weight"], rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(main, network.predict(X, device="reference"))


def test_training_reaches_the_heads():
    network = model()
    before = network["auxa"].weight.get_value()
    step = sc.train.compile_step(network, sc.losses.with_auxiliary(sc.losses.cross_entropy, 0.3), device="reference")
    step(np.ones((2, 4)), np.array([0, 1]))
    assert not np.array_equal(before, network["auxa"].weight.get_value())


def test_slices_have_no_heads():
    assert model()[:-1].parameters().keys() == ["a.weight", "a.bias"]


@pytest.mark.parametrize(
    ("heads", "what"), [({"aux": ("b", None)}, "no layer"), ({"a": ("a", None)}, "name of a layer")]
)
def test_heads_that_cannot_be(heads, what):
    with pytest.raises(sc.errors.InputError, match=what):
        nn.SideHeads(heads, a=nn.Dense(4, 3))
    with pytest.raises(sc.errors.InputError, match="is no layer"):
        nn.SideHeads({"aux": ("a", "head")}, a=nn.Dense(4, 3))
