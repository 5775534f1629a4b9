"""MNIST: the four files by the names they have in the wild, and what is wrong with them."""

import numpy as np
import pytest

from symcnn.data import mnist, write_idx
from symcnn.errors import FileError

IMAGES = np.random.default_rng(0).integers(0, 256, (6, 28, 28)).astype("uint8")
LABELS = np.array([5, 0, 4, 1, 9, 2], "uint8")


def write(folder, names="{}-{}", images=IMAGES, labels=LABELS):
    for split in ("train", "t10k"):
        write_idx(folder / names.format(f"{split}-images", "idx3-ubyte"), images)
        write_idx(folder / names.format(f"{split}-labels", "idx1-ubyte"), labels)
    return folder


@pytest.mark.parametrize("names", ["{}-{}", "{}-{}.gz", "{}.{}", "{}.{}.gz"])
def test_names_in_the_wild(tmp_path, names):
    train, test = mnist(write(tmp_path, names))
    for split in (train, test):
        np.testing.assert_array_equal(split.images, IMAGES[:, None])
        np.testing.assert_array_equal(split.labels, LABELS)
        assert split.labels.dtype == np.int64 and split.classes == tuple("0123456789")


def test_missing(tmp_path):
    with pytest.raises(FileError, match="not a folder"):
        mnist(tmp_path / "nothing")
    write(tmp_path)
    (tmp_path / "t10k-labels-idx1-ubyte").unlink()
    with pytest.raises(FileError, match="no t10k-labels"):
        mnist(tmp_path)


@pytest.mark.parametrize(
    ("images", "labels", "says"),
    [
        (np.zeros((6, 32, 32), "uint8"), LABELS, "does not hold MNIST"),
        (IMAGES.astype("float32"), LABELS, "does not hold MNIST"),
        (IMAGES, LABELS.astype("int8"), "does not hold MNIST"),
        (IMAGES, LABELS + np.uint8(1), "label 10"),
        (IMAGES[:4], LABELS, "do not belong together"),
        (LABELS, IMAGES, "does not hold MNIST"),
    ],
)
def test_another_data_set(tmp_path, images, labels, says):
    with pytest.raises(FileError, match=says):
        mnist(write(tmp_path, images=images, labels=labels))
