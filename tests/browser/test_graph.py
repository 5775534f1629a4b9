"""The stepper, opening groups and looking around, with real clicks and keys."""

import numpy as np
import pytest

import symcnn as sc

pytest.importorskip("fast_sugiyama")

NEURON = {"w0": 2, "x0": -1, "w1": -3, "x1": -2, "w2": -3}


@pytest.fixture(scope="module")
def neuron():
    w0, x0, w1, x1, w2 = (sc.input(name, ()) for name in NEURON)
    return sc.draw(1 / (1 + np.exp(-(w0 * x0 + w1 * x1 + w2))), values=NEURON, title="A neuron")


@pytest.fixture(scope="module")
def googlenet():
    return sc.draw(sc.models.googlenet(init="zeros"), title="GoogLeNet")


def shown(page, kind):
    """The labels of this kind that can be seen: key -> text."""
    return page.evaluate(
        """(kind) => Object.fromEntries([...document.querySelector("[data-figure]").shadowRoot.querySelectorAll(`text[data-${kind}]`)]
            .filter((label) => getComputedStyle(label).visibility === "visible").map((label) => [label.dataset[kind], label.textContent]))""",
        kind,
    )


class TestStepper:
    def test_all_numbers_stand_there_at_first(self, page_of, neuron):
        page = page_of(neuron)
        assert shown(page, "gradient")["w1"] == "d -0.39" and len(shown(page, "value")) == 13

    def test_forward_then_backward_by_keys(self, page_of, neuron):
        page = page_of(neuron)
        page.locator(".stage").focus()
        page.keyboard.press("Home")
        assert set(shown(page, "value")) == {*NEURON, "%3"} and not shown(page, "gradient")
        assert "forward: multiply" in page.locator(".details").inner_text()
        assert "2.00 * (-1.00) = -2.00" in page.locator(".details").inner_text()
        for _ in range(7):
            page.keyboard.press("ArrowRight")
        assert len(shown(page, "value")) == 13 and not shown(page, "gradient")
        page.keyboard.press("ArrowRight")
        assert list(shown(page, "gradient").values()) == ["d 1.00"]
        for _ in range(3):
            page.keyboard.press("ArrowRight")
        assert "0.37 x (-0.53) = -0.20" in page.locator(".details").inner_text()
        assert page.locator(".box.current.back").get_attribute("data-key") == "%11"
        page.keyboard.press("ArrowLeft")
        assert "backward: add" in page.locator(".details").inner_text()
        page.keyboard.press("End")
        assert shown(page, "gradient")["x1"] == "d -0.59"

    def test_slider_and_buttons(self, page_of, neuron):
        page = page_of(neuron)
        slider = page.get_by_role("slider", name="step")
        slider.fill("0")
        assert not shown(page, "gradient")
        page.get_by_role("button", name="next step").click()
        assert slider.input_value() == "1"
        page.get_by_role("button", name="previous step").click()
        assert slider.input_value() == "0" and "forward, step 1 of" in page.locator(".caption").inner_text()

    def test_gradients_add_up_as_they_arrive(self, page_of):
        x = sc.input("x", ())
        page = page_of(sc.draw(x * x + sc.exp(x), values={"x": 1}))
        page.locator(".stage").focus()
        seen = []
        page.keyboard.press("Home")
        for _ in range(7):
            page.keyboard.press("ArrowRight")
            seen.append(shown(page, "gradient").get("x"))
        assert list(dict.fromkeys(seen)) == [None, "d 2.72", "d 4.72"]


class TestDetails:
    def test_a_click_tells_about_an_op(self, page_of, neuron):
        page = page_of(neuron)
        page.locator('.box[data-key="%11"]').click()
        text = page.locator(".details").inner_text()
        assert all(part in text for part in ("exp(in)", "0.37", "-0.53", "upstream * out", "np.exp("))

    def test_boxes_by_keyboard(self, page_of, neuron):
        page = page_of(neuron)
        box = page.locator('.box[data-key="%10"]')
        box.click()
        page.keyboard.press("ArrowRight")
        page.keyboard.press("Enter")
        assert "exp(in)" in page.locator(".details").inner_text()
        assert page.evaluate("document.querySelector('[data-figure]').shadowRoot.activeElement.dataset.key") == "%11"

    def test_the_source_of_a_kernel(self, page_of):
        x = sc.input("x", (None,))
        page = page_of(sc.draw(sc.function([x], sc.tanh(x) * 2, device="reference")))
        page.locator(".box.op").first.click()
        assert "reference" in page.locator(".details pre").inner_text()


class TestGroups:
    def test_open_and_close_by_click_and_key(self, page_of, googlenet):
        page = page_of(googlenet)
        page.locator('.box[data-key="inception4a.."]').click()
        inner = page.locator('.box[data-key="inception4b"]')
        assert inner.is_visible()
        inner.focus()
        page.keyboard.press("Enter")
        assert page.locator('.box[data-key="inception4b.3x3"]').is_visible()
        assert inner.get_attribute("aria-expanded") == "true"
        inner.focus()
        page.keyboard.press("Enter")
        assert page.locator('.box[data-key="inception4b.3x3"]').count() == 0
        assert inner.get_attribute("aria-expanded") == "false"

    def test_nothing_overlaps_when_everything_is_open(self, page_of, googlenet):
        page = page_of(googlenet)
        page.get_by_role("button", name="Open all").click()
        overlapping = page.evaluate(
            """() => {
              const boxes = [...document.querySelector("[data-figure]").shadowRoot.querySelectorAll(".box")];
              const place = new Map(boxes.map((b) => [b, [...b.querySelectorAll(":scope > rect")].at(-1).getBoundingClientRect()]));
              const inside = (b) => b.parentNode.closest(".box");
              let count = 0;
              for (const a of boxes) for (const b of boxes) {
                if (a === b || inside(a) !== inside(b)) continue;
                const [p, q] = [place.get(a), place.get(b)];
                if (p.left < q.right - 1 && q.left < p.right - 1 && p.top < q.bottom - 1 && q.top < p.bottom - 1) count++;
              }
              const out = boxes.filter((b) => inside(b) && (place.get(b).left < place.get(inside(b)).left || place.get(b).bottom > place.get(inside(b)).bottom));
              return [count, out.length, boxes.length];
            }"""
        )
        assert overlapping[:2] == [0, 0] and overlapping[2] > 250
        page.get_by_role("button", name="Close all").click()
        assert page.locator('.box[data-key="inception4b"]').count() == 0

    def test_arrows_end_at_the_borders_of_their_boxes(self, page_of, googlenet):
        page = page_of(googlenet)
        page.locator('.box[data-key="inception3a.."]').click()
        page.locator('.box[data-key="inception3a"]').click()
        page.locator('.box[data-key="inception3a.5x5"]').click()
        far = page.evaluate(
            """() => {
              const root = document.querySelector("[data-figure]").shadowRoot;
              let worst = 0;
              for (const arrow of root.querySelectorAll(".arrow[data-to]")) {
                const target = [...arrow.parentNode.children].find((b) => b.dataset?.key === arrow.dataset.to);
                const rect = [...target.querySelectorAll(":scope > rect")].at(-1).getBoundingClientRect();
                const end = arrow.getPointAtLength(arrow.getTotalLength()).matrixTransform(arrow.getScreenCTM());
                worst = Math.max(worst, Math.abs(end.y - rect.top), rect.left - end.x, end.x - rect.right);
              }
              return worst;
            }"""
        )
        assert far < 2

    def test_dragging_moves_the_picture_and_is_no_click(self, page_of, googlenet):
        page = page_of(googlenet)
        box = page.locator('.box[data-key="inception4a.."]')
        box.scroll_into_view_if_needed()
        before = box.bounding_box()
        x, y = before["x"] + 20, before["y"] + 10
        page.mouse.move(x, y)
        page.mouse.down()
        page.mouse.move(x + 60, y - 40, steps=5)
        page.mouse.up()
        after = box.bounding_box()
        assert after["x"] - before["x"] == pytest.approx(60, abs=15) and box.get_attribute("aria-expanded") == "false"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_colours_follow_the_page(page_of, neuron, scheme):
    page = page_of(neuron, color_scheme=scheme)
    colour = page.locator(".box.op > rect").first.evaluate("(rect) => getComputedStyle(rect).fill")
    assert colour == {"light": "rgb(255, 255, 255)", "dark": "rgb(28, 32, 40)"}[scheme]


def test_without_scripts_the_picture_stands(page_of, neuron):
    page = page_of(neuron, java_script_enabled=False)
    assert page.get_by_text("d -0.59").is_visible()


def test_colours_follow_a_page_that_switches(page_of, neuron):
    page = page_of(neuron)
    rect = page.locator(".box.op > rect").first
    fill = "(rect) => getComputedStyle(rect).fill"
    for scheme, colour in {"slate": "rgb(28, 32, 40)", "default": "rgb(255, 255, 255)"}.items():
        page.evaluate("(scheme) => (document.body.dataset.mdColorScheme = scheme)", scheme)
        page.wait_for_function(f"(rect) => ({fill})(rect) === '{colour}'", arg=rect.element_handle())
