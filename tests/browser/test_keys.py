"""Keys that are pressed in a figure: its controls keep theirs, for the page around it may have shortcuts of its own."""

from symcnn.viz.convolution import convolution


def heard(page) -> list[str]:
    """What has reached the page since the last call."""
    return page.evaluate("() => window.heard.splice(0)")


def test_a_control_keeps_its_keys(page_of):
    page = page_of(convolution())
    page.evaluate(
        "() => { window.heard = []; document.addEventListener('keydown', (event) => heard.push(event.key)); }"
    )
    slider, stride = page.locator("input[type=range]"), page.get_by_label("stride", exact=True)
    slider.press("ArrowRight")
    assert page.locator(".caption").inner_text() == "output 2 of 18"
    stride.press("ArrowUp")
    page.get_by_role("button", name="play").press("x")
    assert heard(page) == []
    slider.press("Shift+Enter")
    stride.press("Control+s")
    assert heard(page) == ["Enter", "Control", "s"]
    page.locator(".stage").press("x")
    assert heard(page) == ["x"]
