"""Every row of the elementwise table keeps the contract on every backend: broadcasting, special values, all dtypes."""

import itertools

import numpy as np
import pytest

import symcnn as sc
from symcnn.backends.base import BACKENDS
from symcnn.ir.graph import evaluate
from symcnn.ir.variable import constant
from symcnn.ops.elementwise import ROWS, Elementwise
from symcnn.rewrite.pipeline import simplify
from tests.contract.cases import FLOATS, assert_agree, build, inputs_for, reference, run

SHAPES = {
    1: [((),), ((3,),), ((2, 3),), ((0, 3),)],
    2: [((), ()), ((2, 3), (2, 3)), ((2, 3), (3,)), ((2, 1), (1, 3)), ((2, 3), ()), ((0, 3), (3,))],
    3: [((), (), ()), ((2, 3), (2, 3), (2, 3)), ((2, 1), (3,), ()), ((0, 3), (0, 1), (3,))],
}
INTEGERS = ("bool", "uint8", "int32", "int64")
# Rounding errors in units in the last place of float32 and float64 that two good libraries may differ by.
ULPS = 8

every_row = pytest.mark.parametrize("name", ROWS)
every_device = pytest.mark.parametrize("device", BACKENDS)


def draw(row, shapes, dtype, seed=0):
    rng = np.random.default_rng(seed)
    if np.dtype(dtype).kind == "f":
        arrays = [np.asarray(rng.uniform(row.low, row.high, shape), dtype) for shape in shapes]
    else:
        low = 1 if row.low > 0 else 0 if np.dtype(dtype).kind in "bu" else -5
        arrays = [np.asarray(rng.integers(low, 2 if dtype == "bool" else 9, shape), dtype) for shape in shapes]
    if row.name == "where":
        arrays[0] = np.asarray(rng.integers(0, 2, shapes[0]), bool)
    return arrays


def assert_close(found, expected):
    """Equal up to a few units in the last place, element by element; NaN and infinity where they belong."""
    assert found.dtype == expected.dtype
    assert found.shape == expected.shape
    if expected.dtype.kind != "f":
        np.testing.assert_array_equal(found, expected)
        return
    np.testing.assert_allclose(
        found, expected, rtol=ULPS * np.finfo(expected.dtype).eps, atol=np.finfo(expected.dtype).tiny
    )


@every_row
@every_device
@pytest.mark.parametrize("dtype", FLOATS)
def test_value_equals_reference_under_broadcasting(name, device, dtype):
    op, row = Elementwise(name), ROWS[name]
    for shapes in SHAPES[row.arity]:
        arrays = draw(row, shapes, dtype)
        inputs, y = build(op, arrays)
        expected = reference(op, arrays)
        assert (y.dtype, y.shape) == (expected.dtype, expected.shape)
        assert_close(run(inputs, y, arrays, device), expected)


@every_row
@every_device
@pytest.mark.parametrize("mode", ["fast", "debug"])
def test_sizes_may_be_unknown_until_the_call(name, device, mode):
    op, row = Elementwise(name), ROWS[name]
    arrays = draw(row, [(2, 3)] * row.arity, "float32")
    inputs, y = build(op, arrays, known=lambda size: False)
    assert y.shape == (None, None)
    assert_close(run(inputs, y, arrays, device, mode=mode), reference(op, arrays))


def special(name, dtype):
    """All combinations of special values as operands of a row."""
    info = np.finfo(dtype)
    values = np.array(
        [np.nan, np.inf, -np.inf, 0.0, -0.0, 1, -1, 2, -0.5, info.max, -info.max, info.tiny, 1e-3, 100.5], dtype
    )
    if name.startswith("random"):  # of integers: what others become in their place depends on the machine
        values = values[np.abs(values) < 2**63]
    arity = ROWS[name].arity
    choices = [np.array([False, True]), values, values] if name == "where" else [values] * arity
    return [a.reshape(-1) for a in np.meshgrid(*choices, indexing="ij")]


@every_row
@every_device
@pytest.mark.parametrize("dtype", FLOATS)
def test_special_values(name, device, dtype):
    op = Elementwise(name)
    arrays = special(name, dtype)
    inputs, y = build(op, arrays, known=lambda size: False)
    assert_close(run(inputs, y, arrays, device), reference(op, arrays))


def accepted(name, dtypes) -> bool:
    try:
        Elementwise(name).infer(*(sc.TensorType(d) for d in dtypes))
    except sc.DTypeError:
        return False
    return True


@every_row
@every_device
@pytest.mark.parametrize("dtype", INTEGERS)
def test_integers(name, device, dtype):
    op, row = Elementwise(name), ROWS[name]
    dtypes = ["bool", dtype, dtype] if name == "where" else [dtype] * row.arity
    if not accepted(name, dtypes):
        return
    arrays = draw(row, [(2, 3)] * row.arity, dtype)
    inputs, y = build(op, arrays)
    assert_close(run(inputs, y, arrays, device), reference(op, arrays))


@every_device
@pytest.mark.parametrize("name", ["divide", "maximum", "where"])
@pytest.mark.parametrize(
    "pair", list(itertools.permutations(("bool", "uint8", "int64", "float32", "float64"), 2)), ids="-".join
)
def test_mixed_dtypes_promote_as_in_numpy(name, device, pair):
    op, row = Elementwise(name), ROWS[name]
    if not accepted(name, ["bool"] * (row.arity - 2) + list(pair)):
        return
    arrays = [draw(row, [(2, 3)] * row.arity, dtype)[-1] for dtype in pair]
    if name == "where":
        arrays.insert(0, np.array([[True, False, True], [False, False, True]]))
    inputs, y = build(op, arrays)
    assert_close(run(inputs, y, arrays, device), reference(op, arrays))


@every_row
def test_pullback_agrees_with_finite_differences_to_second_order(name):
    op, row = Elementwise(name), ROWS[name]
    if not row.smooth:
        return
    for shapes in SHAPES[row.arity]:
        arrays = draw(row, shapes, "float64")
        inputs, y = build(op, arrays)
        wrt = [x for x in inputs if x.type.is_float]
        sc.check_grad(y, wrt, order=2, values=dict(zip(inputs, arrays, strict=True)))


def with_gradients(name, shapes, dtype):
    """Inputs and arrays for a row, and the row's value with all its derivatives along a fixed direction."""
    arrays = draw(ROWS[name], shapes, dtype)
    inputs, y = build(Elementwise(name), arrays)
    if ROWS[name].pullback is None:
        return inputs, arrays, [y]
    direction = constant(np.random.default_rng(1).uniform(0.5, 1.5, y.shape), y.dtype)
    return inputs, arrays, [y, *sc.vjp(y, [x for x in inputs if x.type.is_float], direction, disconnected="zeros")]


@every_row
def test_rewriting_changes_no_value(name):
    for shapes in SHAPES[ROWS[name].arity]:
        inputs, arrays, outputs = with_gradients(name, shapes, "float64")
        values = dict(zip(inputs, arrays, strict=True))
        simplified = simplify(outputs)[-1].outputs
        for before, after in zip(evaluate(outputs, values), evaluate(simplified, values), strict=True):
            assert_agree(after, before)


@every_row
@pytest.mark.parametrize("device", sorted(set(BACKENDS) - {"reference"}))
def test_gradient_equals_that_of_the_reference(name, device):
    shapes = SHAPES[ROWS[name].arity][2]
    inputs, arrays, outputs = with_gradients(name, shapes, "float32")
    for found, expected in zip(
        run(inputs, outputs, arrays, device), run(inputs, outputs, arrays, "reference"), strict=True
    ):
        assert_agree(found, expected)


def test_inputs_of_a_mixed_expression_keep_their_dtypes():
    x, n = inputs_for([np.zeros(3, "float32"), np.zeros(3, "int32")])
    assert (x + 1).dtype == (x * 0.5).dtype == "float32"
    assert (n + 1).dtype == "int32"
    assert (n * 0.5).dtype == (n / n).dtype == "float64"


def test_operators_on_bits_take_booleans_only():
    x, n = inputs_for([np.zeros(3, "float32"), np.zeros(3, "int32")])
    assert ((x > 0) & ~(n > 1) | True).dtype == bool
    for expression in (lambda: n & 3, lambda: ~n, lambda: np.bitwise_or(x, x)):
        with pytest.raises(sc.DTypeError, match="booleans only"):
            expression()
