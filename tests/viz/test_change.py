"""What a rewrite is said to have done: both sides agree on numbers, and what goes and what comes is on one side only."""

import re

import numpy as np
import pytest

import symcnn as sc
from symcnn.ir.graph import evaluate, leaves, toposort
from symcnn.ir.variable import Input
from symcnn.viz.change import change
from symcnn.viz.notation import written

rng = np.random.default_rng(0)


def neuron():
    names = ("w0", "x0", "w1", "x1", "w2")
    w0, x0, w1, x1, w2 = inputs = [sc.input(name, ()) for name in names]
    f = 1 / (1 + np.exp(-(w0 * x0 + w1 * x1 + w2)))
    return sc.function(inputs, [f, *sc.grad(f, inputs)], device="reference")


def convolutions():
    x = sc.input("x", (2, 3, 8, 8))
    w = sc.shared(rng.normal(size=(4, 3, 3, 3)).astype("float32"), "w")
    b = sc.shared(np.ones(4, "float32"), "b")
    y = sc.relu(sc.max_pool2d(sc.conv2d(x, w) + sc.reshape(b, (1, -1, 1, 1)), 2))
    cost = sc.mean(sc.logsumexp(sc.reshape(y, (2, -1)), axis=1))
    return sc.function([x], cost, updates={w: w - sc.grad(cost, w), b: b - sc.grad(cost, b)}, device="reference")


def log_softmax():
    x = sc.input("x", (4, 5))
    return sc.function([x], sc.log(sc.softmax(x)), device="reference")


def batch_norm():
    model = sc.nn.Sequential(
        sc.nn.Conv2d(1, 2, 3), sc.nn.BatchNorm(2), sc.nn.Flatten(), sc.nn.Dense(8, 2), in_shape=(1, 4, 4)
    )
    step = sc.train.compile_step(model, device="reference")
    step.compile(np.zeros((2, 1, 4, 4), "float32"), np.zeros(2, "int64"))
    return step.function


def applications(f):
    return [a for phase in f.phases for a in phase.applications]


def ops(variables):
    return sorted(v.op.name for v in variables if v.op is not None)


@pytest.mark.parametrize("make", [neuron, convolutions, log_softmax, batch_norm])
def test_both_sides_are_equal_for_any_numbers_in_place_of_the_letters(make):
    every = applications(make())
    assert every
    for application in every:
        found = change(application)
        values = {
            v: rng.uniform(0.1, 1, [2 if d is None else d for d in v.shape]).astype(v.dtype)
            for v in leaves([found.before, found.after])
            if isinstance(v, Input)
        }
        before, after = evaluate([found.before, found.after], values)
        np.testing.assert_allclose(after, before, rtol=1e-4, err_msg=str(application))


@pytest.mark.parametrize("make", [neuron, convolutions, log_softmax, batch_norm])
def test_what_goes_is_before_and_not_after_and_the_other_way_round(make):
    for application in applications(make()):
        found = change(application)
        before, after = set(toposort([found.before])), set(toposort([found.after]))
        assert found.before in found.removed and found.removed <= before - after
        assert found.added <= after - before


def test_a_known_rewrite():
    (application,) = log_softmax().stages["stabilize"].applications
    found = change(application)
    assert (ops(found.removed), ops(found.added)) == (["divide", "log"], ["log", "subtract"])
    assert (
        written(found.before, {}) == "log(exp(a) / sum(exp(a)))" and written(found.after, {}) == "a - log(sum(exp(a)))"
    )
    assert found.where() == ["a = x - max(x) : float32[4, 5]"]
    before, after = found.drawings()
    assert before.count('class="sign"') == before.count("\N{MINUS SIGN}</text>") == 2
    assert len(re.findall(r'class="box [^"]*added"', after)) == 2 and "removed" not in after


def test_letters_keep_away_from_the_names_of_inputs():
    a, b = sc.input("a", (3,)), sc.input("b", (3,))
    f = sc.function([a, b], sc.log(sc.exp(a) / (a + b)), device="reference")
    found = change(next(x for x in applications(f) if x.rule.name == "log(exp(x) / y) = x - log(y)"))
    assert (written(found.before, {}), written(found.after, {})) == ("log(exp(a) / c)", "a - log(c)")
    assert found.where() == ["c = a + b : float32[3]"]
