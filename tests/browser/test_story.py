"""The compiler's story in a browser: tabs, the replay, lists and the memory timeline, by clicks and by keys."""

import numpy as np
import pytest

import symcnn as sc
from symcnn.viz.story import story
from symcnn.viz.times import times


def log_softmax():
    x = sc.input("x", (4, 5))
    return sc.function([x], sc.log(sc.softmax(x)), device="reference", name="log_softmax")


@pytest.fixture(scope="module")
def lenet():
    step = sc.train.compile_step(sc.models.lenet(seed=0), device="reference")
    step.compile(np.zeros((2, 1, 28, 28), "float32"), np.zeros(2, "int64"))
    return step


def tab(page, name):
    page.get_by_role("tab", name=name, exact=True).click()
    return page.get_by_role("tabpanel", name=name, exact=True)


def caption(page) -> str:
    return page.locator(".caption").inner_text()


def test_every_tab_opens_and_only_one_is_seen(page_of):
    page = page_of(story(log_softmax()))
    names = page.get_by_role("tab").all_inner_texts()
    assert names == ["overview", "expression", "autodiff", "canonicalize", "stabilize", "specialize", "layout", "rewrites", "nests", "plan", "kernels"]  # fmt: skip
    for name in names:
        panel = tab(page, name)
        panel.locator("p, li").first.wait_for()
        assert page.get_by_role("tabpanel").count() == 1
        assert page.get_by_role("tab", selected=True).inner_text() == name


def test_tabs_by_keyboard(page_of):
    page = page_of(story(log_softmax()))
    page.get_by_role("tab", name="overview").focus()
    for key, expected in [("ArrowRight", "expression"), ("End", "kernels"), ("ArrowRight", "overview"), ("ArrowLeft", "kernels"), ("Home", "overview")]:  # fmt: skip
        page.keyboard.press(key)
        assert page.get_by_role("tab", selected=True).inner_text() == expected
        assert page.evaluate("document.querySelector('[data-figure]').shadowRoot.activeElement.textContent") == expected
    page.keyboard.press("Tab")  # one tab stop for all tabs
    assert page.evaluate("document.querySelector('[data-figure]').shadowRoot.activeElement.role") != "tab"


def test_the_overview_counts_the_nodes_and_opens_the_stages(page_of, lenet):
    page = page_of(story(lenet))
    rows = page.locator(".pipeline li")
    for row, (name, count) in zip(rows.all(), lenet.function.node_counts.items(), strict=False):
        assert name in row.inner_text() and f"{count} nodes" in row.inner_text()
    rows.get_by_role("button", name="layout").click()
    panel = page.get_by_role("tabpanel", name="layout")
    panel.locator(".graph .box").first.wait_for()
    panel.get_by_text("The same as text").click()
    assert panel.locator("pre.long").inner_text().strip() == str(lenet.function.stages["layout"])


def test_the_replay_by_buttons_slider_and_keys(page_of):
    page = page_of(story(log_softmax()))
    panel = tab(page, "rewrites")
    panel.get_by_text("stop gradient").first.wait_for()
    assert caption(page) == "rewrite 1 of 2"
    panel.get_by_role("button", name="next rewrite").click()
    assert caption(page) == "rewrite 2 of 2"
    assert panel.locator(".formula").all_inner_texts() == ["log(exp(a) / sum(exp(a)))", "a - log(sum(exp(a)))"]
    assert panel.locator(".removed .sign").all_text_contents() == ["\N{MINUS SIGN}"] * 2
    assert panel.locator(".added .sign").all_text_contents() == ["+"] * 2
    assert [line[0] for line in panel.locator(".diff span").all_inner_texts()] == [" ", " ", "\N{MINUS SIGN}", "\N{MINUS SIGN}", "+", "+"]  # fmt: skip
    assert "symcnn/rewrite/stabilize.py:" in panel.inner_text()
    assert 'rule("log(exp(x) / y) = x - log(y)"' in panel.locator(".scene .python").inner_text()
    panel.get_by_role("slider", name="rewrite").press("Home")
    assert caption(page) == "rewrite 1 of 2"
    panel.locator(".scene").focus()
    page.keyboard.press("ArrowRight")
    assert caption(page) == "rewrite 2 of 2"
    page.keyboard.press("ArrowLeft")
    assert caption(page) == "rewrite 1 of 2"
    panel.get_by_role("row", name="stabilize").get_by_role("button", name="show").click()
    assert caption(page) == "rewrite 2 of 2"


def test_kernels_are_found_by_words_and_by_keys(page_of, lenet):
    page = page_of(story(lenet))
    panel = tab(page, "kernels")
    options = panel.get_by_role("option")
    options.first.wait_for()
    assert options.count() == len(lenet.kernels)
    panel.get_by_role("searchbox").fill("weight_grad conv2d")
    expected = [k for k, kernel in enumerate(lenet.kernels) if "conv2d_weight_grad" in kernel.name]
    assert [int(text.split(":")[0]) for text in options.all_inner_texts()] == expected
    assert f"Kernel {expected[0]}:" in panel.locator(".detail").inner_text()
    panel.get_by_role("listbox").press("End")
    detail = panel.locator(".detail").inner_text()
    assert f"Kernel {expected[-1]}:" in detail and lenet.kernels[expected[-1]].source.splitlines()[0] in detail
    panel.get_by_role("searchbox").fill("no such op")
    assert options.count() == 0


def test_an_op_leads_to_its_nest(page_of, lenet):
    page = page_of(story(lenet))
    panel = tab(page, "nests")
    chip = panel.get_by_role("row", name="softmax_cross_entropy").get_by_role("button").first
    number = chip.inner_text().removeprefix("kernel ")
    chip.click()
    text = panel.locator(".detail").inner_text()
    assert f"Kernel {number}:" in text and "softmax_cross_entropy" in text
    assert str(lenet.function.stages["nests"]).split("\n\n")[int(number)].splitlines()[0] in text


def test_buffers_are_told_by_pointer_and_by_keys(page_of, lenet):
    page = page_of(story(lenet))
    panel = tab(page, "plan")
    arena = panel.locator(".arena")
    arena.wait_for()
    temporaries = [b for b in lenet.memory_plan.buffers if b.offset >= 0]
    assert arena.locator(".buffer").count() == len(temporaries)
    readout = panel.locator(".readout")
    first = readout.inner_text()
    arena.press("ArrowRight")
    second = readout.inner_text()
    assert second != first
    arena.locator(".buffer").first.hover()
    assert readout.inner_text() == first
    arena.press("End")
    assert f"kernel {max(b.first for b in temporaries)} " in readout.inner_text()
    panel.get_by_text("buffers as a table").click()
    assert panel.locator("details tr").count() == len(lenet.memory_plan.buffers) + 1


def test_times_are_sorted_by_any_column(page_of, lenet):
    page = page_of(times(lenet.profile(np.zeros((2, 1, 28, 28), "float32"), np.zeros(2, "int64"), repeat=1)))

    def column(k):
        return page.locator(f"tbody td:nth-child({k})").all_inner_texts()

    milliseconds = [float(text) for text in column(4)]
    assert milliseconds == sorted(milliseconds, reverse=True)
    page.get_by_role("button", name="kernel").click()
    assert column(2) == sorted(column(2), key=str.lower)
    page.get_by_role("button", name="#").click()
    assert column(1) == [str(k) for k in range(len(lenet.kernels))]


def test_without_shapes_the_plan_says_how(page_of):
    x = sc.input("x", (None, 3))
    page = page_of(story(sc.function([x], x + 0, device="reference")))
    assert "f.bind" in tab(page, "plan").locator("p").inner_text()
    assert "No rule applied" not in tab(page, "rewrites").locator("p").first.inner_text()


def test_axe_finds_nothing_in_any_tab(page_of, lenet):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    page = page_of(story(lenet))
    for name in ("layout", "rewrites", "nests", "plan", "kernels"):
        tab(page, name).locator("p").first.wait_for()
        found = axe.Axe().run(page)
        assert not found.response["violations"], found.generate_report()
