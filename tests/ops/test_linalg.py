"""Products of matrices and einsum, against NumPy and PyTorch."""

import numpy as np
import pytest

import symcnn as sc
from symcnn.ir.graph import toposort
from symcnn.ops.linalg import MatMul
from tests.interpret import evaluate_graph
from tests.ops.checks import cases, check_derivatives, check_op

RNG = np.random.default_rng(0)


def variables(*shapes, unknown=False):
    """Inputs and values for shapes; `unknown` hides every size but 1."""
    inputs = [
        sc.input("abc"[k], [None if unknown and d != 1 else d for d in shape], dtype="float64")
        for k, shape in enumerate(shapes)
    ]
    return inputs, {x: RNG.normal(size=shape) for x, shape in zip(inputs, shapes, strict=True)}


@pytest.mark.parametrize(("cls", "example"), cases(MatMul))
def test_examples(cls, example):
    check_op(cls, example)


@pytest.mark.parametrize(
    "shapes",
    [((3,), (3,)), ((3,), (3, 4)), ((2, 3), (3,)), ((2, 3), (3, 4)), ((5, 2, 3), (3,)), ((3,), (5, 3, 2)),
     ((5, 1, 2, 3), (4, 3, 2)), ((1, 2, 3), (6, 3, 1)), ((2, 0), (0, 3))],
)  # fmt: skip
@pytest.mark.parametrize("unknown", [False, True])
def test_matmul(shapes, unknown):
    (a, b), values = variables(*shapes, unknown=unknown)
    y = a @ b
    expected = values[a] @ values[b]
    np.testing.assert_allclose(evaluate_graph(y, values), expected, rtol=1e-12)
    if not unknown:
        assert y.shape == expected.shape
    if 0 not in shapes[0]:
        check_derivatives(y, [a, b], values)


@pytest.mark.parametrize(
    "dtypes", [("int8", "int8"), ("float32", "int32"), ("float32", "float64"), ("uint8", "float32"), ("bool", "bool")]
)
def test_dtypes_are_those_of_numpy(dtypes):
    a, b = (sc.input(n, (2, 2), dtype=d) for n, d in zip("ab", dtypes, strict=True))
    arrays = [np.array([[1, 0], [1, 1]], d) for d in dtypes]
    found = evaluate_graph(a @ b, dict(zip((a, b), arrays, strict=True)))
    expected = arrays[0] @ arrays[1]
    assert found.dtype == expected.dtype == (a @ b).dtype
    np.testing.assert_array_equal(found, expected)


def test_products_that_do_not_fit():
    x = sc.input("x", (2, 3))
    with pytest.raises(sc.ShapeError) as caught:
        x @ sc.input("y", (2, 3))
    assert (
        "inner sizes differ" in str(caught.value)
        and "[2, 3] @ [2, 3]" in str(caught.value)
        and __file__ in str(caught.value)
    )
    with pytest.raises(sc.ShapeError, match="scalar"):
        sc.matmul(x, 2.0)
    with pytest.raises(sc.ShapeError, match="broadcast"):
        sc.input("a", (2, 3, 3)) @ sc.input("b", (4, 3, 3))


def test_inner_sizes_that_turn_out_to_differ():
    a, b = sc.input("a", (2, None)), sc.input("b", (None, 2))
    f = sc.function([a, b], a @ b, device="reference")
    with pytest.raises(sc.ShapeError, match="inner sizes differ"):
        f(np.zeros((2, 3), "float32"), np.zeros((4, 2), "float32"))


@pytest.mark.parametrize(
    "shapes", [((3,), (3,)), ((2, 3), (3, 4)), ((2, 3), (5, 3, 4)), ((2, 6, 3), (3,)), ((), (3,)), ((2, 3), ())]
)
def test_dot(shapes):
    (a, b), values = variables(*shapes)
    np.testing.assert_allclose(evaluate_graph(np.dot(a, b), values), np.dot(values[a], values[b]), rtol=1e-12)


def test_outer_and_vdot():
    (a, b), values = variables((2, 3), (3, 2))
    np.testing.assert_allclose(evaluate_graph(np.outer(a, b), values), np.outer(values[a], values[b]))
    np.testing.assert_allclose(evaluate_graph(np.vdot(a, b), values), np.vdot(values[a], values[b]))


@pytest.mark.parametrize(
    ("shapes", "axes"),
    [(((2, 3, 4), (3, 4, 5)), 2), (((2, 3), (4,)), 0), (((2, 3, 4), (4, 5, 2)), ((0, 2), (2, 0))), (((2, 3), (3, 2)), ([1, 0], [0, 1])), (((2, 3), (3, 4)), (1, 0))],
)  # fmt: skip
def test_tensordot(shapes, axes):
    (a, b), values = variables(*shapes)
    y = np.tensordot(a, b, axes)
    np.testing.assert_allclose(evaluate_graph(y, values), np.tensordot(values[a], values[b], axes), rtol=1e-12)
    check_derivatives(y, [a, b], values)


EINSUMS = [
    ("ij,jk->ik", (2, 3), (3, 4)), ("ij,jk", (2, 3), (3, 4)), ("ij,kj->ki", (2, 3), (4, 3)), ("nij,njk->nik", (5, 2, 3), (5, 3, 4)),
    ("i,i", (3,), (3,)), ("i,j->ij", (2,), (3,)), ("ij->ji", (2, 3)), ("ij->", (2, 3)), ("ij->j", (2, 3)), ("ii", (3, 3)),
    ("ii->i", (3, 3)), ("ijj->i", (2, 3, 3)), ("ij,ij->ij", (2, 3), (2, 3)), ("ij,ij->i", (2, 3), (2, 3)), ("ij,ij", (2, 3), (2, 3)),
    ("abc,cd,db->ad", (2, 3, 4), (4, 5), (5, 3)), ("nhwc,ohwc->no", (2, 3, 4, 2), (5, 3, 4, 2)), ("ijkl,klm->mij", (2, 3, 4, 2), (4, 2, 3)),
    ("...ij,...jk->...ik", (5, 1, 2, 3), (4, 3, 2)), ("...ij,jk", (5, 2, 3), (3, 2)), ("i...->...", (3, 2, 2)), ("b i j , b j -> b i", (2, 3, 4), (2, 4)),
    ("ij,ij->ij", (2, 1), (2, 3)), ("ij,jk->ik", (2, 1), (3, 4)), ("ij,jk,kl->il", (2, 3), (3, 4), (4, 2)), ("i,->i", (3,), ()),
    ("ij,kl->", (2, 3), (4, 5)), ("hqd,hkd->hqk", (2, 3, 4), (2, 5, 4)),
]  # fmt: skip


@pytest.mark.parametrize("case", EINSUMS, ids=lambda c: c[0])
@pytest.mark.parametrize("unknown", [False, True])
def test_einsum(case, unknown):
    subscripts, *shapes = case
    inputs, values = variables(*shapes, unknown=unknown)
    y = sc.einsum(subscripts, *inputs)
    expected = np.einsum(subscripts, *values.values())
    np.testing.assert_allclose(evaluate_graph(y, values), expected, rtol=1e-11, atol=1e-12)
    if not unknown:
        assert y.shape == expected.shape
        check_derivatives(y, inputs, values)


@pytest.mark.parametrize(
    ("subscripts", "error", "says"),
    [
        ("ij", sc.InputError, "cannot read"),
        ("ij,jk,kl", sc.InputError, "cannot read"),
        ("i1,jk", sc.InputError, "cannot read"),
        ("ijk,jk", sc.ShapeError, "does not fit the rank"),
        ("i,jk", sc.ShapeError, "does not fit the rank"),
        ("ij,jk->iz", sc.InputError, "no operand has"),
        ("ij,jk->ii", sc.InputError, "twice"),
        ("ij,ik", sc.ShapeError, "two sizes"),
    ],
)
def test_subscripts_that_are_refused(subscripts, error, says):
    with pytest.raises(error, match=says):
        sc.einsum(subscripts, sc.input("a", (2, 3)), sc.input("b", (3, 4)))


def test_a_contraction_is_one_matrix_product_without_copies():
    a, b = sc.input("a", (None, 2, 3)), sc.input("b", (3, 4))
    ops = [v.op.name for v in toposort([sc.einsum("nij,jk->nik", a, b)]) if v.op is not None]
    assert ops == ["reshape", "matmul", "reshape"]


def test_matmul_agrees_with_torch(torch):
    (a, b), values = variables((3, 2, 4), (4, 5))
    gradients = sc.grad(sc.sum(sc.tanh(a @ b)), [a, b])
    theirs = [torch.tensor(values[x], requires_grad=True) for x in (a, b)]
    torch.tanh(theirs[0] @ theirs[1]).sum().backward()
    for found, expected in zip(gradients, theirs, strict=True):
        np.testing.assert_allclose(evaluate_graph(found, values), expected.grad.numpy(), rtol=1e-10)


@pytest.mark.parametrize("shapes", [((3,), (3,)), ((2, 3), (4, 3)), ((2, 3), (3,)), ((), (2, 3))])
def test_inner(shapes):
    xs, values = variables(*shapes)
    y = np.inner(*xs)
    np.testing.assert_allclose(evaluate_graph(y, values), np.inner(*(values[x] for x in xs)), rtol=1e-12)


@pytest.mark.parametrize("order", [None, 1, 2, 3, 0.5, np.inf, -np.inf, 0])
@pytest.mark.parametrize(("shape", "axis"), [((5,), None), ((5, 3), 0), ((5, 3), -1), ((2, 5, 3), 1)])
@pytest.mark.parametrize("keepdims", [False, True])
def test_norms_of_vectors(order, shape, axis, keepdims):
    (x,), values = variables(shape)
    y = np.linalg.norm(x, order, axis=axis, keepdims=keepdims)
    np.testing.assert_allclose(
        evaluate_graph(y, values), np.linalg.norm(values[x], order, axis=axis, keepdims=keepdims), rtol=1e-12
    )
    if order != 0:
        check_derivatives(y, [x], values, order=1)


@pytest.mark.parametrize(("shape", "axis"), [((5, 3), None), ((2, 5, 3), (0, 2)), ((2, 5, 3), None)])
def test_the_root_of_the_sum_of_squares(shape, axis):
    (x,), values = variables(shape)
    np.testing.assert_allclose(
        evaluate_graph(sc.norm(x, axis=axis), values), np.linalg.norm(values[x], axis=axis), rtol=1e-12
    )
    assert sc.norm(x, axis=axis) is sc.norm(x, "fro", axis=axis)


def test_a_norm_at_zero_and_nan():
    x = sc.input("x", (3,), "float64")
    y = sc.norm(x)
    for value, expected, slope in (
        (np.zeros(3), 0, np.zeros(3)),
        (np.array([np.nan, 1, 2]), np.nan, np.full(3, np.nan)),
    ):
        np.testing.assert_array_equal(evaluate_graph(y, {x: value}), expected)
        np.testing.assert_array_equal(evaluate_graph(sc.grad(y, x), {x: value}), slope)


def test_norms_that_are_refused():
    x = sc.input("x", (2, 3))
    with pytest.raises(sc.InputError, match="unknown order"):
        sc.norm(x, "nuc")
    for order in (1, 2, np.inf):
        with pytest.raises(sc.InputError, match="only the root") as error:
            sc.norm(x, order)
        assert "axis" in error.value.hint
