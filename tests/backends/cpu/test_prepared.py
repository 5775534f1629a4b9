"""Weights that stay are packed once; whoever changes them is noticed."""

import numpy as np
import pytest

import symcnn as sc
from symcnn.backends.cpu.prepared import _prepared
from symcnn.nn import Sequential

rng = np.random.default_rng(0)


def normal(*shape):
    return rng.normal(size=shape).astype("float32")


X = normal(2, 8, 7, 7)


@pytest.fixture(params=[(24, 8, 1, 1), (24, 8, 3, 3), (24, 8, 2, 4), (8, 1, 3, 3)], ids=str)
def weights(request):
    return sc.shared(normal(*request.param), "w")


def convolution(w, x=X, device="cpu"):
    """Packed as patches, by Winograd or for a depthwise product."""
    image = sc.input("x", (None, *x.shape[1:]))
    return sc.function([image], sc.conv2d(image, w, padding=1, groups=8 // w.shape[1]), device=device)


def close(f, w, x=X):
    np.testing.assert_allclose(f(x), convolution(w, x, "reference")(x), rtol=1e-4, atol=1e-4)


def test_every_call_sees_the_weights_as_they_are(weights):
    f = convolution(weights)
    close(f, weights)
    weights.set_value(normal(*weights.shape))
    close(f, weights)
    close(f, weights)


def test_a_function_that_updates_weights_is_noticed_by_others_and_by_itself(weights):
    f = convolution(weights)
    close(f, weights)
    x = sc.input("x", X.shape)
    y = sc.conv2d(x, weights, padding=1, groups=8 // weights.shape[1])
    for device in ("cpu", "reference"):
        step = sc.function([x], sc.sum(y), updates={weights: weights + 1}, device=device)
        before = step(X)
        assert abs(step(X) - before) > 1, "the step itself uses what it has changed"
        close(f, weights)


def test_a_run_that_is_stopped_has_changed_weights_too(weights):
    f = convolution(weights)
    f(X)
    s = sc.input("s", ())
    step = sc.function([s], sc.log(s), updates={weights: weights + 1}, mode="debug")
    with pytest.raises(sc.NonFiniteError):
        step(-1.0)
    close(f, weights)


def test_functions_and_batch_sizes_share_what_is_packed(weights):
    before = len(_prepared)
    f, g = convolution(weights), convolution(weights)
    f(X), f(X[:1]), g(X)
    assert len(_prepared) == before + 1
    del f, g
    assert len(_prepared) == before, "it goes with the last function"


def test_constants_and_weights_that_are_computed():
    w = normal(24, 8, 3, 3)
    close(convolution(sc.constant(w)), sc.constant(w))
    shared = sc.shared(w)
    f = convolution(2 * shared)
    close(f, 2 * shared)
    shared.set_value(w + 1)
    close(f, 2 * shared)


def test_a_profile_and_the_memory_plan_know_of_it(weights):
    f = convolution(weights)
    assert len(f.profile(X).kernels) >= 1
    assert f.memory_plan.by_kind["scratch"] >= weights.type.nbytes
    close(f, weights)


def test_training_and_validation_in_turn():
    model = Sequential(sc.nn.Conv2d(3, 16, 3), sc.nn.Flatten(), sc.nn.Dense(16 * 5 * 5, 2))
    step = sc.train.compile_step(model, optimizer=sc.optim.SGD(0.1))
    x, labels = normal(4, 3, 7, 7), [0, 1, 1, 0]
    image = sc.input("x", (None, 3, 7, 7))
    judge = sc.function([image], model(image), device="reference")
    for _ in range(3):
        np.testing.assert_allclose(model.predict(x), judge(x), rtol=1e-4, atol=1e-5)
        step(x, labels)
