"""What every test may use."""

import os
import signal
import warnings

import pytest
from hypothesis import HealthCheck, settings

from symcnn.config import config

# A first call may compile a kernel, so a deadline per example says nothing.
settings.register_profile("local", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", settings.get_profile("local"), derandomize=True, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "local")


@pytest.fixture(scope="session", autouse=True)
def _cuda_is_simulated():
    """``device="cuda"`` means Numba's simulator, so that no GPU is needed; with SYMCNN_TEST_GPU set, it means the GPU."""
    config.simulate_cuda = not os.environ.get("SYMCNN_TEST_GPU")


@pytest.fixture(scope="session", autouse=True)
def _ctrl_c():
    """What a shell starts in the background ignores Ctrl-C, and so would the tests that press it."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def torch():
    """PyTorch, to compare with; a test that asks for it is skipped where it is not installed."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = pytest.importorskip("torch")
    found.set_num_threads(1)
    return found


@pytest.fixture
def pretended_gpu(monkeypatch):
    """The name of a device that stands in for a GPU."""
    from symcnn.backends.base import BACKENDS
    from tests.pretended_gpu import OnDevice

    monkeypatch.setitem(BACKENDS, "pretended", "tests.pretended_gpu")
    monkeypatch.setattr(OnDevice, "uploads", 0)
    monkeypatch.setattr(OnDevice, "downloads", 0)
    return "pretended"
