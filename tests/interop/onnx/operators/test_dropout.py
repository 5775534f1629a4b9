"""Dropout, in a model that runs and in one that trains."""

import numpy as np
import pytest

from symcnn.errors import InputError

pytest.importorskip("onnx")
from tests.interop.onnx.graphs import apply

X = np.random.default_rng(0).uniform(1, 2, (50, 40)).astype("float32")


@pytest.mark.parametrize("opset", [6, 7, 10, 13])
def test_nothing_is_dropped_when_a_model_runs(opset):
    y, mask = apply("Dropout", X, opset=opset, count=2)
    np.testing.assert_array_equal(y, X)
    assert mask.all()
    assert mask.dtype == ("float32" if opset < 10 else "bool")


def test_a_model_may_say_that_it_always_drops():
    y, mask = apply("Dropout", X, np.float32(0.25), np.array(True), count=2)
    np.testing.assert_allclose(y, np.where(mask, X / 0.75, 0), rtol=1e-6)
    assert 0.7 < mask.mean() < 0.8


def test_a_ratio_that_is_none_is_refused():
    with pytest.raises(InputError, match="ratio is out of range"):
        apply("Dropout", X, opset=6, ratio=1.5)
