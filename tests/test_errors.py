"""Bad input: an error of the family, with what was expected and found, the user's file and line, and a hint."""

import re

import numpy as np
import pytest

import symcnn as sc
from symcnn.backends.base import BACKENDS

each_device = pytest.mark.parametrize("device", BACKENDS)


def x(*shape, dtype="float32", name="x"):
    return sc.input(name, shape, dtype)


def refused(attempt, error, *words):
    """`attempt` raises `error`, whose text names this file and a line and holds all of `words`."""
    with pytest.raises(error) as found:
        attempt()
    text = str(found.value)
    assert isinstance(found.value, sc.SymcnnError)
    assert re.search(rf"where:    {re.escape(__file__)}:\d+", text), text
    for word in words:
        assert word in text, text
    return found.value


# ---- while the expression is built


BUILDING = {
    "shapes that do not broadcast": (lambda: x(2, 3) + x(2, 4), sc.ShapeError, "[2, 3] and [2, 4]", "hint"),
    "inner sizes": (lambda: x(2, 3) @ x(2, 4), sc.ShapeError, "matmul: inner sizes differ", "[2, 3] @ [2, 4]", "hint"),
    "product of a scalar": (lambda: x() @ x(2), sc.ShapeError, "scalar", "hint"),
    "image of another rank": (lambda: sc.conv2d(x(3, 8, 8), x(4, 3, 3, 3)), sc.ShapeError, "rank 4", "float32[3, 8, 8]", "hint"),
    "filters of another rank": (lambda: sc.conv2d(x(1, 3, 8, 8), x(3, 3, 3)), sc.ShapeError, "rank 4", "hint"),
    "mismatched channels": (lambda: sc.conv2d(x(1, 3, 8, 8), x(4, 5, 3, 3)), sc.ShapeError, "channels", "[4, 5, 3, 3]", "hint"),
    "groups": (lambda: sc.conv2d(x(1, 4, 8, 8), x(3, 2, 3, 3), groups=2), sc.ShapeError, "conv2d", "3"),
    "kernel larger than image": (lambda: sc.conv2d(x(1, 3, 8, 8), x(4, 3, 9, 9)), sc.ShapeError, "9 > 8", "hint"),
    "window larger than image": (lambda: sc.max_pool2d(x(1, 3, 8, 8), 9), sc.ShapeError, "9 > 8", "hint"),
    "negative stride": (lambda: sc.conv2d(x(1, 3, 8, 8), x(4, 3, 3, 3), stride=-1), sc.InputError, "stride", "-1", "hint"),
    "stride 0 of a pool": (lambda: sc.avg_pool2d(x(1, 3, 8, 8), 2, stride=0), sc.InputError, "stride", "0", "hint"),
    "fractional stride": (lambda: sc.conv2d(x(1, 3, 8, 8), x(4, 3, 3, 3), stride=1.5), sc.InputError, "stride", "1.5"),
    "dilation 0": (lambda: sc.conv2d(x(1, 3, 8, 8), x(4, 3, 3, 3), dilation=0), sc.InputError, "dilation", "hint"),
    "negative padding": (lambda: sc.conv2d(x(1, 3, 8, 8), x(4, 3, 3, 3), padding=-1), sc.InputError, "padding", "hint"),
    "misspelt padding": (lambda: sc.conv2d(x(1, 3, 8, 8), x(4, 3, 3, 3), padding="smae"), sc.InputError, "'smae'", "same"),
    "misspelt layout": (lambda: sc.conv2d(x(1, 3, 8, 8), x(4, 3, 3, 3), layout="NWHC"), sc.InputError, "NHWC"),
    "unknown keyword": (lambda: sc.conv2d(x(1, 3, 8, 8), x(4, 3, 3, 3), strde=2), sc.InputError, "'strde'", "'stride'"),
    "unknown keyword of a method": (lambda: x(3).sum(axs=0), sc.InputError, "'axs'", "'axis'"),
    "unknown keyword through NumPy": (lambda: np.sum(x(3), dtype="float64"), sc.InputError, "'dtype'", "axis"),
    "unknown keyword of an elementwise op": (lambda: sc.exp(x(3), where=True), sc.InputError, "'where'"),
    "unknown keyword of input": (lambda: sc.input("x", shap=(3,)), sc.InputError, "'shap'", "'shape'"),
    "unknown keyword of function": (lambda: sc.function([], [], update={}), sc.InputError, "'update'", "'updates'"),
    "axis out of range": (lambda: sc.sum(x(2, 3), axis=2), sc.ShapeError, "axis 2", "rank 2"),
    "an axis twice": (lambda: sc.sum(x(2, 3), axis=(0, -2)), sc.ShapeError, "twice"),
    "reshape": (lambda: sc.reshape(x(2, 3), (4, 2)), sc.ShapeError, "6 elements", "[4, 2]", "hint"),
    "transpose": (lambda: sc.transpose(x(2, 3), (0, 0)), sc.ShapeError, "(0, 0)"),
    "concat": (lambda: sc.concat([x(2, 3), x(2, 4)], axis=0), sc.ShapeError, "[2, 3] and [2, 4]"),
    "index": (lambda: x(2, 3)[:, 3], sc.ShapeError, "index 3", "-3 <= index < 3"),
    "too many indices": (lambda: x(2)[0, 0], sc.ShapeError, "too many"),
    "mask": (lambda: x(2)[x(2) > 0], sc.DTypeError, "mask", "sc.where"),
    "float index": (lambda: x(2)[1.5], sc.DTypeError, "1.5"),
    "float labels": (lambda: sc.one_hot(x(3), 4), sc.DTypeError, "integers", "astype"),
    "labels of a constant": (lambda: sc.take(x(2, 3), [0, 5]), sc.InputError, "out of range", "5"),
    "loss of float labels": (lambda: sc.losses.cross_entropy(x(None, 3), x(None)), sc.DTypeError, "labels", "hint"),
    "loss of other labels": (lambda: sc.losses.cross_entropy(x(4, 3), x(5, dtype="int64")), sc.ShapeError, "[4]", "[5]", "hint"),
    "dtype of an input": (lambda: x(2, dtype="complex64"), sc.DTypeError, "complex64", "float32"),
    "dtype of a cast": (lambda: x(2).astype("float16"), sc.DTypeError, "float16", "float32"),
    "text": (lambda: x(2) + "a", sc.DTypeError, "not supported"),
    "an object": (lambda: x(2) * object(), sc.DTypeError, "not supported"),
    "ragged constant": (lambda: sc.constant([[1, 2], [3]]), sc.DTypeError, "inhomogeneous", "[[1, 2], [3]]"),
    "ragged state": (lambda: sc.shared([[1, 2], [3]]), sc.DTypeError, "inhomogeneous"),
    "state from an expression": (lambda: sc.shared(x(2)), sc.DTypeError, "hint"),
    "shape of state": (lambda: sc.shared(np.zeros(3)).set_value(np.zeros(4)), sc.ShapeError, "(3,)", "(4,)"),
    "dtype of state": (lambda: sc.shared(np.zeros(3, int)).set_value(np.zeros(3)), sc.DTypeError, "int64", "float64"),
    "state that does not fit": (lambda: sc.shared(np.zeros(1, "int8")).set_value([300]), sc.InputError, "int8", "300", "127"),
    "number that does not fit": (lambda: x(2, dtype="uint8") + 300, sc.InputError, "300", "uint8", "hint"),
    "shape of an input": (lambda: sc.input("x", 3), sc.ShapeError, "tuple"),
    "negative dimension": (lambda: sc.input("x", (-1,)), sc.ShapeError, "-1"),
    "input without name": (lambda: sc.input(""), sc.InputError, "name"),
    "truth value": (lambda: 1 if x(2) > 0 else 2, sc.DTypeError, "sc.where"),
    "float of an expression": (lambda: float(x()), sc.DTypeError, "sc.function"),
    "array of an expression": (lambda: np.asarray(x(2)), sc.DTypeError, "sc.function"),
    "length unknown": (lambda: len(x(None)), sc.ShapeError, "unknown"),
    "NumPy function without counterpart": (lambda: np.linalg.inv(x(2, 2)), sc.InputError, "np.inv", "hint"),
    "NumPy method": (lambda: np.add.reduce(x(2)), sc.InputError, "np.add.reduce"),
    "output array": (lambda: np.exp(x(2), out=np.zeros(2)), sc.InputError, "np.exp"),
    "limits": (lambda: sc.clip(x(2), 1, 0), sc.InputError, "1 > 0"),
    "dropout": (lambda: sc.dropout(x(2), 1.0), sc.InputError, "rate", "1"),
}  # fmt: skip


@pytest.mark.parametrize("case", BUILDING)
def test_while_building(case):
    refused(*BUILDING[case])


# ---- while the function is made


def test_missing_input_names_its_line():
    a, b = x(2, name="a"), x(2, name="b")
    refused(lambda: sc.function([a], a + b, device="reference"), sc.InputError, "<b: float32[2]>", "inputs a", "hint")


MAKING = {
    "unused": (lambda a, s: sc.function([a, x(name="b")], a), sc.InputError, "<b: float32[]>", "not used", "hint"),
    "unused, otherwise": (lambda a, s: sc.function([a], a, on_unused_input="no"), sc.InputError, "'no'", "'ignore'"),
    "twice": (lambda a, s: sc.function([a, a], a), sc.InputError, "same name"),
    "two of one name": (lambda a, s: sc.function([a, x(3, name="a")], a), sc.InputError, "same name: a"),
    "not an input": (lambda a, s: sc.function([a * 2], a), sc.InputError, "sc.input", "multiply"),
    "a name": (lambda a, s: sc.function(["a"], a), sc.InputError, "sc.input", "'a'"),
    "no list": (lambda a, s: sc.function(None, a), sc.InputError, "list", "None"),
    "no output": (lambda a, s: sc.function([a], None), sc.InputError, "output", "None"),
    "nested outputs": (lambda a, s: sc.function([a], [[a]]), sc.InputError, "output"),
    "device": (lambda a, s: sc.function([a], a, device="gpu"), sc.InputError, "'gpu'", "'cpu'"),
    "mode": (lambda a, s: sc.function([a], a, mode="slow"), sc.InputError, "'slow'", "'debug'"),
    "update of no state": (lambda a, s: sc.function([a], a, updates={a: a}), sc.InputError, "sc.shared"),
    "updates": (lambda a, s: sc.function([a], a, updates=5), sc.InputError, "updates"),
    "update of another shape": (lambda a, s: sc.function([a], a, updates={s: sc.zeros((3, 2))}), sc.ShapeError, "[2, 3]", "[3, 2]", "hint"),
    "update of another rank": (lambda a, s: sc.function([a], a, updates={s: sc.sum(s)}), sc.ShapeError, "[2, 3]", "[]", "hint"),
    "update of another dtype": (lambda a, s: sc.function([a], a, updates={s: s.astype("float64")}), sc.DTypeError, "float64", ".astype('float32')"),
}  # fmt: skip


@pytest.mark.parametrize("case", MAKING)
def test_while_making(case):
    attempt, error, *words = MAKING[case]
    refused(lambda: attempt(x(2, name="a"), sc.shared(np.zeros((2, 3), "float32"), "s")), error, *words)


# ---- at the call


@each_device
def test_at_the_call(device):
    a, t, y = x(None, 3, name="a"), x(None, dtype="int64", name="t"), x(None, 3, name="y")
    f = sc.function([a, y], a + y, device=device, name="f")
    loss = sc.function([a, t], sc.losses.cross_entropy(a, t), device=device)
    A = np.ones((2, 3), "float32")
    refused(lambda: f(A[0], A), sc.ShapeError, "'a'", "[?, 3]", "[3]", "rank 2 is needed")
    refused(lambda: f(A, A[:, :2]), sc.ShapeError, "'y'", "[?, 3]", "[2, 2]", "hint")
    refused(lambda: f(None, A), sc.ShapeError, "'a'")
    refused(lambda: f([[1, 2, 3], [1]], A), sc.InputError, "'a'", "inhomogeneous")
    refused(lambda: f(A.astype("complex64"), A), sc.DTypeError, "complex64", "float32", "hint")
    refused(lambda: f([["a", "b", "c"]], A), sc.DTypeError, "'a'")
    refused(lambda: f(A.astype(object), A), sc.DTypeError, "object", "hint")
    refused(lambda: f(a, A), sc.InputError, "needs a value")
    refused(lambda: f(A), sc.InputError, "f: missing input y", "hint")
    refused(lambda: f(A, A, A), sc.InputError, "f takes 2", "3 arguments")
    refused(lambda: f(A, A, z=A), sc.InputError, "'z'")
    refused(lambda: f(A, yy=A), sc.InputError, "'yy'", "y")
    refused(lambda: f(A, A, a=A), sc.InputError, "'a' is given twice")
    refused(lambda: f(A, A[:1]), sc.ShapeError, "unknown and turned out to be 1", "[2, 3]", "[1, 3]", "hint")
    refused(lambda: f(A, np.ones((5, 3))), sc.ShapeError, "add: ", "[2, 3] and [5, 3]", "hint")
    refused(lambda: loss(A, [0.0, 1.0]), sc.DTypeError, "float64", "int64", "hint")
    refused(lambda: loss(A, [0]), sc.ShapeError, "[2]", "[1]", "hint")
    assert f(A, A).tolist() == (A + A).tolist()


@each_device
def test_sizes_that_turn_out_wrong(device):
    im, w = x(None, 3, None, None, name="im"), x(4, 3, 3, 3, name="w")
    m, n = x(None, None, name="m"), x(None, None, name="n")
    W = np.ones((4, 3, 3, 3))
    conv = sc.function([im, w], sc.conv2d(im, w), device=device)
    pool = sc.function([im], sc.max_pool2d(im, 4), device=device)
    refused(lambda: conv(np.ones((1, 3, 2, 2)), W), sc.ShapeError, "conv2d: ", "3 > 2 rows", "hint")
    refused(lambda: pool(np.ones((1, 3, 2, 2))), sc.ShapeError, "max_pool2d: ", "4 > 2 rows", "hint")
    f = lambda y, *inputs: sc.function(inputs or [m], y, device=device)  # noqa: E731
    ones = np.ones((3, 3))
    refused(
        lambda: f(m @ n, m, n)(ones, np.ones((4, 3))), sc.ShapeError, "matmul: inner sizes", "[3, 3] @ [4, 3]", "hint"
    )
    refused(lambda: f(sc.reshape(m, (4, 2)))(ones), sc.ShapeError, "reshape: ", "9 elements", "[4, 2]", "hint")
    refused(lambda: f(sc.max(m, axis=0))(ones[:0]), sc.ShapeError, "max of an empty axis", "[0, 3]", "hint")
    refused(lambda: f(m[5])(ones), sc.ShapeError, "index 5", "[3, 3]", "hint")
    refused(lambda: f(sc.squeeze(m, 1))(ones), sc.ShapeError, "squeeze: ", "[3, 3]", "hint")


@each_device
@pytest.mark.parametrize("mode", ["fast", "debug"])
def test_labels_out_of_range(device, mode):
    """Each is refused before anything is computed or updated, and nothing is read out of bounds."""
    a, t = x(None, 3, name="a"), x(None, dtype="int64", name="t")
    s = sc.shared(0.0, "s")
    A = np.ones((2, 3), "float32")
    lookup = sc.take(a, t, axis=1)
    for y, wrong in (
        (sc.one_hot(t, 3), ([0, 3], [-1, 0], [2**62, 0])),
        (sc.losses.cross_entropy(a, t), ([0, 3], [0, -1], [0, -(2**63)])),
        (lookup, ([0, 3], [-4, 0], [2**40, 0])),
        (sc.take(a, t.astype("int32"), axis=1), ([0, 3], [2**32, 0])),
        (sc.sum(a[:, sc.expand_dims(t, 0)]), ([3, 0],)),
        (sc.grad(sc.sum(sc.square(lookup)), a), ([0, 3],)),
    ):
        f = sc.function([a, t], [y, sc.sum(a)], updates={s: s + 1}, device=device, mode=mode)
        for labels in wrong:
            refused(
                lambda f=f, labels=labels: f(A, labels),
                sc.InputError,
                "out of range",
                "expected",
                str(labels[0]),
                "hint",
            )
        assert s.get_value() == 0
        f(A, [0, 2])
        s.set_value(0)


@each_device
def test_labels_that_are_computed(device):
    """Their range is known only when they are: still nothing is read out of bounds."""
    a, t = x(None, 3, name="a"), x(None, dtype="int64", name="t")
    f = sc.function([a, t], sc.take(a, 2 * t, axis=0), device=device)
    A = np.arange(9, dtype="float32").reshape(3, 3)
    assert f(A, [1, 0, -1]).tolist() == A[[2, 0, -2]].tolist()
    refused(lambda: f(A, [2]), sc.InputError, "out of range", "-3 to 2", "4 to 4", "hint")
    refused(lambda: f(A, [-(2**61), 0]), sc.InputError, "out of range")
    part = sc.function([a, t], sc.take(a, t[1:], axis=0), device=device)
    assert part(A, [99, 1]).tolist() == A[[1]].tolist()  # 99 is not used
    refused(lambda: part(A, [1, 99]), sc.InputError, "out of range", "99 to 99")


@each_device
def test_labels_in_state_and_in_constants(device):
    a, s = x(None, 3, name="a"), sc.shared(np.array([0, 5]), "s")
    A = np.ones((2, 3))
    f = sc.function([a], [sc.take(a, s, axis=0), sc.take(a, [1, 0], axis=0)], device=device)
    refused(lambda: f(A), sc.InputError, "<s: int64[2]>", "out of range", "0 to 5")
    s.set_value([0, 1])
    f(A)
    refused(lambda: f(A[:1]), sc.InputError, "out of range")


def test_an_error_prints_all_it_knows():
    error = sc.ShapeError("it failed", where="net.py:3", expected=(1, 2), found=(2, 1), hint="turn it round")
    assert str(error).splitlines() == [
        "it failed",
        "  where:    net.py:3",
        "  expected: (1, 2)",
        "  found:    (2, 1)",
        "  hint:     turn it round",
    ]
    assert isinstance(error, ValueError)
    assert isinstance(error, sc.SymcnnError)


def test_an_error_knows_where_it_was_raised():
    assert sc.InputError("it failed").where.startswith(__file__ + ":")


def test_where_passes_over_what_a_dataclass_made():
    with pytest.raises(sc.errors.ShapeError) as error:
        sc.data.Dataset(np.zeros((3, 2)), np.zeros(2))
    assert error.value.where.startswith(__file__)
    with pytest.raises(sc.errors.ShapeError) as error:  # where dataclasses.replace() lies in between
        sc.data.Dataset(np.zeros((3, 2)), np.zeros(3)).map(lambda X: X[:2])
    assert error.value.where.startswith(__file__)
