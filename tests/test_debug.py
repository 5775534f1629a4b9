"""``mode="debug"`` finds the first NaN and a kernel that computes something else."""

import re
from pathlib import Path

import numpy as np
import pytest

import symcnn as sc
from symcnn.backends.base import BACKENDS

each_device = pytest.mark.parametrize("device", BACKENDS)


@each_device
def test_the_first_nan_names_op_line_and_statistics(device):
    x = sc.input("x", (None, 3))
    shifted = x - 1
    logarithm = sc.log(shifted)  # this line
    y = sc.tanh(logarithm) * 2 + sc.sum(x)
    f = sc.function([x], y, device=device, mode="debug")
    assert f([[2, 3, 4]]).shape == (1, 3)
    with pytest.raises(sc.NonFiniteError) as found:
        f([[2, 0.5, 4]])
    text = str(found.value)
    rows = Path(__file__).read_text().splitlines()
    (line,) = [k for k, row in enumerate(rows, 1) if row.endswith("# this line")]
    assert text.startswith("log made the first NaN or infinity")
    assert f"{__file__}:{line}" in text
    assert "subtract" in text  # what it was given ..
    assert re.search(r"min -0\.5, mean 1\.167, max 3", text)  # .. and its statistics
    assert "1 NaN" in text


@each_device
@pytest.mark.parametrize(
    ("build", "values", "name"),
    [
        (lambda x: 1 / x, [1, 0, 2], "divide"),
        (lambda x: sc.exp(x) - 1, [1000, 0, 0], "expm1"),
        (lambda x: sc.sqrt(x) + x, [1, 2, -1], "sqrt"),
        (lambda x: sc.sum(sc.square(x)), [1e30, 1e30, 0], "square"),
        (lambda x: sc.sum(x * 3e38), [1, 1, 1], "sum"),
        (lambda x: sc.reshape(x, (3, 1)) @ (1 / sc.reshape(x, (1, 3))), [1, 0, 1], "divide"),
        (lambda x: sc.grad(sc.sum(sc.sqrt(x)), x), [1, 0, 1], "divide"),
    ],
)
def test_the_op_that_made_it(device, build, values, name):
    x = sc.input("x", (3,))
    f = sc.function([x], build(x), device=device, mode="debug")
    with pytest.raises(sc.NonFiniteError, match=f"^{name} made the first"):
        f(values)


@each_device
def test_a_nan_that_is_given(device):
    x, t = sc.input("x", (2,)), sc.input("t", (2,), "int64")
    f = sc.function([x, t], x * t, device=device, mode="debug")
    with pytest.raises(sc.NonFiniteError, match="input 'x' holds NaN"):
        f([1, np.nan], [1, 2])
    with pytest.raises(sc.NonFiniteError, match="input 'x' holds NaN"):
        f([np.inf, 1], [1, 2])


@each_device
def test_masked_infinities_are_blamed_where_they_arise(device):
    """Even if a later where() hides them, the first one is reported: its gradient is NaN."""
    x = sc.input("x", (2,))
    f = sc.function([x], sc.where(x > 0, sc.log(x), 0), device=device, mode="debug")
    assert f([1, 2]).tolist() == pytest.approx([0, np.log(2)])


@each_device
def test_debug_computes_what_fast_does(device):
    x, t = sc.input("x", (None, 4)), sc.input("t", (None,), "int64")
    results = []
    for mode in ("fast", "debug"):
        w = sc.shared(np.random.default_rng(0).normal(size=(4, 3)).astype("float32"))
        loss = sc.losses.cross_entropy(sc.tanh(x @ w), t)
        step = sc.function([x, t], loss, updates={w: w - 0.1 * sc.grad(loss, w)}, device=device, mode=mode)
        X = np.random.default_rng(1).normal(size=(5, 4))
        results.append([step(X, [0, 1, 2, 0, 1]) for _ in range(3)] + [w.get_value()])
    for fast, debug in zip(*results, strict=True):
        np.testing.assert_array_equal(fast, debug)


def planted(monkeypatch, old, new):
    """Every kernel generated from now on has `old` in its source, if it is there, replaced by `new`."""
    from symcnn.backends.cpu import backend

    honest = backend.generate

    def dishonest(*args):
        made = honest(*args)
        return type(made)(made.source.replace(old, new), made.operands, made.integers, made.tasks, made.work)

    monkeypatch.setattr(backend, "generate", dishonest)


@pytest.mark.parametrize(
    ("build", "old", "new"),
    [
        (lambda x: x + 2, "float32(2.0)", "float32(2.5)"),
        (lambda x: sc.sum(x, axis=1), "range(start", "range(1 + start"),
        (lambda x: sc.argmax(x, axis=1), " <= ", " >= "),
        (lambda x: x > 0, "> ", ">= "),
    ],
    ids=["constant", "sum", "argmax", "comparison"],
)
def test_a_wrong_kernel_is_found(monkeypatch, build, old, new):
    planted(monkeypatch, old, new)
    x = sc.input("x", (None, 4))
    X = np.array([[1, 3, 0, 2]], "float32")
    with pytest.raises(sc.KernelMismatchError) as found:
        sc.function([x], build(x), device="cpu", mode="debug")(X)
    text = str(found.value)
    assert __file__ in text
    assert "expected" in text
    assert "report" in text


def test_what_cancels_is_rounding():
    """A bias in front of a batch norm has gradient 0, of which rounding errors are left."""
    x, b = sc.input("x", (None, 6, 5, 5), "float64"), sc.shared(np.zeros(6), "b")
    y = sc.batch_norm(x + sc.reshape(b, (6, 1, 1)), 1.0, 0.0)
    X = np.random.default_rng(0).normal(size=(4, 6, 5, 5))
    gradient = sc.grad(sc.sum(sc.tanh(y)), b)
    found = sc.function([x], gradient, device="cpu", mode="debug")(X)
    np.testing.assert_allclose(found, 0, atol=1e-10)


def test_a_wrong_kernel_of_several(monkeypatch):
    """The first wrong step is named, not what follows from it."""
    planted(monkeypatch, "exp(", "sin(")
    x = sc.input("x", (4, 4))
    y = sc.tanh(sc.exp(x) @ x)
    with pytest.raises(sc.KernelMismatchError, match="kernel of exp disagrees"):
        sc.function([x], y, device="cpu", mode="debug")(np.ones((4, 4)))
