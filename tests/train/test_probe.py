"""What is measured of each layer, against NumPy in float64; and the advice on planted illnesses."""

import numpy as np
import pytest

import symcnn as sc
from symcnn import nn
from symcnn.train.probe import Probe

rng = np.random.default_rng(0)
X = rng.normal(size=(20, 3)).astype("float64")
LABELS = rng.integers(0, 2, 20)
EYE = np.eye(2)


def measured(model, X=X, labels=LABELS, **options):
    step = sc.train.compile_step(model, device="reference", **options)
    return Probe(step)(X, labels)


def rows(found):
    return {row["layer"]: row for row in found.layers}


def softmax(z):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def two_layers(act=None):
    return nn.Sequential(
        first=nn.Dense(3, 4, seed=0, dtype="float64"),
        act=act or nn.ReLU(),
        last=nn.Dense(4, 2, seed=1, dtype="float64"),
    )


def test_every_number_like_numpy():
    model = two_layers()
    w, b, v, c = (p.get_value() for p in model.parameters())
    z = X @ w + b
    y = np.maximum(z, 0)
    logits = y @ v + c
    d = (softmax(logits) - EYE[LABELS]) / len(X)
    dv, dc = y.T @ d, d.sum(axis=0)
    dz = d @ v.T * (z > 0)
    dw, db = X.T @ dz, dz.sum(axis=0)

    def norm(*arrays):
        return np.sqrt(sum(np.sum(a * a) for a in arrays))

    found = measured(model, optimizer=sc.optim.SGD(0.1))
    assert found.examples == 20
    assert found.loss == pytest.approx(-np.log(softmax(logits)[np.arange(20), LABELS]).mean())
    layers = rows(found)
    assert list(layers) == ["first", "act", "last"]
    for name, out, weights, gradients in (("first", z, (w, b), (dw, db)), ("last", logits, (v, c), (dv, dc))):
        row = layers[name]
        assert row["weight_norm"] == pytest.approx(norm(*weights))
        assert row["gradient_norm"] == pytest.approx(norm(*gradients))
        assert row["update_ratio"] == pytest.approx(0.1 * norm(*gradients) / norm(*weights))
        assert row["size"] == sum(a.size for a in weights)
        assert row["mean"] == pytest.approx(out.mean()) and row["std"] == pytest.approx(out.std())
        assert row["norm"] == pytest.approx(np.sqrt((out * out).sum(axis=1).mean()))
        assert np.isnan(row["dead"]) and np.isnan(row["saturated"])
    assert layers["act"]["dead"] == np.mean((y == 0).all(axis=0))
    assert np.isnan(layers["act"]["weight_norm"]) and layers["act"]["kind"] == "ReLU()"


@pytest.mark.parametrize("act, slope", [("sigmoid", lambda y: 4 * y * (1 - y)), ("tanh", lambda y: 1 - y * y)])
def test_saturated_values(act, slope):
    model = two_layers(nn.Activation(act))
    first = model.parameters()["first.weight"]
    first.set_value(6 * first.get_value())
    z = X @ first.get_value()
    y = np.tanh(z) if act == "tanh" else 1 / (1 + np.exp(-z))
    found = rows(measured(model))["act"]
    assert found["saturated"] == pytest.approx(np.mean(slope(y) < 0.05)) and 0 < found["saturated"] < 1


def test_updates_are_those_of_the_next_step_and_nothing_changes():
    model = nn.Sequential(a=nn.Dense(3, 8, seed=0), drop=nn.Dropout(0.5, seed=1), b=nn.Dense(8, 2, seed=2))
    step = sc.train.compile_step(model, optimizer=sc.optim.SGD(0.1, momentum=0.9), device="reference")
    for _ in range(3):
        step(X, LABELS)
    before = [p.get_value() for p in model.parameters()]
    found = Probe(step)(X, LABELS)
    assert all((p.get_value() == b).all() for p, b in zip(model.parameters(), before, strict=True))
    assert step(X, LABELS) == pytest.approx(found.loss, rel=1e-6)  # the mask of that very step
    moved = np.linalg.norm(model.parameters()["a.weight"].get_value() - before[0])
    moved = np.hypot(moved, np.linalg.norm(model.parameters()["a.bias"].get_value() - before[1]))
    row = rows(found)["a"]
    assert row["update_ratio"] == pytest.approx(moved / row["weight_norm"], rel=1e-4)


def test_a_dead_channel_of_a_convolution():
    model = nn.Sequential(
        conv=nn.Conv2d(1, 4, 3, seed=0), act=nn.ReLU(), flat=nn.Flatten(), out=nn.Dense(4 * 16, 2, seed=1)
    )
    model.parameters()["conv.bias"].set_value([-99.0, 5.0, -99.0, -99.0])
    found = measured(model, rng.normal(size=(6, 1, 6, 6)), LABELS[:6])
    assert rows(found)["act"]["dead"] == 0.75
    (dead,) = [f for f in found.findings() if f.sign == "dead"]
    assert dead.layer == "act" and dead.value == 0.75
    assert "75% of the units are dead (zero for all 6 examples)" in str(dead)
    for word in ("lower the learning rate", "leaky ReLU", "maxout", "small positive bias"):
        assert word in dead.text


def test_activations_inside_blocks_and_other_spellings():
    class Block(nn.Module):
        def __init__(self):
            self.dense = nn.Dense(3, 3, seed=0)
            self.scale = sc.shared(np.ones(3, "float32"), name="scale")

        def forward(self, x, training):
            return sc.maximum(self.dense(x, training) - 1e6, 0) * self.scale + x

    found = rows(measured(nn.Sequential(block=Block(), out=nn.Dense(3, 2, seed=1))))
    assert list(found) == ["block.dense", "block", "out"]
    assert found["block"]["dead"] == 1 and found["block"]["kind"] == "Block" and found["block"]["size"] == 3
    assert found["block.dense"]["size"] == 12  # own parameters only, in one place only


def test_a_layer_used_twice():
    layer = nn.Dense(3, 3, seed=0)
    found = rows(measured(nn.Sequential(a=layer, act=nn.Activation("tanh"), b=layer)))
    assert list(found) == ["a", "act", "a (2)"]
    assert found["a"]["size"] == 12 and found["a (2)"]["size"] == 0


def test_frozen_layers_have_no_gradient():
    model = two_layers()
    step = sc.train.compile_step(model, device="reference")
    probe = Probe(step)
    assert rows(probe(X, LABELS))["first"]["gradient_norm"] > 0
    model.freeze("first")
    row = rows(probe(X, LABELS))["first"]
    assert np.isnan(row["gradient_norm"]) and np.isnan(row["update_ratio"]) and row["weight_norm"] > 0


def test_uint8_images_and_other_batch_sizes():
    model = nn.Sequential(flat=nn.Flatten(), out=nn.Dense(4, 2, seed=0))
    probe = Probe(sc.train.compile_step(model, device="reference"))
    for n in (3, 7):
        images = rng.integers(0, 255, (n, 1, 2, 2)).astype("uint8")
        found = probe(images, LABELS[:n])
        assert found.examples == n and rows(found)["flat"]["mean"] == pytest.approx(images.mean())


def test_the_norm_of_images_is_that_of_one_example():
    model = nn.Sequential(conv=nn.Conv2d(1, 2, 3, seed=0), act=nn.ReLU(), pool=nn.GlobalAvgPool2d(), flat=nn.Flatten())
    images = rng.normal(size=(4, 1, 7, 5)).astype("float32")
    found = rows(measured(model, images, LABELS[:4]))
    out = model[:2].predict(images, device="reference")
    assert found["act"]["norm"] == pytest.approx(np.sqrt((out**2).sum(axis=(1, 2, 3)).mean()), rel=1e-5)


def test_a_model_with_auxiliary_outputs():
    model = nn.SideHeads(
        {"aux": ("act", nn.Dense(4, 2, seed=0))},
        hidden=nn.Dense(3, 4, seed=1),
        act=nn.ReLU(),
        out=nn.Dense(4, 2, seed=2),
    )
    found = rows(measured(model, loss=sc.losses.with_auxiliary(sc.losses.cross_entropy)))
    assert list(found) == ["hidden", "act", "aux", "out"]
    assert found["aux"]["gradient_norm"] > 0


def test_images_of_any_size():
    model = nn.Sequential(
        conv=nn.Conv2d(1, 2, 3, seed=0), pool=nn.GlobalAvgPool2d(), flat=nn.Flatten(), in_shape=(1, None, None)
    )
    probe = Probe(sc.train.compile_step(model, device="reference"))
    for size in (5, 8):
        images = rng.normal(size=(4, 1, size, size)).astype("float32")
        out = model[:1].predict(images, device="reference")
        norm = rows(probe(images, LABELS[:4]))["conv"]["norm"]
        assert norm == pytest.approx(np.sqrt((out**2).sum(axis=(1, 2, 3)).mean()), rel=1e-5)


def signs(model, *args, **options):
    return {f.sign: f for f in measured(model, *args, **options).findings()}


def test_a_healthy_network_gets_no_advice():
    model = nn.Sequential(a=nn.Dense(3, 64, seed=0, init="he_normal"), act=nn.ReLU(), b=nn.Dense(64, 2, seed=1))
    assert signs(model, optimizer=sc.optim.SGD(0.01)) == {}


def test_saturation_is_advised_on_except_at_the_output():
    model = nn.Sequential(a=nn.Dense(3, 8, seed=0), inside=nn.Activation("sigmoid"), b=nn.Dense(8, 2, seed=1))
    model.parameters()["a.weight"].set_value(1e3 * model.parameters()["a.weight"].get_value())
    found = signs(model)
    assert found["saturated"].layer == "inside" and "ReLU instead of sigmoid" in found["saturated"].text
    at_output = model[:2]
    targets = rng.random((20, 8))
    assert "saturated" not in signs(at_output, X, targets, loss=sc.losses.squared_error)


def test_rates_too_high_and_too_low():
    assert signs(two_layers(), optimizer=sc.optim.SGD(10.0))["high ratio"].text.endswith("lower the learning rate")
    assert signs(two_layers(), optimizer=sc.optim.SGD(1e-7))["low ratio"].text.endswith("raise the learning rate")
    assert not {"high ratio", "low ratio"} & signs(two_layers(), optimizer=sc.optim.SGD(0.01)).keys()


def deep(scale, act="tanh", layers=8, width=16):
    model = sc.models.mlp([3, *[width] * layers, 2], activation=act, seed=0)
    for p in model.parameters():
        p.set_value(scale * p.get_value())
    return model


def test_gradients_that_vanish_or_explode():
    assert signs(deep(0.2))["vanishing"].layer == "dense1"
    assert "proper variance" in signs(deep(0.2))["vanishing"].text
    model = deep(6, "relu")
    model.parameters()["dense1.weight"].set_value(1e-6 * model.parameters()["dense1.weight"].get_value())
    assert signs(model)["exploding"].layer == "dense1"
    assert not {"vanishing", "exploding"} & signs(deep(1)).keys()


def test_no_gradient_at_all():
    model = two_layers()
    model.parameters()["first.bias"].set_value(np.full(4, -1e3))
    found = signs(model)
    assert found["no gradient"].layer == "first" and found["dead"].value == 1


def test_activations_that_fade():
    found = signs(deep(0.01))
    assert found["faint"].layer.startswith(("dense", "act"))
    assert signs(deep(100, "relu"))["loud"].value > 1e3


def test_what_is_not_finite_is_the_only_finding():
    model = two_layers()
    model.parameters()["last.bias"].set_value([np.nan, 0])
    (found,) = measured(model).findings()
    assert found.sign == "not finite"
