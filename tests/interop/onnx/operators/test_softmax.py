"""Softmax and its relatives, old and new, against onnxruntime."""

import numpy as np
import pytest

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")
from tests.interop.onnx.graphs import apply
from tests.interop.onnx.judge import agree, normal


@pytest.mark.parametrize("op", ["Softmax", "LogSoftmax", "Hardmax"])
@pytest.mark.parametrize("opset", [9, 13])
@pytest.mark.parametrize("axis", [None, 0, 1, 2, -1])
def test_along_one_axis_or_over_all_from_there_on(op, opset, axis):
    if opset < 13 and axis == -1:
        opset = 11  # which first allowed it
    agree(op, normal(3, 4, 5), opset=opset, **({} if axis is None else {"axis": axis}))


def test_the_first_of_several_largest():
    x = np.array([[1, 3, 3], [2, 2, 2]], "float32")
    np.testing.assert_array_equal(apply("Hardmax", x), [[0, 1, 0], [1, 0, 0]])
    np.testing.assert_array_equal(apply("Hardmax", np.ones((1, 2, 2), "float32"), opset=9), [[[1, 0], [0, 0]]])
