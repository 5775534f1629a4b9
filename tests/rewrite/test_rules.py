"""Every rule written as a pattern keeps the value: its left side is built and compared with what the rule makes of it."""

import itertools

import numpy as np
import pytest

import symcnn as sc
from symcnn.ir.graph import evaluate
from symcnn.ir.op import build
from symcnn.ir.variable import Constant
from symcnn.rewrite.pipeline import PHASES, simplify

RULES = [
    pytest.param(rules, rule, id=f"{phase}: {rule.name}")
    for phase, rules in PHASES.items()
    for rule in rules
    if rule.pattern
]
DTYPES = ("float64", "float32", "int64", "int16", "uint8", "bool")
RNG = np.random.default_rng(0)


def wildcards(pattern):
    """Names of the wildcards, and whether each stands for a constant."""
    found = {}
    stack = [pattern]
    while stack:
        p = stack.pop()
        if p.name:
            found[p.name] = p.constant
        stack.extend(p.args)
    return found


def draw(dtype, shape):
    if dtype == "bool":
        return RNG.integers(0, 2, shape).astype(dtype)
    low = 0 if dtype == "uint8" else -5
    return RNG.uniform(low, 6, shape).astype(dtype)


def left_side(pattern, leaves, number_dtype):
    """The pattern as graph."""
    if pattern.name:
        return leaves[pattern.name]
    if not pattern.op:
        return sc.constant(pattern.value, number_dtype)
    return build(pattern.op, *(left_side(p, leaves, number_dtype) for p in pattern.args))


def same(a, b, dtype):
    if dtype.kind != "f":
        np.testing.assert_array_equal(a, b)
        return
    tolerance = 1e-4 if dtype == np.float32 else 1e-9
    # Where the left side overflowed or cancelled the rule may do better, but not the other way round.
    finite = np.isfinite(a)
    np.testing.assert_allclose(b[finite], a[finite], rtol=tolerance, atol=tolerance)
    assert not np.isnan(b[np.isinf(a)]).any()


@pytest.mark.parametrize(("rules", "rule"), RULES)
def test_a_rule_keeps_the_value(rules, rule):
    """For every combination of dtypes, promoted as NumPy promotes them; stretched operands too."""
    kinds = wildcards(rule.pattern)
    applied = 0
    for dtypes in itertools.product(DTYPES, repeat=len(kinds)):
        for shapes in itertools.product([(2, 3), (1, 3), ()], repeat=len(kinds)):
            if len(kinds) > 2 and len(set(shapes)) > 1 and shapes[-1] != (1, 3):
                continue
            values, leaves = {}, {}
            for (name, constant), dtype, shape in zip(kinds.items(), dtypes, shapes, strict=True):
                array = draw(dtype, () if constant else shape)
                leaves[name] = sc.constant(array) if constant else sc.input(name, shape, dtype)
                values[leaves[name]] = array
            for number_dtype in dict.fromkeys((*dtypes, "float32")):
                try:
                    before = left_side(rule.pattern, leaves, number_dtype)
                except (sc.SymcnnError, TypeError):  # NumPy has no such function: the negative of a bool
                    continue
                after = rule.apply(before, frozenset())
                if after is None or not before.type.accepts(after.type):
                    continue  # the engine refuses what would change the type
                applied += 1
                given = {v: a for v, a in values.items() if not isinstance(v, Constant)}
                old, new = evaluate([before, after], given)
                same(old, new, before.dtype)
    assert applied, "the rule never applies"


def test_unknown_sizes_are_not_assumed():
    """Nothing is simplified on the grounds of a size that is not known."""
    x, y = sc.input("x", (None, 3), "float64"), sc.input("y", (None, 3), "float64")
    outputs = [
        sc.reshape(x, (-1, 3)) + y,
        sc.reshape(sc.reshape(x, (-1,)), (-1, 3)) * y,
        sc.sum(sc.broadcast_like(sc.max(x), y)),
        sc.broadcast_like(sc.sum(x, axis=0), y) * y,
        x[:5] - y[:5],
        sc.mean(x, axis=0) + sc.mean(y),
    ]
    phases = simplify(outputs)
    for n in (1, 2, 7):
        values = {x: RNG.normal(size=(n, 3)), y: RNG.normal(size=(n, 3))}
        first = evaluate(outputs, values)
        for old, new in zip(first, evaluate(phases[-1].outputs, values), strict=True):
            np.testing.assert_allclose(new, old, rtol=1e-12)


def test_nan_and_infinity_survive():
    """Rules may not assume them away: x * 0, x - x, x / x are not folded."""
    x = sc.input("x", (3,), "float64")
    outputs = [x * 0, x - x, x / x, x * 1, 0 - x, sc.where(sc.isnan(x), 0, x)]
    values = {x: np.array([np.nan, np.inf, 1.0])}
    for old, new in zip(evaluate(outputs, values), evaluate(simplify(outputs)[-1].outputs, values), strict=True):
        np.testing.assert_array_equal(new, old)


def test_the_logarithm_of_an_empty_sum_stays_minus_infinity():
    x = sc.input("x", (2, 0))
    f = sc.function([x], sc.log(sc.sum(sc.exp(x), 1)), device="reference")
    assert f(np.zeros((2, 0))).tolist() == [-np.inf, -np.inf]
