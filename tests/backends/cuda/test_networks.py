"""The benchmark networks as machine code for GPUs, and a small one that learns alike on all devices."""

import re

import numpy as np
import pytest

import symcnn as sc
from symcnn.backends.base import BACKENDS
from symcnn.backends.cuda.launch import Kernel
from symcnn.bench.tasks import NETWORKS
from tests.backends.cuda.networks import CAPABILITIES, faults, launched, without_tensor_cores
from tests.backends.cuda.ptx import ptx_of


@pytest.fixture(autouse=True)
def _compiler():
    pytest.importorskip("numba_cuda")


@pytest.mark.parametrize("network", NETWORKS)
def test_kernels_of_a_training_step_are_good_machine_code(network):
    kernels = launched(network)
    assert len(kernels) >= 10
    found = {kernel.source: complaints for kernel in kernels if (complaints := faults(kernel))}
    assert not found, "\n\n".join(source + "\n".join(complaints) for source, complaints in found.items())
    assert without_tensor_cores(network) == []


def test_planted_faults_are_found():
    source = "def kernel(x0, n0):\n    x0[int64(n0) // int64(x0[0])] = x0[1] * 0.1\n"
    complaints = faults(Kernel(source, ("float32",), 1, 32))
    assert [c.partition(":")[0] for c in complaints] == [str(cc) for cc in CAPABILITIES for _ in range(2)]


def test_what_is_compiled_together_is_what_is_compiled_alone(monkeypatch, tmp_path):
    from symcnn.backends.cuda.compiler import ptx

    monkeypatch.setattr(sc.config, "cache_dir", tmp_path)
    kernel = launched("mlp")[0]
    together = ptx_of(kernel, CAPABILITIES)
    assert ptx_of(kernel, CAPABILITIES) == together  # from the folder
    for cc in CAPABILITIES:
        alone, name = ptx(kernel, cc), f".target sm_{cc[0]}{cc[1]}"
        assert name in alone
        assert name in together[cc]
        assert _instructions(alone) == _instructions(together[cc])


def _instructions(text):
    lines = (re.sub(r"_cudapy_smem_\d+", "shared", line.strip()) for line in text.splitlines())
    return [line for line in lines if line.endswith(";") and "kernel" not in line and "NumbaEnv" not in line]


def small_network():
    nn = sc.nn
    return nn.Sequential(
        nn.Conv2d(2, 4, 3, padding=1, bias=False), nn.BatchNorm(4), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(4, 4, 2, groups=2), nn.ReLU(), nn.Flatten(), nn.Dropout(0.3, seed=5), nn.Dense(4, 3),
    )  # fmt: skip


def test_loss_and_gradients_are_those_of_other_devices():
    rng = np.random.default_rng(0)
    x, labels = sc.input("x", (None, 2, 4, 4)), sc.input("labels", (None,), "int64")
    model = small_network()
    loss = sc.losses.cross_entropy(model(x, training=True), labels)
    outputs = [loss, *sc.grad(loss, [x, *model.parameters()])]
    arrays = [rng.normal(size=(3, 2, 4, 4)).astype("float32"), rng.integers(0, 3, 3)]
    found = {device: sc.function([x, labels], outputs, device=device)(*arrays) for device in BACKENDS}
    assert {"cpu", "cuda", "reference"} <= found.keys()
    for device in ("cpu", "reference"):
        for one, other in zip(found["cuda"], found[device], strict=True):
            np.testing.assert_allclose(one, other, rtol=0, atol=1e-4 * np.abs(other).max())
    assert all(np.abs(g).max() > 1e-4 for g in found["cuda"]), "a gradient that is zero proves nothing"


def test_the_same_seed_drops_the_same_everywhere():
    x = sc.input("x", (None, 37))
    ones = np.ones((5, 37), "float32")
    masks = {}
    for device in BACKENDS:
        drop = sc.function([x], sc.dropout(x, 0.4, seed=3), device=device)
        masks[device] = [drop(ones), drop(ones)]
    for device in BACKENDS:
        np.testing.assert_array_equal(masks[device], masks["reference"])
    first, second = masks["cuda"]
    assert 0.2 < (first == 0).mean() < 0.6
    assert (first != second).any()
