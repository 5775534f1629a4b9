"""The training report in a browser: values by keyboard and pointer, the logarithmic scale, dark surroundings."""

import pytest

from symcnn.viz import training_report
from tests.viz import sick

HISTORY = {"loss": [2.0, 1.0, 0.5, 0.2], "val_loss": [2.1, 1.2, 0.9, 0.8], "val_accuracy": [0.3, 0.6, 0.7, 0.75]}


@pytest.fixture(scope="module")
def figure():
    monitor = sick.healthy()[1]
    return training_report(HISTORY, monitor=monitor, model=sick.network(), data=sick.examples(60, seed=5))


def legend(page, title):
    """What is written below a chart."""
    return page.locator(".readable", has=page.locator(f'[aria-label="{title}"].frame')).locator(".legend").inner_text()


def test_arrow_keys_read_out_the_values(page_of, figure):
    page = page_of(figure)
    chart = page.get_by_role("slider", name="Loss")
    assert chart.get_attribute("aria-valuetext") == "epoch 4: training 0.2, validation 0.8"
    chart.focus()
    for key, epoch, loss in (
        ("Home", 1, 2),
        ("ArrowRight", 2, 1),
        ("ArrowRight", 3, 0.5),
        ("ArrowLeft", 2, 1),
        ("End", 4, 0.2),
    ):
        page.keyboard.press(key)
        assert chart.get_attribute("aria-valuenow") == str(epoch)
        assert chart.get_attribute("aria-valuetext").startswith(f"epoch {epoch}: training {loss:g},")
    page.keyboard.press("ArrowRight")  # there is no fifth
    assert chart.get_attribute("aria-valuenow") == "4"


def test_charts_of_one_axis_share_their_cursor(page_of, figure):
    page = page_of(figure)
    page.get_by_role("slider", name="Loss").focus()
    page.keyboard.press("Home")
    assert legend(page, "Accuracy").split() == ["epoch", "1", "validation", "0.3"]
    assert legend(page, "Dead units").startswith("step 400")


def test_the_pointer_reads_out_the_values_that_it_is_at(page_of, figure):
    page = page_of(figure)
    chart = page.get_by_role("slider", name="Loss")
    box = chart.bounding_box()
    point = page.locator('[aria-label="Loss"].frame circle').nth(1).bounding_box()
    page.mouse.move(point["x"] + 4, box["y"] + box["height"] / 2)
    assert legend(page, "Loss").split() == ["epoch", "2", "training", "1", "validation", "1.2"]
    cursor = page.locator('[aria-label="Loss"].frame .cursor').bounding_box()
    assert cursor["x"] == pytest.approx(point["x"] + point["width"] / 2, abs=2)


def test_the_logarithmic_scale_can_be_switched_on_and_off(page_of, figure):
    page = page_of(figure)
    loss = page.locator('[aria-label="Loss"].frame')
    linear = loss.locator("polyline").first.get_attribute("points")
    page.get_by_label("logarithmic scale").check()
    places = [tuple(map(float, p.split(","))) for p in loss.locator("polyline").first.get_attribute("points").split()]
    heights = [y for _, y in places]
    # 2.0 to 1.0 is as far as 1.0 to 0.5, and less far than 0.5 to 0.2.
    assert heights[1] - heights[0] == pytest.approx(heights[2] - heights[1], abs=0.2)
    assert heights[3] - heights[2] > heights[1] - heights[0] + 5
    assert page.get_by_role("slider", name="Loss").get_attribute("aria-valuetext").startswith("epoch 4")
    page.get_by_label("logarithmic scale").uncheck()
    assert loss.locator("polyline").first.get_attribute("points") == linear


def test_a_pressed_name_brings_its_line_to_the_fore(page_of, figure):
    page = page_of(figure)
    weights = page.locator(".readable", has=page.locator('[aria-label="Weights: norm |w|"].frame'))
    button = weights.get_by_role("button", name="dense2")
    button.focus()
    page.keyboard.press("Enter")
    assert button.get_attribute("aria-pressed") == "true"
    faded = weights.locator("polyline").evaluate_all("lines => lines.map((line) => line.classList.contains('faded'))")
    assert faded == [True, False, True]
    page.keyboard.press("Enter")
    assert weights.locator(".faded").count() == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_can_be_read_in_light_and_dark(page_of, figure, scheme):
    """The advice stands out from its card by a contrast of at least 4.5, as WCAG asks."""
    page = page_of(training_report(sick.dead_units()[0], monitor=sick.dead_units()[1]), color_scheme=scheme)
    item = page.locator(".advice li").first
    colours = item.evaluate("e => [getComputedStyle(e).color, getComputedStyle(e).backgroundColor]")
    light, dark = sorted((luminance(colour) for colour in colours), reverse=True)
    assert (light + 0.05) / (dark + 0.05) > 4.5
    paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (luminance(paper) < 0.1) == (scheme == "dark")


def luminance(colour):
    """Relative luminance of ``rgb(r, g, b)``."""
    channels = [int(c) / 255 for c in colour.removeprefix("rgb(").removesuffix(")").split(",")]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_every_control_has_a_name(page_of, figure):
    page = page_of(figure)
    snapshot = page.locator("main").aria_snapshot()
    assert 'slider "Loss"' in snapshot and 'checkbox "logarithmic scale"' in snapshot
    assert 'heading "Confusion matrix"' in snapshot and "button:" not in snapshot and "slider:" not in snapshot


def test_nothing_is_wider_than_a_narrow_page(page_of, figure):
    page = page_of(figure, width=480)
    assert page.evaluate("document.documentElement.scrollWidth") <= 480


def test_where_scripts_do_not_run_the_still_picture_stays(page_of, figure):
    page = page_of(figure, java_script_enabled=False)
    assert page.locator(".symcnn > svg").is_visible()
    assert page.locator(".symcnn > svg").get_attribute("aria-label") == "Training report"
