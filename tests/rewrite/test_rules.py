"""Every rule written as a pattern keeps the value: its left side is built and compared with what the rule makes of it."""

import itertools

import numpy as np
import pytest

import symcnn as sc
from symcnn.ir.graph import evaluate
from symcnn.ir.op import build
from symcnn.ir.variable import Constant
from symcnn.rewrite.engine import rewrite
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


# ---- rules written as functions, and rules together: the whole pipeline on expressions made for them


def x64(*shape, name="x"):
    return sc.input(name, shape, "float64")


EXPRESSIONS = {  # expression; names of rules that must be used
    "constant folding": (lambda x: x + (sc.constant(2.0) * 3 - sc.sum(sc.constant([1.0, 2.0]))), {"constant folding"}),
    "zeros": (lambda x: x + sc.zeros_like(x), {"x + 0 = x"}),
    "ones": (lambda x: sc.ones_like(x) * x, {"x * 1 = x"}),
    "casts": (lambda x: x.astype("float64").astype("float32").astype("float64"), set()),
    "casts of integers": (lambda x: (x > 0).astype("int8").astype("int32").astype("float64"), {"cast of cast"}),
    "transposes": (lambda x: sc.transpose(sc.transpose(x, (1, 0)), (1, 0)) * 2, {"transpose of transpose"}),
    "three transposes": (lambda x: sc.transpose(sc.transpose(sc.reshape(x, (3, 2, 2)), (2, 0, 1)), (2, 0, 1)), {"transpose of transpose"}),
    "reshapes": (lambda x: sc.reshape(sc.reshape(x, (12,)), (2, 6)), {"reshape of reshape"}),
    "reshape back": (lambda x: sc.reshape(sc.reshape(x, (12,)), (3, 4)) + 1, {"reshape of reshape"}),
    "squeeze of expand": (lambda x: sc.squeeze(sc.expand_dims(x, 1), 1) - 1, {"squeeze of expand_dims"}),
    "broadcast": (lambda x: sc.broadcast_to(x[0], (3, 4)) * x, {"an elementwise op broadcasts by itself"}),
    "sum of a broadcast": (lambda x: sc.sum(sc.broadcast_to(sc.max(x), (5, 6))), {"the sum of a broadcast is a multiple"}),
    "stop": (lambda x: sc.stop_gradient(x) * 2, {"stop gradient"}),
    "transposes in a chain": (lambda x: sc.transpose(sc.tanh(sc.exp(sc.transpose(x)) * 2)), {"move a transpose past an elementwise op"}),
    "two transposed operands": (lambda x: sc.transpose(x) + sc.transpose(x * x), {"move a transpose past an elementwise op"}),
    "reduce everything": (lambda x: sc.sum(x) + sc.prod(x) + sc.max(x) + sc.min(x), {"reduce everything in two steps, the first parallel"}),
    "rows": (lambda x: sc.sum(x, axis=1) * sc.max(x, axis=1), {"reduce rows with their axes kept, then squeeze"}),
    "softmax": (lambda x: sc.exp(x) / sc.sum(sc.exp(x), axis=1, keepdims=True), {"exp(x) / sum(exp(x)) = softmax(x)"}),
    "logsumexp": (lambda x: sc.log(sc.sum(sc.exp(x), axis=0)), {"log(sum(exp(x))) = logsumexp(x)"}),
    "logmeanexp": (lambda x: sc.log(sc.mean(sc.exp(x), axis=0)), {"log(sum(exp(x)) / n) = logsumexp(x) - log(n)"}),
    "not transposed alike": (lambda x: sc.transpose(sc.reshape(x, (2, 2, 3)), (2, 0, 1)) + sc.transpose(sc.reshape(x, (2, 3, 2)), (1, 0, 2)), set()),
    "two sided": (lambda x: (-x) * (-x) + sc.abs(-x) - (-x), {"abs(-x) = abs(x)", "x - (-y) = x + y"}),
    "choices": (lambda x: sc.where(sc.logical_not(x > 0), x, 2 * x), {"where(not c, x, y) = where(c, y, x)"}),
    "powers": (lambda x: x**2 + x**3 + abs(x) ** 0.5 + (x + 9) ** -1, {"x ** 2 = square(x)", "x ** 3 = x * square(x)", "x ** 0.5 = sqrt(x)", "x ** -1 = 1 / x"}),
}  # fmt: skip


@pytest.mark.parametrize("case", EXPRESSIONS)
def test_the_phases_keep_the_value(case):
    build_it, expected = EXPRESSIONS[case]
    x = x64(3, 4)
    y = build_it(x)
    g = sc.grad(sc.sum(sc.square(y)), x)
    phases = simplify([y, g])
    values = {x: RNG.normal(size=(3, 4))}
    first = evaluate(phases[0].outputs, values)
    for phase in phases[1:]:
        for old, new in zip(first, evaluate(phase.outputs, values), strict=True):
            assert old.dtype == new.dtype
            np.testing.assert_allclose(new, old, rtol=1e-10, atol=1e-10)
    used = {a.rule.name for phase in simplify([y]) for a in phase.applications}
    assert expected <= used


@pytest.mark.parametrize("case", EXPRESSIONS)
def test_what_is_simplified_stays_as_it_is(case):
    phases = simplify([EXPRESSIONS[case][0](x64(3, 4))])
    for name, rules in PHASES.items():
        outputs = next(p.outputs for p in phases if p.name == name)
        assert rewrite(outputs, rules) == (list(outputs), [])


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
    x = x64(3)
    outputs = [x * 0, x - x, x / x, x * 1, 0 - x, sc.where(sc.isnan(x), 0, x)]
    values = {x: np.array([np.nan, np.inf, 1.0])}
    for old, new in zip(evaluate(outputs, values), evaluate(simplify(outputs)[-1].outputs, values), strict=True):
        np.testing.assert_array_equal(new, old)
