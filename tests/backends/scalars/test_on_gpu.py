"""The scalar functions as a GPU gets them, run on the host: the same formulas, with NVIDIA's library beneath them."""

import numpy as np
import pytest

from symcnn.backends.scalars import formula
from tests.backends.cuda import libdevice
from tests.backends.scalars import test_functions as on_host
from tests.backends.scalars import test_transcendental as accuracy

# Largest errors in units of the last place, of what comes from the library.
FLOAT32 = {"atan": 1.2, "sinh": 2.3, "cosh": 2.3}
FLOAT64 = {"sin": 1.5, "cos": 1.5, "tan": 1.9, "atan": 1.7, "sinh": 1.5, "cosh": 1.4}
POWER = 0.9


@pytest.fixture(autouse=True)
def _gpu(monkeypatch):
    """Formulas take the GPU's side; what is one instruction there, which LLVM has no name for, is what float64 gets."""
    libdevice.install()
    monkeypatch.setattr(formula.Value, "on_gpu", True)
    for name in ("maximum", "minimum"):
        monkeypatch.setitem(formula._GPU_INSTRUCTIONS, (name, 32), formula._GPU_INSTRUCTIONS[name, 64])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_special_values_are_those_of_numpy(dtype):
    on_host.test_unary_functions_agree_with_numpy(np.dtype(dtype))
    on_host.test_binary_functions_agree_with_numpy(np.dtype(dtype))


def test_signs_of_zeros_follow_numpy():
    on_host.test_signs_of_zeros_follow_numpy()


@pytest.mark.parametrize("name", on_host.RANDOM)
def test_random_functions_agree_with_numpy(name):
    on_host.test_random_functions_agree_with_numpy(name)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_rests_and_quotients_are_exactly_those_of_numpy(dtype):
    rng = np.random.default_rng(0)
    x, y = (rng.normal(size=(2, 50_000)) * np.exp(rng.uniform(-20, 20, (2, 50_000)))).astype(dtype)
    for name in ("remainder", "floor_divide"):
        np.testing.assert_array_equal(accuracy.run(name, x, y), getattr(np, name)(x, y))


@pytest.mark.parametrize("name", FLOAT32)
def test_float32(name):
    x = accuracy.operands(np.dtype("float32"))
    with np.errstate(all="ignore"):
        exact = on_host.SPECIFICATION[name](x.astype("float64"))
    accuracy.assert_close(name, accuracy.run(name, x), exact, FLOAT32[name], x)


@pytest.mark.skipif(np.finfo(np.longdouble).nmant < 60, reason="nothing to compare with is more accurate")
@pytest.mark.parametrize("name", FLOAT64)
def test_float64(name):
    x = accuracy.operands(np.dtype("float64"))
    if name in ("sin", "cos", "tan"):
        x = x[np.abs(x) < 1e5]  # beyond, assembly reduces them
    with np.errstate(all="ignore"):
        exact = on_host.SPECIFICATION[name](x.astype(np.longdouble))
    accuracy.assert_close(name, accuracy.run(name, x), exact, FLOAT64[name], x)


def test_power_in_float32():
    x, y = accuracy.power_operands()
    with np.errstate(all="ignore"):
        exact = np.power(x.astype("float64"), y.astype("float64"))
    accuracy.assert_close("power", accuracy.run("power", x, y), exact, POWER, x, y)
