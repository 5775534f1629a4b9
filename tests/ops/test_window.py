"""Geometry of sliding windows, and what users may write for it."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from symcnn.errors import InputError, ShapeError
from symcnn.ops.window import Window2d, window2d

sizes = st.integers(1, 12)


@pytest.mark.parametrize(
    ("padding", "expected"),
    [
        (1, ((1, 1), (1, 1))),
        ((1, 2), ((1, 1), (2, 2))),
        ((1, 2, 3, 4), ((1, 3), (2, 4))),  # ONNX: top, left, bottom, right
        (((1, 2), (3, 4)), ((1, 2), (3, 4))),
        ("valid", ((0, 0), (0, 0))),
        ("same", "same"),
    ],
)
def test_padding_as_users_write_it(padding, expected):
    assert window2d(padding=padding).padding == expected


@pytest.mark.parametrize(
    "arguments",
    [
        {"stride": 0}, {"stride": -1}, {"stride": (1, 2, 3)}, {"stride": 1.5}, {"stride": True}, {"stride": None},
        {"dilation": 0}, {"dilation": "2"}, {"padding": -1}, {"padding": (1, -1)}, {"padding": (1, 2, 3)},
        {"padding": "full"}, {"padding": ((1, 2), (3, -4))}, {"padding": None}, {"groups": 0}, {"groups": (1, 1)},
    ],
)  # fmt: skip
def test_bad_arguments_say_what_is_wrong(arguments):
    (name,) = arguments
    with pytest.raises(InputError, match=name):
        window2d(**arguments)


def test_a_window_that_does_not_fit_names_the_sizes():
    with pytest.raises(ShapeError, match="5 > 4 columns") as caught:
        window2d(padding=(0, 1)).output_size(2, 5, axis=1)
    assert "padding 1 + 1" in str(caught.value)
    with pytest.raises(ShapeError, match="9 > 8 rows"):
        window2d(dilation=4).output_size(8, 3, axis=0)


def test_unknown_sizes_stay_unknown():
    assert window2d().output_sizes((None, 5), (3, 3)) == (None, 3)
    assert window2d(padding="same").output_sizes((5, None), (3, 3)) == (5, None)


@given(sizes, st.integers(1, 4), st.integers(1, 4), st.integers(1, 3))
def test_same_padding_is_that_of_onnx(size, kernel, stride, dilation):
    window = window2d(stride, "same", dilation)
    outputs = -(-size // stride)
    assert window.output_size(size, kernel, 0) == outputs
    (before, after), _ = window.pads((size, size), (kernel, kernel))
    assert 0 <= after - before <= 1
    needed = (outputs - 1) * stride + (kernel - 1) * dilation + 1
    assert before + after == max(needed - size, 0)


@given(
    sizes, st.integers(1, 4), st.integers(1, 4), st.integers(1, 3), st.integers(0, 3), st.integers(0, 3), st.booleans()
)
def test_output_size_counts_the_windows_that_fit(size, kernel, stride, dilation, before, after, ceil_mode):
    window = Window2d((stride, 1), ((before, after), (0, 0)), (dilation, 1))
    reach = (kernel - 1) * dilation + 1
    assume(max(before, after) < reach)
    if reach > size + before + after:
        with pytest.raises(ShapeError):
            window.output_size(size, kernel, 0, ceil_mode)
        return
    starts = range(-before, size + after, stride)
    fitting = [s for s in starts if s + reach <= size + after]
    if ceil_mode and fitting[-1] + reach < size + after and fitting[-1] + stride < size:
        fitting.append(fitting[-1] + stride)
    assert window.output_size(size, kernel, 0, ceil_mode) == len(fitting)


def test_text_shows_what_differs_from_the_default():
    assert str(window2d()) == ""
    assert str(window2d(2, (1, 2), groups=3)) == "stride=2, padding=(1, 2), groups=3"
    assert str(window2d((1, 2), (0, 0, 1, 1))) == "stride=(1, 2), padding=(0, 1)"
