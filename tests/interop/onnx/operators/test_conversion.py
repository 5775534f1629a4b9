"""Casts between all dtypes, and what there is no dtype for."""

import numpy as np
import pytest

from symcnn.errors import FileError, InputError
from symcnn.ir.types import DTYPES

pytest.importorskip("onnx")
import onnx

from symcnn.interop.onnx import load
from tests.interop.onnx.graphs import apply, graph, value


@pytest.mark.parametrize("source", DTYPES, ids=str)
def test_casts_are_those_of_numpy(source):
    x = np.array([0, 1, 2.75, 100], source)
    for dtype in DTYPES:
        found = apply("Cast", x, to=onnx.helper.np_dtype_to_tensor_dtype(dtype))
        assert found.dtype == dtype
        np.testing.assert_array_equal(found, x.astype(dtype))
        np.testing.assert_array_equal(apply("CastLike", x, np.zeros(2, dtype)), x.astype(dtype))


@pytest.mark.parametrize("name", ["FLOAT16", "BFLOAT16", "STRING", "COMPLEX64", "FLOAT8E4M3FN", "INT4"])
def test_other_element_types_are_refused(name):
    code = onnx.TensorProto.DataType.Value(name)
    with pytest.raises(InputError, match="element type") as error:
        apply("Cast", np.zeros(2, "float32"), to=code)
    assert "Cast_0" in str(error.value)
    x = onnx.helper.make_tensor_value_info("x", code, [2])
    with pytest.raises(FileError, match=r"x: tensors of .* are not supported"):
        load(graph([onnx.helper.make_node("Identity", ["x"], ["y"])], [x], [value("y", "float32")]))
