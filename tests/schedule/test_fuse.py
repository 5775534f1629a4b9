"""Fusion: which kernels a program becomes."""

import numpy as np
import pytest

import symcnn as sc
from symcnn.ir.variable import apply
from symcnn.ops.channels_last import ChannelsLast
from symcnn.ops.conv import Conv2d
from symcnn.ops.window import Window2d
from symcnn.schedule.lower import lower


def kernels(inputs, outputs, **options):
    return [k.name for k in sc.function(inputs, outputs, device="cpu", **options).kernels]


@pytest.fixture
def x():
    return sc.input("x", (None, 8))


def test_an_elementwise_chain_with_broadcasting_is_one_kernel(x):
    b = sc.shared(np.ones(8, "float32"))
    assert len(kernels([x], sc.tanh((x + b) * 2) - sc.exp(x) / b)) == 1


def test_a_chain_goes_into_the_reduction_that_reads_it(x):
    assert len(kernels([x], sc.sum(sc.square(x - 1) * 3, axis=1))) == 1


def test_softmax_is_one_row_kernel(x):
    assert kernels([x], sc.softmax(x)) == ["max + subtract + exp + sum + divide"]
    assert len(kernels([x], sc.log_softmax(x * 0.5))) == 1
    assert len(kernels([x], [sc.softmax(x), sc.grad(sc.sum(sc.square(sc.softmax(x))), x)])) == 1


def test_softmax_cross_entropy_and_its_gradient_are_few_kernels(x):
    t = sc.input("t", (None,), "int64")
    loss = sc.losses.cross_entropy(x, t)
    assert len(kernels([x, t], [loss, sc.grad(loss, x)])) <= 3


def test_normalisation_of_rows_is_one_kernel(x):
    centred = x - sc.mean(x, axis=1, keepdims=True)
    assert len(kernels([x], centred / sc.sqrt(sc.mean(sc.square(centred), axis=1, keepdims=True) + 1e-5))) == 1


def test_the_updates_of_a_parameter_are_one_kernel():
    w, v = (sc.shared(np.ones((8, 8), "float32"), name) for name in "wv")
    g = sc.input("g", (8, 8))
    velocity = 0.9 * v + g
    names = kernels([g], [], updates={v: velocity, w: w - 0.1 * velocity})
    assert len(names) == 1


def test_bias_and_activation_follow_a_product_in_one_kernel(x):
    w, b = sc.shared(np.ones((8, 4), "float32")), sc.shared(np.ones(4, "float32"))
    assert len(kernels([x], sc.relu(x @ w + b))) == 1


def test_what_is_expensive_is_not_computed_again(x):
    """exp(x), read by reductions over different axes, is stored by one kernel; what is spread over rows by another."""
    e = sc.exp(x)
    f = sc.function([x], [sc.sum(e, axis=0), sc.sum(e * 2, axis=1)], device="cpu")
    assert ["exp(" in k.source for k in f.kernels] == [True, False]
    row = sc.exp(sc.shared(np.ones(8, "float32")))
    f = sc.function([x], x * row, device="cpu")
    assert ["exp(" in k.source for k in f.kernels] == [True, False]


def test_a_group_is_not_merged_across_what_it_needs(x):
    """a -> product -> b, and b reads a: one loop for a and b would have to run on both sides of the product."""
    w = sc.shared(np.ones((8, 8), "float32"))
    a = sc.tanh(x)
    y = sc.exp(a @ w) + a
    X = np.random.default_rng(0).normal(size=(3, 8)).astype("float32")
    found = sc.function([x], [y, a], device="cpu")(X)
    np.testing.assert_allclose(found[0], np.exp(np.tanh(X) @ np.ones((8, 8))) + np.tanh(X), rtol=1e-5)


def test_large_groups_are_cut(x):
    h = x
    for k in range(200):
        h = sc.sin(h) + k * x
    f = sc.function([x], h, device="cpu")
    assert 5 <= len(f.kernels) <= 40
    assert max(len(k.ops) for k in f.kernels) <= 60


def test_a_kernel_reads_the_channels_of_a_pixel_side_by_side():
    """Some of the channels or rows are read where they lie; channels in another order or not adjacent are copied."""
    x, w = sc.input("x", (2, 4, 5, 6)), sc.input("w", (4, 3, 3, 3))
    parts = {"these": x[..., 3:], "rows": x[:, ::-1, 1:, :3], "reversed": x[..., 2::-1], "every other": x[..., ::2],
             "first": sc.transpose(x[:, :3], (0, 2, 3, 1)), "one": sc.transpose(x[:, :1], (0, 2, 3, 1)),
             "repeated": sc.broadcast_to(x[..., :1], (2, 4, 5, 3)), "images": sc.broadcast_to(x[:1, ..., :3], (2, 4, 5, 3))}  # fmt: skip
    copied = set()
    for name, part in parts.items():
        y = apply(ChannelsLast(Conv2d(Window2d())), part, w if part.shape[3] == 3 else w[:, :1])
        program = lower([y], {}, lambda v: isinstance(v.op, ChannelsLast))
        if part in program.stored:
            copied.add(name)
        assert len(program.steps) == 1 + (name in copied)
    assert copied == {"reversed", "every other", "first", "repeated"}


def test_a_maximum_and_where_it_is_are_one_kernel():
    x = sc.input("x", (None, 2, 6, 6))
    y = sc.max_pool2d(sc.tanh(x), 2)
    names = kernels([x], sc.grad(sc.sum(sc.square(sc.relu(y) * 3)), x))
    assert sum("max_pool2d_argmax" in n and "max_pool2d +" in n for n in names) == 1
    assert sum("max_pool2d" in n.replace("max_pool2d_grad", "") for n in names) == 1


def test_folds_over_the_same_points_are_one_kernel(x):
    assert len(kernels([x], [sc.sum(x, axis=0), sc.sum(sc.square(x), axis=0), sc.max(x * 2, axis=0)])) == 1
    assert len(kernels([x], [sc.sum(x, axis=0), sc.sum(x, axis=1)])) == 2
    z = sc.input("z", (None, 8))
    assert len(kernels([x, z], [sc.sum(x, axis=0), sc.sum(z, axis=0)])) == 2  # as many rows only by chance


def test_folds_that_wait_for_each_other_are_not_merged(x):
    total = sc.sum(x, axis=0)
    w = sc.shared(np.eye(8, dtype="float32"))
    y = sc.reshape(sc.reshape(total, (1, 8)) @ w, (8,))
    spread = sc.max(x - y, axis=0)
    X = np.random.default_rng(0).normal(size=(3, 8)).astype("float32")
    found = sc.function([x], [total, spread], device="cpu")(X)
    np.testing.assert_allclose(found[1], (X - X.sum(0)).max(0), rtol=1e-5)
