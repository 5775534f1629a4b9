"""Storage order and channel order: conversions are views, and a wrong order is noticed."""

import numpy as np
import pytest

from symcnn.data.layouts import check_layout, layout_hint, swap_red_blue, to_gray, to_nchw, to_nhwc
from symcnn.errors import DTypeError, InputError, ShapeError


@pytest.fixture
def images():
    return np.random.default_rng(0).integers(0, 256, (5, 3, 6, 7)).astype("uint8")


def test_there_and_back_without_copying(images):
    there = to_nhwc(images)
    assert there.shape == (5, 6, 7, 3) and there.base is images
    np.testing.assert_array_equal(there[2, 4, 5], images[2, :, 4, 5])
    back = to_nchw(there)
    np.testing.assert_array_equal(back, images)
    assert np.shares_memory(back, images)


@pytest.mark.parametrize("shape", [(3, 6, 7), (5, 3, 6, 7), (2, 5, 3, 6, 7)])
def test_any_number_of_leading_axes(shape):
    moved = to_nhwc(np.zeros(shape))
    assert moved.shape == (*shape[:-3], 6, 7, 3)
    assert to_nchw(moved).shape == shape


def test_conversion_of_what_is_converted_already(images):
    with pytest.raises(ShapeError, match="already"):
        to_nchw(images)
    with pytest.raises(ShapeError, match="already"):
        to_nhwc(to_nhwc(images))


@pytest.mark.parametrize("shape", [(2, 8, 8, 64), (2, 3, 3, 3), (2, 1, 5, 4), (3, 1, 1), (0, 3, 8, 8)])
def test_what_a_shape_cannot_tell_is_accepted(shape):
    for layout in ("NCHW", "NHWC") if shape[0] else ("NCHW",):
        check_layout(np.zeros(shape), layout)


@pytest.mark.parametrize(("layout", "shape"), [("NCHW", (2, 8, 9, 3)), ("BDRC", (8, 9, 1)), ("NHWC", (2, 4, 8, 9))])
def test_a_wrong_order_is_noticed(layout, shape):
    with pytest.raises(ShapeError, match="channels are not where"):
        check_layout(np.zeros(shape), layout)


def test_only_the_shape_is_looked_at():
    """Images that are decoded when they are read stay undecoded."""

    class Undecoded:
        shape = (10, 32, 32, 3)

    check_layout(Undecoded(), "NHWC")
    with pytest.raises(ShapeError, match="channels"):
        check_layout(Undecoded())


def test_too_few_axes_and_unknown_layouts(images):
    with pytest.raises(ShapeError, match="channel axis"):
        to_nchw(np.zeros((28, 28)))
    with pytest.raises(InputError, match="NHWC"):
        check_layout(images, "NHCW")


def test_red_and_blue(images):
    swapped = swap_red_blue(images)
    assert np.shares_memory(swapped, images)
    np.testing.assert_array_equal(swapped, images[:, [2, 1, 0]])
    np.testing.assert_array_equal(swap_red_blue(to_nhwc(images), layout="NHWC"), to_nhwc(swapped))
    rgba = np.arange(4).reshape(4, 1, 1)
    assert swap_red_blue(rgba).ravel().tolist() == [2, 1, 0, 3]
    with pytest.raises(ShapeError, match="layout='NHWC'"):
        swap_red_blue(to_nhwc(images))


def test_gray_is_pillows(images):
    image = pytest.importorskip("PIL.Image")
    for one, gray in zip(to_nhwc(images), to_gray(images), strict=True):
        np.testing.assert_array_equal(gray[0], np.asarray(image.fromarray(one).convert("L")))


def test_gray_of_floats_and_of_white(images):
    weights = np.array([0.299, 0.587, 0.114])[:, None, None]
    found = to_gray(images.astype("float64"))
    np.testing.assert_allclose(found, (images * weights).sum(axis=1, keepdims=True), atol=255 * 2**-17)
    assert to_gray(images.astype("float32")).dtype == "float32"
    assert (to_gray(np.full((3, 2, 2), 255, "uint8")) == 255).all()
    np.testing.assert_array_equal(to_gray(to_nhwc(images), "NHWC"), to_nhwc(to_gray(images)))
    with pytest.raises(DTypeError):
        to_gray(images.astype("int64"))


@pytest.mark.parametrize(
    ("found", "expected", "says"),
    [
        ((8, 32, 32, 3), (3, 32, 32), "to_nchw"),
        ((8, 28, 28), (1, 28, 28), "channel axis"),
        ((8, 3, 28, 28), (1, 28, 28), "to_gray"),
        ((8, 784), (1, 28, 28), None),
        ((8, 3), (2,), None),
    ],
)
def test_the_hint_of_a_model(found, expected, says):
    hint = layout_hint(found, expected)
    assert hint is None if says is None else says in hint
