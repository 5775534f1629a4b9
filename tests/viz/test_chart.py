"""Line charts: points where the values are, gaps where there are none, names that do not overlap."""

import re
import xml.etree.ElementTree as ET
from itertools import pairwise

import numpy as np
import pytest

from symcnn.viz.chart import LineChart, abridged, place_x, place_y, spread

NAN = float("nan")


def points(chart, i=0):
    lines = ET.fromstring(chart.svg()).iter("polyline")
    return [tuple(map(float, p.split(","))) for p in [*lines][i].get("points").split()]


@pytest.mark.parametrize("log", [False, True])
def test_points_stand_where_the_ticks_say(log):
    """Read back from the drawing alone: the value of a point follows from the two ticks around it."""
    values = [0.013, 0.5, 2.0, 0.11]
    chart = LineChart("loss", {"training": values}, log=log)
    root = ET.fromstring(chart.svg())
    grid = [float(line.get("y1")) for line in root.iter("line")]
    texts = [t for t in root.iter("text") if t.get("text-anchor") == "end"]
    ticks = [float(t.text) for t in texts]
    change = np.log if log else np.asarray
    slope, offset = np.polyfit(grid, change(ticks), 1)
    found = slope * np.array([y for _, y in points(chart)]) + offset
    np.testing.assert_allclose(found, change(values), atol=0.02)


@pytest.mark.parametrize("values", [[0.7401, 0.7399, 0.7402], [-3.0, -3.001], [5.0, 5.0]])
def test_a_flat_curve_looks_flat(values):
    heights = [y for _, y in points(LineChart("loss", {"training": values}))]
    assert np.ptp(heights) < 3  # of some 180 pixels


def test_what_has_no_place_leaves_a_gap():
    chart = LineChart("loss", {"training": [1.0, NAN, 0.5, float("inf")], "validation": []})
    assert "nan" not in chart.svg() and chart.svg().count("<circle") == 2
    assert len(points(LineChart("norm", {"a": [0.0, 1.0, -1.0, 10.0]}, log=True))) == 2


@pytest.mark.parametrize("series", [{}, {"a": []}, {"a": [NAN]}, {"a": [0.0]}, {"a": [1e-300, 1e300]}])
@pytest.mark.parametrize("log", [False, True])
def test_odd_values_are_drawn(series, log):
    root = ET.fromstring(LineChart("odd", series, log=log).svg())
    assert not re.search("nan|inf", ET.tostring(root, "unicode"))


def test_positions_of_steps():
    chart = LineChart("norm", {"conv": [1.0, 2.0, 3.0]}, at=[1, 50, 100], x_label="step")
    scale = chart.scale()
    assert [x for x, _ in points(chart)] == pytest.approx([place_x(x, scale) for x in (1, 50, 100)], abs=0.06)
    assert points(chart)[0][0] == scale["left"]
    assert "conv, step 50: 2" in chart.svg()


def test_the_healthy_band_is_drawn_to_scale():
    chart = LineChart("ratio", {"conv": [1e-5, 1e-1]}, log=True, band=(3e-4, 3e-3))
    band = next(r for r in ET.fromstring(chart.svg()).iter("rect"))
    top, height = float(band.get("y")), float(band.get("height"))
    assert top == pytest.approx(place_y(3e-3, chart.scale()), abs=0.1)
    assert height == pytest.approx((234 - 38) / 4, abs=4)  # one of the decades from 1e-5 to 1e-1
    assert "healthy" in chart.svg()


def test_series_differ_in_more_than_colour():
    chart = LineChart("norms", {f"layer{i}": [1.0, 2.0] for i in range(12)})
    looks = [(line.get("class"), line.get("stroke-dasharray")) for line in ET.fromstring(chart.svg()).iter("polyline")]
    assert len(set(looks)) == 12
    assert all(a[0] != b[0] and a[1] != b[1] for a, b in pairwise(looks))


def test_names_beside_the_lines_keep_apart():
    heights = spread([230.0, 231.0, 232.0, 40.0, 41.0], 38, 234)
    assert max(heights) <= 234 and np.diff(sorted(heights)).min() >= 13
    assert np.argsort(heights).tolist() == [3, 4, 0, 1, 2]  # in the order of the lines
    crowd = spread([100.0] * 30, 38, 234)
    assert min(crowd) >= 38 - 1e-9 and np.diff(sorted(crowd)).min() >= 13
    assert abridged("inception3a.branch1.conv") == "…on3a.branch1.conv" and len(abridged("x" * 99)) == 18


def test_text_is_escaped():
    chart = LineChart("<loss>", {'a&"b"': [1.0]}, x_label="x<y")
    assert "&lt;loss&gt;" in chart.svg() and "<loss>" not in chart.svg()
    ET.fromstring(chart.svg())
