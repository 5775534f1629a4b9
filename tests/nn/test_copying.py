"""A twin has the values of a network and arrays of its own."""

import numpy as np

import symcnn as sc
from symcnn import nn


def test_values_states_and_frozen_paths():
    model = nn.Sequential(norm=nn.BatchNorm(3), block=nn.Residual(nn.Dense(3, 3, seed=1)), drop=nn.Dropout(0.5, seed=2))
    model.freeze("norm")
    model["norm"].mean.set_value([1, 2, 3])
    model.predict(np.ones((2, 3)), device="reference")  # what was compiled belongs to the first
    other = nn.twin(model)
    assert isinstance(other, nn.Sequential) and other.trainable().keys() == model.trainable().keys()
    assert other.variables().keys() == model.variables().keys()
    assert all(isinstance(state, nn.State) for state in other.states()) and len(other.states()) == 2
    for path, value in model.variables().items():
        np.testing.assert_array_equal(value.get_value(), other.variables()[path].get_value())
        other.variables()[path].set_value(np.zeros(value.shape))
        assert value is not other.variables()[path] and value.name == other.variables()[path].name
    np.testing.assert_array_equal(model["norm"].mean.get_value(), [1, 2, 3])
    assert not other.predict(np.ones((2, 3)), device="reference").any()


def test_a_layer_used_twice_stays_one():
    shared = nn.Dense(3, 3)
    other = nn.twin(nn.Sequential(a=shared, b=shared))
    assert other["a"] is other["b"] and len(other.parameters()) == 2


def test_both_train_on_their_own():
    model = sc.models.mlp([2, 3, 2])
    other = nn.twin(model)
    before = model.parameters()[0].get_value()
    sc.train.compile_step(other, device="reference")(np.eye(2), np.array([0, 1]))
    np.testing.assert_array_equal(before, model.parameters()[0].get_value())
