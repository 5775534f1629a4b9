"""Tiles of products: tensor cores multiply where a GPU has some that know tf32, where that is allowed, and float32 alone."""

import pytest

from symcnn.backends.cuda.bindings import Driver
from symcnn.backends.cuda.driver import Gpu
from symcnn.backends.cuda.launch import SIMULATED
from symcnn.backends.cuda.tuned.tiles import tiles
from tests.backends.cuda.fake_driver import FakeDriver


def with_tensor_cores(geometry, dtype="float32", tf32=True):
    return {tile.tensor for tile in tiles(geometry, dtype, None, None, tf32)}


@pytest.mark.parametrize("capability, expected", [((7, 5), False), ((8, 0), True), ((12, 0), True)])
def test_a_gpu_says_whether_its_tensor_cores_know_tf32(capability, expected):
    driver = FakeDriver()
    driver.capability = capability
    assert with_tensor_cores(Gpu(0, Driver(driver)).geometry) == {expected}


def test_tensor_cores_are_for_float32_and_where_rounding_is_allowed():
    geometry = Gpu(0, Driver(FakeDriver())).geometry
    assert with_tensor_cores(geometry) == {True}
    assert with_tensor_cores(geometry, tf32=False) == {False}
    assert with_tensor_cores(geometry, "float64") == {False}
    assert with_tensor_cores(SIMULATED) == {False}
