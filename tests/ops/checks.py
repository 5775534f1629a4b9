"""What every op has to satisfy on its examples, judged by NumPy alone: no backend is involved."""

import numpy as np
import pytest

import symcnn as sc
from symcnn.ir.types import TensorType
from symcnn.ir.variable import Input, apply
from tests.interpret import evaluate_nest


def operands(example, dtype="float64", seed=0):
    """Input Variables and arrays for an example."""
    rng = np.random.default_rng(seed)
    integers = example.integers or {}
    dtypes = example.dtypes or ("float",) * len(example.shapes)
    inputs, arrays = [], []
    for k, (shape, name) in enumerate(zip(example.shapes, dtypes, strict=True)):
        name = dtype if name == "float" else name
        if k in integers:
            array = rng.integers(0, integers[k], shape)
        else:
            array = rng.uniform(example.low, example.high, shape)
        arrays.append(np.asarray(array, name))
        inputs.append(Input(f"x{k}", TensorType(name, shape)))
    return inputs, arrays


def check_value(op, inputs, arrays, tolerance=None):
    """Type, reference and nest agree, for known and for unknown sizes."""
    variable = apply(op, *inputs)
    values = dict(zip(inputs, arrays, strict=True))
    found = np.asarray(op.reference(*arrays))
    assert found.dtype == variable.dtype, f"{op.label()}: {found.dtype} is not {variable.dtype}"
    assert found.shape == variable.shape, f"{op.label()}: {found.shape} is not {variable.shape}"
    tolerance = tolerance or (1e-5 if variable.dtype == np.float32 else 1e-12)
    np.testing.assert_allclose(evaluate_nest(variable, values), found, rtol=tolerance, atol=tolerance)
    # The same op before the sizes are known: sizes of 1 stay, for they decide what is broadcast.
    vague = [Input(f"u{k}", x.type.with_shape(d if d == 1 else None for d in x.shape)) for k, x in enumerate(inputs)]
    late = apply(op, *vague)
    assert late.type.accepts(variable.type), f"{op.label()}: {late.type} does not stand for {variable.type}"
    np.testing.assert_allclose(
        evaluate_nest(late, dict(zip(vague, arrays, strict=True))), found, rtol=tolerance, atol=tolerance
    )
    op.flops(variable.type, *(x.type for x in inputs))


def check_derivatives(y, wrt, values, order=2, rtol=1e-5, step=1e-5):
    """Types of the gradients, and their values against finite differences."""
    for x, g in zip(wrt, sc.vjp(y, wrt, sc.ones_like(y), disconnected="zeros"), strict=True):
        assert g.type.accepts(x.type) or x.type.accepts(g.type), f"gradient {g.type} of {x.type}"
    sc.check_grad(y, wrt, order=order, values=values, epsilon=step, tolerance=rtol)


def check_op(cls, example):
    """All of it, for one example of the op class `cls`."""
    op = cls(**(example.attributes or {}))
    for dtype in ("float32", "float64"):
        check_value(op, *operands(example, dtype))
    inputs, arrays = operands(example)
    if op.smooth:
        y = apply(op, *inputs)
        wrt = [x for k, x in enumerate(inputs) if x.type.is_float and k not in op.shape_only]
        if y.type.is_float and wrt:
            check_derivatives(y, wrt, dict(zip(inputs, arrays, strict=True)))


def cases(*classes):
    """(class, example) pairs with readable names for pytest."""
    return [pytest.param(cls, e, id=f"{cls.__name__}-{k}") for cls in classes for k, e in enumerate(cls.examples)]
