"""Fusion changes no value: every structured op between elementwise ops, used twice, with a bias, under a reduction."""

import numpy as np
import pytest

import symcnn as sc
from symcnn.backends.base import BACKENDS
from symcnn.ir.variable import apply
from tests.contract.cases import TOLERANCE, arrays_for, assert_agree, inputs_for, op_classes, run

DEVICES = [(device, True) for device in BACKENDS if device != "reference"] + [("cpu", False)]


def typical_cases():
    """For every structured op on floats its first example in which no size is 0 or 1."""
    for cls in op_classes():
        plain = [e for e in cls.examples if e.shapes[0] and not {0, 1} & {d for shape in e.shapes for d in shape}]
        if plain and "float" in (plain[0].dtypes or ("float",)):
            yield pytest.param(cls(**(plain[0].attributes or {})), plain[0], id=cls.__name__)


def between(op, xs):
    """op of elementwise of .. of elementwise."""
    return sc.tanh(apply(op, *(sc.exp(x) * 0.5 if x.type.is_float else x for x in xs)) * 0.1)


def used_twice(op, xs):
    y = apply(op, *xs)
    return [y * y, sc.sqrt(sc.abs(y) + 1), y]


def operand_used_twice(op, xs):
    """The same elementwise operand feeds the op and a reduction."""
    floats = [sc.tanh(x) if x.type.is_float else x for x in xs]
    return [apply(op, *floats), *(sc.sum(x, axis=-1) for x in floats if x.ndim and x.type.is_float)]


def with_bias(op, xs):
    """A bias along the last axis, and one along the axis of channels."""
    y = apply(op, *xs)
    last = sc.constant(np.linspace(-1, 1, y.shape[-1] if y.ndim else 1).reshape(y.shape[-1:]), "float32")
    found = sc.maximum(y + last, 0)
    if y.ndim < 2:
        return found
    channels = np.linspace(1, 2, y.shape[1]).reshape(1, -1, *(1,) * (y.ndim - 2))
    return [found, sc.maximum(y * sc.constant(channels, "float32"), 0)]


def normalised(op, xs):
    """The op's result minus its row maximum, divided by its row sum."""
    y = sc.exp(apply(op, *xs) * 0.1)
    axis = -1 if y.ndim else None
    return (y - sc.max(y, axis, keepdims=True)) / sc.sum(y, axis, keepdims=True)


def transposed(op, xs):
    return sc.exp(sc.transpose(apply(op, *(2 * x if x.type.is_float else x for x in xs))) * 0.1)


def through_itself(op, xs):
    """Where the op maps a type to itself: the op of the op."""
    y = apply(op, *xs)
    return apply(op, sc.tanh(y), *xs[1:]) if y.type == xs[0].type else sc.tanh(y)


SURROUNDINGS = (between, used_twice, operand_used_twice, with_bias, normalised, transposed, through_itself)
WAYS = [
    pytest.param(surroundings, *way, id=f"{surroundings.__name__}-{way[0]}-{way[1]}")
    for surroundings in SURROUNDINGS
    for way in DEVICES
    if way[0] != "cuda" or surroundings in (between, with_bias)  # a simulated GPU is slow
]


@pytest.mark.parametrize(("op", "example"), list(typical_cases()))
@pytest.mark.parametrize(("surroundings", "device", "tuned"), WAYS)
def test_surroundings_do_not_change_the_value(op, example, surroundings, device, tuned, monkeypatch):
    monkeypatch.setattr(sc.config, "tuned", tuned)
    arrays = arrays_for(example, "float32")
    inputs = inputs_for(arrays)
    outputs = surroundings(op, inputs)
    outputs = outputs if isinstance(outputs, list) else [outputs]
    for found, expected in zip(
        run(inputs, outputs, arrays, device), run(inputs, outputs, arrays, "reference"), strict=True
    ):
        assert_agree(found, expected, TOLERANCE["float32"])  # of the operands, whatever the op casts them to
