"""Freezing by path: what training leaves alone."""

import numpy as np
import pytest

import symcnn as sc
from symcnn import nn
from symcnn.errors import InputError

rng = np.random.default_rng(0)
X, labels = rng.normal(size=(6, 4)), rng.integers(0, 2, 6)


def test_patterns():
    model = sc.models.mlp([4, 3, 3, 2])
    assert model.freeze().trainable().keys() == []
    assert model.unfreeze("dense3").trainable().keys() == ["dense3.weight", "dense3.bias"]
    assert model.unfreeze("*.bias", "dense1.*").freeze("dense3").trainable().keys() == [
        "dense1.weight", "dense1.bias", "dense2.bias",
    ]  # fmt: skip
    assert model.parameters().keys() == sc.models.mlp([4, 3, 3, 2]).parameters().keys()


def test_a_pattern_that_matches_nothing():
    with pytest.raises(InputError, match=r"no path matches 'dense4'(.|\n)*did you mean 'dense[123]'"):
        sc.models.mlp([4, 3, 3, 2]).freeze("dense4")


@pytest.mark.parametrize("wrong", [None, 0, ["dense1", "dense2"]])
def test_a_pattern_that_is_none(wrong):
    with pytest.raises(InputError, match="pattern of paths is a text") as error:
        sc.models.mlp([4, 3, 2]).freeze(wrong)
    assert "freeze('conv1', 'conv2')" in error.value.hint


def test_a_slice_shares_what_is_frozen():
    model = sc.models.mlp([4, 3, 2])
    model[:1].freeze()
    assert model.trainable().keys() == ["dense2.weight", "dense2.bias"]


def test_a_frozen_layer_has_no_gradient_in_the_step():
    model = sc.models.mlp([4, 3, 2]).freeze("dense1")
    step = sc.train.compile_step(model, device="reference")
    before = model.parameters()["dense1.weight"].get_value()
    step(X, labels)
    np.testing.assert_array_equal(model.parameters()["dense1.weight"].get_value(), before)
    assert len(step.function.program.updates) == 2 * 2  # weight and bias of dense2, with their velocities


def test_a_step_notices_what_is_frozen_later():
    model = sc.models.mlp([4, 3, 2])
    step = sc.train.compile_step(model, device="reference")
    step(X, labels)
    before, function = model.parameters()["dense1.weight"].get_value(), step.function
    nn.Dense(2, 2).freeze()  # another model: nothing to build
    step(X, labels)
    assert step.function is function
    assert (model.parameters()["dense1.weight"].get_value() != before).any()
    model.freeze("dense1")
    before = model.parameters()["dense1.weight"].get_value()
    step(X, labels)
    np.testing.assert_array_equal(model.parameters()["dense1.weight"].get_value(), before)
    assert step.function.calls == 3


def test_a_step_notices_a_norm_that_is_frozen_later():
    model = nn.Sequential(norm=nn.BatchNorm(4, affine=False), dense=nn.Dense(4, 2))
    step = sc.train.compile_step(model, device="reference")
    step(X, labels)
    mean = model.states()["norm.mean"].get_value()
    assert (mean != 0).any()
    model.freeze("norm")
    step(X, labels)
    np.testing.assert_array_equal(model.states()["norm.mean"].get_value(), mean)


def test_everything_frozen():
    with pytest.raises(InputError, match="no parameters to train"):
        sc.train.compile_step(sc.models.mlp([4, 2]).freeze(), device="reference")(X, labels)
