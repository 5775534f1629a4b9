"""The lecture's networks: sizes, shapes, reproducibility."""

import numpy as np
import pytest

import symcnn as sc


def test_lenet_has_the_parameters_of_the_lecture():
    model = sc.models.lenet()
    assert {k: p.shape for k, p in model.parameters().items()} == {
        "conv1.weight": (20, 1, 5, 5),
        "conv1.bias": (20,),
        "conv2.weight": (50, 20, 5, 5),
        "conv2.bias": (50,),
        "dense1.weight": (800, 500),
        "dense1.bias": (500,),
        "dense2.weight": (500, 10),
        "dense2.bias": (10,),
    }
    assert model.summary().parameters == 431_080


def test_lenet_of_another_shape():
    model = sc.models.lenet(in_shape=(3, 32, 32), classes=4)
    assert model.predict(np.zeros((2, 3, 32, 32)), device="reference").shape == (2, 4)


def test_lenet_of_too_small_an_image():
    with pytest.raises(sc.errors.ShapeError):
        sc.models.lenet(in_shape=(1, 8, 8))


@pytest.mark.parametrize("make", [sc.models.lenet, lambda seed: sc.models.mlp([5, 4, 3], seed=seed)])
def test_seeds(make):
    first, again, other = (make(seed=s).parameters()[0].get_value() for s in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_mlp():
    model = sc.models.mlp([4, 6, 5, 3], activation="tanh")
    assert [type(layer).__name__ for layer in model] == ["Dense", "Activation", "Dense", "Activation", "Dense"]
    assert model.parameters().count == 4 * 6 + 6 + 6 * 5 + 5 + 5 * 3 + 3
    assert model.predict(np.zeros((2, 4)), device="reference").shape == (2, 3)


def test_mlp_of_images():
    model = sc.models.mlp([(1, 28, 28), 10])
    assert model.predict(np.zeros((2, 1, 28, 28), "uint8"), device="reference").shape == (2, 10)


def test_mlp_needs_two_sizes():
    with pytest.raises(sc.errors.InputError, match="input and of its output"):
        sc.models.mlp([5])


def test_typos():
    with pytest.raises(sc.errors.InputError, match="did you mean 'classes'"):
        sc.models.lenet(clases=3)
