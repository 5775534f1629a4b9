"""Networks written in (N, C, H, W) run in (N, H, W, C): transposes remain where they begin, flatten and end only."""

import numpy as np
import pytest

import symcnn as sc
from symcnn.ir.graph import evaluate, toposort, value_inputs
from symcnn.ir.variable import Shared
from symcnn.ops.channels_last import ChannelsLast
from symcnn.ops.random import CALL
from symcnn.ops.shape import Transpose
from symcnn.rewrite.engine import rewrite
from symcnn.rewrite.pipeline import PHASES, simplify
from symcnn.schedule.lower import lower

RNG = np.random.default_rng(0)


def parameter(*shape):
    return sc.shared(RNG.normal(0, 0.4, shape))


def conv(x, filters, size=3, **options):
    w = parameter(filters, x.shape[1] // options.get("groups", 1), size, size)
    x = sc.conv2d(x, w, padding=size // 2, **options)
    return x + sc.reshape(parameter(filters), (1, filters, 1, 1))


def dense(x, units):
    x = sc.flatten(x, 1)
    return x @ parameter(x.shape[1], units)


def norm(x):
    return sc.batch_norm(x, parameter(x.shape[1]), parameter(x.shape[1]))


def lenet(x):
    x = sc.max_pool2d(sc.relu(conv(x, 4, 5)), 2)
    x = sc.relu(sc.max_pool2d(sc.conv2d(x, parameter(6, 4, 3, 3)) + parameter(6, 1, 1), 2))
    return dense(x, 5)


def vgg(x):
    x = sc.lrn(sc.max_pool2d(sc.relu(conv(sc.relu(conv(x, 4)), 4)), 2), 3)
    x = sc.max_pool2d(sc.relu(conv(sc.relu(conv(x, 6, groups=2)), 6)), 3, stride=2, ceil_mode=True)
    return dense(sc.dropout(x, 0.5, seed=1), 5)


def inception(x):
    x = sc.relu(conv(x, 6, 7, stride=2))
    pooled = conv(sc.max_pool2d(x, 3, stride=1, padding=1), 2, 1)
    branches = [conv(x, 3, 1), conv(sc.relu(conv(x, 2, 1)), 4, 3), conv(sc.relu(conv(x, 2, 1)), 3, 5), pooled]
    x = sc.dropout(sc.relu(sc.concat(branches, axis=1)), 0.3, seed=2)
    return dense(sc.global_avg_pool2d(x), 5)


def residual(x):
    x = sc.relu(norm(conv(x, 4)))
    x = sc.relu(
        norm(conv(sc.relu(norm(conv(x, 6, stride=2))), 6)) + norm(sc.conv2d(x, parameter(6, 4, 1, 1), stride=2))
    )
    gate = sc.sigmoid(conv(sc.global_avg_pool2d(x), 6, 1))
    return dense(sc.global_max_pool2d(x + gate * norm(conv(sc.elu(x), 6))), 5)


def segmentation(x):
    fine = sc.relu(conv(x, 4))
    coarse = sc.relu(conv(sc.max_pool2d(fine, 2), 6))
    x = sc.conv2d_transpose(coarse, parameter(6, 4, 2, 2), stride=2) + sc.upsample2d(sc.avg_pool2d(fine, 2), 2)
    x = sc.pad(sc.concat([x, fine], axis=1)[:, ::-1, 1:-1, 1:-1], ((0, 0), (0, 0), (1, 1), (1, 1)))
    return sc.log_softmax(conv(x, 3), axis=1)


NETWORKS = {f.__name__: (f, size) for f, size in
            ((lenet, 12), (vgg, 8), (inception, 9), (residual, 8), (segmentation, 8))}  # fmt: skip

every_network = pytest.mark.parametrize("name", NETWORKS)


def trained(name, channels=3, batch=None, dtype="float64"):
    """The images, and a network's result with the gradients of all its parameters and of the images."""
    network, size = NETWORKS[name]
    x = sc.input("x", (batch, channels, size, size), dtype)
    y = network(x)
    parameters = [v for v in toposort([y]) if isinstance(v, Shared)]
    return x, [y, *sc.grad(sc.sum(sc.square(y)), [*parameters, x])]


def transposes(variables) -> list:
    """The transposes of images that move elements: not those of axes of size 1."""
    found = (v for v in variables if isinstance(v.op, Transpose) and v.ndim == 4)
    return [v for v in found if not v.op.keeps_order(v.inputs[0].shape)]


def has_own_kernel(v):
    return isinstance(v.op, ChannelsLast) and v.op.name.startswith("conv2d")


@every_network
@pytest.mark.parametrize("channels", [1, 3])
def test_transposes_remain_at_the_ends_only(name, channels):
    x, outputs = trained(name, channels)
    found = simplify(outputs)[-1].outputs
    assert not [v for v in toposort(found) if v.op is not None and v.op.images], "an image op is left in NCHW"
    flat = ("reshape", "reshape_like")
    read_by_flat = {u for v in toposort(found) if v.op is not None and v.op.name in flat for u in v.inputs}
    ends = {*found, *read_by_flat}
    for v in transposes(toposort(found, value_inputs)):
        assert v in ends or v.inputs[0] is x or v.inputs[0].op.name in flat, f"{v!r} of {v.inputs[0]!r}"


@every_network
def test_copies_are_made_at_the_ends_only(name):
    """In the lowered program: of the images, of what is flattened, and of results that are images."""
    _, outputs = trained(name)
    program = lower(simplify(outputs)[-1].outputs, {}, has_own_kernel)
    copies = transposes(v for step in program.steps for v in step.writes)
    images_among_results = 2 if name == "segmentation" else 1  # the gradient of the images
    assert len(copies) == 1 + (name in ("lenet", "vgg")) + images_among_results
    for step in program.steps:
        if step.tuned is not None:
            assert not transposes(v for v in step.reads if v not in program.stored)


@every_network
def test_values_and_gradients_are_kept(name):
    x, outputs = trained(name, batch=2)
    values = {x: RNG.normal(size=x.shape), CALL: np.array(3)}
    for before, after in zip(evaluate(outputs, values), evaluate(simplify(outputs)[-1].outputs, values), strict=True):
        np.testing.assert_allclose(after, before, rtol=0, atol=1e-12 * max(1, np.abs(before).max()))


@every_network
def test_compiled_values_are_those_of_the_graph_as_written(name):
    x, outputs = trained(name)
    value = RNG.normal(size=(2, *x.shape[1:]))
    found = sc.function([x], outputs)(value)
    expected = evaluate(outputs, {x: value, CALL: np.array(0)})
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=1e-11 * max(1, np.abs(b).max()))


@every_network
def test_the_second_derivative_is_kept(name):
    x, (y, *_) = trained(name, batch=1)
    (g,) = sc.grad(sc.sum(sc.square(y)), [x])
    outputs = sc.grad(sc.sum(sc.square(g)), [x, *(v for v in toposort([y]) if isinstance(v, Shared))][:3])
    values = {x: RNG.normal(size=x.shape), CALL: np.array(3)}
    for before, after in zip(evaluate(outputs, values), evaluate(simplify(outputs)[-1].outputs, values), strict=True):
        np.testing.assert_allclose(after, before, rtol=0, atol=1e-12 * max(1, np.abs(before).max()))


OPS = {
    "all axes": lambda x: sc.sum(x),
    "the batch alone": lambda x: sc.sum(x, axis=0),
    "rows, kept": lambda x: sc.max(x, axis=2, keepdims=True),
    "statistics": lambda x: sc.batch_statistics(x)[1],
    "channels": lambda x: sc.softmax(x, axis=1),
    "argmax": lambda x: sc.argmax(x, axis=1),
    "argmax in written order": lambda x: sc.argmax(x),
    "positions": lambda x: sc.position_like(x) * x,
    "positions of some": lambda x: sc.position_like(x, (1, 3)) + 0 * x,
    "a part": lambda x: x[:, 1, ::2, -2:],
    "one image": lambda x: x[0],
    "rotated": lambda x: sc.flip(x, (1, 2)),
    "split": lambda x: sc.split(x, 2, axis=1)[1] * 2,
    "with the images": lambda x: sc.concat([x, x * 2, sc.input("y", (2, 4, 5, 6), "float64")], axis=1),
    "spread": lambda x: sc.broadcast_like(sc.sum(x, axis=1, keepdims=True), x) * x,
    "spread to": lambda x: sc.broadcast_to(sc.sum(x, axis=(2, 3), keepdims=True), (2, 4, 5, 6)) / x,
    "a vector along rows": lambda x: x + np.arange(6.0),
    "a matrix": lambda x: x * np.arange(30.0).reshape(5, 6),
    "a weight per pixel": lambda x: x * sc.reshape(sc.shared(np.arange(20.0)), (1, 4, 5, 1)),
    "channels shuffled": lambda x: x.reshape(2, 2, 2, 5, 6).transpose(0, 2, 1, 3, 4).reshape(2, 4, 5, 6) * 2,
    "channels and rows shuffled": lambda x: x.reshape(2, 2, 2, 6, 5).transpose(0, 2, 1, 3, 4).reshape(2, 4, 5, 6) * 2,
    "another order": lambda x: sc.transpose(x, (1, 0, 3, 2)) * 2,
    "layer norm": lambda x: sc.layer_norm(x, axis=1),
    "group norm": lambda x: sc.group_norm(x, 2),
    "drawn": lambda x: sc.dropout(x, 0.5, seed=4),
    "normal": lambda x: x + sc.random.normal((2, 4, 5, 6), seed=5, dtype="float64"),
    "rows as a batch": lambda x: x.reshape(-1, 6) @ np.ones((6, 2)),
    "compared": lambda x: sc.where(x > 0, x, sc.input("y", (2, 4, 5, 6), "float64")),
    "classified": lambda x: sc.losses.cross_entropy(x, np.zeros((2, 5, 6), "int64")),
    "converted": lambda x: (x > 0).astype("int32"),
}


@pytest.mark.parametrize("op", OPS.values(), ids=OPS)
def test_whatever_follows_a_convolution_keeps_its_value_and_gradient(op):
    x = sc.input("x", (2, 3, 5, 6), "float64")
    y = op(sc.conv2d(x, parameter(4, 3, 3, 3), padding=1))
    outputs = [y, sc.grad(sc.sum(sc.square(y)), x)] if y.type.is_float else [y]
    values = {v: RNG.normal(size=v.shape) for v in toposort(outputs) if v.name in ("x", "y")} | {CALL: np.array(3)}
    after = evaluate(simplify(outputs)[-1].outputs, values)
    for a, b in zip(after, evaluate(outputs, values), strict=True):
        assert a.dtype == b.dtype
        np.testing.assert_allclose(a, b, rtol=0, atol=1e-12 * max(1, np.abs(b).max()))


def test_shuffled_channels_stay_last():
    """As in ShuffleNet, whatever the batch: six channels as 3 x 2, transposed."""
    x = sc.input("x", (None, 3, 8, 8), "float64")
    y = sc.conv2d(x, parameter(6, 3, 3, 3)).reshape(None, 3, 2, 6, 6).transpose(0, 2, 1, 3, 4).reshape(None, 6, 6, 6)
    (found,) = simplify([sc.conv2d(y, parameter(4, 6, 3, 3))])[-1].outputs
    assert not [v for v in toposort([found]) if v.ndim == 5]
    assert all(v is found or v.inputs[0] is x for v in transposes(toposort([found], value_inputs)))


@pytest.mark.parametrize("make", [lambda x: sc.max_pool2d(sc.exp(x), 2), lambda x: sc.lrn(x, 3) + sc.sum(x, axis=1, keepdims=True),
                                  lambda x: sc.concat([x, x], 1).reshape(-1)], ids=["pool", "lrn", "concat"])  # fmt: skip
def test_without_convolutions_nothing_moves(make):
    y = make(sc.input("x", (None, 3, 8, 8)))
    (found,), applications = rewrite([y], PHASES["layout"])
    assert found is y and not applications


def test_a_network_written_channels_last_has_no_transposes_at_all():
    x = sc.input("x", (None, 8, 8, 3))
    y = sc.conv2d(
        sc.relu(sc.conv2d(x, parameter(4, 3, 3, 3), layout="NHWC") + parameter(4)), parameter(5, 4, 3, 3), layout="NHWC"
    )
    found = simplify([y, *sc.grad(sc.sum(y), [x])])[-1].outputs
    assert not transposes(toposort(found))


def test_the_rules_say_what_they_do():
    x, w = sc.input("x", (None, 3, 8, 8)), sc.input("w", (4, 3, 3, 3))
    _, applications = rewrite([sc.relu(sc.conv2d(x, w))], PHASES["layout"])
    first, second = map(str, applications)
    assert first.startswith("convolutions run channels last (layout.py:")
    assert first.endswith("conv2d(x, w) -> transpose(conv2d(.., w))")
    assert second.startswith("a transpose moves past an elementwise op")


def test_work_grows_with_the_network():
    def applications(depth):
        x = sc.input("x", (None, 2, 4, 4))
        y, w = x, parameter(2, 2, 3, 3)
        for k in range(depth):
            y = y + sc.relu(sc.conv2d(y, w, padding=1) * (k + 1.5))
        return len(simplify(sc.grad(sc.sum(y), [w, x]))[-1].applications)

    short, middle, long = map(applications, (5, 10, 20))
    assert long - middle == 2 * (middle - short)
