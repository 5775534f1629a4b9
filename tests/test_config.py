"""Settings: what the environment and assignments may say."""

import numpy as np
import pytest

import symcnn as sc
from symcnn.config import Config


@pytest.mark.parametrize(
    "name, default", [("tuned", True), ("winograd", True), ("tf32", True), ("simulate_cuda", False)]
)
@pytest.mark.parametrize("text, value", [("0", False), ("1", True), ("False", False), ("YES", True), ("off", False)])
def test_switches(monkeypatch, name, default, text, value):
    monkeypatch.delenv("NUMBA_ENABLE_CUDASIM", raising=False)
    monkeypatch.setenv(f"SYMCNN_{name.upper()}", text)
    assert getattr(Config(), name) is value
    monkeypatch.setenv(f"SYMCNN_{name.upper()}", "")
    assert getattr(Config(), name) is default


def test_numbas_own_variable_simulates_cuda_unless_ours_says_otherwise(monkeypatch):
    monkeypatch.delenv("SYMCNN_SIMULATE_CUDA", raising=False)
    monkeypatch.setenv("NUMBA_ENABLE_CUDASIM", "1")
    assert Config().simulate_cuda is True
    monkeypatch.setenv("SYMCNN_SIMULATE_CUDA", "off")
    assert Config().simulate_cuda is False


@pytest.mark.parametrize(
    "variable, text",
    [
        ("SYMCNN_TUNED", "2"),
        ("SYMCNN_WINOGRAD", "never"),
        ("SYMCNN_SIMULATE_CUDA", "maybe"),
        ("SYMCNN_DTYPE", "float31"),
        ("SYMCNN_THREADS", "0"),
        ("SYMCNN_THREADS", "abc"),
    ],
)
def test_a_bad_environment_variable_is_named(monkeypatch, variable, text):
    monkeypatch.setenv(variable, text)
    with pytest.raises(sc.InputError, match=variable) as error:
        Config()
    assert error.value.where == "the environment"
    assert error.value.found == repr(text)


@pytest.mark.parametrize(
    "name, value", [("threads", 0), ("threads", True), ("threads", "2"), ("default_dtype", "int32"), ("tf32", "off")]
)
def test_bad_values_are_refused(name, value):
    settings = Config()
    with pytest.raises(sc.InputError, match=name):
        setattr(settings, name, value)


def test_misspelt_settings_are_refused():
    with pytest.raises(sc.InputError, match="threds") as error:
        Config().threds = 3
    assert "threads" in error.value.expected


def test_good_values_are_taken():
    settings = Config()
    settings.threads, settings.default_dtype = 3, "float64"
    assert settings.threads == 3 and np.dtype(settings.default_dtype) == np.float64
