"""Every structured op keeps its contract on every backend, on each of its examples."""

import numpy as np
import pytest

import symcnn as sc
from symcnn.backends.base import BACKENDS
from symcnn.ir.graph import evaluate
from symcnn.ir.variable import constant
from symcnn.rewrite.pipeline import simplify
from tests.contract.cases import (
    FLOATS,
    arrays_for,
    assert_agree,
    build,
    cases_by_device,
    device_cases,
    example_cases,
    op_classes,
    reference,
    run,
)

OTHERS = sorted(set(BACKENDS) - {"reference"})

every_example = pytest.mark.parametrize(("op", "example"), example_cases())


@pytest.mark.parametrize("cls", op_classes(), ids=lambda cls: cls.__name__)
def test_every_op_has_examples(cls):
    assert cls.examples, f"{cls.__name__} has no examples, so nothing tests it"


@every_example
@pytest.mark.parametrize("dtype", FLOATS)
def test_inferred_type_is_the_actual_one(op, example, dtype):
    arrays = arrays_for(example, dtype)
    _, y = build(op, arrays)
    found = reference(op, arrays)
    assert (y.dtype, y.shape) == (found.dtype, found.shape)


@every_example
@pytest.mark.parametrize(("device", "tuned", "dtype"), device_cases())
def test_value_equals_reference(op, example, device, tuned, dtype, monkeypatch):
    monkeypatch.setattr(sc.config, "tuned", tuned)
    arrays = arrays_for(example, dtype)
    inputs, y = build(op, arrays)
    assert_agree(run(inputs, y, arrays, device), reference(op, arrays))


@pytest.mark.parametrize(("device", "op", "example"), cases_by_device(BACKENDS, on_cuda=1))
def test_sizes_may_be_unknown_until_the_call(op, example, device):
    arrays = arrays_for(example, "float32")
    expected = reference(op, arrays)
    try:
        inputs, y = build(op, arrays, known=lambda size: False)
        found = run(inputs, y, arrays, device)
    except sc.ShapeError:
        # An unknown dimension is never broadcast, and some ops need to know that a size is 1. Only then may they refuse.
        assert any(1 in shape for shape in example.shapes)
        inputs, y = build(op, arrays, known=lambda size: size == 1)
        found = run(inputs, y, arrays, device)
    assert y.ndim == expected.ndim
    assert all(d in (None, e) for d, e in zip(y.shape, expected.shape, strict=True))
    assert_agree(found, expected)


@pytest.mark.parametrize(("device", "op", "example"), cases_by_device(BACKENDS, on_cuda=1))
def test_debug_mode_agrees(op, example, device):
    arrays = arrays_for(example, "float32")
    inputs, y = build(op, arrays)
    assert_agree(run(inputs, y, arrays, device, mode="debug"), reference(op, arrays))


def differentiable(op, inputs, y):
    """The inputs by which `y` has a derivative."""
    if not y.type.is_float:
        return []
    return [x for k, x in enumerate(inputs) if x.type.is_float and k not in op.shape_only]


@every_example
def test_pullback_agrees_with_finite_differences_to_second_order(op, example):
    arrays = arrays_for(example, "float64")
    inputs, y = build(op, arrays)
    wrt = differentiable(op, inputs, y)
    if op.smooth and wrt:
        sc.check_grad(y, wrt, order=2, values=dict(zip(inputs, arrays, strict=True)))


def with_gradients(op, arrays, unknown=False):
    """Inputs, and `op` of them with all its first derivatives along a fixed direction."""
    inputs, y = build(op, arrays, (lambda size: size == 1) if unknown else (lambda size: True))
    wrt = differentiable(op, inputs, y)
    direction = np.random.default_rng(1).uniform(0.5, 1.5, reference(op, arrays).shape)
    return inputs, [y, *sc.vjp(y, wrt, constant(direction, y.dtype), disconnected="zeros")] if wrt else [y]


@every_example
def test_rewriting_changes_no_value(op, example):
    arrays = arrays_for(example, "float64")
    inputs, outputs = with_gradients(op, arrays)
    values = dict(zip(inputs, arrays, strict=True))
    simplified = simplify(outputs)[-1].outputs
    for before, after in zip(evaluate(outputs, values), evaluate(simplified, values), strict=True):
        assert_agree(after, before)


@pytest.mark.parametrize(("device", "op", "example"), cases_by_device(OTHERS, on_cuda=1))
def test_gradient_equals_that_of_the_reference(op, example, device):
    arrays = arrays_for(example, "float32")
    inputs, outputs = with_gradients(op, arrays)
    if len(outputs) == 1:
        return
    for found, expected in zip(
        run(inputs, outputs, arrays, device), run(inputs, outputs, arrays, "reference"), strict=True
    ):
        assert_agree(found, expected)
