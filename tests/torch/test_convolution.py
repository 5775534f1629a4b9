"""Convolutions agree with PyTorch over random sizes, strides, paddings, dilations and groups."""

import numpy as np
import pytest

import symcnn as sc
from tests.torch.compare import agree, normal


@pytest.mark.parametrize("seed", range(30))
def test_conv2d(torch, seed):
    rng = np.random.default_rng(seed)
    groups, stride, dilation = (
        int(rng.choice([1, 1, 2, 3])),
        tuple(map(int, rng.integers(1, 4, 2))),
        tuple(map(int, rng.integers(1, 3, 2))),
    )
    n, c, o = int(rng.integers(1, 4)), groups * int(rng.integers(1, 5)), groups * int(rng.integers(1, 6))
    kernel, size = rng.integers(1, 5, 2), rng.integers(8, 15, 2)
    top, left, bottom, right = map(int, rng.integers(0, 3, 4))
    padded = torch.nn.functional.pad
    agree(
        torch,
        lambda x, w: sc.conv2d(x, w, stride, (top, left, bottom, right), dilation, groups),
        lambda x, w: torch.conv2d(padded(x, (left, right, top, bottom)), w, None, stride, 0, dilation, groups),
        normal(rng, n, c, *size), normal(rng, o, c // groups, *kernel), unknown=bool(seed % 2),
    )  # fmt: skip


@pytest.mark.parametrize("seed", range(6))
def test_conv2d_same(torch, seed):
    rng = np.random.default_rng(seed)
    kernel, dilation = tuple(map(int, rng.integers(1, 6, 2))), int(rng.integers(1, 3))
    agree(
        torch,
        lambda x, w: sc.conv2d(x, w, padding="same", dilation=dilation),
        lambda x, w: torch.conv2d(x, w, padding="same", dilation=dilation),
        normal(rng, 2, 3, 9, 8), normal(rng, 4, 3, *kernel | np.array(1)),
    )  # fmt: skip


@pytest.mark.parametrize("seed", range(4))
def test_conv2d_with_channels_last(torch, seed):
    rng = np.random.default_rng(seed)
    agree(
        torch,
        lambda x, w: sc.conv2d(x, w, stride=2, padding=1, layout="NHWC"),
        lambda x, w: torch.conv2d(x.permute(0, 3, 1, 2), w, stride=2, padding=1).permute(0, 2, 3, 1),
        normal(rng, 2, *rng.integers(5, 10, 2), 3), normal(rng, 4, 3, 3, 3),
    )  # fmt: skip


@pytest.mark.parametrize("seed", range(14))
def test_conv2d_transpose(torch, seed):
    rng = np.random.default_rng(seed)
    groups, stride = int(rng.choice([1, 2])), tuple(map(int, rng.integers(1, 4, 2)))
    padding, more = tuple(map(int, rng.integers(0, 2, 2))), tuple(int(rng.integers(0, s)) for s in stride)
    n, c, o = int(rng.integers(1, 4)), groups * int(rng.integers(1, 4)), int(rng.integers(1, 4))
    kernel, size = rng.integers(2, 5, 2), rng.integers(2, 8, 2)
    agree(
        torch,
        lambda x, w: sc.conv2d_transpose(x, w, stride, padding, more, groups=groups),
        lambda x, w: torch.conv_transpose2d(x, w, None, stride, padding, more, groups),
        normal(rng, n, c, *size), normal(rng, c, o, *kernel),
    )  # fmt: skip


@pytest.mark.parametrize("seed", range(4))
def test_second_derivative_of_conv2d(torch, seed):
    """The gradient of the squared norm of the gradient, as in a gradient penalty."""
    rng = np.random.default_rng(seed)
    x, w = normal(rng, 2, 2, 6, 5), normal(rng, 3, 2, 3, 2)

    def ours(a, b):
        gradient = sc.grad(sc.sum(sc.tanh(sc.conv2d(a, b, stride=2, padding=1))), a)
        return sc.sum(gradient * gradient)

    def theirs(a, b):
        cost = torch.tanh(torch.conv2d(a, b, stride=2, padding=1)).sum()
        (gradient,) = torch.autograd.grad(cost, a, create_graph=True)
        return (gradient * gradient).sum()

    agree(torch, ours, theirs, x, w)
