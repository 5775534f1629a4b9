"""Figures in every surrounding: notebook, page, file, terminal; and the colours in which they are read."""

import re
from base64 import b64decode

import pytest

from symcnn.errors import FileError, InputError
from symcnn.viz.figure import Figure, Live, page
from symcnn.viz.palette import COLOURS, live_style, still_style

SVG = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 2 2"><circle r="1"/></svg>'


def test_a_notebook_gets_the_still_picture_as_an_image():
    html = Figure("<a & b>", SVG, "text")._repr_mimebundle_()["text/html"]
    assert b64decode(re.search(r"base64,([^\"]+)", html)[1]).decode() == SVG
    assert 'alt="&lt;a &amp; b&gt;"' in html and "<script" not in html


def test_live_data_cannot_end_its_script():
    live = Live("view", {"text": "</script><b>\u2028"}, ())
    html = Figure("t", SVG, "text", live)._repr_mimebundle_()["text/html"]
    assert html.count("</script>") == 1 and html.endswith("</script>")
    assert "\u2028" not in html


@pytest.mark.parametrize(("name", "start"), [("a.svg", "<svg"), ("a.html", "<!doctype html>"), ("a.TXT", "text")])
def test_save(tmp_path, name, start):
    Figure("t", SVG, "text").save(tmp_path / name)
    assert (tmp_path / name).read_text().startswith(start)


def test_save_says_which_formats_there_are(tmp_path):
    with pytest.raises(InputError, match=r"cannot be saved as .*\.pdf") as caught:
        Figure("t", SVG, "text").save(tmp_path / "a.pdf")
    assert caught.value.expected == ".svg, .html, .txt"
    with pytest.raises(FileError):
        Figure("t", SVG, "text").save(tmp_path / "nowhere" / "a.svg")


def test_pages_load_nothing():
    text = page("t", "<p>b</p>")
    assert not re.search(r"(src|href)=|url\(|@import", text)


def luminance(colour):
    channels = (int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5))
    r, g, b = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize("ground", ["paper", "card", "tint", "group"])
@pytest.mark.parametrize("ink", list(COLOURS)[:8])
def test_text_can_be_read(ink, ground, scheme):
    """Contrast of at least 4.5, WCAG 2.1 level AA."""
    bright, dark = sorted((luminance(COLOURS[name][scheme]) for name in (ink, ground)), reverse=True)
    assert (bright + 0.05) / (dark + 0.05) >= 4.5


def test_styles_know_every_colour_that_they_use():
    css = "a { fill: var(--ink) } b { stroke: var(--rule) }"
    assert "var(" not in still_style(css)
    assert all(f"--{name}:" in live_style(css) for name in COLOURS)
    with pytest.raises(KeyError):
        still_style("a { fill: var(--pink) }")
