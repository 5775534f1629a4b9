"""Random chains of ops mean the same in ONNX: what is written for one op fits what is written for the next."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import symcnn as sc
from tests.contract.cases import assert_agree
from tests.contract.strategies import array_of
from tests.contract.test_random_graphs import graphs
from tests.interop.onnx.export.elsewhere import run_elsewhere

pytest.importorskip("onnx")


@settings(max_examples=30)
@given(st.data())
def test_random_graphs(data):
    arrays = [array_of((3, 4), 0), array_of((4,), 1), array_of((3, 1), 2)]
    leaves = [sc.input(f"x{k}", a.shape, "float64") for k, a in enumerate(arrays)]
    made = data.draw(graphs(leaves))
    chosen = data.draw(st.lists(st.sampled_from(made), min_size=1, max_size=2, unique=True))
    f = sc.function(leaves, chosen, device="reference", on_unused_input="ignore")
    for found, expected in zip(run_elsewhere(f, arrays)[0], f(*arrays), strict=True):
        assert_agree(found, expected, tolerance=1e-6)  # runtimes know some functions in float32 only
