"""The machine code of the tuned kernels: no slow instructions, no spills, tensor cores where they are meant to be."""

import numpy as np
import pytest

from symcnn.backends.cuda.launch import ON_DEVICE
from symcnn.backends.cuda.tuned import tuned_kernel
from symcnn.config import config
from symcnn.ir.types import TensorType
from symcnn.ops.channels_last import ChannelsLast
from symcnn.ops.conv import Conv2d, Conv2dInputGrad, Conv2dWeightGrad
from symcnn.ops.linalg import MatMul
from symcnn.ops.window import Window2d
from tests.backends.cuda.ptx import INSTALLED, lint, ptxas
from tests.backends.cuda.tuned.launching import BiasRelu, in_precision

pytest.importorskip("numba_cuda")
compiler = pytest.importorskip("symcnn.backends.cuda.compiler")

STRIDED = Window2d((2, 2), "same")
# Batches are unknown. Large channels take packed filters and load four numbers at a time, three channels do not.
CASES = {
    "product": (MatMul(), (None, 300), (300, 200)),
    "convolution": (ChannelsLast(Conv2d(Window2d())), (None, 28, 28, 64), (128, 64, 3, 3)),
    "first layer": (ChannelsLast(Conv2d(STRIDED)), (None, 32, 32, 3), (16, 3, 5, 5)),
    "input gradient": (ChannelsLast(Conv2dInputGrad(STRIDED)), (None, 14, 14, 128), (128, 64, 3, 3), (None, 28, 28, 64)),
    "weight gradient": (ChannelsLast(Conv2dWeightGrad(STRIDED)), (None, 28, 28, 64), (None, 14, 14, 128), (128, 64, 3, 3)),
    "depthwise": (ChannelsLast(Conv2d(Window2d(groups=64))), (None, 28, 28, 64), (64, 1, 3, 3)),
    "depthwise input": (
        ChannelsLast(Conv2dInputGrad(Window2d(groups=64))), (None, 26, 26, 64), (64, 1, 3, 3), (None, 28, 28, 64),
    ),
    "depthwise weight": (
        ChannelsLast(Conv2dWeightGrad(Window2d(groups=64))), (None, 28, 28, 64), (None, 26, 26, 64), (64, 1, 3, 3),
    ),
}  # fmt: skip


def kernels(case, dtype="float32"):
    op, *shapes = CASES[case]
    types = [TensorType(np.dtype(dtype), shape) for shape in shapes]
    return tuned_kernel(op).kernels(op, types, op.infer(*types), BiasRelu(dtype), in_precision(ON_DEVICE))


def check(kernel, cc):
    text = compiler.ptx(kernel, cc)
    assert not lint(text, kernel), kernel.source
    if INSTALLED:
        found = ptxas(text, cc)
        assert found["spills"] == found["stack"] == 0
        assert found["registers"] <= 128 and found["shared"] <= 48 * 1024  # two blocks of 256 threads at a time
    return text


# The kernels of whole networks are looked at in tests/backends/cuda/test_networks.py; none of those is depthwise.
@pytest.mark.parametrize("case", ["convolution", "first layer", "depthwise", "depthwise input", "depthwise weight"])
def test_convolutions_in_tf32(case, monkeypatch):
    monkeypatch.setattr(config, "tf32", True)
    for kernel in kernels(case):
        if "y1" in kernel.source:  # partial sums differ from these only where they end
            text = check(kernel, (9, 0))
            assert ("mma.sync" in text) == ("multiply_tiles" in kernel.source)
            assert ("ld.global.v4" in text) == ("load4" in kernel.source)
    if "depthwise" not in case:
        assert any("multiply_tiles" in k.source for k in kernels(case))
        assert any("load4" in k.source for k in kernels(case)) == (case != "first layer")


@pytest.mark.parametrize("case", ["product", "weight gradient"])
def test_float32(case, monkeypatch):
    monkeypatch.setattr(config, "tf32", False)
    for kernel in kernels(case)[:2]:
        text = check(kernel, (8, 0))
        assert "mma.sync" not in text
        if "sums" in kernel.source:
            assert "ld.shared.v4" in text


def test_float64():
    check(kernels("product", "float64")[0], (8, 0))


def test_tensor_cores_of_the_first_gpus_that_have_tf32(monkeypatch):
    monkeypatch.setattr(config, "tf32", True)
    assert "mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32" in check(kernels("convolution")[1], (8, 0))


def test_a_new_batch_size_takes_the_same_kernels():
    """Layers of different sizes share theirs."""
    op = CASES["convolution"][0]
    types = [TensorType(np.dtype("float32"), s) for s in ((7, 13, 11, 32), (96, 32, 5, 5))]
    other = tuned_kernel(op).kernels(op, types, op.infer(*types), BiasRelu("float32"), ON_DEVICE)
    assert set(other) == set(kernels("convolution"))
