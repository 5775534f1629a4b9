"""The picture of a convolution: its numbers are those of a convolution, in every setting."""

import re

import numpy as np
import pytest

import symcnn as sc
from symcnn.errors import InputError, ShapeError
from symcnn.viz.convolution import B, W, X, convolution

from .pictures import lines, shown

RNG = np.random.default_rng(0)


def by_hand(x, w, b, stride, padding, dilation):
    """One loop per letter of the formula."""
    x = np.pad(x, ((0, 0), (padding, padding), (padding, padding)))
    (f, c, kh, kw), s, d = w.shape, stride, dilation
    rows, columns = ((n - d * (k - 1) - 1) // s + 1 for n, k in zip(x.shape[1:], (kh, kw), strict=True))
    y = np.zeros((f, rows, columns)) + np.asarray(b)[:, None, None]
    for o, r, q, i, j, k in np.ndindex(f, rows, columns, c, kh, kw):
        y[o, r, q] += w[o, i, j, k] * x[i, r * s + j * d, q * s + k * d]
    return y


@pytest.mark.parametrize(("stride", "padding", "dilation"), [(1, 0, 1), (2, 1, 1), (1, 2, 2), (3, 1, 1), (2, 3, 3)])
def test_the_output_is_a_convolution(stride, padding, dilation):
    figure = convolution(stride=stride, padding=padding, dilation=dilation)
    expected = by_hand(X, W, B, stride, padding, dilation)
    for f, plane in enumerate(expected):
        np.testing.assert_array_equal(shown(figure.svg, f"y[{f}]"), plane)
    x, w = sc.constant(X[None].astype("float64")), sc.constant(W.astype("float64"))
    y = sc.conv2d(x, w, stride=stride, padding=padding, dilation=dilation)
    y = sc.function([], y, device="reference")()[0]
    np.testing.assert_array_equal(y + B[:, None, None], expected)


def test_the_sum_has_the_numbers_of_the_marked_cells():
    figure = convolution(stride=2, padding=1, dilation=2, step=3)
    x = np.stack([shown(figure.svg, f"x[{c}]")[shown(figure.svg, f"x[{c}]", "seen")] for c in range(3)])
    w = np.stack([shown(figure.svg, f"w[0, {c}]").ravel() for c in range(3)])
    for c, line in enumerate(line for line in figure.text.splitlines() if "channel" in line):
        numbers = [int(n) for n in re.findall(r"-?\d+", line.replace("−", "-"))][1:]
        assert [numbers[:-1:2], numbers[1:-1:2]] == [list(x[c]), list(w[c])]
        assert numbers[-1] == x[c] @ w[c]
    assert f"= {(x * w).sum() + B[0]:g}".replace("-", "−") in figure.text
    # The marked output is that of the step: the fourth, of two rows and columns.
    assert shown(figure.svg, "y[0]", "now").tolist() == [[False, False], [False, True]]
    written = " ".join(lines(figure.svg))
    for line in figure.text.splitlines():
        if "channel" in line:
            terms = line.split(": ")[1].split(" = ")[0].split(" + ")
            assert all(term in written for term in terms)


def test_numbers_of_the_user():
    x, w = RNG.normal(size=(2, 4, 6)), RNG.normal(size=(1, 2, 3, 2))
    figure = convolution(x, w)
    np.testing.assert_allclose(shown(figure.svg, "y[0]"), by_hand(x, w, [0], 1, 0, 1)[0], atol=0.00501)
    assert "rows: floor((4 + 2·0 − 1·(3 − 1) − 1) / 1) + 1 = 2" in figure.text
    assert "columns: floor((6 + 2·0 − 1·(2 − 1) − 1) / 1) + 1 = 5" in figure.text


def test_fewer_channels_and_filters():
    figure = convolution(channels=2, filters=1)
    np.testing.assert_array_equal(shown(figure.svg, "y[0]"), by_hand(X[:2], W[:1, :2], B[:1], 1, 0, 1)[0])
    assert 'data-name="y[1]"' not in figure.svg and 'data-name="x[2]"' not in figure.svg


def test_padding_is_drawn_as_zeros():
    svg = convolution(padding=1).svg
    pad = shown(svg, "x[0]", "pad")
    assert pad.sum() == 7 * 7 - 5 * 5 and (shown(svg, "x[0]")[pad] == 0).all()


def test_the_same_picture_every_time():
    assert convolution().html() == convolution().html()


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"stride": 0}, InputError, "stride"),
        ({"stride": (1, 2)}, InputError, "stride"),
        ({"padding": -1}, InputError, "padding"),
        ({"dilation": 3}, ShapeError, "larger than the padded image"),
        ({"x": np.zeros((3, 99, 99))}, ShapeError, "cannot be drawn"),
        ({"x": np.zeros((1, 5, 5))}, ShapeError, "do not fit"),
        ({"x": "image"}, InputError, "no array"),
        ({"x": np.full((3, 5, 5), np.nan)}, InputError, "not finite"),
        ({"b": [1, 2, 3]}, ShapeError, "do not fit"),
        ({"channels": 4}, InputError, "channels"),
        ({"step": 18}, InputError, "step"),
        ({"strides": 2}, InputError, "did you mean 'stride'"),
    ],
)
def test_what_cannot_be_drawn(arguments, error, message):
    with pytest.raises(error) as caught:
        convolution(**arguments)
    assert message in str(caught.value)
