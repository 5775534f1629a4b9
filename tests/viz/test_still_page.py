"""A still page: nothing overlaps, lines are broken, tables keep their columns."""

import xml.etree.ElementTree as ET

from symcnn.viz.still_page import MARGIN, WIDTH, StillPage

SVG = "{http://www.w3.org/2000/svg}"


def test_parts_lie_below_one_another():
    page = StillPage("A & B")
    page.heading("One")
    page.paragraph("word " * 60)
    page.table(("name", "value"), [("a<b", "1"), ("c", "2")])
    page.heading("Two")
    root = ET.fromstring(page.svg())
    texts = [(float(t.get("y")), t.text) for t in root.iter(f"{SVG}text")]
    assert [y for y, _ in texts] == sorted(y for y, _ in texts) and texts[-1][1] == "Two"
    lines = [text for _, text in texts if text.startswith("word")]
    assert len(lines) == 3 and max(map(len, lines)) <= 122
    assert float(root.get("height")) > texts[-1][0] and root.get("aria-label") == "A & B"
    columns = {t.text: float(t.get("x")) for t in root.iter(f"{SVG}text")}
    assert columns["value"] == columns["1"] == columns["2"] > columns["a<b"] == MARGIN


def test_pictures_fill_rows():
    page = StillPage("pictures")
    start = page.height
    page.grid([lambda attributes: f"<svg{attributes}/>"] * 5, 270, 100)
    _, *inner = ET.fromstring(page.svg()).iter(f"{SVG}svg")
    places = [(float(s.get("x")), float(s.get("y"))) for s in inner]
    assert len(set(places)) == 5 and max(x for x, _ in places) + 270 <= WIDTH - MARGIN
    assert [y for _, y in places] == [start] * 3 + [start + 116] * 2 and page.height == start + 232


def test_colours_are_written_out():
    page = StillPage("colours").svg(".more { fill: var(--c1) }")
    assert "var(" not in page and "prefers-color-scheme: dark" in page
