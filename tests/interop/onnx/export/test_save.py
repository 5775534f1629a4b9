"""Networks, functions and expressions as ONNX models: equal in onnxruntime, named by their layers, and read again."""

import sys

import numpy as np
import pytest

import symcnn as sc
from symcnn.interop.onnx.export import graph
from tests.interop.onnx.export.elsewhere import exported, run_elsewhere

onnx = pytest.importorskip("onnx")

nn, load, save = sc.nn, sc.interop.onnx.load, sc.interop.onnx.save

RNG = np.random.default_rng(0)
# Network -> how to make a small one, and the shape of an example if it takes any.
NETWORKS = {
    "mlp": lambda: (sc.models.mlp([6, 5, 3]), None),
    "lenet": lambda: (sc.models.lenet(), None),
    "cs231n_convnet": lambda: (sc.models.cs231n_convnet(width=1 / 8), None),
    "alexnet": lambda: (sc.models.alexnet((3, 63, 65), width=1 / 16), None),
    "zfnet": lambda: (sc.models.zfnet((3, 63, 65), width=1 / 16), None),
    "vgg16": lambda: (sc.models.vgg16((3, 32, 33), width=1 / 16, batch_norm=True), None),
    "vgg19": lambda: (sc.models.vgg19((3, 32, 33), width=1 / 16), None),
    "nin": lambda: (sc.models.nin(width=1 / 8), None),
    "nin_imagenet": lambda: (sc.models.nin_imagenet((3, 63, 65), width=1 / 16), None),
    "googlenet": lambda: (sc.models.googlenet((3, 64, 65), width=1 / 16), None),
    "resnet18": lambda: (sc.models.resnet18((3, 32, 33), width=1 / 16), None),
    "resnet34": lambda: (sc.models.resnet34((3, 32, 33), width=1 / 16), None),
    "resnet50": lambda: (sc.models.resnet50((3, 32, 33), width=1 / 16), None),
    "fcn32s": lambda: (sc.models.fcn32s(width=1 / 32), (3, 40, 70)),
    "fcn16s": lambda: (sc.models.fcn16s(width=1 / 32), (3, None, 70)),
    "fcn8s": lambda: (sc.models.fcn8s(width=1 / 32), (3, None, None)),
    "fcn_alexnet": lambda: (sc.models.fcn_alexnet(width=1 / 16), (3, None, None)),
}


def settle(model) -> None:
    """Values as after a training: no scale is 1, no shift and no mean 0, no variance 1."""
    for path, shared in model.variables().items():
        kind = path.rpartition(".")[2]
        if kind in ("bias", "beta", "mean") or (kind == "weight" and not shared.get_value().any()):
            shared.set_value(RNG.normal(0, 0.3, shared.shape))
        elif kind in ("gamma", "variance", "slope"):
            shared.set_value(RNG.uniform(0.5, 1.5, shared.shape))


def assert_close(found, expected):
    assert found.dtype == expected.dtype
    assert found.shape == expected.shape
    assert np.abs(found - expected).max() <= 1e-5 * np.abs(expected).max()


def test_every_network_is_here():
    assert NETWORKS.keys() == set(sc.models.__all__)


@pytest.mark.parametrize("name", NETWORKS)
def test_network_is_equal_in_onnxruntime(name):
    model, in_shape = NETWORKS[name]()
    settle(model)
    for n in (1, 3):
        shape = [d or 70 + 13 * n for d in in_shape or model.in_shape]
        X = RNG.normal(size=(n, *shape)).astype("float32")
        (found,), who = run_elsewhere(model, [X], in_shape)
        assert who == "onnxruntime"
        assert_close(found, model.predict(X, device="reference"))


LAYERS = {
    "prelu": (nn.PReLU(4), (4, 5, 6)),
    "layer norm": (nn.LayerNorm(6), (5, 6)),
    "group norm": (nn.GroupNorm(2, 4), (4, 5, 6)),
    "instance norm": (nn.InstanceNorm(4), (4, 5, 6)),
    "batch norm": (nn.BatchNorm(1), (1, 5, 6)),
    "dense": (nn.Dense(6, 1), (6,)),
    "maxout": (nn.Maxout(6, 4, 2), (6,)),
    "transposed": (nn.ConvTranspose2d(4, 3, 3, stride=2), (4, 5, 6)),
    "separable": (nn.SeparableConv2d(4, 3, 3), (4, 5, 6)),
    "parallel": (nn.Parallel(a=nn.Conv2d(2, 3, 1), b=nn.Conv2d(2, 4, 1, bias=False)), (2, 5, 6)),
    "residual": (nn.Residual(nn.Conv2d(2, 2, 3, padding=1)), (2, 5, 6)),
    "margins": (nn.Sequential(nn.Pad2d(2, mode="reflect"), nn.Crop2d(1), nn.Upsample2d(2)), (2, 5, 6)),
    "noise": (nn.Sequential(nn.Dropout(0.5), nn.GaussianNoise(), nn.SpatialDropout(0.5)), (2, 5, 6)),
    "pools": (nn.Sequential(nn.AvgPool2d(3, 2, padding=1, ceil_mode=True), nn.MaxPool2d(2, ceil_mode=True)), (2, 7, 8)),
}


@pytest.mark.parametrize("name", LAYERS)
def test_layer_goes_out_and_in_again(name, tmp_path):
    layer, in_shape = LAYERS[name]
    model = nn.Sequential(part=layer)
    settle(model)
    X = RNG.normal(size=(3, *in_shape)).astype("float32")
    expected = model.predict(X, device="reference")
    (found,), who = run_elsewhere(model, [X], in_shape)
    assert who == "onnxruntime"
    assert_close(found, expected)
    save(model, tmp_path / "model.onnx", in_shape)
    again = load(tmp_path / "model.onnx", device="reference")
    assert_close(again(X)[0], expected)
    assert sorted(again.module.variables().keys()) == sorted(model.variables().keys())


@pytest.mark.parametrize("name", ["lenet", "googlenet", "resnet18", "fcn32s"])
def test_network_goes_out_and_in_and_out_again(name, tmp_path):
    model, in_shape = NETWORKS[name]()
    settle(model)
    X = RNG.normal(size=(2, *[d or 70 for d in in_shape or model.in_shape])).astype("float32")
    save(model, tmp_path / "first.onnx", in_shape)
    again = load(tmp_path / "first.onnx", device="reference")
    assert sorted(again.module.parameters().keys()) == sorted(model.parameters().keys())
    assert sorted(again.module.states().keys()) == sorted(model.states().keys())
    assert_close(again(X)[0], model.predict(X, device="reference"))
    save(again, tmp_path / "second.onnx")
    first, second = (onnx.load(tmp_path / f"{which}.onnx").graph for which in ("first", "second"))
    kinds, names = zip(
        *((sorted(n.op_type for n in g.node), {t.name for t in g.initializer}) for g in (first, second)), strict=True
    )
    assert kinds[0] == kinds[1]
    assert names[0] == names[1]
    assert_close(load(tmp_path / "second.onnx", device="reference")(X)[0], again(X)[0])


def test_a_loaded_model_that_needs_sizes_is_saved_for_one_shape(tmp_path):
    model = sc.models.fcn8s(width=1 / 32)
    settle(model)
    save(model, tmp_path / "model.onnx")
    again = load(tmp_path / "model.onnx", device="reference")
    with pytest.raises(sc.SymcnnError, match="computes with the sizes") as caught:
        save(again, tmp_path / "again.onnx")
    assert "in_shape" in caught.value.hint
    save(again.module, tmp_path / "again.onnx", (3, 40, 50))
    X = RNG.normal(size=(2, 3, 40, 50)).astype("float32")
    assert_close(load(tmp_path / "again.onnx", device="reference")(X)[0], again(X)[0])


def test_names_tell_layers_sizes_and_parameters():
    model = sc.models.lenet()
    found = exported(model).graph
    assert {t.name for t in found.initializer} == set(model.parameters().keys())
    assert [n.name for n in found.node if n.op_type in ("Conv", "Gemm")] == [
        "conv1/Conv",
        "conv2/Conv",
        "dense1/Gemm",
        "dense2/Gemm",
    ]
    (x,), (y,) = found.input, found.output
    assert (x.name, y.name) == ("input", "output")
    assert [d.dim_param or d.dim_value for d in x.type.tensor_type.shape.dim] == ["n", 1, 28, 28]
    assert [d.dim_param or d.dim_value for d in y.type.tensor_type.shape.dim] == ["n", 10]
    shape = exported(sc.models.fcn8s(width=1 / 32), (3, None, None)).graph.input[0].type.tensor_type.shape
    assert [d.dim_param or d.dim_value for d in shape.dim] == ["n", 3, "height", "width"]


def test_a_function_keeps_its_inputs_and_outputs():
    x, n, w = sc.input("x", (None, 3)), sc.input("n", (), "int64"), sc.shared(np.ones((3, 2)), "w", "float64")
    f = sc.function([n, x], {"product": x @ w, "labels": sc.argmax(x, 1) + n}, device="reference", name="two")
    found = exported(f).graph
    assert ([v.name for v in found.input], [v.name for v in found.output], found.name) == (
        ["n", "x"],
        ["product", "labels"],
        "two",
    )
    X = RNG.normal(size=(4, 3)).astype("float32")
    for mine, theirs in zip(f(7, X).values(), run_elsewhere(f, [np.int64(7), X])[0], strict=True):
        assert mine.dtype == theirs.dtype
        np.testing.assert_allclose(theirs, mine)


class TwoHeads(nn.Module):
    def __init__(self):
        self.first, self.second = nn.Dense(4, 3), nn.Dense(4, 2)

    def forward(self, x, training):
        return {"classes": sc.softmax(self.first(x)), "place": self.second(x)}


def test_a_network_of_several_outputs_names_them():
    model = TwoHeads()
    assert [v.name for v in exported(model, (4,)).graph.output] == ["classes", "place"]
    X = RNG.normal(size=(2, 4)).astype("float32")
    for found, expected in zip(
        run_elsewhere(model, [X], (4,))[0], model.predict(X, device="reference").values(), strict=True
    ):
        assert_close(found, expected)


def test_a_function_of_a_network_calls_parameters_by_their_layers():
    model, x = sc.models.mlp([4, 3, 2]), sc.input("x", (None, 4))
    found = exported(sc.function([x], model(x), device="reference")).graph
    assert {t.name for t in found.initializer} == set(model.parameters().keys())


def test_outputs_that_are_inputs_parameters_numbers_or_the_same():
    x, w = sc.input("x", (2,)), sc.shared(np.arange(2), "w", "float32")
    y = x * w
    found, _ = run_elsewhere([x, w, sc.constant([3.0, 4.0], "float32"), y, y, y + 1], [np.ones(2, "float32")])
    np.testing.assert_array_equal(found, [[1, 1], [0, 1], [3, 4], [0, 1], [0, 1], [1, 2]])


def test_names_that_are_taken():
    x = sc.input("output", (2,))
    weights = [sc.shared(np.full(2, k, "float32"), "w") for k in (1, 2)]
    found = exported(sc.relu(x) * weights[0] + weights[1]).graph
    assert len({t.name for t in found.initializer}) == 2
    assert found.input[0].name != found.output[0].name


def test_float64_stays():
    model = sc.models.mlp([4, 3, 2], dtype="float64")
    X = RNG.normal(size=(2, 4))
    (found,), _ = run_elsewhere(model, [X])
    np.testing.assert_allclose(found, model.predict(X, device="reference"), rtol=1e-13)


def test_everything_that_cannot_be_said_is_named_with_its_line(tmp_path):
    x = sc.input("x", (None, 2))
    y = sc.dropout(x, 0.5)
    w = sc.shared(np.ones((1, 1, 2, 2), "float32"))
    z = sc.grad(sc.sum(sc.conv2d(sc.reshape(x, (None, 1, 1, -1)), w, padding=1)), w)
    with pytest.raises(sc.errors.InputError, match="2 op") as caught:
        save([y, z], tmp_path / "model.onnx")
    assert f"random_uniform ({__file__}" in caught.value.found
    assert f"conv2d_weight_grad ({__file__}" in caught.value.found
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: (nn.Conv2d(3, 4, 3),), "shape of an example of this Conv2d is not known"),
        (lambda: (sc.models.lenet(), (1, 28, 29)), "takes other examples"),
        (lambda: (sc.models.lenet(), 28), "shape of an example"),
        (lambda: (sc.models.lenet(), (1, "28", 28)), "a dimension is a non-negative int"),
        (lambda: (sc.input("x", (2,)), (2,)), "in_shape is for networks"),
        (lambda: (load(exported(sc.models.mlp([2, 2]))), (2,)), "in_shape is for networks"),
        (lambda: (3,), "save writes networks, functions and expressions"),
        (lambda: ([],), "save writes networks, functions and expressions"),
        (lambda: ([sc.input("x", ()), 3],), "an output must be a Variable"),
    ],
)
def test_what_cannot_be_written(make, message, tmp_path):
    model, *in_shape = make()
    with pytest.raises((sc.InputError, sc.ShapeError), match=message):
        save(model, tmp_path / "model.onnx", *in_shape)
    assert list(tmp_path.iterdir()) == []


def test_a_function_with_updates(tmp_path):
    w = sc.shared(np.ones(2), "w")
    with pytest.raises(sc.errors.InputError, match="updates what it reads"):
        save(sc.function([], w, updates={w: w + 1}, device="reference"), tmp_path / "model.onnx")


def test_a_model_that_is_too_large(monkeypatch, tmp_path):
    monkeypatch.setattr(graph, "LIMIT", 1000)
    with pytest.raises(sc.errors.InputError, match="too large for an ONNX file"):
        save(sc.models.lenet(), tmp_path / "model.onnx")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_none(tmp_path):
    with pytest.raises(sc.errors.FileError, match="cannot be written"):
        save(sc.models.mlp([2, 2]), tmp_path / "none" / "model.onnx")


def test_without_the_package_it_says_how_to_get_it(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(sc.errors.PackageError, match="package onnx") as caught:
        save(sc.models.mlp([2, 2]), tmp_path / "model.onnx")
    assert "symcnn[onnx]" in caught.value.hint
