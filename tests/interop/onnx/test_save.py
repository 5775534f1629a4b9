"""Networks, functions and expressions as ONNX models: equal in onnxruntime, named by their layers, and read again."""

import numpy as np
import pytest

import symcnn as sc
from tests.interop.onnx.exported import run_elsewhere

onnx = pytest.importorskip("onnx")

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
