"""The bundled subset, and the folder of the full set."""

import numpy as np
import pytest

from symcnn.data import FASHION_MNIST_CLASSES, fashion_mnist
from symcnn.data.fashion_mnist import BUNDLED, write_subset
from symcnn.errors import FileError, InputError


def test_bundled_subset():
    train, test = fashion_mnist()
    assert train.images.shape == (6000, 1, 28, 28) and train.images.dtype == np.uint8
    assert train.class_counts().tolist() == [600] * 10
    assert test.class_counts().tolist() == [100] * 10
    assert train.classes == FASHION_MNIST_CLASSES and len(FASHION_MNIST_CLASSES) == 10
    assert train.images.max() == 255 and 65 < train.images.mean() < 80  # 72.9 over the full training set


def test_train_and_test_share_no_image():
    train, test = ({image.tobytes() for image in split.images} for split in fashion_mnist())
    assert not train & test


def test_another_folder(tmp_path):
    write_subset(BUNDLED, tmp_path, per_class=(3, 2))
    train, test = fashion_mnist(folder=tmp_path)
    assert len(train) == 30 and len(test) == 20
    np.testing.assert_array_equal(train.take(train.labels == 4).images, _first(fashion_mnist()[0], 4, 3))


def _first(data, label, count):
    return data.images[data.labels == label][:count]


def test_missing_folder(tmp_path):
    with pytest.raises(FileError, match="dataset-fashion-mnist"):
        fashion_mnist(folder=tmp_path / "nowhere")
    with pytest.raises(FileError, match="no path"):
        fashion_mnist(folder=3)
    with pytest.raises(InputError, match="full is True or False") as error:
        fashion_mnist(str(tmp_path))
    assert "folder=" in error.value.hint
