"""The module of an ONNX model is a network like any other: its twin of symcnn.nn trains to the same numbers."""

import numpy as np
import pytest

import symcnn as sc
from symcnn import nn

onnx = pytest.importorskip("onnx")
from onnx import TensorProto, helper, numpy_helper  # noqa: E402

REFERENCE = {"device": "reference"}


def weights():
    rng = np.random.default_rng(3)

    def normal(*shape):
        return rng.normal(0, 0.5, shape).astype("float32")

    return {
        "block.conv.weight": normal(4, 2, 3, 3), "block.conv.bias": normal(4), "block.norm.weight": 1 + normal(4),
        "block.norm.bias": normal(4), "block.norm.running_mean": normal(4),
        "block.norm.running_var": np.exp(normal(4)), "head.weight": normal(3, 4), "head.bias": normal(3),
    }  # fmt: skip


def proto(arrays=None, as_constants=False, head="gemm", batch="n", softmax=True):
    """Convolution, batch norm, ReLU, mean over the image, a dense layer and a softmax."""
    arrays = dict(weights() if arrays is None else arrays)
    nodes = [
        helper.make_node("Conv", ["x", "block.conv.weight", "block.conv.bias"], ["c"], "/block/conv/Conv", pads=[1] * 4),
        helper.make_node(
            "BatchNormalization",
            ["c", *(f"block.norm.{role}" for role in ("weight", "bias", "running_mean", "running_var"))],
            ["b"], "/block/norm/BatchNormalization",
        ),
        helper.make_node("Relu", ["b"], ["r"], "/Relu"),
        helper.make_node("GlobalAveragePool", ["r"], ["p"], "/pool"),
    ]  # fmt: skip
    if head == "conv":
        arrays["head.weight"] = arrays["head.weight"][:, :, None, None]
        nodes.append(helper.make_node("Conv", ["p", "head.weight", "head.bias"], ["z4"], "/head"))
        nodes.append(helper.make_node("Flatten", ["z4"], ["z"], "/flatten"))
    else:
        nodes.append(helper.make_node("Flatten", ["p"], ["f"], "/flatten"))
    if head == "gemm":
        nodes.append(helper.make_node("Gemm", ["f", "head.weight", "head.bias"], ["z"], "/head/Gemm", transB=1))
    if head == "gemm without transposition":
        arrays["head.weight"] = np.ascontiguousarray(arrays["head.weight"].T)
        nodes.append(helper.make_node("Gemm", ["f", "head.weight", "head.bias"], ["z"], "/head/Gemm"))
    if head == "matmul":
        arrays["head.weight"] = np.ascontiguousarray(arrays["head.weight"].T)
        nodes.append(helper.make_node("MatMul", ["f", "head.weight"], ["m"], "/head/MatMul"))
        nodes.append(helper.make_node("Add", ["head.bias", "m"], ["z"], "/head/Add"))
    if softmax:
        nodes.append(helper.make_node("Softmax", ["z"], ["s"], "/softmax", axis=1))
        nodes.append(helper.make_node("Identity", ["s"], ["y"], "/y"))
    tensors = [numpy_helper.from_array(value, name) for name, value in arrays.items()]
    if as_constants:
        nodes = [helper.make_node("Constant", [], [t.name], f"constant_{t.name}", value=t) for t in tensors] + nodes
        tensors = []
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, [batch, 2, "h", "w"])
    y = helper.make_tensor_value_info("y" if softmax else "z", TensorProto.FLOAT, [batch, 3])
    graph = helper.make_graph(nodes, "small", [x], [y], tensors)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])


def module(**options):
    return sc.interop.onnx.load(proto(**options), **REFERENCE).module


HEADS = "gemm", "gemm without transposition", "matmul", "conv"


def twin():
    """The same network, of the layers of symcnn.nn."""
    arrays, model = weights(), nn.Sequential(
        conv=nn.Conv2d(2, 4, 3, padding=1), norm=nn.BatchNorm(4), relu=nn.ReLU(), pool=nn.GlobalAvgPool2d(), flat=nn.Flatten(),
        head=nn.Dense(4, 3),
    )  # fmt: skip
    model["conv"].weight.set_value(arrays["block.conv.weight"])
    model["conv"].bias.set_value(arrays["block.conv.bias"])
    for role, name in {"gamma": "weight", "beta": "bias", "mean": "running_mean", "variance": "running_var"}.items():
        getattr(model["norm"], role).set_value(arrays[f"block.norm.{name}"])
    model["head"].weight.set_value(arrays["head.weight"].T)
    model["head"].bias.set_value(arrays["head.bias"])
    return model


PATHS = {
    "block.conv.weight": "conv.weight", "block.conv.bias": "conv.bias", "block.norm.gamma": "norm.gamma",
    "block.norm.beta": "norm.beta", "head.weight": "head.weight", "head.bias": "head.bias",
}  # fmt: skip
STATES = {"block.norm.mean": "norm.mean", "block.norm.variance": "norm.variance"}


def batch(seed=0, n=6):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, 2, 5, 4)).astype("float32"), rng.integers(3, size=n)


def values(model):
    return {path: value.get_value() for path, value in model.variables().items()}


def softmax(z):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("as_constants", [False, True])
def test_initialisers_are_parameters_by_their_paths(as_constants):
    """Constants of a graph are initialisers as well: Paddle writes its weights so."""
    net = module(as_constants=as_constants)
    assert net.parameters().keys() == list(PATHS)
    assert net.states().keys() == list(STATES)
    assert [p.name for p in net.parameters()] == list(PATHS)


@pytest.mark.parametrize("head", HEADS)
def test_outputs(head):
    X, _ = batch()
    model = sc.interop.onnx.load(proto(head=head), **REFERENCE)
    expected = softmax(twin().predict(X, **REFERENCE))
    np.testing.assert_allclose(model(X)[0], expected, atol=1e-6)
    np.testing.assert_allclose(model.module.predict(X, **REFERENCE), expected, atol=1e-6)


def test_training_is_that_of_the_twin():
    """Losses, weights and running averages over three steps of SGD with momentum."""
    net, other = module(softmax=False), twin()
    steps = [sc.train.compile_step(m, optimizer=sc.optim.SGD(0.1, momentum=0.9), **REFERENCE) for m in (net, other)]
    for seed in range(3):
        X, labels = batch(seed)
        np.testing.assert_allclose(steps[0](X, labels), steps[1](X, labels), rtol=1e-5)
    found, expected = values(net), values(other)
    for path, theirs in {**PATHS, **STATES}.items():
        array = expected[theirs].T if path == "head.weight" else expected[theirs]
        np.testing.assert_allclose(found[path], array, rtol=1e-4, atol=1e-6, err_msg=path)
        if path != "block.conv.bias":  # which the batch norm after it subtracts again
            assert not np.array_equal(found[path], values(module(softmax=False))[path]), f"{path} was trained"


def test_what_is_frozen_stays():
    net = module(softmax=False).freeze("block")
    before = values(net)
    assert net.trainable().keys() == ["head.weight", "head.bias"]
    X, labels = batch()
    expected = twin().freeze("conv", "norm")
    loss = sc.train.compile_step(net, **REFERENCE)(X, labels)
    np.testing.assert_allclose(loss, sc.train.compile_step(expected, **REFERENCE)(X, labels), rtol=1e-5)
    moved = {path for path, value in values(net).items() if not np.array_equal(value, before[path])}
    assert moved == {"head.weight", "head.bias"}


def test_fine_tuning_with_fit():
    """Two classes that the old layers tell apart are learnt by a new head alone."""
    X, _ = batch(n=32)
    net = nn.replace_head(module().freeze(), 2, seed=0)
    labels = (net.predict(X, **REFERENCE)[:, 0] > np.median(net.predict(X, **REFERENCE)[:, 0])).astype(int)
    before = values(net)
    history = sc.train.fit(
        net, (X, labels), epochs=30, batch_size=8, optimizer=sc.optim.Adam(0.1), progress=False, **REFERENCE
    )
    assert history["loss"][-1] < 0.5 * history["loss"][0]
    moved = {path for path, value in values(net).items() if not np.array_equal(value, before[path])}
    assert moved == {"head.weight", "head.bias"}


@pytest.mark.parametrize("head", HEADS)
def test_replace_head(head):
    """The new head is a dense layer of what the old one saw; the old network has its head still."""
    X, _ = batch()
    old = module(head=head)
    before = old.predict(X, **REFERENCE)
    new = nn.replace_head(old, 5, seed=1, init="he_normal")
    path = "head_2.bias" if head == "matmul" else "head.bias"
    weight = new.parameters()["head.weight"].get_value()
    columns = weight.reshape(5, 4).T if head in ("gemm", "conv") else weight
    seen = twin()[:-1].predict(X, **REFERENCE)
    np.testing.assert_allclose(new.predict(X, **REFERENCE), seen @ columns, atol=1e-6)
    assert new.parameters()[path].get_value().tolist() == [0] * 5
    assert new.parameters()["head.weight"].name == "head.weight"
    assert new.parameters()["block.conv.weight"] is old.parameters()["block.conv.weight"]
    np.testing.assert_array_equal(old.predict(X, **REFERENCE), before)
    again = nn.replace_head(old, 5, seed=1, init="he_normal")
    np.testing.assert_array_equal(again.parameters()["head.weight"].get_value(), weight)


@pytest.mark.parametrize("classes", [0, 2.5, "two", True])
def test_classes_are_a_count(classes):
    with pytest.raises(sc.errors.InputError, match="classes is a whole number"):
        nn.replace_head(module(), classes)


def loaded(nodes, inputs, outputs, tensors):
    def info(name):
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, None)

    graph = helper.make_graph(nodes, "g", [*map(info, inputs)], [*map(info, outputs)], [numpy_helper.from_array(v, k) for k, v in tensors.items()])  # fmt: skip
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    return sc.interop.onnx.load(model, **REFERENCE)


W = np.ones((3, 3), "float32")


@pytest.mark.parametrize(
    ("nodes", "outputs", "tensors", "what"),
    [
        ([("Relu", "x", "y")], "y", {}, "the last node with a weight cannot be replaced"),
        ([("Conv", "x w", "y")], "y", {"w": np.ones((2, 2, 3, 3), "float32")}, "the last node with a weight cannot be"),
        ([("MatMul", "x w", "a"), ("MatMul", "a w", "y")], "y", {"w": W}, "other nodes use the weights"),
        ([("MatMul", "x w", "y"), ("Relu", "y", "z")], "y z", {"w": W}, "several outputs"),
    ],
)
def test_heads_that_cannot_be_replaced(nodes, outputs, tensors, what):
    nodes = [helper.make_node(op, inputs.split(), [output]) for op, inputs, output in nodes]
    net = loaded(nodes, "x", outputs.split(), tensors).module
    with pytest.raises(sc.errors.InputError, match=what):
        nn.replace_head(net, 2)


def test_weights_are_saved_and_loaded(tmp_path):
    net, other = module(), module(arrays={name: np.zeros_like(value) for name, value in weights().items()})
    for name in ("w.safetensors", "w.npz"):
        sc.interop.save_weights(net, tmp_path / name)
        sc.interop.load_weights(other, tmp_path / name)
        for path, value in values(net).items():
            np.testing.assert_array_equal(values(other)[path], value)
    other.load(tmp_path / "w.safetensors")


def test_a_twin_has_arrays_of_its_own():
    net = module(softmax=False)
    other, X = nn.twin(net), batch()[0]
    before = net.predict(X, **REFERENCE)
    np.testing.assert_array_equal(other.predict(X, **REFERENCE), before)
    sc.train.compile_step(other, **REFERENCE)(*batch())
    np.testing.assert_array_equal(net.predict(X, **REFERENCE), before)
    assert not np.array_equal(other.predict(X, **REFERENCE), before)


def test_summary_and_drawings_know_the_layers():
    net = module(softmax=False)
    table = net.summary((2, 5, 4))
    assert table.flops == twin().summary((2, 5, 4)).flops
    for text in (str(table), sc.viz.architecture(net, (2, 5, 4)).text, sc.draw(net).text):
        assert all(path in text for path in ("block.conv", "block.norm", "head"))


def test_several_inputs():
    node = helper.make_node("Add", ["a", "b"], ["y"])
    model = loaded([node], "ab", "y", {})
    np.testing.assert_array_equal(model(np.ones(2, "float32"), np.ones(2, "float32"))[0], [2, 2])
    with pytest.raises(sc.errors.InputError, match="several inputs"):
        model.module.predict(np.ones((1, 2)))


def test_several_outputs_are_a_tuple():
    nodes = [helper.make_node("Relu", ["x"], ["y"]), helper.make_node("Neg", ["x"], ["z"])]
    y, z = loaded(nodes, "x", "yz", {}).module.predict(np.array([[-1.0, 2.0]], "float32"), **REFERENCE)
    assert (y.tolist(), z.tolist()) == ([[0, 2]], [[1, -2]])


def test_batches_of_another_size_than_it_was_exported_for():
    """Many exporters fix a batch of one, and few graphs need it."""
    X, _ = batch(n=2)
    np.testing.assert_allclose(
        module(batch=1).predict(X, **REFERENCE), softmax(twin().predict(X, **REFERENCE)), atol=1e-6
    )


def test_a_node_is_applied_by_its_graph():
    net = module()
    with pytest.raises(sc.errors.InputError, match="node of a graph"):
        net.layers["head"](sc.input("x", (None, 4)))


def test_drawings_call_layers_by_their_operators():
    pytest.importorskip("fast_sugiyama")
    assert "OnnxLayer" not in sc.viz.architecture(module(), (2, 5, 4)).svg
