"""Orthogonal, identity and bilinear weights do what their names say."""

import numpy as np
import pytest

import symcnn as sc
from symcnn import init
from symcnn.errors import ShapeError


@pytest.mark.parametrize("shape", [(5, 5), (8, 3), (3, 8), (6, 2, 3, 3), (64, 2, 3, 3)])
@pytest.mark.parametrize(("dtype", "rounding"), [("float32", 1e-5), ("float64", 1e-13)])
def test_orthogonal(shape, dtype, rounding):
    matrix = init.orthogonal(shape, seed=0, dtype=dtype, gain=2.0).reshape(shape[0], -1)
    product = matrix @ matrix.T if matrix.shape[0] < matrix.shape[1] else matrix.T @ matrix
    np.testing.assert_allclose(product, 4 * np.eye(len(product)), atol=rounding)


def test_all_orthogonal_matrices_are_equally_likely():
    # Without the signs of R the corner would always be negative.
    corners = [init.orthogonal((3, 3), seed)[0, 0] for seed in range(400)]
    assert abs(np.mean(corners)) < 4 * np.sqrt(1 / 3 / 400)


def test_identity():
    x = np.random.default_rng(0).normal(size=(2, 3, 5, 6)).astype("float32")
    image = sc.input("x", x.shape)
    for window in ((3, 3), (1, 1), (5, 3)):
        y = sc.conv2d(image, sc.constant(init.identity((3, 3, *window))), padding="same")
        np.testing.assert_array_equal(sc.function([image], y, device="reference")(x), x)


@pytest.mark.parametrize("scale", [2, 3, 4, 8])
@pytest.mark.parametrize("groups", [1, 2])
def test_bilinear_enlarges_like_upsample2d(scale, groups):
    x = np.random.default_rng(0).normal(size=(1, 2, 6, 7)).astype("float32")
    image = sc.input("x", x.shape)
    size = 2 * scale - scale % 2
    weight = init.draw("bilinear", (2, 2 // groups, size, size), transposed=True)
    options = {"stride": scale, "padding": scale // 2, "groups": groups}
    enlarged = sc.conv2d_transpose(image, sc.constant(weight), **options)
    found, expected = sc.function([image], [enlarged, sc.upsample2d(image, scale)], device="reference")(x)
    assert found.shape == expected.shape
    inner = (..., slice(scale, -scale), slice(scale, -scale))
    np.testing.assert_allclose(found[inner], expected[inner], rtol=1e-5, atol=1e-6)


def test_bilinear_windows():
    np.testing.assert_allclose(init.bilinear((1, 1, 1, 1)), [[[[1]]]])
    odd = init.bilinear((1, 1, 3, 4))[0, 0]
    np.testing.assert_allclose(odd, np.outer([0.5, 1, 0.5], [0.25, 0.75, 0.75, 0.25]))
    mixed = init.bilinear((2, 2, 4, 4))
    assert (mixed[0, 1] == 0).all() and (mixed[1, 0] == 0).all() and (mixed[0, 0] == mixed[1, 1]).all()


@pytest.mark.parametrize("shape", [(2, 3, 4, 4), (2, 2), (2, 2, 4)])
def test_bilinear_of_other_shapes(shape):
    with pytest.raises(ShapeError, match="bilinear"):
        init.bilinear(shape)


@pytest.mark.parametrize("name", ["orthogonal", "identity"])
def test_vectors_are_no_matrices(name):
    with pytest.raises(ShapeError, match="rank 2"):
        init.draw(name, (3,))
