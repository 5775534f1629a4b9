"""symcnn as a contender."""

from __future__ import annotations

from functools import cache

import numpy as np

import symcnn as sc
from symcnn.bench import zoo
from symcnn.bench.tasks import CHAINS, MOMENTUM, NETWORKS, RATE, Convolution


def model(network: str):
    """A network of `symcnn.bench.tasks.NETWORKS` with fresh weights."""
    of = NETWORKS[network]
    if network == "mlp":
        return sc.models.mlp([*of.in_shape, 512, 512, of.classes])
    make = {
        "lenet": sc.models.lenet,
        "cs231n": sc.models.cs231n_convnet,
        "alexnet": sc.models.alexnet,
        "googlenet": sc.models.googlenet,
    }[network]
    return make(of.in_shape, of.classes)


def convolutions(network: str) -> list[Convolution]:
    """The distinct convolutions of a network, in order; none for the multi-layer perceptron."""
    of = NETWORKS[network]
    net = model(network)
    with sc.nn.Trace() as trace:
        net(sc.input("x", (of.batch, *of.in_shape)))
    found = {}
    for layer, output in trace.outputs:
        if isinstance(layer, sc.nn.Conv2d):
            x = next(v for v in _below(output) if v.op is not None and v.op.name == "conv2d").inputs[0]
            geometry = {name: layer.geometry[name] for name in ("stride", "padding", "groups")}
            batch, channels, height, width = x.shape
            found[Convolution(batch, channels, height, width, layer.out_channels, layer.window, **geometry)] = None
    return list(found)


def _below(v):
    """`v` and what it is made of, nearest first."""
    level = [v]
    while level:
        yield from level
        level = [x for v in level for x in v.inputs]


def prepare(variant: str, what: str, **task):
    """A call without arguments that does `task` once and waits for its result."""
    return _TASKS[what](**task)


def memory(task: dict) -> dict:
    """Bytes that the memory plan of a prepared training task announces."""
    function = _step(task["network"]).function
    return {"planned": function.memory_plan.peak_bytes} if function else {}


@cache
def _step(network):
    return sc.train.compile_step(model(network), optimizer=sc.optim.SGD(RATE, momentum=MOMENTUM))


@cache
def _forward(network):
    net = _step(network).model
    x = sc.input("x", (None, *NETWORKS[network].in_shape))
    return sc.function([x], net(x))


def _batch(network, batch):
    of, rng = NETWORKS[network], np.random.default_rng(0)
    return rng.normal(size=(batch, *of.in_shape)).astype("float32"), rng.integers(0, of.classes, batch)


def _train(network, batch):
    step, (X, labels) = _step(network), _batch(network, batch)
    return lambda: step(X, labels)


def _infer(network, batch):
    run, (X, _) = _forward(network), _batch(network, batch)
    return lambda: run(X)


@cache
def _onnx_model(network):
    return sc.interop.onnx.load(zoo.network(network))


def _onnx(network, batch):
    images = zoo.images(batch)
    run = _onnx_model(network).function(images)
    return lambda: run(images)


def _state(*shape):
    return sc.shared(np.random.default_rng(0).normal(size=shape).astype("float32"))


def _chain(chain, size):
    of = CHAINS[chain]
    return sc.function([], [], updates={_state(size): of.formula(sc, *(_state(size) for _ in range(of.operands)))})


def _update(size):
    parameter, gradient = _state(size), _state(size)
    sgd = sc.optim.SGD(RATE, momentum=MOMENTUM)
    return sc.function([], [], updates=sgd.updates([parameter], [gradient]))


def _convolution(direction, layer):
    of = Convolution(**layer)
    x = _state(of.batch, of.height, of.width, of.in_channels)
    w = _state(of.out_channels, of.in_channels // of.groups, *of.window)
    y = sc.conv2d(x, w, of.stride, of.padding, groups=of.groups, layout="NHWC")
    if direction == "forward":
        result = y
    else:
        result = sc.vjp(y, x if direction == "input gradient" else w, _state(*y.shape))
    return sc.function([], [], updates={_state(*result.shape): result})


_TASKS = {
    "train": _train, "forward": _infer, "onnx": _onnx, "chain": _chain, "update": _update, "convolution": _convolution,
}  # fmt: skip
