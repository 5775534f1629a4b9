"""Every op of ours means the same in ONNX: on its contract examples, with sizes known and open, for all kinds of numbers."""

import numpy as np
import pytest

import symcnn as sc
from symcnn.interop.onnx.export import FORMS
from symcnn.interop.onnx.export.registry import form_of
from symcnn.ir.variable import apply
from symcnn.ops.elementwise import ROWS, Elementwise
from tests.contract.cases import arrays_for, assert_agree, example_cases, op_classes, reference
from tests.contract.test_elementwise import INTEGERS, SHAPES, accepted, draw, special
from tests.interop.onnx.export.elsewhere import exported, run_elsewhere

pytest.importorskip("onnx")

# Ops that no graph of evaluation contains, and one that only the compiler makes.
OF_GRADIENTS = {
    "Conv2dWeightGrad", "MaxPool2dArgmax", "MaxPool2dGrad", "MaxPool2dTake", "AvgPool2dGrad", "Upsample2dGrad", "TakeGrad",
    "Unslice", "Part", "SumLike",
}  # fmt: skip
WITHOUT_FORM = {*OF_GRADIENTS, "ChannelsLast"}
DRAWN = [name for name in ROWS if name.startswith("random_")]
# ONNX holds scales and epsilon in float32, and onnxruntime's erf is no better.
ROUNDED = {"upsample2d": 1e-6, "standardize": 1e-11, "erf": 1e-7, "erfc": 1e-7}

said = [case for case in example_cases() if type(case.values[0]).__name__ not in WITHOUT_FORM]
every_example = pytest.mark.parametrize(("op", "example"), said)
every_row = pytest.mark.parametrize("name", [name for name in ROWS if name not in DRAWN])


def check(op, arrays, known=lambda position, size: True):
    inputs = [
        sc.input(f"x{k}", tuple(n if known(k, n) else None for n in a.shape), a.dtype) for k, a in enumerate(arrays)
    ]
    graph = sc.function(inputs, apply(op, *inputs), device="reference", on_unused_input="ignore")
    (found,), _ = run_elsewhere(graph, arrays)
    expected = reference(op, arrays)
    assert_agree(found, expected, ROUNDED.get(op.name) if expected.dtype == "float64" else None)


@every_example
def test_example_comes_in_again(op, example):
    arrays = arrays_for(example, "float32")
    proto = exported(apply(op, *(sc.input(f"x{k}", a.shape, a.dtype) for k, a in enumerate(arrays))))
    used = [a for k, a in enumerate(arrays) if any(port.name == f"x{k}" for port in proto.graph.input)]
    (found,) = sc.interop.onnx.load(proto, device="reference")(*used)
    assert_agree(found, reference(op, arrays))


def is_judged(op, example, dtype) -> bool:
    """onnxruntime has no transposed convolution in float64, and that of onnx itself has no groups and no empty batch."""
    transposed = op.name in ("conv2d_transpose", "conv2d_input_grad")
    return not (dtype == "float64" and transposed and (op.window.groups > 1 or 0 in example.shapes[0]))


@pytest.mark.parametrize("cls", op_classes(), ids=lambda cls: cls.__name__)
def test_what_has_no_form_is_known(cls):
    example = cls.examples[0]
    inputs = [sc.input(f"x{k}", a.shape, a.dtype) for k, a in enumerate(arrays_for(example, "float32"))]
    has_form = form_of(apply(cls(**(example.attributes or {})), *inputs)) is not None
    assert has_form == (cls.__name__ not in WITHOUT_FORM)


@pytest.mark.parametrize("name", ROWS)
def test_rows_without_form_draw_random_numbers(name):
    assert (name in FORMS) == (name not in DRAWN)


@every_example
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_example(op, example, dtype):
    if is_judged(op, example, dtype):
        check(op, arrays_for(example, dtype))


@every_example
def test_sizes_may_be_open(op, example):
    """All but those of filters, which networks know."""
    arrays = arrays_for(example, "float32")
    filters = 1 if op.name in ("conv2d", "conv2d_transpose", "conv2d_input_grad") else None
    if op.name == "reshape" and 0 in example.shapes[0]:
        return  # ONNX does not tell what remains of nothing
    if op.name == "conv2d_input_grad" and op.window.padding == "same" and op.window.stride != (1, 1):
        return  # its padding depends on sizes that are not known
    try:
        check(op, arrays, lambda position, size: position == filters)
    except sc.ShapeError:  # an op may need to know that a size is 1
        assert any(1 in shape for shape in example.shapes)
        check(op, arrays, lambda position, size: size == 1 or position == filters)


@every_row
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_rows(name, dtype):
    for shapes in SHAPES[ROWS[name].arity]:
        check(Elementwise(name), draw(ROWS[name], shapes, dtype))


@every_row
@pytest.mark.parametrize("dtype", [*INTEGERS, "int8", "uint64"])
def test_rows_of_integers(name, dtype):
    dtypes = ["bool", dtype, dtype] if name == "where" else [dtype] * ROWS[name].arity
    if accepted(name, dtypes):
        check(Elementwise(name), draw(ROWS[name], [(2, 3)] * ROWS[name].arity, dtype))


@every_row
def test_rows_at_special_values(name):
    arrays = special(name, "float32")
    inputs = [sc.input(f"x{k}", (None,), a.dtype) for k, a in enumerate(arrays)]
    (found,), _ = run_elsewhere(apply(Elementwise(name), *inputs), arrays)
    np.testing.assert_allclose(found, reference(Elementwise(name), arrays), rtol=1e-5, atol=1e-6)
