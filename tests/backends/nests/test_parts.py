"""Large folds in parts, where they can be, on the backends that share them."""

import numpy as np
import pytest

import symcnn as sc
from symcnn.backends.cuda.launch import SIMULATED
from symcnn.backends.nests import parts
from tests.backends.cuda.devices import Emulator, made
from tests.contract.cases import assert_agree

WAYS = {
    "a sum of functions of means": (lambda m: sc.sum(sc.tanh(m)), lambda m: np.sum(np.tanh(m))),
    "a maximum of means": (lambda m: sc.max(sc.tanh(m), axis=-1), lambda m: np.tanh(m).max(-1)),
    "a sum of squares of means": (lambda m: sc.sum(sc.square(m)), lambda m: np.sum(m * m)),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("device", ["cpu", "emulated"])
def test_a_large_fold_inside_another_stays_there(way, device, monkeypatch):
    """Its parts would differ along the axis of the fold around it."""
    monkeypatch.setattr(parts, "LARGE", 64)
    symbolic, numeric = WAYS[way]
    data = np.random.default_rng(0).normal(size=(80, 3)).astype("float32")
    x = sc.input("x", data.shape)
    f = sc.function(
        [x], symbolic(sc.mean(x, axis=0, keepdims=True)),
        device="cpu" if device == "cpu" else made(Emulator(SIMULATED)),
    )  # fmt: skip
    expected = numeric(data.astype(np.float64).mean(0, keepdims=True))
    assert_agree(f(data), np.asarray(expected, "float32"))
