"""Modules: parameters by path, prediction, summary."""

import numpy as np
import pytest

import symcnn as sc
from symcnn import nn

rng = np.random.default_rng(0)


def small():
    return nn.Sequential(
        conv=nn.Conv2d(1, 2, 3, seed=0),
        act=nn.ReLU(),
        head=nn.Sequential(flat=nn.Flatten(), dense=nn.Dense(2 * 4 * 4, 3, seed=1)),
        in_shape=(1, 6, 6),
    )


def test_parameters_by_path_in_order():
    found = small().parameters()
    assert found.keys() == ["conv.weight", "conv.bias", "head.dense.weight", "head.dense.bias"]
    assert [p.shape for p in found] == [(2, 1, 3, 3), (2,), (32, 3), (3,)]
    assert found["conv.bias"] is found[1] and found.count == sum(p.size for p in found.values()) == 119
    assert dict(found)["head.dense.bias"] is found[-1]
    assert found[2].name == "head.dense.weight"
    with pytest.raises(KeyError, match=r"conv\.weight"):
        found["conv.wieght"]


def test_a_module_used_twice_has_its_parameters_once():
    layer = nn.Dense(3, 3)
    assert nn.Sequential(layer, nn.ReLU(), layer).parameters().keys() == ["0.weight", "0.bias"]


def test_own_modules_by_attributes():
    class Residual(nn.Module):
        def __init__(self, inner):
            self.inner = inner
            self.gain = sc.shared(np.float32(0.5), name="gain")

        def forward(self, x, training):
            return x + self.gain * self.inner(x, training)

    block = Residual(nn.Dense(3, 3, seed=0))
    assert sorted(block.parameters().keys()) == ["gain", "inner.bias", "inner.weight"]
    X = rng.normal(size=(4, 3)).astype("float32")
    expected = X + 0.5 * (X @ block.inner.weight.get_value())
    np.testing.assert_allclose(block.predict(X, device="reference"), expected, rtol=1e-5)


@pytest.mark.parametrize("count", [0, 1, 4, 5, 9])
def test_predict_in_batches_is_predict_at_once(count):
    model, X = small(), rng.normal(size=(count, 1, 6, 6))
    found = model.predict(X, batch_size=4, device="reference")
    assert found.shape == (count, 3) and found.dtype == np.float32
    np.testing.assert_allclose(found, model.predict(X, batch_size=100, device="reference"), rtol=1e-5, atol=1e-6)


def test_predict_of_several_outputs():
    class Both(nn.Module):
        def __init__(self, form):
            self.form = form

        def forward(self, x, training):
            return self.form(x, 2 * x)

    X = np.arange(14, dtype="float32").reshape(7, 2)
    forms = {"tuple": lambda a, b: (a, b), "list": lambda a, b: [a, b], "dict": lambda a, b: {"a": a, "b": b}}
    for name, form in forms.items():
        for data in (X, sc.data.Dataset(X, np.zeros(7, int))):
            found = Both(form).predict(data, batch_size=3, device="reference")
            assert type(found).__name__ == name
            one, two = found.values() if name == "dict" else found
            np.testing.assert_array_equal(one, X)
            np.testing.assert_array_equal(two, 2 * X)


def test_a_forward_that_returns_nothing():
    class Forgetful(nn.Module):
        def forward(self, x, training):
            x * 2

    with pytest.raises(sc.InputError, match=r"Forgetful\.forward returned nothing"):
        Forgetful().predict(np.ones((2, 2)), device="reference")


def test_predict_sees_new_weights():
    model, X = small(), np.ones((1, 1, 6, 6), "float32")
    model.predict(X, device="reference")
    for p in model.parameters():
        p.set_value(np.zeros(p.shape))
    assert (model.predict(X, device="reference") == 0).all()


def test_uint8_images_are_accepted():
    model, X = small(), rng.integers(0, 256, (3, 1, 6, 6)).astype("uint8")
    found = model.predict(X, device="reference")
    np.testing.assert_allclose(found, model.predict(X.astype("float32"), device="reference"), rtol=1e-6)


@pytest.mark.parametrize(
    ("shape", "match"), [((5, 1, 7, 6), "other inputs"), ((1, 6, 6), "batch axis"), ((), "inputs")]
)
def test_predict_names_the_shape_it_takes(shape, match):
    with pytest.raises(sc.errors.ShapeError, match=match):
        small().predict(np.zeros(shape))


def test_slices_share_layers():
    model = small()
    body = model[:-1]
    assert len(body) == 2 and body["conv"] is model[0] and body.in_shape == model.in_shape
    assert body.parameters().keys() == ["conv.weight", "conv.bias"]
    assert model[1:].in_shape is None
    assert [type(layer).__name__ for layer in model] == ["Conv2d", "ReLU", "Sequential"]
    with pytest.raises(KeyError, match="did you mean 'conv'"):
        model["cnov"]


def test_summary_counts_and_shapes():
    summary = small().summary()
    assert [(r.name, r.out_shape, r.parameters) for r in summary.rows] == [
        ("conv", (None, 2, 4, 4), 20),
        ("act", (None, 2, 4, 4), 0),
        ("head.flat", (None, 32), 0),
        ("head.dense", (None, 3), 99),
    ]
    assert summary.parameters == 119
    assert "(n, 2, 4, 4)" in str(summary) and "<table>" in summary._repr_html_()


def test_summary_needs_a_shape():
    layer = nn.Dense(3, 2)
    with pytest.raises(sc.errors.InputError, match="in_shape"):
        layer.summary()
    assert layer.summary(in_shape=(3,)).parameters == 8


def test_sequential_takes_layers_only():
    with pytest.raises(sc.errors.InputError, match="no layer"):
        nn.Sequential(nn.ReLU(), sc.relu)


def test_a_summary_of_given_depth():
    model = nn.Sequential(
        head=nn.ReLU(),
        block=nn.Parallel(a=nn.Sequential(conv=nn.Conv2d(2, 3, 1)), b=nn.ReLU()),
        in_shape=(2, 4, 4),
    )
    names = {depth: [row.name for row in model.summary(depth=depth).rows] for depth in (None, 0, 1, 2, 3)}
    assert names[None] == names[3] == ["head", "block.a.conv", "block.b", "block"]  # which puts the branches together
    assert names == names | {0: [""], 1: ["head", "block"], 2: ["head", "block.a", "block.b", "block"]}


def test_images_in_the_wrong_order_are_noticed():
    model = sc.nn.Sequential(conv=sc.nn.Conv2d(3, 4, 3), in_shape=(3, 8, 8))
    with pytest.raises(sc.errors.ShapeError) as caught:
        model.predict(np.zeros((2, 8, 8, 3)), device="reference")
    assert "to_nchw" in caught.value.hint


def test_layers_train_when_the_module_around_them_does():
    class Net(nn.Module):
        def __init__(self, inner):
            self.inner = inner

        def forward(self, x, training):
            return self.inner(x)  # says nothing of training

    x, net = sc.input("x", (None, 3)), Net(Net(nn.Dropout(0.5, seed=0)))
    assert net(x) is x and net(x, training=False) is x
    dropped = net(x, training=True)
    assert dropped is not x and dropped is net.inner.inner(x, training=True)
    assert net(x) is x, "afterwards nothing is left of it"
    with pytest.raises(sc.errors.ShapeError):
        Net(nn.Dense(4, 2))(x, training=True)
    assert net(x) is x, "nor after an error"


def test_forward_takes_training():
    with pytest.raises(sc.errors.InputError, match=r"forward\(self, x, training\)"):

        class Net(nn.Module):
            def forward(self, x):
                return x


def test_one_switch_for_dropout_noise_and_norms():
    model = nn.Sequential(
        norm=nn.BatchNorm(3), drop=nn.Dropout(0.5, seed=0), inner=nn.Residual(nn.GaussianNoise(0.1, seed=1))
    )
    x, X = sc.input("x", (None, 3)), 5 + rng.normal(size=(40, 3)).astype("float32")
    trained, evaluated = (sc.function([x], model(x, training=t), device="reference") for t in (True, False))
    np.testing.assert_allclose(evaluated(X), 2 * X / np.sqrt(1 + 1e-5), rtol=1e-6)
    found = trained(X)
    assert abs(found.mean()) < 1, "the mean of the batch is subtracted"
    assert (abs(found) < 0.5).mean() > 0.3, "and half of it dropped"
    assert (found != trained(X)).any()


def test_predict_reads_batch_by_batch():
    class OnDisk:
        """Like an array of 16-bit images that is larger than memory."""

        rows, shape, dtype = np.arange(60, dtype="int16").reshape(20, 3), (20, 3), np.dtype("int16")

        def __len__(self):
            return 20

        def __getitem__(self, rows):
            found = self.rows[rows]
            assert len(found) <= 8
            return found

    model = sc.models.mlp([3, 2])
    found = model.predict(OnDisk(), batch_size=8, device="reference")
    np.testing.assert_array_equal(found, model.predict(OnDisk.rows, batch_size=8, device="reference"))
    with pytest.raises(sc.InputError, match="predict: batch_size"):
        model.predict(np.zeros((4, 3)), batch_size=0, device="reference")


def test_predict_of_an_empty_data_set():
    data = sc.data.Dataset(np.zeros((0, 3), "float32"), np.zeros(0, int))
    assert nn.Dense(3, 2).predict(data, device="reference").shape == (0, 2)
