"""The elementwise table against NumPy: values, dtypes, broadcasting, Python scalars, derivatives at kinks."""

import itertools

import numpy as np
import pytest

import symcnn as sc
from symcnn.ops.elementwise import ROWS, Elementwise
from symcnn.ops.random import CALL
from tests.interpret import evaluate_graph, evaluate_nest
from tests.ops.checks import check_derivatives

PUBLIC = [name for name in ROWS if hasattr(sc, name)]
SPECIAL = [np.nan, np.inf, -np.inf, 0.0, -0.0, 1.0, -1.0, 0.5, -2.5, 1000.0, -1000.0]


def operands(row, dtype, rng, shapes=((2, 3),) * 3):
    arrays = [rng.uniform(row.low, row.high, shape).astype(dtype) for shape in shapes[: row.arity]]
    if row.name == "where":
        arrays[0] = arrays[0] > 0
    return [sc.input("xyz"[k], a.shape, dtype=a.dtype) for k, a in enumerate(arrays)], arrays


@pytest.mark.parametrize("name", PUBLIC)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_nest_computes_the_reference(name, dtype):
    inputs, arrays = operands(ROWS[name], dtype, np.random.default_rng(0), ((2, 1, 3), (4, 1), (3,)))
    y = getattr(sc, name)(*inputs)
    values = dict(zip(inputs, arrays, strict=True))
    expected = evaluate_graph(y, values)
    assert (expected.dtype, expected.shape) == (y.dtype, y.shape)
    np.testing.assert_allclose(evaluate_nest(y, values), expected, rtol=1e-6)


@pytest.mark.parametrize("name", [n for n in PUBLIC if ROWS[n].smooth])
def test_derivatives_to_second_order(name):
    inputs, arrays = operands(ROWS[name], "float64", np.random.default_rng(1), ((2, 3), (2, 1), (3,)))
    values = dict(zip(inputs, arrays, strict=True))
    check_derivatives(getattr(sc, name)(*inputs), [x for x in inputs if x.type.is_float], values)


@pytest.mark.parametrize("name", [n for n in PUBLIC if isinstance(ROWS[n].numpy, np.ufunc)])
def test_dtypes_are_those_of_numpy(name):
    ufunc = ROWS[name].numpy
    for dtypes in itertools.product(
        ["bool", "int8", "uint8", "int32", "int64", "uint64", "float32", "float64"], repeat=ufunc.nin
    ):
        try:
            expected = ufunc.resolve_dtypes((*map(np.dtype, dtypes), None))[-1]
        except TypeError:
            with pytest.raises(TypeError):
                getattr(sc, name)(*(sc.input(n, (2,), dtype=d) for n, d in zip("xy", dtypes, strict=False)))
            continue
        found = getattr(sc, name)(*(sc.input(n, (2,), dtype=d) for n, d in zip("xy", dtypes, strict=False)))
        assert found.dtype == (np.dtype("float32") if expected == np.float16 else expected)


@pytest.mark.parametrize(
    "name", ["sigmoid", "softplus", "relu", "erf", "tanh", "exp", "log", "log1p", "expm1", "sqrt", "isnan", "sign"]
)
def test_special_values_pass_through_as_in_numpy(name):
    value = np.array(SPECIAL)
    x = sc.input("x", value.shape, dtype="float64")
    with np.errstate(all="ignore"):
        expected = {
            "sigmoid": lambda v: 1 / (1 + np.exp(-v)),
            "softplus": lambda v: np.logaddexp(v, 0),
            "relu": lambda v: np.maximum(v, 0),
            "erf": lambda v: np.where(np.isnan(v), v, ROWS["erf"].numpy(v)),
        }.get(name, getattr(np, name, None))(value)
    np.testing.assert_allclose(evaluate_graph(getattr(sc, name)(x), {x: value}), expected, rtol=1e-12)


@pytest.mark.parametrize(
    ("dtype", "scalar", "expected"),
    [("float32", 0.5, "float32"), ("float32", 2, "float32"), ("int32", 0.5, "float64"), ("int8", 1, "int8"), ("uint8", True, "uint8"), ("bool", 2, "int64")],
)  # fmt: skip
def test_python_scalars_take_the_dtype_of_the_others(dtype, scalar, expected):
    x = sc.input("x", (2,), dtype=dtype)
    assert (x + scalar).dtype == (scalar + x).dtype == expected == (np.zeros(2, dtype) + scalar).dtype


def test_scalars_that_do_not_fit():
    with pytest.raises(sc.InputError, match="wider dtype"):
        sc.input("x", (2,), dtype="int8") + 1000


@pytest.mark.parametrize(("name", "at_zero"), [("relu", 0), ("absolute", 0), ("sign", 0), ("square", 0), ("floor", 0)])
def test_derivatives_at_zero(name, at_zero):
    x = sc.input("x", (), dtype="float64")
    assert evaluate_graph(sc.grad(getattr(sc, name)(x), x, disconnected="zeros"), {x: np.float64(0)}) == at_zero


def test_ties_go_to_the_first_operand():
    x, y = sc.input("x", (), dtype="float64"), sc.input("y", (), dtype="float64")
    for f in (sc.maximum, sc.minimum):
        found = [evaluate_graph(g, {x: np.float64(2), y: np.float64(2)}) for g in sc.grad(f(x, y), [x, y])]
        assert found == [1, 0]


def test_powers_differentiate_at_zero():
    x = sc.input("x", (), dtype="float64")
    for exponent, slope in ((2, 0), (1, 1), (3.0, 0)):
        assert evaluate_graph(sc.grad(x**exponent, x), {x: np.float64(0)}) == slope


@pytest.mark.parametrize(
    "shapes", [((2, 3), (3,)), ((2, 3), (2, 1)), ((2, 1), (1, 3)), ((), (2, 3)), ((1,), (2, 3)), ((0, 3), (1, 3))]
)
@pytest.mark.parametrize("name", ["multiply", "divide", "maximum", "where"])
def test_gradients_are_summed_over_stretched_axes(shapes, name):
    rng = np.random.default_rng(0)
    x, y = (sc.input(n, s, dtype="float64") for n, s in zip("xy", shapes, strict=True))
    values = {v: rng.uniform(0.5, 2, v.shape) for v in (x, y)}
    f = (lambda a, b: sc.where(a > b, a * b, a)) if name == "where" else getattr(sc, name)
    for v, g in zip((x, y), sc.grad(sc.sum(f(x, y)), [x, y]), strict=True):
        assert g.shape == v.shape
    check_derivatives(f(x, y), [x, y], values)


def test_shapes_that_do_not_broadcast():
    x, y = sc.input("x", (2, 3)), sc.input("y", (4,))
    with pytest.raises(sc.ShapeError) as caught:
        x + y
    assert "[2, 3] and [4]" in str(caught.value) and __file__ in str(caught.value)


def test_an_unknown_size_is_never_stretched():
    x, y = sc.input("x", (None,)), sc.input("y", (None,))
    f = sc.function([x, y], x + y)
    with pytest.raises(sc.ShapeError, match="never broadcast"):
        f(np.ones(1, "float32"), np.ones(3, "float32"))


def test_wrong_number_of_operands():
    with pytest.raises(sc.InputError, match="operand"):
        sc.exp(sc.input("x", ()), sc.input("y", ()))


def test_ufuncs_and_operators_build_the_same_graph():
    x, y = sc.input("x", (2,)), sc.input("y", (2,))
    pairs = [
        (np.add(x, y), x + y), (np.true_divide(x, y), x / y), (np.power(x, 2), x**2), (np.abs(x), abs(x)), (np.negative(x), -x),
        (np.less(x, y), x < y), (np.maximum(x, 0), sc.maximum(x, 0)), (np.mod(x, y), x % y), (np.where(x > y, x, y), sc.where(x > y, x, y)),
        (np.ones(2, "float32") + x, np.add(np.ones(2, "float32"), x)), (np.round(x), sc.round(x)),
    ]  # fmt: skip
    for found, expected in pairs:
        assert found is expected


def test_unknown_numpy_functions_say_so():
    x = sc.input("x", (2, 2))
    with pytest.raises(sc.InputError, match="no symbolic counterpart"):
        np.linalg.svd(x)
    with pytest.raises(sc.InputError, match="no symbolic counterpart"):
        np.arcsin(x)


def test_casts():
    x = sc.input("x", (3,))
    assert x.astype("float32") is x
    np.testing.assert_array_equal(
        evaluate_graph(x.astype("int64"), {x: np.array([1.7, -1.7, 0], "float32")}), [1, -1, 0]
    )
    assert sc.grad(sc.sum(x.astype("float64")), x).dtype == np.float32
    with pytest.raises(sc.DTypeError, match="not supported"):
        x.astype("complex64")


def test_random_rows_are_elementwise_too():
    seed, index = sc.input("s", (), dtype="int64"), sc.input("i", (3,), dtype="int64")
    y = sc.ir.variable.apply(Elementwise("random_uniform"), seed, CALL, index)
    values = {seed: np.int64(1), CALL: np.int64(2), index: np.arange(3)}
    np.testing.assert_array_equal(evaluate_nest(y, values), evaluate_graph(y, values))
