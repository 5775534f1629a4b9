"""The demo's page and its pictures: images that decode, a page that holds together."""

import re
import struct
import zlib
from html.parser import HTMLParser

import numpy as np
import pytest

from symcnn.errors import ShapeError
from symcnn.nn.summary import Row, Summary
from symcnn.train.history import History
from symcnn.viz.mistakes import softmax
from symcnn.viz.png import png, stretched
from symcnn.viz.report import Report


def decode(content):
    """A PNG as `png` writes it, checked chunk by chunk."""
    assert content.startswith(b"\x89PNG\r\n\x1a\n")
    chunks, at = {}, 8
    while at < len(content):
        (size,) = struct.unpack(">I", content[at : at + 4])
        kind, body = content[at + 4 : at + 8], content[at + 8 : at + 8 + size]
        assert struct.unpack(">I", content[at + 8 + size : at + 12 + size])[0] == zlib.crc32(kind + body)
        chunks[kind], at = body, at + 12 + size
    width, height, depth, kind = struct.unpack(">IIBB", chunks[b"IHDR"][:10])
    assert depth == 8 and kind in (0, 2)
    rows = np.frombuffer(zlib.decompress(chunks[b"IDAT"]), "uint8").reshape(height, -1)
    assert (rows[:, 0] == 0).all()
    return rows[:, 1:].reshape((height, width, 3) if kind else (height, width))


@pytest.mark.parametrize("shape", [(1, 1), (2, 3), (28, 28), (1, 1, 3), (4, 5, 3)])
def test_png_round_trip(shape):
    image = np.random.default_rng(0).integers(0, 256, shape).astype("uint8")
    np.testing.assert_array_equal(decode(png(image)), image)


@pytest.mark.parametrize("shape", [(), (4,), (2, 2, 2), (3, 4, 4), (0, 3), (1, 2, 2, 3)])
def test_png_takes_one_image(shape):
    with pytest.raises(ShapeError):
        png(np.zeros(shape))


def test_stretched():
    np.testing.assert_array_equal(stretched([[-1.0, 1.0, 5.0]], low=0, high=2), [[0, 128, 255]])
    np.testing.assert_array_equal(stretched([[-1.0, 0.0, 1.0]]), [[0, 128, 255]])
    assert (stretched(np.full((2, 2), 5.0)) == 0).all()


class Balance(HTMLParser):
    void = {"meta", "img", "br"}

    def __init__(self):
        super().__init__()
        self.open = []

    def handle_starttag(self, tag, attributes):
        if tag not in self.void:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


@pytest.fixture
def report():
    rng = np.random.default_rng(0)
    history = History()
    history.add(loss=0.9, val_loss=0.8, val_accuracy=0.7)
    history.add(loss=0.5, val_loss=0.6, val_accuracy=0.8)
    return Report(
        title="A <title>",
        subtitle="",
        figures={"test accuracy": "87.0%"},
        summary=Summary((Row("conv1", "Conv2d(1, 4, 5x5)", (None, 4, 24, 24), 104),), 104),
        node_counts={"expression": 10, "plan": 4},
        history=history,
        filters_before=rng.normal(size=(4, 1, 5, 5)),
        filters_after=rng.normal(size=(4, 1, 5, 5)),
        images=rng.integers(0, 256, (30, 1, 28, 28)).astype("uint8"),
        labels=rng.integers(0, 3, 30),
        logits=rng.normal(size=(30, 3)),
        classes=("shirt", "coat & hat", "bag"),
    )


def test_page_is_balanced_and_self_contained(report):
    page = report.html()
    parser = Balance()
    parser.feed(page)
    assert parser.open == []
    assert "A &lt;title&gt;" in page and "coat &amp; hat" in page
    assert not re.search(r'(src|href)="(?!data:)', page) and "<script" not in page
    assert all(re.findall(r'<img [^>]*alt="[^"]+"', page))


def test_page_without_mistakes(report):
    sure = Report(**{**vars(report), "logits": np.eye(3)[report.labels] * 5})
    assert "every test image is classified rightly" in sure.html()


def test_softmax_of_huge_logits():
    np.testing.assert_allclose(softmax(np.array([[1e4, 0.0], [0.0, 0.0]])), [[1, 0], [0.5, 0.5]])
