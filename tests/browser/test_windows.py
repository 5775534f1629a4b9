"""The live convolution and pooling: played, stepped by keys and clicks, and with their settings changed."""

import re
from xml.etree import ElementTree

import numpy as np
import pytest

from symcnn.viz.convolution import B, W, convolution
from symcnn.viz.convolution import X as CONVOLVED
from symcnn.viz.pooling import X, pooling

from ..viz.pictures import shown
from ..viz.test_convolution import by_hand as convolved
from ..viz.test_pooling import by_hand as pooled


def picture(page) -> str:
    """The picture of the moment, as XML."""
    return page.locator(".stage svg").evaluate("svg => new XMLSerializer().serializeToString(svg)")


def caption(page) -> str:
    return page.locator(".caption").inner_text()


def slider(page):
    return page.locator("input[type=range]")


def test_convolution_with_other_settings(page_of):
    page = page_of(convolution())
    for stride, padding, dilation, channels in [(2, 1, 1, 3), (1, 2, 2, 3), (3, 2, 1, 1)]:
        settings = {"stride": stride, "padding": padding, "dilation": dilation, "channels": channels}
        for name in ("padding", "stride", "dilation", "channels"):
            page.get_by_label(name, exact=True).fill(str(settings[name]))
        slider(page).press("End")
        expected = convolved(CONVOLVED[:channels], W[:, :channels], B, stride, padding, dilation)
        for f, plane in enumerate(expected):
            np.testing.assert_array_equal(shown(picture(page), f"y[{f}]"), plane)
        assert f"+ 1 = {expected.shape[1]}" in page.locator(".stage").inner_text()


@pytest.mark.parametrize("kind", ["max", "average"])
def test_pooling_with_other_settings(page_of, kind):
    page = page_of(pooling())
    page.get_by_label("kind").select_option(kind)
    for window, stride, padding in [(3, 2, 1), (2, 1, 0), (4, 3, 2)]:
        for name, value in [("padding", 0), ("window", window), ("stride", stride), ("padding", padding)]:
            page.locator(".controls").get_by_label(name).fill(str(value))
        slider(page).press("End")
        y, dx, _ = pooled(X, kind, window, stride, padding)
        np.testing.assert_allclose(shown(picture(page), "y"), y, atol=0.00501)
        np.testing.assert_allclose(shown(picture(page), "dx"), dx, atol=0.00501)


@pytest.mark.parametrize(
    "figure",
    [
        convolution(stride=3, padding=1, step=7),
        convolution(np.linspace(-1, 1, 40).reshape(2, 4, 5), np.linspace(-3, 2, 8).reshape(1, 2, 2, 2), step=11),
        pooling(step=16),
        pooling(step=3),
        pooling(kind="average", window=3, stride=2, padding=1, step=11),
        pooling(np.linspace(-9, 9, 12).reshape(3, 4), window=3, stride=1, padding=1, step=4),
    ],
)
def test_live_and_still_pictures_are_the_same(page_of, figure):
    def drawn(svg):
        """Everything in the picture: (tag, class, text), and the numbers of its geometry."""
        parts = [e for e in ElementTree.fromstring(svg).iter() if not e.tag.endswith(("style", "title"))]
        marks = [(e.tag.rpartition("}")[2], (e.get("class") or "").split(), e.text or "") for e in parts]
        geometry = [e.get(a, "") for e in parts for a in ("viewBox", "transform", "x", "y", "d", "r")]
        return marks, [float(n) for text in geometry for n in re.findall(r"-?\d+\.?\d*", text)]

    still, live = drawn(figure.svg), drawn(picture(page_of(figure)))
    assert live[0] == still[0]
    np.testing.assert_allclose(live[1], still[1], rtol=1e-4)


@pytest.mark.parametrize("focus", [".stage", "input[type=range]"])
def test_keys(page_of, focus):
    page = page_of(convolution(stride=2, padding=1))
    keys = [("ArrowRight", 2), ("ArrowRight", 3), ("ArrowLeft", 2), ("End", 18), ("ArrowRight", 18), ("Home", 1)]
    for key, step in keys:
        page.locator(focus).press(key)
        assert caption(page) == f"output {step} of 18"
        assert slider(page).get_attribute("aria-valuetext") == caption(page)


def test_a_click_on_an_output_goes_there(page_of):
    page = page_of(convolution())
    page.locator('[data-name="y[1]"] [data-step="13"]').click()
    assert caption(page) == "output 14 of 18"


def test_play_runs_and_stops(page_of):
    page = page_of(pooling())
    page.get_by_role("button", name="play").click()
    page.get_by_text("forward, window 3 of 9").wait_for()
    page.get_by_role("button", name="pause").click()
    stopped = caption(page)
    page.wait_for_timeout(1200)
    assert caption(page) == stopped


def test_impossible_settings_are_explained_and_left_again(page_of):
    page = page_of(convolution())
    dilation = page.get_by_label("dilation")
    dilation.fill("3")
    assert "reaches over 7, and the input has 5 + 2·0 = 5" in page.get_by_role("status").last.inner_text()
    page.locator(".stage").press("End")
    dilation.fill("")  # half typed: nothing happens
    dilation.fill("1")
    assert caption(page) == "output 1 of 18"
    page = page_of(pooling())
    page.get_by_label("padding").fill("2")
    assert "more than half of the window" in page.get_by_role("status").last.inner_text()
