"""Products of matrices against onnxruntime."""

import numpy as np
import pytest

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")
from tests.interop.onnx.graphs import apply
from tests.interop.onnx.judge import agree, normal


@pytest.mark.parametrize("flags", [(0, 0), (0, 1), (1, 0), (1, 1)], ids=str)
@pytest.mark.parametrize("c", [None, (), (1,), (5,), (4, 1), (4, 5)], ids=str)
def test_general_product(flags, c):
    a, b = normal(*((3, 4) if flags[0] else (4, 3))), normal(*((5, 3) if flags[1] else (3, 5)))
    third = () if c is None else (normal(*c),)
    agree(
        "Gemm",
        a,
        b,
        *third,
        known=range(1, 2 + len(third)),
        transA=flags[0],
        transB=flags[1],
        alpha=0.5,
        beta=2.0,
        tolerance=1e-4,
    )


def test_integers_stay_integers():
    a, b = np.arange(6, dtype="int64").reshape(2, 3), np.ones((3, 2), "int64")
    y = apply("Gemm", a, b, np.ones(2, "int64"), beta=2.0)
    assert y.dtype == np.int64
    np.testing.assert_array_equal(y, a @ b + 2)


def test_the_form_of_opset_6():
    a, b, c = normal(2, 3), normal(3, 4), normal(4)
    np.testing.assert_allclose(apply("Gemm", a, b, c, opset=6, broadcast=1), a @ b + c, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    "shapes", [((3, 4), (4, 5)), ((4,), (4, 5)), ((3, 4), (4,)), ((2, 1, 3, 4), (5, 4, 2)), ((4,), (4,))], ids=str
)
def test_product_of_stacks_and_vectors(shapes):
    agree("MatMul", *(normal(*shape) for shape in shapes), tolerance=1e-4)
