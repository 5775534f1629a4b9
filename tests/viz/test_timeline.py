"""The memory plan as a timeline: what is said to be in use is what buffers cover."""

import numpy as np
import pytest

import symcnn as sc
from symcnn.viz.timeline import KINDS, memory_of


@pytest.fixture(scope="module")
def step():
    made = sc.train.compile_step(sc.models.lenet(seed=0), device="reference")
    return made.compile(np.zeros((2, 1, 28, 28), "float32"), np.zeros(2, "int64"))


def test_bytes_in_use_are_those_that_buffers_cover(step):
    data = memory_of(step)
    temporaries = [b for b in data["buffers"] if b[5] >= 0]
    for k, live in enumerate(data["live"]):
        covered = np.zeros(data["arena"], bool)
        for *_, nbytes, offset, first, last in temporaries:
            if first <= k <= last:
                covered[offset : offset + nbytes] = True
        assert covered.sum() == live
    assert (
        max(data["live"])
        <= data["arena"]
        == max(b[4] + b[5] for b in temporaries) // 64 * 64 + 64 * bool(max(b[4] + b[5] for b in temporaries) % 64)
    )


def test_kinds_add_up_to_the_peak(step):
    data = memory_of(step)
    assert sum(count for _, count in data["kinds"]) == data["peak"] == step.memory_plan.peak_bytes
    assert {kind for kind, _ in data["kinds"]} <= set(KINDS.values())
    assert len(data["buffers"]) == len(step.memory_plan.buffers) and len(data["steps"]) == len(step.kernels)


def test_types_are_those_of_the_call(step):
    shapes = {b[2] for b in memory_of(step)["buffers"] if b[3] == "temporary"}
    assert "float32[2, 24, 24, 20]" in shapes and not any("?" in shape for shape in shapes)


def test_without_shapes_it_says_how_to_name_them():
    x = sc.input("x", (None, 3))
    f = sc.function([x], sc.exp(x), device="reference")
    assert memory_of(f).keys() == {"missing"} and "f.bind" in memory_of(f)["missing"]
