"""symcnn as a backend of ONNX's own test runner, and the cases of that runner by family."""

import functools
import importlib
import os
import pkgutil
import unittest.mock
import warnings

import numpy as np
import pytest

pytest.importorskip("onnx")
import onnx
from onnx.backend.base import Backend, BackendRep

from symcnn.interop.onnx import load

NODES = "onnx.backend.test.case.node"
FILES = ("pytorch-converted", "pytorch-operator", "simple")


class Prepared(BackendRep):
    """A model that was loaded, as the runner calls it."""

    def __init__(self, model):
        self.model = model

    def run(self, inputs, **kwargs):
        return tuple(self.model(*inputs))


class Reference(Backend):
    """Computes on the reference device."""

    device = "reference"

    @classmethod
    def prepare(cls, model, device="CPU", **kwargs):
        return Prepared(load(model, device=cls.device))

    @classmethod
    def supports_device(cls, device):
        return device == "CPU"


class Compiled(Reference):
    """Computes with compiled kernels."""

    device = "cpu"


def families() -> list[str]:
    """What ONNX generates cases for, about one operator each, and the sets of cases that come as files.

    The operators of its other domain, ai.onnx.ml, are those of classical machine learning and none of ours.
    """
    package = importlib.import_module(NODES)
    modules = [module.name for module in pkgutil.iter_modules(package.__path__) if not module.ispkg]
    return [name for name in modules if not name.startswith("_")] + list(FILES)


@functools.cache
def cases(family: str) -> list:
    """The cases of one family; making those of all takes long."""
    from onnx.backend.test.case.node import _NodeTestCases
    from onnx.backend.test.loader import load_model_tests

    if family in FILES:
        return sorted(load_model_tests(kind=family), key=lambda case: case.name)
    before = len(_NodeTestCases)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        importlib.import_module(f"{NODES}.{family}")
    return _NodeTestCases[before:]


def model_of(case) -> onnx.ModelProto:
    return case.model or onnx.load(os.path.join(case.model_dir, "model.onnx"))


def run(backend: type[Backend], case) -> None:
    """Run one case with ONNX's runner, which raises what it finds."""
    from onnx.backend.test import BackendTest

    # The runner loads the cases of all kinds when it is made; here it is given one.
    with unittest.mock.patch(
        "onnx.backend.test.runner.load_model_tests", lambda kind: [case] if kind == case.kind else []
    ):
        tests = BackendTest(backend, __name__).tests
    tests(f"{case.name}_cpu").debug()
