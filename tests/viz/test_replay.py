"""The replay of rewrites: which are told, how often each rule was applied, and where rules are found."""

from pathlib import Path

import pytest

import symcnn as sc
from symcnn.ir.variable import Origin
from symcnn.viz.replay import chosen, place, replay_of, source

from .test_change import convolutions, log_softmax, neuron


def test_every_rule_is_told_before_any_is_told_again():
    every = convolutions().stages["layout"].applications
    rules = [a.rule.name for a in every]
    told = [rules[k] for k in chosen(rules, len(set(rules)))]
    assert len(told) < len(rules) and sorted(told) == sorted(set(rules))
    assert chosen(rules, 10_000) == list(range(len(rules)))


def test_counts_add_up():
    f = convolutions()
    data = replay_of(f, 5)
    assert data["total"] == sum(rule[4] for rule in data["rules"]) == sum(len(phase.applications) for phase in f.phases)
    assert len(data["steps"]) == 5
    for phase, name, _, text, count in data["rules"]:
        assert text and count == sum(a.rule.name == name for a in f.stages[phase].applications)


def test_steps_say_their_rule_and_their_number():
    f = convolutions()
    data = replay_of(f, 10_000)
    every = [a for phase in f.phases for a in phase.applications]
    assert [step["number"] for step in data["steps"]] == list(range(len(every)))
    assert [data["rules"][step["rule"]][1] for step in data["steps"]] == [a.rule.name for a in every]


@pytest.mark.parametrize("make", [neuron, convolutions, log_softmax])
def test_rules_are_found_in_their_files(make):
    for rule in {a.rule for phase in make().phases for a in phase.applications}:
        file, line = place(rule.source).split(":")
        lines = (Path(sc.__file__).parents[1] / file).read_text().splitlines()
        text = source(rule.source)
        assert lines[int(line) - 1] in text
        assert rule.name in text or rule.name.replace(" ", "_") in text


def test_rules_from_elsewhere_tell_no_path(tmp_path):
    file = tmp_path / "rules.py"
    file.write_text("first = 1\nsecond = (\n    2,\n)\n")
    assert place(Origin(str(file), 3)) == "rules.py:3" and source(Origin(str(file), 3)) == "second = (\n    2,\n)"
    assert source(Origin(str(tmp_path / "none.py"), 7)) == ""
