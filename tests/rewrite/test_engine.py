"""The engine: it ends whatever the rules, records what it does, and leaves alone what it is told to."""

import time

import pytest

import symcnn as sc
from symcnn.ir.graph import toposort
from symcnn.rewrite.engine import STEPS_PER_NODE, Rules, rewrite
from symcnn.rewrite.pattern import const, fn, match, wild

x_, y_ = wild("x"), wild("y")
exp_, sin_, cos_ = fn("exp"), fn("sin"), fn("cos")


@pytest.fixture
def x():
    return sc.input("x", (3,))


def rules_of(*pairs):
    rules = Rules()
    for k, (pattern, build) in enumerate(pairs):
        rules(f"rule {k}", pattern, build)
    return rules


def test_a_rule_is_applied_everywhere_once(x):
    rules = rules_of((exp_(x_), lambda x: sc.sin(x)))
    shared = sc.exp(x)
    (found,), applications = rewrite([shared * shared + sc.exp(shared)], rules)
    assert found is sc.sin(x) * sc.sin(x) + sc.sin(sc.sin(x))
    assert [(a.before, a.after) for a in applications] == [
        (shared, sc.sin(x)),
        (sc.exp(sc.sin(x)), sc.sin(sc.sin(x))),
    ]


def test_an_application_tells_rule_line_before_and_after(x):
    rules = rules_of((exp_(x_), lambda x: sc.sin(x)))
    _, (application,) = rewrite([sc.exp(x)], rules)
    assert application.rule.name == "rule 0"
    assert application.rule.source.file == __file__
    assert "rule 0 (test_engine.py:" in str(application)
    assert application.before is sc.exp(x)
    assert application.after is sc.sin(x)


def test_what_a_rule_makes_is_rewritten_in_turn(x):
    rules = rules_of((exp_(x_), lambda x: sc.sin(x)), (sin_(x_), lambda x: sc.cos(x)))
    (found,), applications = rewrite([sc.exp(x)], rules)
    assert found is sc.cos(x)
    assert len(applications) == 2


def test_results_meet_what_was_simplified_before(x):
    """exp(x) becomes sin(x), which had become cos(x) already."""
    rules = rules_of((exp_(x_), lambda x: sc.sin(x)), (sin_(x_), lambda x: sc.cos(x)))
    found, _ = rewrite([sc.sin(x), sc.exp(x)], rules)
    assert found[0] is found[1] is sc.cos(x)


CIRCLES = {
    "a pair": [(exp_(x_), lambda x: sc.sin(x)), (sin_(x_), lambda x: sc.exp(x))],
    "three": [(exp_(x_), lambda x: sc.sin(x)), (sin_(x_), lambda x: sc.cos(x)), (cos_(x_), lambda x: sc.exp(x))],
    "itself inside": [(exp_(x_), lambda x: sc.exp(x) + 0)],
    "itself below another": [(exp_(x_), lambda x: sc.sin(sc.exp(x)))],
    "itself after a detour": [(exp_(x_), lambda x: sc.sin(x) + 1), (sin_(x_), lambda x: sc.exp(x) * 2)],
    "itself once simplified": [(exp_(x_), lambda x: sc.exp(x * 1.5) + 0), (x_ * 1.5, lambda x: x)],
    "growing": [(exp_(x_), lambda x: sc.exp(sc.sin(x)))],
    "growing outwards": [(x_ + y_, lambda x, y: (x * 1.0 + y) * 1.0)],
    "doubling": [(exp_(x_), lambda x: sc.exp(sc.sin(x)) + sc.exp(sc.cos(x)))],
    "commuting": [(x_ + y_, lambda x, y: y + x)],
}


@pytest.mark.parametrize("case", CIRCLES)
def test_it_ends(x, case):
    """Circles are not entered, and growth has a budget."""
    y = (sc.exp(x) + sc.exp(2 * x)) * sc.exp(sc.exp(x))
    start = time.perf_counter()
    (found,), applications = rewrite([y], rules_of(*CIRCLES[case]))
    assert time.perf_counter() - start < 10
    assert len(applications) <= STEPS_PER_NODE * (len(toposort([y])) + 10)
    assert found.type == y.type


def test_a_rule_that_would_change_the_type_is_not_applied(x):
    rules = rules_of((exp_(x_), lambda x: sc.sum(x)), (sin_(x_), lambda x: sc.cos(x).astype("float64")))
    (found,), applications = rewrite([sc.exp(x) + sc.sin(x)], rules)
    assert found is sc.exp(x) + sc.sin(x)
    assert not applications


def test_opaque_variables_are_left_alone_and_not_looked_into(x):
    rules = rules_of((exp_(x_), lambda x: sc.sin(x)), (cos_(exp_(x_)), lambda x: x))
    e = sc.exp(x)
    (found,), _ = rewrite([sc.cos(e) + sc.exp(2 * x)], rules, frozenset([e]))
    assert found is sc.cos(e) + sc.sin(2 * x)


def test_the_users_line_is_kept(x):
    y = sc.exp(x)
    rules = rules_of((exp_(x_), lambda x: sc.sin(x)))
    (found,), _ = rewrite([sc.tanh(y)], rules)
    assert found.inputs[0].origin == y.origin


# ---- patterns


def test_patterns(x):
    y = sc.input("y", (3,))
    assert match(x_ + 1, x + 1) == {"x": x}
    assert match(1 + x_, x + 1) == {"x": x}  # sums commute
    assert match(x_ - 1, 1 - x) is None
    assert match(x_ / x_, x / x) == {"x": x}
    assert match(x_ / x_, x / y) is None
    assert match(exp_(-x_) * y_, y * sc.exp(-x)) == {"x": x, "y": y}
    assert match(x_ + 1, x + sc.ones(3)) is None  # a broadcast is no constant yet
    assert match(x_ + 1, x + sc.constant([1, 1, 1], "float32")) == {"x": x}
    assert match(x_ + 1, x + sc.constant([1, 2, 1], "float32")) is None
    assert match(const("c") * x_, x * 3)["x"] is x
    assert match(const("c") * x_, x * y) is None
    assert match(wild("x"), x) == {"x": x}
    assert match(exp_(x_), x) is None
    assert str(1 / (1 + exp_(-x_))) == "divide(1, add(1, exp(negative(x))))"
