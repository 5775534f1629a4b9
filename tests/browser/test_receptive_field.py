"""The live receptive field: layers by keys and clicks, units by clicks and numbers."""

import re

import pytest

import symcnn as sc
from symcnn.viz.receptive_field import receptive_field

LENET = sc.models.lenet()


def sentence(page) -> str:
    return page.locator(".stage text.name").text_content()


def test_layers_by_keys_and_clicks(page_of):
    page = page_of(receptive_field(LENET))
    stage = page.locator(".stage")
    for key, layer in [("Home", "conv1"), ("ArrowRight", "pool1"), ("End", "pool2"), ("ArrowLeft", "conv2")]:
        stage.press(key)
        # The unit in the middle of every layer, as Python says it.
        assert sentence(page) == receptive_field(LENET, layer).text.splitlines()[-1]
        assert page.locator("tr[aria-current=true] td").first.inner_text() == layer
    page.get_by_role("cell", name="pool1").click()
    assert "layer pool1" in sentence(page)


@pytest.mark.parametrize("layer", ["conv1", "pool2"])
def test_units_by_clicks_and_numbers(page_of, layer):
    page = page_of(receptive_field(LENET, layer, (1, 2)))
    assert sentence(page) == receptive_field(LENET, layer, (1, 2)).text.splitlines()[-1]
    page.get_by_label("unit: row").fill("0")
    page.get_by_label("column", exact=True).fill("3")
    assert sentence(page) == receptive_field(LENET, layer, (0, 3)).text.splitlines()[-1]
    box = page.locator(".map").bounding_box()
    page.mouse.click(box["x"] + 2, box["y"] + box["height"] - 2)
    last = int(re.search(r"(\d+) x \d+$", page.locator(".stage .halo").text_content())[1]) - 1
    assert sentence(page) == receptive_field(LENET, layer, (last, 0)).text.splitlines()[-1]
    assert page.get_by_label("unit: row").input_value() == str(last)
