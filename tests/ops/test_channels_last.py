"""`ChannelsLast(op)` is `op` between transposes."""

import numpy as np
import pytest

import symcnn as sc
from symcnn.ir.graph import evaluate
from symcnn.ir.printer import print_graph
from symcnn.ir.variable import apply
from symcnn.ops.channels_last import FIRST, LAST, ChannelsLast
from symcnn.ops.conv import Conv2d
from symcnn.ops.pool import MaxPool2d
from symcnn.ops.window import Window2d


@pytest.mark.parametrize(
    "op", [Conv2d(Window2d((2, 1), "same")), MaxPool2d((3, 2), Window2d((2, 2)))], ids=lambda op: op.name
)
def test_value_and_gradient_are_those_of_the_op_between_transposes(op):
    x, w = sc.input("x", (2, 7, 6, 3), "float64"), sc.input("w", (4, 3, 3, 3), "float64")
    others = (w,) if isinstance(op, Conv2d) else ()
    outputs = apply(ChannelsLast(op), x, *others), sc.transpose(apply(op, sc.transpose(x, FIRST), *others), LAST)
    values = {v: np.random.default_rng(0).uniform(-1, 1, v.shape) for v in (x, w)}
    found, expected = (evaluate([y, *sc.grad(sc.sum(sc.square(y)), [x, *others])], values) for y in outputs)
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_array_equal(a, b)


def test_it_is_printed_as_the_op_with_its_layout():
    x, w = sc.input("x", (None, 8, 8, 3)), sc.input("w", (4, 3, 3, 3))
    plain, strided = (apply(ChannelsLast(Conv2d(window)), x, w) for window in (Window2d(), Window2d(stride=(2, 2))))
    assert (plain.op.name, plain.op.label()) == ("conv2d", "conv2d(layout=NHWC)")
    assert "= conv2d(stride=2, layout=NHWC)(x, w) : float32[?, 3, 3, 4]" in print_graph([strided])


def test_images_have_rank_4():
    with pytest.raises(sc.ShapeError, match="rank 4"):
        apply(ChannelsLast(MaxPool2d((2, 2), Window2d((2, 2)))), sc.input("x", (8, 8)))
