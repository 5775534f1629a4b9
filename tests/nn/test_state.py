"""States: remembered from step to step, saved, and no parameters."""

import numpy as np

import symcnn as sc
from symcnn import nn

rng = np.random.default_rng(0)


class Centre(nn.Module):
    """Subtracts a running mean."""

    def __init__(self, size):
        self.mean = nn.State(np.zeros(size, "float32"), "mean")

    def forward(self, x, training):
        if training:
            nn.record_update(self.mean, lambda old: 0.5 * old + 0.5 * sc.mean(x, axis=0))
        return x - self.mean


def test_a_state_is_no_parameter():
    model = nn.Sequential(centre=Centre(3), dense=nn.Dense(3, 2))
    assert model.parameters().keys() == ["dense.weight", "dense.bias"]
    assert model.states().keys() == ["centre.mean"]
    assert model.variables().keys() == ["centre.mean", "dense.weight", "dense.bias"]


def test_the_step_updates_states_and_evaluation_does_not():
    model = nn.Sequential(centre=Centre(3), dense=nn.Dense(3, 2))
    step = sc.train.compile_step(model, device="reference")
    X, labels = rng.normal(size=(4, 3)).astype("float32"), np.array([0, 1, 0, 1])
    step(X, labels)
    np.testing.assert_allclose(model.states()["centre.mean"].get_value(), 0.5 * X.mean(axis=0), rtol=1e-6)
    step(X, labels)
    mean = model.states()["centre.mean"].get_value()
    np.testing.assert_allclose(mean, 0.75 * X.mean(axis=0), rtol=1e-6)
    sc.train.evaluate(model, (X, labels), device="reference")
    model.predict(X, device="reference")
    np.testing.assert_array_equal(model.states()["centre.mean"].get_value(), mean)


def test_a_layer_applied_twice_updates_twice():
    centre = Centre(1)
    with nn.Trace() as trace:
        x = sc.input("x", (None, 1))
        centre(centre(x, training=True), training=True)
    update = sc.function([x], trace.updates[centre.mean], device="reference")
    assert update([[4.0]]) == 0.5 * 2 + 0.5 * 4  # the mean was 0, so the second time sees 4 as well


def test_states_are_saved(tmp_path):
    first, second = Centre(2), Centre(2)
    first.mean.set_value([1.0, 2.0])
    first.save(tmp_path / "w.safetensors")
    second.load(tmp_path / "w.safetensors")
    np.testing.assert_array_equal(second.mean.get_value(), [1, 2])


def test_lists_and_dicts_of_layers_are_parts():
    class Net(nn.Module):
        def __init__(self):
            self.blocks = [nn.Dense(2, 2), nn.ReLU(), (nn.Dense(2, 2),)]
            self.heads = {"left": nn.Dense(2, 1)}
            self.gains = [sc.shared(1.0), sc.shared(2.0)]

        def forward(self, x, training):
            return x

    assert Net().parameters().keys() == [
        "gains.0", "gains.1", "blocks.0.weight", "blocks.0.bias", "blocks.2.0.weight", "blocks.2.0.bias",
        "heads.left.weight", "heads.left.bias",
    ]  # fmt: skip
