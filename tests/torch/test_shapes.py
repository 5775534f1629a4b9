"""Indexing, padding and joining agree with PyTorch."""

import numpy as np
import pytest

import symcnn as sc
from tests.torch.compare import agree, normal


@pytest.mark.parametrize(
    "key",
    [0, (slice(None), -1), slice(1, None), (slice(None, None, 2), slice(1, 4)), (Ellipsis, 0), (None, slice(0, 2)), (1, slice(None), 2),
     (slice(None), slice(None), slice(None, -1, 3))],
    ids=str,
)  # fmt: skip
def test_indexing(torch, key):
    x = normal(np.random.default_rng(0), 3, 5, 6)
    agree(torch, lambda x: sc.tanh(x[key]) * 2, lambda x: torch.tanh(x[key]) * 2, x, dtypes=["float32"])


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_take(torch, axis):
    rng = np.random.default_rng(axis)
    x, indices = normal(rng, 4, 5, 6), rng.integers(0, 4, 7)
    agree(torch, lambda x, i: sc.take(x, i, axis), lambda x, i: torch.index_select(x, axis, i), x, indices)


def test_embedding(torch):
    rng = np.random.default_rng(0)
    table, words = normal(rng, 10, 4), rng.integers(0, 10, (3, 5))
    agree(torch, lambda t, i: sc.tanh(t[i]), lambda t, i: torch.tanh(torch.nn.functional.embedding(i, t)), table, words)


@pytest.mark.parametrize("axis", [-1, 0])
def test_one_hot(torch, axis):
    labels = np.random.default_rng(0).integers(0, 4, 6)
    agree(
        torch,
        lambda i: sc.one_hot(i, 4, axis=axis),
        lambda i: torch.movedim(torch.nn.functional.one_hot(i, 4), -1, axis).float(),
        labels, dtypes=["float32"],
    )  # fmt: skip


@pytest.mark.parametrize(("mode", "theirs"), [("constant", "constant"), ("reflect", "reflect"), ("edge", "replicate")])
@pytest.mark.parametrize("widths", [(1, 2, 0, 1), (2, 0, 2, 3)])
def test_pad(torch, mode, theirs, widths):
    top, bottom, left, right = widths
    x = normal(np.random.default_rng(0), 2, 3, 4, 5)
    agree(
        torch,
        lambda x: sc.pad(x, ((0, 0), (0, 0), (top, bottom), (left, right)), mode),
        lambda x: torch.nn.functional.pad(x, (left, right, top, bottom), theirs),
        x, dtypes=["float32"],
    )  # fmt: skip


@pytest.mark.parametrize("axis", [0, 1, -1])
def test_joining_and_splitting(torch, axis):
    rng = np.random.default_rng(0)
    arrays = [normal(rng, 4, 4, 4) for _ in range(3)]
    agree(torch, lambda *xs: sc.concat(xs, axis), lambda *xs: torch.cat(xs, axis), *arrays, dtypes=["float32"])
    agree(torch, lambda *xs: sc.stack(xs, axis), lambda *xs: torch.stack(xs, axis), *arrays, dtypes=["float32"])
    agree(
        torch,
        lambda x: sc.split(x, 2, axis)[1] * sc.split(x, 2, axis)[0],
        lambda x: torch.chunk(x, 2, axis)[1] * torch.chunk(x, 2, axis)[0],
        arrays[0], dtypes=["float32"],
    )  # fmt: skip


def test_transposes_and_reshapes(torch):
    x = normal(np.random.default_rng(0), 2, 3, 4)
    agree(torch, lambda x: sc.exp(sc.transpose(x, (2, 0, 1))), lambda x: torch.exp(x.permute(2, 0, 1)), x)
    agree(torch, lambda x: sc.reshape(sc.transpose(x), (6, -1)) * 2, lambda x: x.permute(2, 1, 0).reshape(6, -1) * 2, x)
    agree(torch, lambda x: sc.flip(x, 1) * x, lambda x: torch.flip(x, [1]) * x, x)
    agree(torch, lambda x: sc.broadcast_to(x[:, :1], (5, 2, 3, 4)), lambda x: x[:, :1].expand(5, 2, 3, 4), x)
