"""Drawing and table of a network, driven by clicks and keys."""

import pytest

import symcnn as sc
from symcnn.viz.architecture import architecture


@pytest.fixture(scope="module")
def googlenet():
    return architecture(sc.models.googlenet(init="zeros", width=1 / 16))


def marked(page):
    return [row.get_attribute("data-key") for row in page.locator("tr.marked").all()]


def test_a_block_opens_and_closes_by_click_and_by_enter(page_of, googlenet):
    page = page_of(googlenet)
    block = page.get_by_role("button", name="inception3a: ", exact=False).first
    hidden = page.locator("tr", has_text="inception3a.3x3.reduce")
    assert not hidden.is_visible()
    block.click()
    assert hidden.is_visible() and block.get_attribute("aria-expanded") == "true"
    assert page.locator("[data-inside] .box").count() == 14
    block.press("Enter")
    assert not hidden.is_visible() and page.locator("[data-inside]").count() == 0
    block.press("Enter")
    page.get_by_role("button", name="Close inception3a").click()
    assert not hidden.is_visible()


def test_arrows_go_from_slab_to_slab_and_mark_the_row(page_of, googlenet):
    page = page_of(googlenet)
    page.locator(".drawing .box").first.focus()
    assert marked(page) == ["0"]
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    assert marked(page) == ["2"]
    page.keyboard.press("ArrowLeft")
    assert marked(page) == ["1"]
    page.keyboard.press("End")
    assert marked(page) == [str(page.locator(".drawing > svg .box").count() - 1)]


def test_the_table_opens_blocks_and_marks_slabs(page_of, googlenet):
    page = page_of(googlenet)
    button = page.locator("tbody").get_by_role("button", name="inception4a")
    button.focus()
    page.keyboard.press("Enter")
    assert page.locator("[data-inside]").count() == 1
    page.locator("tr", has_text="inception4a.1x1.conv").hover()
    assert page.locator(".inside .box.marked .name").text_content() == "1x1.conv"
