"""What people of other libraries ask of a model, and give to it."""

import numpy as np
import pytest

import symcnn as sc
from symcnn.errors import FileError, InputError, ShapeError
from symcnn.nn.habits import ELSEWHERE


@pytest.mark.parametrize("name", ELSEWHERE)
def test_what_a_model_does_not_have_is_said_where(name):
    class Plain(sc.nn.Module):
        def forward(self, x, training):
            return x

    with pytest.raises(AttributeError, match=f"Plain has no {name!r}; ."):
        getattr(Plain(), name)
    assert not hasattr(Plain(), name)


def test_a_mistyped_attribute_is_an_ordinary_error():
    class Net(sc.nn.Module):
        def __init__(self):
            self.dense1 = sc.nn.Dense(3, 2)

        def forward(self, x, training):
            return self.dens1(x)

    with pytest.raises(AttributeError, match="Net has no 'dens1'") as error:
        Net().predict(np.ones((1, 3)), device="reference")
    assert error.value.name == "dens1" and isinstance(error.value.obj, Net)  # what Python's "did you mean" needs


def test_a_property_that_fails_keeps_its_error():
    class Net(sc.nn.Module):
        @property
        def head(self):
            return np.linalg.no_such_function

        def forward(self, x, training):
            return x

    with pytest.raises(AttributeError, match="no_such_function"):
        Net().head  # noqa: B018


@pytest.mark.parametrize(
    ("X", "found"),
    [
        ([[1, 2], [3]], "inhomogeneous"),
        ("image.png", "no array"),
        (None, "no array"),
        (np.array([["a", "b"]]), "an array of <U1"),
    ],
)
def test_what_is_no_batch_of_examples(X, found):
    with pytest.raises(InputError, match="these are no examples") as error:
        sc.models.mlp([2, 2]).predict(X, device="reference")
    assert found in error.value.found


@pytest.mark.parametrize("size", [0, -1, 2.0, "8"])
def test_batch_sizes_of_predict(size):
    with pytest.raises(InputError, match="predict: batch_size"):
        sc.models.mlp([2, 2]).predict(np.ones((3, 2)), batch_size=size, device="reference")


def test_predict_takes_a_data_set_as_its_batches_have_it():
    model, X = sc.models.mlp([2, 3]), np.random.default_rng(0).normal(size=(7, 2)).astype("float32")
    data = sc.data.Dataset(X, np.arange(7)).map(lambda images: 2 * images)
    found = model.predict(data, batch_size=3, device="reference")
    np.testing.assert_allclose(found, model.predict(2 * X, device="reference"), rtol=1e-6)


def test_features_that_do_not_fit_are_counted():
    images = sc.input("x", (None, 4, 5, 5))
    with pytest.raises(ShapeError) as error:
        sc.nn.Dense(4, 2)(images)
    assert error.value.hint == "put sc.nn.Flatten() before it, and in_features=100"
    with pytest.raises(ShapeError) as error:
        sc.nn.Sequential(sc.nn.Flatten(), sc.nn.Dense(4, 2))(images)
    assert error.value.hint == "in_features=100"
    with pytest.raises(ShapeError) as error:
        sc.models.mlp([100, 2]).predict(np.ones((2, 4, 5, 5)))
    assert "X.reshape(len(X), -1)" in error.value.hint


def test_paths_and_shapes_that_are_none():
    model = sc.models.mlp([2, 2])
    for act in (model.save, model.load):
        with pytest.raises(FileError, match="no path"):
            act(3)
    with pytest.raises(InputError, match="shape of one example"):
        model.summary(28)


def test_an_attribute_that_would_hide_a_method():
    layer = sc.nn.Dense(3, 2)
    with pytest.raises(sc.InputError, match=r"(?s)Dense.trainable is a method.*model.freeze"):
        layer.trainable = False
