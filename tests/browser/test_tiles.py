"""Small pictures, of which clicks and keys choose the one that is shown large."""

import numpy as np
import pytest

import symcnn as sc
from symcnn.viz.activations import activations


@pytest.fixture(scope="module")
def figure():
    model = sc.models.cs231n_convnet((1, 8, 8), classes=3, widths=(4,))
    return activations(model, np.linspace(0, 1, 64).reshape(1, 8, 8), count=3, device="reference")


def test_a_click_enlarges_a_map(page_of, figure):
    page = page_of(figure)
    tile = page.get_by_role("button", name="relu1_1, channel 2 of 4")
    tile.click()
    assert page.locator("h3").text_content() == "relu1_1, channel 2 of 4"
    assert "mean" in page.get_by_role("status").text_content()
    assert page.locator(".large img").get_attribute("src") == tile.locator("image").get_attribute("href")
    assert tile.get_attribute("aria-pressed") == "true" and page.locator("[aria-pressed=true]").count() == 1


def test_arrow_keys_go_through_layers_and_channels(page_of, figure):
    page = page_of(figure)
    chosen = page.locator("h3")
    page.locator(".tile[tabindex='0']").focus()
    assert chosen.text_content() == "conv1_1, channel 1 of 4"
    for key, expected in [
        ("ArrowDown", "conv1_1, channel 2 of 4"),
        ("ArrowRight", "relu1_1, channel 2 of 4"),
        ("ArrowUp", "relu1_1, channel 1 of 4"),
        ("ArrowUp", "relu1_1, channel 1 of 4"),
        ("ArrowLeft", "conv1_1, channel 1 of 4"),
        ("ArrowLeft", "input"),
        ("ArrowLeft", "input"),
    ]:
        page.keyboard.press(key)
        assert chosen.text_content() == expected
