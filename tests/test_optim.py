"""SGD against torch.optim over ten steps; rates that change; schedules."""

import numpy as np
import pytest

import symcnn as sc
from symcnn.optim import SGD, cosine_decay


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"momentum": 0.9},
        {"momentum": 0.9, "nesterov": True},
        {"weight_decay": 0.1},
        {"momentum": 0.8, "nesterov": True, "weight_decay": 0.01},
    ],
)
def test_ten_steps_like_torch(options):
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    A, start = rng.normal(size=(4, 3)), rng.normal(size=3)

    theirs = torch.tensor(start, requires_grad=True)
    reference = torch.optim.SGD([theirs], lr=0.03, **options)
    ours = sc.shared(start, name="w")
    loss = sc.sum(sc.square(sc.constant(A) @ ours - 1.0))
    updates = SGD(0.03, **options).updates([ours], [sc.grad(loss, ours)])
    step = sc.function([], loss, updates=updates, device="reference")
    for _ in range(10):
        reference.zero_grad()
        expected = ((torch.tensor(A) @ theirs - 1) ** 2).sum()
        expected.backward()
        reference.step()
        np.testing.assert_allclose(step(), expected.item(), rtol=1e-12)
        np.testing.assert_allclose(ours.get_value(), theirs.detach().numpy(), rtol=1e-12)


def test_the_rate_changes_without_compiling():
    w = sc.shared(np.ones(3, "float32"), name="w")
    sgd = SGD(0.1)
    step = sc.function([], [], updates=sgd.updates([w], [sc.grad(sc.sum(w), w)]), device="reference")
    step()
    sgd.learning_rate = 0.5
    assert sgd.learning_rate == 0.5
    step()
    np.testing.assert_allclose(w.get_value(), 0.4, rtol=1e-6)


def test_updates_keep_dtypes_and_share_slots():
    single, double = sc.shared(np.ones(2, "float32"), name="a"), sc.shared(np.ones(2), name="b")
    sgd = SGD(0.1, momentum=0.5)
    gradients = sc.grad(sc.sum(single) + sc.sum(double), [single, double])
    first, again = (sgd.updates([single, double], gradients) for _ in range(2))
    assert first.keys() == again.keys() and len(first) == 4
    assert all(shared.dtype == new.dtype for shared, new in first.items())


@pytest.mark.parametrize("options", [{"momentum": 1.0}, {"momentum": -0.1}, {"weight_decay": -1}, {"nesterov": True}])
def test_values_out_of_range(options):
    with pytest.raises(sc.errors.InputError):
        SGD(0.1, **options)


@pytest.mark.parametrize("rate", [-0.1, float("nan"), float("inf")])
def test_rate_out_of_range(rate):
    with pytest.raises(sc.errors.InputError, match="learning_rate"):
        SGD(rate)
    sgd = SGD(0.1)
    with pytest.raises(sc.errors.InputError, match="learning_rate"):
        sgd.learning_rate = rate


def test_typos():
    with pytest.raises(sc.errors.InputError, match="did you mean 'momentum'"):
        SGD(0.1, momentun=0.9)


def test_one_gradient_per_parameter():
    with pytest.raises(sc.errors.InputError, match="one gradient per parameter"):
        SGD(0.1).updates([sc.shared(np.ones(2))], [])


def test_cosine_decay():
    factors = [cosine_decay(8)(epoch) for epoch in range(9)]
    assert factors[0] == 1 and factors[4] == pytest.approx(0.5) and factors[8] == pytest.approx(0)
    assert factors == sorted(factors, reverse=True)
