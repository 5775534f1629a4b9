"""What is taken over from a trained network: nothing silently, and frozen layers cost nothing to train."""

import numpy as np
import pytest

import symcnn as sc
from symcnn import nn


def values(module):
    return {path: value.get_value() for path, value in module.variables().items()}


def small(classes=3, seed=0):
    return nn.Sequential(
        conv=nn.Conv2d(1, 4, 3, seed=seed),
        norm=nn.BatchNorm(4),
        pool=nn.GlobalAvgPool2d(),
        flatten=nn.Flatten(),
        out=nn.Dense(4, classes, seed=seed),
        in_shape=(1, 6, 6),
    )


class TestLoadMatching:
    def test_from_a_file(self, tmp_path):
        trained, model = small(5, seed=1), small(3, seed=2)
        trained["norm"].mean.set_value([1, 2, 3, 4])
        trained.save(tmp_path / "w.safetensors")
        before = values(model)
        found = nn.load_matching(model, tmp_path / "w.safetensors")
        assert set(found.loaded) == {
            "conv.weight",
            "conv.bias",
            *(f"norm.{k}" for k in ("gamma", "beta", "mean", "variance")),
        }
        assert found.unfit["out.weight"] == ("float32 (4, 3)", "float32 (4, 5)") and not found.missing + found.unused
        assert not found and "loaded 6 of the model's 8 arrays" in str(found)
        assert "of another shape  out.bias: float32 (3,) here, float32 (5,) there" in repr(found)
        for path, value in values(model).items():
            expected = before if path.startswith("out") else values(trained)
            np.testing.assert_array_equal(value, expected[path])

    def test_all_of_another_network(self):
        trained, model = small(seed=1), small(seed=2)
        assert nn.load_matching(model, trained)
        trained["conv"].bias.set_value(np.ones(4))
        assert not model["conv"].bias.get_value().any(), "values are copied"

    def test_missing_and_unused(self):
        found = nn.load_matching(small(), {"conv.bias": np.ones(4), "fc.weight": np.ones(2)})
        assert found.loaded == ("conv.bias",) and found.unused == ("fc.weight",)
        assert "conv.weight" in found.missing and len(found.missing) == 7
        assert "not in the source conv.weight" in str(found) and "not in the model  fc.weight" in str(found)

    def test_dtypes(self):
        model = small()
        found = nn.load_matching(model, {"conv.bias": np.full(4, 0.5), "out.bias": np.ones(3, complex)})
        assert found.loaded == ("conv.bias",) and found.unfit == {"out.bias": ("float32 (3,)", "complex128 (3,)")}
        np.testing.assert_array_equal(model["conv"].bias.get_value(), np.full(4, 0.5, "float32"))

    @pytest.mark.parametrize(
        "rename",
        [
            {"features.0": "conv", "features.1": "norm", "features.1.running": "norm.mean"},
            lambda name: {"features.0.bias": "conv.bias", "features.1.running": "norm.mean"}.get(name),
        ],
    )
    def test_other_names(self, rename):
        model = small()
        source = {"features.0.bias": np.ones(4), "features.1.running": np.full(4, 2.0)}
        assert nn.load_matching(model, source, rename).loaded == ("conv.bias", "norm.mean")
        assert model["norm"].mean.get_value()[0] == 2

    @pytest.mark.parametrize(
        ("source", "rename", "what"),
        [
            ({"conv1.bias": np.ones(4)}, None, "nothing fits"),
            ({}, None, "nothing fits"),
            ({"conv.bias": np.ones(5)}, None, "nothing fits"),
            (5, None, "holds no weights"),
            ({"a.bias": np.ones(4), "conv.bias": np.ones(4)}, {"a": "conv"}, "would both be 'conv.bias'"),
            ({"conv.bias": np.ones(4)}, {"cnov": "conv"}, "no 'cnov' to rename"),
            ({"conv.bias": np.ones(4)}, ["conv"], "rename is a mapping or a callable"),
            ("nowhere.safetensors", None, "cannot be read"),
            ({"conv.bias": [[1], [1, 2]]}, None, "conv.bias is no array"),
        ],
    )
    def test_what_cannot_be(self, source, rename, what):
        model = small()
        before = values(model)
        with pytest.raises(sc.errors.SymcnnError, match=what):
            nn.load_matching(model, source, rename)
        assert all(np.array_equal(before[path], value) for path, value in values(model).items())

    def test_a_network_is_given(self):
        with pytest.raises(sc.errors.InputError, match="no network"):
            nn.load_matching({"conv.bias": np.ones(4)}, small())

    def test_a_damaged_file(self, tmp_path):
        (tmp_path / "w").write_bytes(b"not weights")
        with pytest.raises(sc.errors.FileError, match="damaged"):
            nn.load_matching(small(), tmp_path / "w")

    def test_an_archive_of_another_library(self, tmp_path):
        np.savez(tmp_path / "w.npz", **{"conv.bias": np.full(4, 0.5)})
        model = small()
        with pytest.raises(sc.errors.FileError, match="zip archive") as error:
            nn.load_matching(model, tmp_path / "w.npz")
        assert "np.load(path)" in error.value.hint
        with np.load(tmp_path / "w.npz") as arrays:
            assert nn.load_matching(model, arrays).loaded == ("conv.bias",)

    def test_parameters_of_torch_have_gradients(self, torch):
        with pytest.raises(sc.errors.InputError, match=r"conv\.bias: this Parameter is no array") as error:
            nn.load_matching(small(), {"conv.bias": torch.nn.Parameter(torch.zeros(4))})
        assert "state_dict()" in error.value.hint

    def test_torch_weights(self, torch):
        """A state_dict, its dense weights transposed."""
        theirs = torch.nn.Sequential(torch.nn.Conv2d(1, 4, 3), torch.nn.Flatten(), torch.nn.Linear(64, 3))
        model = nn.Sequential(conv=nn.Conv2d(1, 4, 3), flatten=nn.Flatten(), out=nn.Dense(64, 3))
        arrays = {name: t.numpy().T if t.ndim == 2 else t.numpy() for name, t in theirs.state_dict().items()}
        assert nn.load_matching(model, arrays, {"0": "conv", "2": "out"})
        X = np.random.default_rng(0).normal(size=(2, 1, 6, 6)).astype("float32")
        expected = theirs(torch.tensor(X)).detach().numpy()
        np.testing.assert_allclose(model.predict(X, device="reference"), expected, rtol=1e-4, atol=1e-5)


class TestReplaceHead:
    def test_the_rest_is_shared(self):
        model = small()
        other = nn.replace_head(model, 7, seed=3)
        assert other["out"].weight.shape == (4, 7) and model["out"].weight.shape == (4, 3)
        assert other["conv"] is model["conv"] and other.in_shape == model.in_shape
        assert other["out"].weight.name == "out.weight"
        again = nn.replace_head(model, 7, seed=3)["out"].weight.get_value()
        np.testing.assert_array_equal(other["out"].weight.get_value(), again)
        X = np.ones((2, 1, 6, 6))
        assert model.predict(X, device="reference").shape == (2, 3)
        assert nn.replace_head(model, 7).predict(X, device="reference").shape == (2, 7)

    @pytest.mark.parametrize("name", sorted(set(sc.models.__all__) - {"mlp"}))
    def test_every_classifier(self, name):
        model = getattr(sc.models, name)(width=1 / 16, init="zeros")
        if name.startswith("fcn"):
            with pytest.raises(sc.errors.InputError, match="only chains"):
                nn.replace_head(model, 2)
            return
        other = nn.replace_head(model, 2, seed=0)
        assert other(sc.input("x", (None, *model.in_shape))).shape == (None, 2)
        changed = [path for path, p in other.parameters().items() if p not in set(model.parameters())]
        last = model.parameters().keys()[-2:]
        assert changed == last and not other.parameters()[last[1]].get_value().any()

    def test_side_heads(self):
        model = sc.models.googlenet((3, 79, 79), width=1 / 16, auxiliary=True)
        outputs = nn.replace_head(model, 2, seed=0)(sc.input("x", (None, 3, 79, 79)), training=True)
        assert [y.shape for y in outputs] == [(None, 2)] * 3
        assert model["aux1"]["dense2"].out_features == 1000

    def test_bias_and_dtype_are_kept(self):
        model = nn.Sequential(nn.Dense(4, 3, bias=False, dtype="float64"), nn.ReLU())
        head = nn.replace_head(model, 2)[0]
        assert head.bias is None and head.dtype == np.float64

    @pytest.mark.parametrize(
        "model",
        [
            nn.Sequential(nn.ReLU()),
            nn.Sequential(nn.Conv2d(1, 2, 3)),
            nn.Sequential(nn.Dense(2, 2), nn.BatchNorm(2)),
            nn.Dense(2, 2),
        ],
    )
    def test_what_cannot_be(self, model):
        with pytest.raises(sc.errors.InputError, match="replace_head"):
            nn.replace_head(model, 2)
        with pytest.raises(sc.errors.InputError):
            nn.replace_head(small(), 0)


class TestFrozenLayersCostNothing:
    """What the plan of a step computes: the ops of its program, in order."""

    def ops(self, *frozen):
        model = sc.models.lenet((1, 16, 16), width=0.2)
        if frozen:
            model.freeze(*frozen)
        step = sc.train.compile_step(model, device="reference")
        function = step.compile(np.zeros((2, 1, 16, 16)), np.array([0, 1])) and step.function
        order = [v for v in function.program.order if v.op is not None]
        return model, [v.op.name for v in order], [v.shape for v in order]

    def count(self, names, part):
        return sum(part in name for name in names)

    def test_nothing_frozen(self):
        _, names, _ = self.ops()
        assert self.count(names, "conv2d_weight_grad") == 2 and self.count(names, "conv2d_input_grad") == 1

    def test_the_first_layers_frozen(self):
        """Neither gradients of their weights, nor of what only leads to them."""
        model, names, shapes = self.ops("conv*")
        assert not self.count(names, "weight_grad") and not self.count(names, "input_grad")
        assert not self.count(names, "max_pool2d_grad")
        for path in ("conv1.weight", "conv2.weight"):
            weight = model.parameters()[path]
            assert weight.shape not in shapes, "no buffer for a gradient, a velocity or a new value"

    def test_one_layer_in_between_frozen(self):
        """The gradient passes through it to the first layer, and leaves none of its own."""
        model, names, shapes = self.ops("conv2")
        assert self.count(names, "conv2d_weight_grad") == 1 and self.count(names, "conv2d_input_grad") == 1
        assert model["conv2"].weight.shape not in shapes

    def test_training_leaves_them(self):
        model = sc.models.lenet((1, 16, 16), width=0.2).freeze("conv1", "dense1.bias")
        before = values(model)
        sc.train.compile_step(model, device="reference")(
            np.random.default_rng(0).normal(size=(4, 1, 16, 16)), np.arange(4)
        )
        changed = {path for path, value in values(model).items() if not np.array_equal(value, before[path])}
        assert changed == {"conv2.weight", "conv2.bias", "dense1.weight", "dense2.weight", "dense2.bias"}


def test_fine_tuning_with_a_slower_body():
    """Layers below the new head move a tenth as far: one step of plain SGD by hand."""
    model = nn.replace_head(small(seed=1), 2, seed=2)
    slow = nn.twin(model)
    X, labels = np.random.default_rng(0).normal(size=(4, 1, 6, 6)), np.array([0, 1, 1, 0])
    before = values(model)
    for network, options in ((model, {}), (slow, {"rates": {"conv": 0.1}})):
        sc.train.compile_step(network, optimizer=sc.optim.SGD(0.5, **options), device="reference")(X, labels)
    full, tenth = (values(network)["conv.weight"] - before["conv.weight"] for network in (model, slow))
    np.testing.assert_allclose(tenth, full / 10, rtol=1e-3, atol=1e-7)
    np.testing.assert_allclose(values(slow)["out.weight"], values(model)["out.weight"], rtol=1e-6)
