"""The compiler's story: all of it is in the page, packed, bounded, and of no other machine's business."""

import base64
import json
import time
import zlib
from pathlib import Path

import numpy as np
import pytest

import symcnn as sc
from symcnn.errors import InputError
from symcnn.viz import story as story_of
from symcnn.viz.story import explanation


def unpacked(figure) -> dict:
    return json.loads(zlib.decompress(base64.b64decode(figure.live.data["packed"])))


def step_of(model, shape):
    step = sc.train.compile_step(model, optimizer=sc.optim.SGD(0.1, momentum=0.9), device="reference")
    step.compile(np.zeros((2, *shape), "float32"), np.zeros(2, "int64"))
    return step


@pytest.fixture(scope="module")
def lenet():
    return step_of(sc.models.lenet(seed=0), (1, 28, 28))


def test_every_stage_is_in_it(lenet):
    f = lenet.function
    figure = story_of(f)
    content, stages = unpacked(figure), f.stages
    before = ""
    for name, graph in content["graphs"].items():
        assert (graph is None) == (str(stages[name]) == before)
        if graph is not None:
            assert graph["text"] == str(stages[name]) and graph["svg"].startswith("<svg")
        before = str(stages[name])
    assert list(content["graphs"]) == list(f.node_counts)
    assert len(content["kernels"]) == len(f.kernels) and content["memory"]["peak"] == f.memory_plan.peak_bytes
    assert content["replay"]["total"] == sum(len(phase.applications) for phase in f.phases)
    assert [s["nodes"] for s in figure.live.data["stages"][:6]] == list(f.node_counts.values())


def test_the_still_picture_and_the_text_count_the_nodes(lenet):
    figure = story_of(lenet)
    for name, count in lenet.function.node_counts.items():
        assert f"{count:>5,} nodes  {name}:" in figure.text
        assert f". {name}<" in figure.svg and f">{count:,} nodes" in figure.svg


def test_a_page_is_small_and_tells_nothing_of_the_machine(lenet):
    page = story_of(lenet).html()
    assert len(page) < 250_000
    everything = page + json.dumps(unpacked(story_of(lenet)))
    assert str(Path(sc.__file__).parents[1]) not in everything and str(Path.home()) not in everything


def test_a_large_network_is_bounded_and_says_so():
    step = step_of(sc.models.googlenet(width=1 / 8), (3, 224, 224))
    start = time.process_time()
    figure = story_of(step)
    assert time.process_time() - start < 3
    assert len(figure.html()) < 1_500_000
    replay, graphs = unpacked(figure)["replay"], unpacked(figure)["graphs"]
    assert len(replay["steps"]) == 200 < replay["total"] == sum(rule[4] for rule in replay["rules"])
    assert [name for name, g in graphs.items() if g and "svg" in g] == ["expression", "layout"]
    still = explanation(step.explain())
    assert still.live is None and "sc.viz.story(f)" in still.text and "sc.viz.story(f)" in still.svg


def test_explain_is_the_story_in_a_notebook():
    x = sc.input("x", (3,))
    f = sc.function([x], sc.exp(x), device="reference")
    bundle = f.explain()._repr_mimebundle_()
    assert bundle["text/plain"] == story_of(f).text and "data-figure" in bundle["text/html"]
    assert not hasattr(f, "_repr_mimebundle_")  # a function itself is one line


def test_it_changes_nothing_and_comes_out_the_same(lenet):
    before = str(lenet.explain())
    assert story_of(lenet).html() == story_of(lenet).html()
    assert str(lenet.explain()) == before


def test_times_are_there_with_a_profile():
    x = sc.input("x", (50,))
    f = sc.function([x], [sc.exp(x), sc.sum(x)], device="reference")
    profile = f.profile(np.ones(50))
    rows = unpacked(story_of(f, profile))["times"]["rows"]
    assert [row[3] for row in rows] == [k.seconds * 1e3 for k in profile.kernels]
    assert unpacked(story_of(f))["times"] is None


@pytest.mark.parametrize(
    "outputs",
    [
        lambda x: [],
        lambda x: x,
        lambda x: sc.constant(2.0),
        lambda x: sc.random.normal((3,), seed=0),
        lambda x: sc.dropout(x, 0.5, seed=0),
    ],
)
def test_any_function_has_a_story(outputs):
    x = sc.input("x", (None, 3))
    f = sc.function([x], outputs(x), device="reference", name="</script><b>", on_unused_input="ignore")
    assert "</script><b>" not in story_of(f).html()
    assert f.name in story_of(f).text


def test_what_has_no_story_says_what_has():
    x = sc.input("x", (3,))
    f, g = sc.function([x], x + 1, device="reference"), sc.function([x], [sc.sum(x), x @ x], device="reference")
    with pytest.raises(InputError, match=r"sc\.draw"):
        story_of(x)
    with pytest.raises(InputError, match=r"step\.compile"):
        story_of(sc.train.compile_step(sc.models.lenet()))
    with pytest.raises(InputError, match=r"f\.profile"):
        story_of(f, 3)
    with pytest.raises(InputError, match="another function"):
        story_of(f, g.profile(np.ones(3)))
