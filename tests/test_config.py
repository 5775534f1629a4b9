"""Settings: what the environment and assignments may say."""

import numpy as np
import pytest

import symcnn as sc
from symcnn.config import Config


@pytest.mark.parametrize("name", ["tuned", "winograd"])
@pytest.mark.parametrize(
    "text, value", [("0", False), ("1", True), ("False", False), ("YES", True), ("off", False), ("", True)]
)
def test_switches(monkeypatch, name, text, value):
    monkeypatch.setenv(f"SYMCNN_{name.upper()}", text)
    assert getattr(Config(), name) is value


@pytest.mark.parametrize(
    "variable, text",
    [
        ("SYMCNN_TUNED", "2"),
        ("SYMCNN_WINOGRAD", "never"),
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
    "name, value", [("threads", 0), ("threads", True), ("threads", "2"), ("default_dtype", "int32")]
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
