"""What the contract tests share: every structured op found by introspection, operands for its examples, comparison."""

import os
import pkgutil
from importlib import import_module

import numpy as np
import pytest

import symcnn as sc
import symcnn.ops
from symcnn.backends.base import BACKENDS
from symcnn.ir.op import Op
from symcnn.ir.variable import apply
from symcnn.ops.elementwise import Elementwise

FLOATS = ("float32", "float64")
ON_GPU = bool(os.environ.get("SYMCNN_TEST_GPU"))  # else "cuda" is simulated, thread by thread in Python
# Of the largest magnitude in the result, at least of 1: examples are small, so only the order of sums may differ.
TOLERANCE = {"float32": 4e-6, "float64": 1e-13}


def op_classes() -> list[type[Op]]:
    """Every structured op: the subclasses of Op in the modules of `symcnn.ops` that say what they mean."""
    for module in pkgutil.iter_modules(symcnn.ops.__path__):
        import_module(f"symcnn.ops.{module.name}")
    found, queue = [], [Op]
    while queue:
        cls = queue.pop()
        queue += cls.__subclasses__()
        abstract = cls.reference is Op.reference
        if cls.__module__.startswith("symcnn.ops.") and not abstract and cls is not Elementwise:
            found.append(cls)
    return sorted(set(found), key=lambda cls: (cls.__module__, cls.__name__))


def example_cases() -> list:
    """One pytest parameter (op, example) per example of every structured op."""
    return [
        pytest.param(cls(**(example.attributes or {})), example, id=f"{cls.__name__}-{k}")
        for cls in op_classes()
        for k, example in enumerate(cls.examples)
    ]


def cases_by_device(devices, on_cuda: int) -> list:
    """(device, op, example) for each of `devices`; on cuda, if it is only simulated, `on_cuda` examples per op."""
    return [
        pytest.param(device, *case.values, id=f"{device}-{case.id}")
        for device in devices
        for case in example_cases()
        if device != "cuda" or ON_GPU or int(case.id.rpartition("-")[2]) < on_cuda
    ]


def device_cases() -> list:
    """(device, tuned, dtype): every backend, the cpu once more with generated kernels only; float32 alone on cuda, if that
    is only simulated."""
    ways = [(device, True) for device in BACKENDS] + [("cpu", False)]
    return [(*way, dtype) for way in ways for dtype in (FLOATS if way[0] != "cuda" or ON_GPU else FLOATS[:1])]


def arrays_for(example, dtype, seed=0) -> list[np.ndarray]:
    """Operands for an example, drawn from its range, its floats in `dtype`."""
    rng = np.random.default_rng(seed)
    integers = example.integers or {}
    found = []
    for k, (shape, name) in enumerate(
        zip(example.shapes, example.dtypes or ("float",) * len(example.shapes), strict=True)
    ):
        drawn = rng.integers(0, integers[k], shape) if k in integers else rng.uniform(example.low, example.high, shape)
        found.append(np.asarray(drawn, dtype if name == "float" else name))
    return found


def inputs_for(arrays, known=lambda size: True) -> list:
    """Inputs of the types of `arrays`; sizes for which `known` is false are declared unknown."""
    return [sc.input(f"x{k}", tuple(d if known(d) else None for d in a.shape), a.dtype) for k, a in enumerate(arrays)]


def run(inputs, outputs, arrays, device="cpu", **kwargs):
    """`outputs` at `arrays`, compiled for `device`."""
    return sc.function(inputs, outputs, device=device, on_unused_input="ignore", **kwargs)(*arrays)


def build(op, arrays, known=lambda size: True):
    """Inputs of the types of `arrays`, and `op` of them."""
    inputs = inputs_for(arrays, known)
    return inputs, apply(op, *inputs)


def reference(op, arrays) -> np.ndarray:
    return np.asarray(op.reference(*arrays))


def assert_agree(found, expected, tolerance=None):
    """Same type; NaN and infinity at the same places; the rest equal up to rounding."""
    found, expected = np.asarray(found), np.asarray(expected)
    assert found.dtype == expected.dtype
    assert found.shape == expected.shape
    if expected.dtype.kind != "f":
        np.testing.assert_array_equal(found, expected)
        return
    tolerance = TOLERANCE[expected.dtype.name] if tolerance is None else tolerance
    scale = np.abs(expected[np.isfinite(expected)]).max(initial=1.0)
    np.testing.assert_allclose(found, expected, rtol=0, atol=tolerance * scale)
