"""Layered layout: nothing overlaps, arrows run one way, the same graph gives the same picture."""

from itertools import combinations, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from symcnn.viz.layout import layered

pytest.importorskip("fast_sugiyama")


@st.composite
def graphs(draw):
    count = draw(st.integers(0, 14))
    sizes = {k: (draw(st.integers(10, 90)), draw(st.integers(10, 60))) for k in range(count)}
    pairs = [(a, b) for a, b in combinations(range(count), 2)]
    return sizes, [p for p in pairs if draw(st.integers(0, 3)) == 0]


def overlap(a, b, sizes, centres):
    return all(abs(centres[a][k] - centres[b][k]) < (sizes[a][k] + sizes[b][k]) / 2 - 1e-6 for k in (0, 1))


@settings(max_examples=60, deadline=None)
@given(graph=graphs(), direction=st.sampled_from(["down", "right"]))
def test_boxes_keep_apart_and_arrows_run_one_way(graph, direction):
    sizes, edges = graph
    found = layered(sizes, edges, direction=direction)
    assert found == layered(sizes, edges, direction=direction)
    along = 1 if direction == "down" else 0
    assert not [pair for pair in combinations(sizes, 2) if overlap(*pair, sizes, found.centres)]
    for a, b in edges:
        points = [found.centres[a], *found.ways[a, b], found.centres[b]]
        assert all(p[along] < q[along] for p, q in pairwise(points))
    for k, (x, y) in found.centres.items():
        width, height = sizes[k]
        assert width / 2 - 1e-6 <= x <= found.width - width / 2 + 1e-6
        assert height / 2 - 1e-6 <= y <= found.height - height / 2 + 1e-6


def test_a_chain_is_straight_and_two_operands_stand_on_both_sides():
    chain = layered({k: (20 + 10 * k, 10) for k in range(5)}, [(k, k + 1) for k in range(4)])
    assert len({x for x, _ in chain.centres.values()}) == 1
    fork = layered(dict.fromkeys("abc", (40, 20)), [("a", "c"), ("b", "c")])
    assert fork.centres["c"][0] == pytest.approx((fork.centres["a"][0] + fork.centres["b"][0]) / 2, abs=35)
    assert fork.centres["a"][1] == fork.centres["b"][1]


def test_a_circle_is_opened():
    found = layered(dict.fromkeys("abc", (40, 20)), [("a", "b"), ("b", "c"), ("c", "a")])
    assert set(found.ways) == {("a", "b"), ("b", "c"), ("c", "a")}
    assert not [p for p in combinations("abc", 2) if overlap(*p, dict.fromkeys("abc", (40, 20)), found.centres)]


def test_parts_do_not_share_their_bends():
    first, second = [("a", "b"), ("b", "c")], [(0, 1), (1, 2), (2, 3), (3, 4), (0, 4)]
    found = layered(dict.fromkeys(["a", "b", "c", *range(5)], (20, 20)), first + second)
    assert [len(found.ways[edge]) for edge in first + second] == [0, 0, 0, 0, 0, 0, 3]
