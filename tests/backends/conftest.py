"""Devices that tests make are known by name while those tests run, and to no other test."""

import pytest

from symcnn.backends.base import BACKENDS


@pytest.fixture(autouse=True, scope="module")
def _made_devices(request):
    """A test module that makes devices finds them as ``"made:0"``; see `tests.backends.cuda.devices`."""
    if not hasattr(request.module, "made"):
        yield
        return
    BACKENDS["made"] = "tests.backends.cuda.devices"
    yield
    del BACKENDS["made"]
