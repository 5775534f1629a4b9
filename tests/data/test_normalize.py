"""Normalisation: fitted on one split, applied to all."""

import numpy as np
import pytest

from symcnn.data import Dataset, Normalize, moments
from symcnn.errors import InputError, ShapeError


@pytest.fixture(params=[1 << 22, 100, 1], ids=["one chunk", "chunks", "row by row"])
def chunks(request, monkeypatch):
    monkeypatch.setattr(moments, "CHUNK", request.param)


def images_of_three_channels(n=50):
    return np.random.default_rng(0).normal((1, 10, -5), (1, 2, 30), (n, 4, 4, 3)).transpose(0, 3, 1, 2)


@pytest.mark.usefixtures("chunks")
def test_zero_mean_and_unit_variance_per_channel():
    images = images_of_three_channels()
    fitted = Normalize.fit(images)
    np.testing.assert_allclose(fitted.mean, images.mean(axis=(0, 2, 3)), rtol=1e-12)
    np.testing.assert_allclose(fitted.std, images.std(axis=(0, 2, 3)), rtol=1e-12)
    found = fitted(images)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found.mean(axis=(0, 2, 3)), 0, atol=1e-5)
    np.testing.assert_allclose(found.std(axis=(0, 2, 3)), 1, atol=1e-5)


@pytest.mark.usefixtures("chunks")
def test_mean_image():
    images = images_of_three_channels() + np.arange(16.0).reshape(4, 4)
    fitted = Normalize.fit(images, per_pixel=True)
    found = fitted(images)
    np.testing.assert_allclose(fitted.mean, images.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(found.mean(axis=0), 0, atol=1e-5)
    np.testing.assert_allclose(found.std(axis=(0, 2, 3)), 1, atol=1e-5)
    np.testing.assert_allclose(fitted.inverse(found), images, atol=1e-4)
    assert repr(fitted).startswith("Normalize(mean=image[3, 4, 4], std=(")
    with pytest.raises(ShapeError, match="another size"):
        fitted(np.zeros((2, 3, 5, 5)))


def test_far_from_zero_the_variance_is_exact():
    """The mean of squares less the square of the mean would lose every digit here."""
    images = 1e9 + images_of_three_channels()
    np.testing.assert_allclose(Normalize.fit(images).std, images.std(axis=(0, 2, 3)), rtol=1e-9)


@pytest.mark.usefixtures("chunks")
def test_files_are_read_in_pieces(tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (30, 3, 6, 5)).astype("uint8")
    np.save(tmp_path / "images.npy", images)
    mapped = np.load(tmp_path / "images.npy", mmap_mode="r")
    assert Normalize.fit(mapped) == Normalize.fit(images) == Normalize.fit(Dataset(mapped, np.zeros(30)))
    lazily = Dataset(mapped, np.zeros(30)).map(lambda x: x * np.float32(2))
    np.testing.assert_allclose(Normalize.fit(lazily).mean, 2 * np.array(Normalize.fit(images).mean))


def test_uint8_and_inverse():
    images = np.random.default_rng(0).integers(0, 256, (5, 1, 6, 6)).astype("uint8")
    normalize = Normalize.fit(images)
    np.testing.assert_allclose(normalize.inverse(normalize(images)), images, atol=1e-3)


@pytest.mark.parametrize("dtype", ["uint8", "int64", "float32", "float64"])
def test_float32_whatever_they_were(dtype):
    images = np.arange(24).reshape(2, 3, 2, 2).astype(dtype)
    found = Normalize((1.0, 2.0, 3.0), (4.0, 5.0, 6.0))(images)
    expected = (images - np.reshape([1.0, 2, 3], (3, 1, 1))) / np.reshape([4.0, 5, 6], (3, 1, 1))
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_equality():
    one, other = Normalize((1.0,), (2.0,)), Normalize((1.0,), (3.0,))
    assert one == Normalize((1.0,), (2.0,)) and one != other and one != 1
    assert len({one, Normalize((1.0,), (2.0,)), other}) == 2


@pytest.mark.usefixtures("chunks")
@pytest.mark.parametrize("per_pixel", [False, True])
def test_a_constant_channel_is_only_centred(per_pixel):
    assert Normalize.fit(np.full((1000, 1, 2), 0.1), per_pixel).std == (1,)  # whose mean is 0.1 but for rounding
    assert (Normalize.fit(np.full((3, 1, 2), 7.0))(np.full((1, 1, 2), 9.0)) == 2).all()


def test_other_channels():
    normalize = Normalize.fit(np.zeros((2, 3, 4, 4)))
    with pytest.raises(ShapeError, match="channels"):
        normalize(np.zeros((2, 4, 4, 3)))
    with pytest.raises(ShapeError):
        Normalize.fit(np.zeros((0, 3, 4, 4)))


def test_channels_that_come_last():
    with pytest.raises(ShapeError, match="to_nchw"):
        Normalize.fit(np.zeros((2, 32, 32, 3)))
    assert len(Normalize.fit(np.zeros((2, 16, 4, 4))).mean) == 16


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_values_that_are_none(value):
    images = images_of_three_channels()
    images[3, 1, 2, 2] = value
    with pytest.raises(InputError, match="NaN or infinity"):
        Normalize.fit(images)


@pytest.mark.parametrize(
    ("mean", "std", "error"),
    [
        ((0.5, 0.5), (0.1,), ShapeError),
        ((0.5,), (0.1, 0.1), ShapeError),
        ((0.5,), (0.0,), InputError),
        ((0.5,), (-0.1,), InputError),
        ((float("nan"),), (0.1,), InputError),
    ],
)
def test_numbers_that_cannot_be(mean, std, error):
    with pytest.raises(error, match="Normalize"):
        Normalize(mean, std)
