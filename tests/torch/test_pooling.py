"""Pooling and resizing agree with PyTorch over random windows."""

import numpy as np
import pytest

import symcnn as sc
from tests.torch.compare import agree, normal


def window(rng):
    size = tuple(map(int, rng.integers(1, 4, 2)))
    stride = tuple(map(int, rng.integers(1, 4, 2)))
    padding = tuple(int(rng.integers(0, s // 2 + 1)) for s in size)
    return size, stride, padding, bool(rng.integers(2))


@pytest.mark.parametrize("seed", range(16))
def test_max_pool2d(torch, seed):
    rng = np.random.default_rng(seed)
    size, stride, padding, ceil = window(rng)
    agree(
        torch,
        lambda x: sc.max_pool2d(x, size, stride, padding, ceil_mode=ceil),
        lambda x: torch.nn.functional.max_pool2d(x, size, stride, padding, ceil_mode=ceil),
        normal(rng, 2, 3, *rng.integers(5, 10, 2)), dtypes=["float32"], unknown=bool(seed % 2),
    )  # fmt: skip


@pytest.mark.parametrize("seed", range(16))
def test_avg_pool2d(torch, seed):
    rng = np.random.default_rng(seed)
    size, stride, padding, ceil = window(rng)
    include = bool(rng.integers(2))
    agree(
        torch,
        lambda x: sc.avg_pool2d(x, size, stride, padding, ceil_mode=ceil, count_include_pad=include),
        lambda x: torch.nn.functional.avg_pool2d(x, size, stride, padding, ceil_mode=ceil, count_include_pad=include),
        normal(rng, 2, 3, *rng.integers(5, 10, 2)), dtypes=["float32"], unknown=bool(seed % 2),
    )  # fmt: skip


def test_global_pooling(torch):
    x = normal(np.random.default_rng(0), 2, 3, 5, 4)
    agree(torch, sc.global_avg_pool2d, lambda x: torch.nn.functional.adaptive_avg_pool2d(x, 1), x)
    agree(torch, sc.global_max_pool2d, lambda x: torch.nn.functional.adaptive_max_pool2d(x, 1), x)


@pytest.mark.parametrize("scale", [2, 3, (2, 1), (1.5, 2.5), 0.5])
def test_upsample2d_bilinear(torch, scale):
    x = normal(np.random.default_rng(0), 2, 2, 6, 4)
    agree(
        torch,
        lambda x: sc.upsample2d(x, scale),
        lambda x: torch.nn.functional.interpolate(x, scale_factor=scale, mode="bilinear"),
        x,
    )


@pytest.mark.parametrize("scale", [2, 3, (1, 4)])
def test_upsample2d_nearest(torch, scale):
    x = normal(np.random.default_rng(0), 2, 2, 3, 4)
    agree(
        torch,
        lambda x: sc.upsample2d(x, scale, "nearest"),
        lambda x: torch.nn.functional.interpolate(x, scale_factor=scale),
        x,
    )
