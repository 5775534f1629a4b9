"""Einstein's notation with blanks and dots."""

import numpy as np
import pytest

pytest.importorskip("onnx")
from tests.interop.onnx.graphs import apply

RNG = np.random.default_rng(0)


@pytest.mark.parametrize(
    ("equation", "shapes"),
    [("bij, bjk -> bik", [(2, 3, 4), (2, 4, 5)]), ("...ii->...i", [(2, 3, 3)]), ("ij,jk", [(2, 3), (3, 4)])],
)
def test_as_numpy(equation, shapes):
    xs = [RNG.normal(size=shape).astype("float32") for shape in shapes]
    np.testing.assert_allclose(apply("Einsum", *xs, equation=equation), np.einsum(equation, *xs), rtol=1e-5, atol=1e-6)
