"""Penalties and constraints against NumPy, PyTorch and weight decay; which parameters they choose."""

import numpy as np
import pytest

import symcnn as sc
from symcnn.errors import InputError
from symcnn.regularize import L1, L2, Constraint, MaxNorm, NonNegative, Penalty, UnitNorm


@pytest.fixture
def model():
    found = sc.nn.Sequential(
        conv=sc.nn.Conv2d(2, 3, 3, seed=0),
        flatten=sc.nn.Flatten(),
        dense=sc.nn.Dense(12, 4, seed=1),
        in_shape=(2, 4, 4),
    )
    for parameter in found.parameters():
        parameter.set_value(np.random.default_rng(parameter.size).normal(size=parameter.shape))
    return found


@pytest.fixture
def batch():
    return np.random.default_rng(0).normal(size=(5, 2, 4, 4)), np.arange(5) % 4


def value(expression):
    return float(sc.function([], expression, device="reference")())


# ---- penalties


def test_values_and_gradients(model):
    parameters = model.parameters()
    weights = [parameters[path].get_value().astype("float64") for path in ("conv.weight", "dense.weight")]
    absolute, squares = (sum(f(w).sum() for w in weights) for f in (np.abs, np.square))
    assert value(L1(0.3)(parameters)) == pytest.approx(0.3 * absolute, rel=1e-5)
    assert value(L2(0.3)(parameters)) == pytest.approx(0.3 * squares, rel=1e-5)
    both = (L1(0.3) + L2(0.2) + L2(0.1, "conv.bias"))(parameters)
    bias = parameters["conv.bias"].get_value()
    assert value(both) == pytest.approx(0.3 * absolute + 0.2 * squares + 0.1 * np.square(bias).sum(), rel=1e-5)
    gradient = sc.function([], sc.grad(both, parameters["dense.weight"]), device="reference")()
    np.testing.assert_allclose(gradient, 0.3 * np.sign(weights[1]) + 0.4 * weights[1], rtol=1e-5)


def test_patterns(model):
    parameters = model.parameters()
    squares = {path: np.square(p.get_value()).sum() for path, p in parameters.items()}
    assert value(L2(1, "conv")(parameters)) == pytest.approx(squares["conv.weight"] + squares["conv.bias"], rel=1e-5)
    assert value(L2(1, "*.bias", "dense")(parameters)) == pytest.approx(
        sum(squares.values()) - squares["conv.weight"], rel=1e-5
    )
    with pytest.raises(InputError, match="did you mean 'conv'"):
        L2(1, "con")(parameters)


def test_a_penalty_that_concerns_nothing(model, batch):
    model.freeze("*.weight")
    assert (L1(1) + L2(1))(model.trainable()) is None
    sc.train.compile_step(model, penalty=L1(1) + L2(1), device="reference")(*batch)


def test_patterns_of_frozen_parameters_are_no_mistakes(model, batch):
    penalty, constraint = L2(0.1, "conv") + L1(0.1), MaxNorm(1, "conv")
    model.freeze("conv")
    step = sc.train.compile_step(model, penalty=penalty, constraint=constraint, device="reference")
    before = model.parameters()["conv.weight"].get_value()
    step(*batch)
    np.testing.assert_array_equal(model.parameters()["conv.weight"].get_value(), before)
    model.unfreeze("conv")
    step(*batch)
    assert np.square(model.parameters()["conv.weight"].get_value()).sum(axis=(1, 2, 3)).max() <= 1 + 1e-6


def trained(model, batch, **options):
    """The weights after three steps; the model is as before."""
    start = [p.get_value() for p in model.parameters()]
    step = sc.train.compile_step(model, device="reference", **options)
    losses = [step(*batch) for _ in range(3)]
    found = {path: p.get_value() for path, p in model.parameters().items()}
    for parameter, before in zip(model.parameters(), start, strict=True):
        parameter.set_value(before)
    return found, losses


def test_l2_is_the_weight_decay_of_sgd(model, batch):
    everything = L2(0.05, "*")
    penalised, losses = trained(model, batch, optimizer=sc.optim.SGD(0.1, momentum=0.9), penalty=everything)
    decayed, expected = trained(model, batch, optimizer=sc.optim.SGD(0.1, momentum=0.9, weight_decay=0.1))
    for path, weight in penalised.items():
        np.testing.assert_allclose(weight, decayed[path], rtol=1e-5, atol=1e-6)
    assert losses == pytest.approx(expected, rel=1e-5)


def test_penalties_like_torch(torch):
    rng = np.random.default_rng(0)
    start, A = rng.normal(size=(4, 3)), rng.normal(size=(5, 4))
    theirs = torch.tensor(start, requires_grad=True)
    ((torch.tensor(A) @ theirs) ** 2).sum().add(0.2 * theirs.abs().sum() + 0.3 * (theirs**2).sum()).backward()
    w = sc.shared(start, name="w")
    cost = sc.sum(sc.square(sc.constant(A) @ w)) + (L1(0.2) + L2(0.3))({"w": w})
    found = sc.function([], sc.grad(cost, w), device="reference")()
    np.testing.assert_allclose(found, theirs.grad.numpy(), rtol=1e-12)


# ---- constraints


def projected(constraint, array):
    return sc.function([], constraint.project(sc.constant(array)), device="reference")()


@pytest.mark.parametrize(("shape", "unit"), [((6, 4), 1), ((4, 3, 2, 2), 0)])
def test_max_norm_like_torch(torch, shape, unit):
    array = np.random.default_rng(0).normal(size=shape)
    array[(slice(None),) * unit + (0,)] *= 0.01  # a unit within the bound
    found = projected(MaxNorm(1.5), array)
    np.testing.assert_allclose(found, torch.renorm(torch.tensor(array), 2, unit, 1.5).numpy(), rtol=1e-6)
    inside = (slice(None),) * unit + (0,)
    np.testing.assert_array_equal(found[inside], array[inside])


def test_axes_of_transposed_convolutions():
    array = np.random.default_rng(0).normal(size=(3, 4, 2, 2))
    found = projected(MaxNorm(0.5, axis=(0, 2, 3)), array)
    np.testing.assert_allclose(np.sqrt(np.square(found).sum(axis=(0, 2, 3))), 0.5, rtol=1e-12)


def test_unit_norm_and_non_negative():
    array = np.random.default_rng(0).normal(size=(4, 3, 2, 2))
    array[1] = 0
    norms = np.sqrt(np.square(projected(UnitNorm(), array)).sum(axis=(1, 2, 3)))
    np.testing.assert_allclose(norms, [1, 0, 1, 1], rtol=1e-12)
    np.testing.assert_array_equal(projected(NonNegative(), array), np.maximum(array, 0))


@pytest.mark.parametrize("device", ["reference", "cpu"])
def test_constraints_hold_after_every_step(model, batch, device):
    constraint = MaxNorm(0.5) + NonNegative("conv")
    step = sc.train.compile_step(model, optimizer=sc.optim.SGD(0.5), constraint=constraint, device=device)
    bias = model.parameters()["dense.bias"].get_value()
    for _ in range(2):
        step(*batch)
        found = {path: p.get_value() for path, p in model.parameters().items()}
        assert np.sqrt(np.square(found["conv.weight"]).sum(axis=(1, 2, 3))).max() <= 0.5 * (1 + 1e-6)
        assert np.sqrt(np.square(found["dense.weight"]).sum(axis=0)).max() <= 0.5 * (1 + 1e-6)
        assert found["conv.weight"].min() >= 0 and found["conv.bias"].min() >= 0
        assert found["dense.weight"].min() < 0
    assert abs(bias).max() > 0.5  # is free


def test_constraints_by_pattern(model, batch):
    weights, _ = trained(model, batch, constraint=MaxNorm(0.1, "dense.weight"))
    assert np.sqrt(np.square(weights["dense.weight"]).sum(axis=0)).max() == pytest.approx(0.1)
    assert np.sqrt(np.square(weights["conv.weight"]).sum(axis=(1, 2, 3))).max() > 0.5


def test_constraints_whose_pattern_matches_nothing(model, batch):
    step = sc.train.compile_step(model, constraint=NonNegative() + MaxNorm(1, "dens"), device="reference")
    with pytest.raises(InputError, match="did you mean 'dense'"):
        step(*batch)


# ---- what cannot be


@pytest.mark.parametrize(
    "make",
    [
        lambda: L1(-1),
        lambda: L1("0.1"),
        lambda: L2("conv*"),
        lambda: L2(float("nan")),
        lambda: L2(0.1, 3),
        lambda: MaxNorm(0),
        lambda: MaxNorm("conv*"),
        lambda: MaxNorm(1, 2),
        lambda: MaxNorm(1, axes=0),
        lambda: NonNegative(1),
        lambda: NonNegative(axis=0),
        lambda: L2(weight_decay=0.1),
    ],
)
def test_values_that_cannot_be(make):
    with pytest.raises(InputError):
        make()


def test_reprs():
    rules = L1(1e-5) + L2(1e-4, "conv*"), MaxNorm(3) + UnitNorm("out", axis=0) + NonNegative()
    assert list(map(repr, rules)) == [
        "L1(1e-05) + L2(0.0001, 'conv*')",
        "MaxNorm(3) + UnitNorm('out', axis=0) + NonNegative()",
    ]


def test_penalties_and_constraints_do_not_mix():
    for left, right in ((L1(1), MaxNorm(1)), (L1(1), 1), (MaxNorm(1), L1(1))):
        with pytest.raises(TypeError):
            left + right


def test_bases_are_to_be_completed(model):
    with pytest.raises(NotImplementedError, match="measure"):
        Penalty(1)(model.parameters())
    with pytest.raises(NotImplementedError, match="project"):
        Constraint()("conv.weight", model.parameters()["conv.weight"], model.parameters()["conv.weight"])
