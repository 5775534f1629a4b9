"""The checkers of exercises: right answers pass, wrong ones get a hint, nothing that a learner gives raises."""

import re
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

from notebooks import checks
from notebooks.checks import compare

ROOT = Path(__file__).resolve().parents[2]
ANSWERS = [import_module(f"tests.notebooks.answers.{path.stem}") for path in sorted((ROOT / "tests/notebooks/answers").glob("n*.py"))]  # fmt: skip


def answers(kind):
    return [
        pytest.param(exercise, answer, id=f"{exercise}-{i}")
        for module in ANSWERS
        for exercise, given in getattr(module, kind).items()
        for i, answer in enumerate(given)
    ]


@pytest.mark.parametrize(("exercise", "answer"), answers("RIGHT"))
def test_right_answers_pass(exercise, answer):
    assert checks.verdict(exercise, answer).right


@pytest.mark.parametrize(("exercise", "answer"), answers("WRONG"))
def test_wrong_answers_get_a_hint(exercise, answer):
    verdict = checks.verdict(exercise, answer)
    assert verdict.right is False
    assert re.match(r"not yet\. \S", verdict.text)


def exercises() -> set[str]:
    """Every exercise that has a checker."""
    found = set()
    for path in (ROOT / "notebooks/checks").glob("n*.py"):
        names = re.findall(r"^def exercise_(\d+)\(", path.read_text(), re.MULTILINE)
        found |= {f"{path.stem[1:]}-{number}" for number in names}
    return found


def test_every_checker_is_tried_with_right_and_wrong_answers_and_used():
    used = set()
    for path in (ROOT / "notebooks").glob("*.ipynb"):
        used |= set(re.findall(r'check\(\\"(\d\d-\d)\\"', path.read_text()))
    assert exercises() == used
    assert exercises() == {name for module in ANSWERS for name, given in module.RIGHT.items() if given}
    assert exercises() == {name for module in ANSWERS for name, given in module.WRONG.items() if len(given) >= 2}


@pytest.mark.parametrize("exercise", sorted(exercises()))
@pytest.mark.parametrize(
    "answer", ["a word", object(), [], [1, "2"], {}, float("nan"), np.zeros((2, 0)), lambda: 0, print]
)
def test_anything_may_be_an_answer(exercise, answer):
    assert checks.verdict(exercise, answer).right is False


@pytest.mark.parametrize("nothing", [None, ...])
def test_no_answer_is_not_a_wrong_one(nothing, capsys):
    exercise = min(exercises())
    assert checks.verdict(exercise, nothing).right is None
    checks.check(exercise, nothing)
    assert capsys.readouterr().out == f"{exercise}: no answer yet.\n"


@pytest.mark.parametrize("exercise", ["05-9", "99-1", "5-2", "", "05", "../05-2"])
def test_a_name_of_no_exercise_is_an_error(exercise):
    with pytest.raises(ValueError, match="such as '05-2'"):
        checks.check(exercise, 1)


@pytest.mark.parametrize("answer", [2.0, 2, np.float32(2), "2", 2.001])
def test_a_number_is_compared_within_a_tolerance(answer):
    compare.same(answer, 2.0)


@pytest.mark.parametrize("answer", [2.01, [2.0], "two", None, 1j, np.nan, np.inf])
def test_another_number_is_not_the_same(answer):
    with pytest.raises(compare.Wrong):
        compare.same(answer, 2.0)


def test_an_array_is_compared_relative_to_its_largest_entry():
    compare.same([100.0, 1e-3], [100.0, 0.0])
    with pytest.raises(compare.Wrong, match="hint"):
        compare.same([100.0, 1.0], [100.0, 0.0], "hint")
    with pytest.raises(compare.Wrong, match=r"shape \(2,\), not of shape \(3,\)"):
        compare.same([1.0, 2.0, 3.0], [1.0, 2.0])
