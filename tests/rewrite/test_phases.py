"""Every phase keeps the value of what it rewrites, and the rules of algebra, stability and shape are reached."""

import numpy as np
import pytest

import symcnn as sc
from symcnn.ir.graph import evaluate, toposort
from symcnn.rewrite.engine import rewrite
from symcnn.rewrite.pipeline import PHASES
from symcnn.rewrite.specialize import SPECIALIZE

X = sc.input("x", (3, 4), "float64")
VALUES = {X: np.random.default_rng(0).uniform(0.2, 0.9, (3, 4))}

EXPRESSIONS = {
    "neutral": lambda x: ((x + 0) * 1 - 0) / 1,
    "signs": lambda x: sc.negative(-x) + (-x) * (-x) - (-x) + -(x - 2),
    "powers": lambda x: x**2 + x**3 + x**0.5 + x**-1 + x**1,
    "constants": lambda x: 2 * (3 * x) / 4,
    "choices": lambda x: sc.where(~(x > 0.5), x, -sc.where(x > 0.5, x, 0)),
    "sigmoid": lambda x: 1 / (1 + sc.exp(-x)) + sc.exp(x) / (1 + sc.exp(x)) + sc.log(sc.sigmoid(x)),
    "logarithms": lambda x: sc.log(1 + sc.exp(x)) + sc.log(1 - x) + sc.exp(x) - 1 + sc.log(sc.exp(x)),
    "softmax": lambda x: sc.log(sc.exp(x) / sc.sum(sc.exp(x), axis=1, keepdims=True)),
    "log-sum-exp": lambda x: sc.log(sc.sum(sc.exp(x), axis=1)),
    "transposes": lambda x: sc.exp(x.T).T + x.T.T,
    "reshapes": lambda x: x.reshape(12).reshape(3, 4) + x.reshape(1, 3, 4).reshape(3, 4),
    "axes": lambda x: sc.squeeze(sc.expand_dims(x, 1), 1) + sc.sum(x, axis=1, keepdims=True).reshape(3, 1),
    "broadcasts": lambda x: x * sc.broadcast_to(sc.sum(x), (3, 4)) + sc.zeros_like(x) + sc.ones_like(x),
    "totals": lambda x: sc.sum(x) + sc.max(x) + sc.sum(sc.stop_gradient(x), axis=1)[0],
}


@pytest.mark.parametrize("make", EXPRESSIONS.values(), ids=EXPRESSIONS)
@pytest.mark.parametrize("phase", PHASES)
def test_a_phase_keeps_the_value(phase, make):
    before = make(X)
    (after,), applications = rewrite([before], PHASES[phase])
    np.testing.assert_allclose(*(evaluate([v], VALUES)[0] for v in (after, before)), rtol=1e-12)
    for application in applications:
        assert application.before is not application.after
        assert application.rule.source.line > 0 and application.rule.name in str(application)


def test_the_expressions_above_reach_the_algebraic_rules():
    used = set()
    for make in EXPRESSIONS.values():
        outputs = [make(X)]
        for rules in PHASES.values():
            outputs, applications = rewrite(outputs, rules)
            used.update(a.rule.name for a in applications)
    assert {"x + 0 = x", "-(-x) = x", "1 / (1 + exp(-x)) = sigmoid(x)", "log(sum(exp(x))) = logsumexp(x)"} <= used
    assert len(used) >= 25


def op_names(v):
    return {u.op.name for u in toposort([v]) if u.op is not None}


@pytest.mark.parametrize("exponent", [k / 4 for k in range(-16, 17) if k not in (0, 4)])
def test_powers_to_quarters_are_roots_and_products(exponent):
    x = sc.input("x", (5,))
    given = np.array([0.0, 1e-9, 0.7, 1e9, np.inf], "float32")
    (after,), _ = rewrite([x**exponent], SPECIALIZE)
    assert "power" not in op_names(after) and after.type == x.type
    with np.errstate(all="ignore"):
        np.testing.assert_allclose(evaluate([after], {x: given})[0], given ** np.float32(exponent), rtol=5e-7)


@pytest.mark.parametrize(
    "make",
    [
        lambda x: x**0.3,
        lambda x: x**5,
        lambda x: x ** sc.constant(np.array([1.0, 2.0, 3.0], "float32")),
        lambda x: sc.constant(2.0) ** x,
        lambda x: x.astype("int32") ** 0.5,
    ],
)
def test_other_powers_stay(make):
    (after,), _ = rewrite([make(sc.input("x", (3,)))], SPECIALIZE)
    assert "power" in op_names(after)


@pytest.mark.parametrize("exponent", [2, 3, 4])
def test_powers_of_integers_wrap_around(exponent):
    x = sc.input("x", (3,), "int8")
    (after,), _ = rewrite([x**exponent], SPECIALIZE)
    given = np.array([-128, 7, 100], "int8")
    assert "power" not in op_names(after)
    np.testing.assert_array_equal(evaluate([after], {x: given})[0], given**exponent)


@pytest.mark.parametrize("make", [lambda u, x: x + (-u), lambda u, x: abs(-u) * 1.0, lambda u, x: (-u) * (-x)])
def test_unsigned_integers_wrap_around(make):
    """-1 is 255 in uint8, so the sign may not move into a wider dtype."""
    u, x = sc.input("u", (3,), "uint8"), sc.input("x", (3,), "float64")
    given = np.array([0, 1, 200], "uint8"), np.array([0.5, 1.0, 2.0])
    f, reference = (sc.function([u, x], make(u, x) + x, device=d) for d in ("cpu", "reference"))
    (expected,) = evaluate([make(u, x) + x], dict(zip((u, x), given, strict=True)))
    np.testing.assert_array_equal(f(*given), expected)
    np.testing.assert_array_equal(reference(*given), expected)
