"""Ops and the kernels that compute them: every op has one, or a reason."""

import numpy as np
import pytest

import symcnn as sc
from symcnn.viz.kernels import kernels_of


@pytest.fixture(scope="module")
def f():
    x = sc.input("x", (None, 6))
    w = sc.shared(np.ones((6, 6), "float32"), "w")
    y = sc.relu(x @ w) @ w
    return sc.function([x], [y, sc.reshape(y, (-1,)), sc.zeros_like(sc.exp(x))], device="reference")


def test_every_op_is_computed_or_says_why_not(f):
    data, reasons = kernels_of(f), {}
    for name, text, _, by in data["ops"]:
        if isinstance(by, str):
            reasons[text.split("(")[0]] = by
        else:
            assert by and all(f"{name} = {text}" in data["kernels"][k]["ops"] for k in by)
    assert reasons.pop("exp") == "only its shape is asked for"
    assert reasons and set(reasons.values()) == {"a view: no work"}
    assert sum(len(k["ops"]) for k in data["kernels"]) == sum(len(by) for *_, by in data["ops"] if isinstance(by, list))


def test_names_are_those_of_the_printed_graph(f):
    printed = str(f.stages["layout"]).replace("shape of ", "").splitlines()
    assert [f"{name} = {text} : {type}" for name, text, type, _ in kernels_of(f)["ops"]] == [
        line for line in printed if ") : " in line
    ]


def test_sources_are_there_once(f):
    data = kernels_of(f)
    assert len(set(data["sources"])) == len(data["sources"])
    assert [data["sources"][k["source"]] for k in data["kernels"]] == [k.source for k in f.kernels]
    assert [k["nest"] for k in data["kernels"]] == str(f.stages["nests"]).split("\n\n")
