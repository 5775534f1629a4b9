"""The synthetic segmentation set: reproducible, labelled as drawn, and not to be told by colour alone."""

import numpy as np
import pytest

from symcnn.data import synthetic_shapes
from symcnn.data.shapes import SHAPES
from symcnn.errors import InputError
from symcnn.metrics import confusion_matrix, mean_iou


def test_what_it_holds():
    data = synthetic_shapes(20, size=(40, 56), classes=tuple(SHAPES))
    assert data.images.shape == (20, 3, 40, 56) and data.images.dtype == np.uint8
    assert data.labels.shape == (20, 40, 56) and data.labels.dtype == np.int64
    assert data.classes == ("background", "circle", "square", "triangle", "cross", "ring")
    assert set(np.unique(data.labels)) == set(range(6))
    share = (data.labels > 0).mean(axis=(1, 2))
    assert share.min() > 0.02 and share.max() < 0.8


def test_images_follow_seed_and_number():
    first, again, more = (
        synthetic_shapes(3, 32, seed=4),
        synthetic_shapes(3, 32, seed=4),
        synthetic_shapes(5, 32, seed=4),
    )
    np.testing.assert_array_equal(first.images, again.images)
    np.testing.assert_array_equal(first.images, more.images[:3])
    np.testing.assert_array_equal(first.labels, more.labels[:3])
    assert not np.array_equal(first.images, synthetic_shapes(3, 32, seed=5).images)


@pytest.mark.parametrize("name", SHAPES)
def test_every_shape_has_about_the_area_of_its_circle(name):
    v, u = np.mgrid[-2:2:401j, -2:2:401j]
    assert 0.75 < SHAPES[name](u, v).mean() * 16 / np.pi < 1.1


def test_shapes_stand_out_from_their_background():
    """Within a shape colours vary by noise alone; across its edge they jump."""
    data = synthetic_shapes(20, 48)
    images = data.images.astype("float64")
    step = abs(np.diff(images, axis=3)).mean(axis=1)
    edge = np.diff(data.labels, axis=2) != 0
    inside = ~edge & (data.labels[:, :, 1:] > 0)
    assert step[edge].mean() > 3 * step[inside].mean()


def test_colour_alone_does_not_tell_the_class():
    """The best guess from a pixel's colour, measured over 150 images, against form: chance would be a third."""
    train, test = synthetic_shapes(150, 32), synthetic_shapes(60, 32, seed=1)

    def colour(images):
        red, green, blue = np.moveaxis(images // 16, 1, 0).astype(int)
        return (red * 16 + green) * 16 + blue

    counts = np.zeros((4096, 4))
    np.add.at(counts, (colour(train.images).ravel(), train.labels.ravel()), 1)
    found = mean_iou(confusion_matrix(counts.argmax(axis=1)[colour(test.images)], test.labels))
    assert 0.3 < found < 0.65


def test_no_images():
    assert synthetic_shapes(0, 16).images.shape == (0, 3, 16, 16)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"n": -1}, "no such set"),
        ({"n": 1.5}, "no such set"),
        ({"n": 1, "size": 8}, "no such set"),
        ({"n": 1, "size": (32, 32, 3)}, "no such set"),
        ({"n": 1, "size": "large"}, "no such set"),
        ({"n": 1, "seed": -1}, "no seed"),
        ({"n": 1, "classes": ("circle", "sqare")}, "square"),
        ({"n": 1, "classes": ("circle", "circle")}, "once"),
        ({"n": 1, "classes": ()}, "at least"),
        ({"n": 1, "colours": 3}, "colours"),
    ],
)
def test_unusable_arguments(arguments, says):
    with pytest.raises(InputError) as caught:
        synthetic_shapes(**arguments)
    assert says in str(caught.value)
