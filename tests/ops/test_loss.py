"""Cross-entropy of a softmax: PyTorch's values and gradients, stable, and strict about labels."""

import numpy as np
import pytest

import symcnn as sc
from symcnn.ops.loss import SoftmaxCrossEntropy
from tests.interpret import evaluate_graph
from tests.ops.checks import cases, check_derivatives, check_op


@pytest.mark.parametrize(("cls", "example"), cases(SoftmaxCrossEntropy))
def test_examples(cls, example):
    check_op(cls, example)


@pytest.mark.parametrize("spatial", [(), (3,), (2, 3)])
@pytest.mark.parametrize("unknown", [False, True])
def test_agrees_with_torch(torch, spatial, unknown):
    rng = np.random.default_rng(0)
    logits, labels = rng.normal(size=(4, 5, *spatial)) * 3, rng.integers(0, 5, (4, *spatial))
    x = sc.input("x", (None,) * logits.ndim if unknown else logits.shape, dtype="float64")
    t = sc.input("t", (None,) * labels.ndim if unknown else labels.shape, dtype="int64")
    y = sc.softmax_cross_entropy(x, t)
    theirs = torch.tensor(logits, requires_grad=True)
    expected = torch.nn.functional.cross_entropy(theirs, torch.tensor(labels), reduction="none")
    (expected**2).sum().backward()
    values = {x: logits, t: labels}
    np.testing.assert_allclose(evaluate_graph(y, values), expected.detach().numpy(), rtol=1e-10)
    np.testing.assert_allclose(
        evaluate_graph(sc.grad(sc.sum(y * y), x), values), theirs.grad.numpy(), rtol=1e-9, atol=1e-12
    )
    check_derivatives(y, [x], values)


@pytest.mark.parametrize("device", ["reference", "cpu"])
def test_stable_in_float32(device):
    x, t = sc.input("x", (None, 3)), sc.input("t", (None,), dtype="int64")
    y = sc.softmax_cross_entropy(x, t)
    f = sc.function([x, t], [y, sc.grad(sc.sum(y), x)], device=device)
    loss, gradient = f([[1000, 0, -1000], [1000, 0, -1000], [0, 0, 0]], [0, 2, 1])
    np.testing.assert_allclose(loss, [0, 2000, np.log(3)], rtol=1e-6)
    np.testing.assert_allclose(gradient, [[0, 0, 0], [1, 0, -1], [1 / 3, -2 / 3, 1 / 3]], rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("device", ["reference", "cpu"])
def test_labels_out_of_range_are_an_error(device):
    x, t = sc.input("x", (None, 3)), sc.input("t", (None,), dtype="int64")
    f = sc.function([x, t], sc.softmax_cross_entropy(x, t), device=device)
    for wrong in (-1, 3, 2**40):
        with pytest.raises(sc.SymcnnError):
            f(np.zeros((2, 3), "float32"), [0, wrong])


@pytest.mark.parametrize(
    ("logits", "labels", "error", "says"),
    [
        (("float32", (4, 5)), ("float32", (4,)), sc.DTypeError, "labels must be integers"),
        (("int64", (4, 5)), ("int64", (4,)), sc.DTypeError, "logits must be float"),
        (("float32", (4, 5)), ("int64", (3,)), sc.ShapeError, "one label for each row"),
        (("float32", (4, 5)), ("int64", (4, 5)), sc.ShapeError, "one-hot"),
        (("float32", (5,)), ("int64", ()), sc.ShapeError, "class axis"),
        (("float32", (4, 0)), ("int64", (4,)), sc.ShapeError, "no class"),
        (("float32", (4, 5, 2)), ("int64", (4,)), sc.ShapeError, "one label"),
    ],
)
def test_labels_that_do_not_fit(logits, labels, error, says):
    with pytest.raises(error) as caught:
        sc.softmax_cross_entropy(sc.input("x", logits[1], dtype=logits[0]), sc.input("t", labels[1], dtype=labels[0]))
    assert says in str(caught.value) and "softmax_cross_entropy" in str(caught.value) and __file__ in str(caught.value)
