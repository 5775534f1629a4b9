"""Profiles: one row per kernel, and numbers that add up."""

import numpy as np
import pytest

import symcnn as sc
from symcnn.backends.base import BACKENDS


@pytest.mark.parametrize("device", BACKENDS)
def test_numbers_are_sane(device):
    n = 2 if device == "cuda" else 100  # the simulator is slow
    x, w = sc.input("x", (None, 64)), sc.shared(np.ones((64, 32), "float32"))
    f = sc.function([x], [sc.relu(x @ w), sc.sum(x, axis=1)], device=device)
    X = np.ones((n, 64), "float32")
    profile = f.profile(X, repeat=3)
    assert [k.name for k in profile.kernels] == [k.name for k in f.kernels]
    assert sum(k.share for k in profile.kernels) == pytest.approx(1)
    assert profile.seconds == pytest.approx(sum(k.seconds for k in profile.kernels))
    for k in profile.kernels:
        assert k.calls == 3
        assert 0 < k.seconds < 10
        assert k.gflops > 0
        assert k.gbytes > 0
    (product,) = [k for k in profile.kernels if "matmul" in k.name]
    assert 2 * n * 64 * 32 <= product.flops <= 2 * n * 64 * 32 + n * 32
    assert product.bytes >= 4 * (n * 64 + 64 * 32 + n * 32)
    (total,) = [k for k in profile.kernels if k.name.startswith("sum")]
    assert total.bytes == 4 * (n * 64 + n)
    assert str(profile).count("\n") == len(profile.kernels) + 1
    assert "GFLOP/s" in str(profile)


@pytest.mark.parametrize("device", BACKENDS)
def test_updates_are_applied_each_time(device):
    n = sc.shared(0.0)
    f = sc.function([], n, updates={n: n + 1}, device=device)
    f.profile(repeat=4)
    assert n.get_value() == 4


def test_arguments_are_checked():
    x = sc.input("x", (None, 3))
    f = sc.function([x], x * 2, device="reference")
    with pytest.raises(sc.ShapeError):
        f.profile(np.ones(3))
    assert f.profile(x=np.ones((2, 3)), repeat=1).kernels


@pytest.mark.parametrize("device", BACKENDS)
def test_an_empty_batch(device):
    x = sc.input("x", (None, 3))
    profile = sc.function([x], sc.tanh(x), device=device).profile(np.ones((0, 3)), repeat=2)
    assert all(k.bytes == k.flops == 0 for k in profile.kernels)


def test_the_table_names_every_kernel_in_whole_words():
    x = sc.input("x", (None, 8))
    y = sc.square(sc.tanh(sc.sigmoid(sc.relu(sc.cos(sc.sin(sc.sqrt(sc.exp(x))))))))
    profile = sc.function([x], sc.sum(y, axis=0) + 1, device="reference").profile(np.ones((4, 8)), repeat=1)
    header, row, *_ = str(profile).splitlines()
    assert "ms/call" in header and "NumPy" in row and " more " in row
    assert [k.index for k in profile.kernels] == list(range(len(profile.kernels)))


@pytest.mark.parametrize("repeat", [0, -1, 1.5, "2"])
def test_repeat_is_a_positive_integer(repeat):
    with pytest.raises(sc.InputError, match="repeat"):
        sc.function([], sc.shared(1.0) + 1, device="reference").profile(repeat=repeat)
