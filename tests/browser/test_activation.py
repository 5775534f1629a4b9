"""The live activation functions: the marker moves, with the numbers of the function."""

import math
import re

from symcnn.viz.activation import activation


def test_the_marker_shows_the_function(page_of):
    page = page_of(activation("tanh"))
    stage = page.locator(".stage")
    for key in ("Home", "ArrowRight", "ArrowRight", "End", "ArrowLeft"):
        stage.press(key)
        x, f, slope = (
            float(n) for n in re.findall(r"= (-?[\d.]+)", stage.locator(".reading").text_content().replace("−", "-"))
        )
        assert abs(f - math.tanh(x)) < 1e-3 and abs(slope - (1 - math.tanh(x) ** 2)) < 1e-3
    assert x == 5.95


def test_all_panels_move_together(page_of):
    page = page_of(activation(["sigmoid", "relu"]), color_scheme="dark")
    page.locator("input[type=range]").press("Home")
    readings = page.locator(".reading").all_text_contents()
    assert readings == ["x = −6.000, f(x) = 0.002, f'(x) = 0.002", "x = −6.000, f(x) = 0.000, f'(x) = 0.000"]
    assert page.locator(".caption").text_content() == "x = −6.000"
