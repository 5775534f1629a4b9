"""Initialisers by name, as they are and with options; the same values for the same seed."""

import inspect

import numpy as np
import pytest

import symcnn as sc
from symcnn import init
from symcnn.errors import DTypeError, InputError, ShapeError

NAMES = [name for name in init.__all__ if isinstance(getattr(init, name), init.Initializer)]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", NAMES)
def test_the_same_by_name_as_it_is_and_with_options(name, dtype):
    shape = (6, 3, 2, 2)
    by_name, function = init.draw(name, shape, 7, dtype), getattr(init, name)
    assert by_name.shape == shape and by_name.dtype == dtype and by_name.flags.c_contiguous
    for same in (function, function()):
        np.testing.assert_array_equal(init.draw(same, shape, 7, dtype), by_name)
        np.testing.assert_array_equal(same(shape, seed=7, dtype=dtype), by_name)


@pytest.mark.parametrize("name", sorted(set(NAMES) - {"zeros", "ones", "constant", "identity", "bilinear"}))
def test_seeds(name):
    draw, shape = getattr(init, name), (7, 5)
    np.testing.assert_array_equal(draw(shape, 3), draw(shape, 3))
    assert not np.array_equal(draw(shape, 3), draw(shape, 4))
    rng = np.random.default_rng(0)
    assert not np.array_equal(draw(shape, rng), draw(shape, rng))


def test_process_wide_seed():
    init.seed(5)
    first = init.glorot_normal((3, 3))
    assert not np.array_equal(first, init.glorot_normal((3, 3)))
    init.seed(5)
    np.testing.assert_array_equal(first, init.glorot_normal((3, 3)))


def test_options():
    np.testing.assert_array_equal(init.constant(0.1)((2, 2)), np.full((2, 2), 0.1, "float32"))
    np.testing.assert_array_equal(init.constant(3)((2,), dtype="int64"), [3, 3])
    np.testing.assert_array_equal(init.normal(0.5)((9,), 0), init.normal((9,), 0, std=0.5))
    wide = init.normal(mean=2.0)(std=0.5)
    np.testing.assert_array_equal(wide((9,), 0), init.normal((9,), 0, mean=2.0, std=0.5))
    np.testing.assert_allclose(init.he_normal(gain=3)((4, 4), 0), 3 * init.he_normal((4, 4), 0), rtol=1e-6)
    assert repr(wide) == "normal(mean=2, std=0.5)" and repr(init.zeros) == "zeros"


def test_signatures_are_those_of_the_calls():
    assert str(inspect.signature(init.normal)) == "(shape, seed=None, dtype='float32', *, std=0.01, mean=0.0)"


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: init.normal(sdt=0.1),
        lambda: init.normal((2,), sdt=0.1),
        lambda: init.normal(std="0.1"),
        lambda: init.normal("0.1"),
        lambda: init.normal(0.1, 0.2),
        lambda: init.constant(float("nan")),
        lambda: init.zeros(3),
    ],
)
def test_options_that_cannot_be(wrong):
    with pytest.raises(InputError):
        wrong()


def test_typos():
    with pytest.raises(InputError, match="did you mean 'std'"):
        init.normal(sdt=0.1)
    with pytest.raises(InputError, match="did you mean 'he_normal'"):
        init.draw("he_norml", (2, 2))
    with pytest.raises(InputError, match="no initialiser"):
        init.draw(0.1, (2, 2))


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"shape": (2, -1)}, ShapeError),
        ({"shape": (2, "a")}, ShapeError),
        ({"shape": (0, 2)}, ShapeError),
        ({"seed": "a"}, InputError),
        ({"seed": -1}, InputError),
        ({"dtype": "flot32"}, DTypeError),
    ],
)
def test_shapes_seeds_and_dtypes_that_cannot_be(wrong, error):
    arguments = {"shape": (2, 3), "seed": 0, "dtype": "float32"} | wrong
    with pytest.raises(error):
        init.he_normal(**arguments)
    with pytest.raises(error):
        init.draw("he_normal", **arguments)


def test_users_own_functions():
    def seven(shape, seed, dtype):
        return np.full(shape, 7.0)

    found = init.draw(seven, (2,))
    assert (found == 7).all() and found.dtype == np.float32
    with pytest.raises(ShapeError, match="another shape"):
        init.draw(lambda shape, seed, dtype: np.zeros(3), (2,))
    with pytest.raises(InputError, match="three arguments"):
        init.draw(lambda shape: np.zeros(shape), (2,))


def test_users_own_initializers(monkeypatch):
    from symcnn.init import base

    monkeypatch.setattr(base, "_named", dict(base._named))

    @init.initializer
    def stripes(shape, random, dtype, *, height=1.0):
        return height * (np.indices(shape).sum(axis=0) % 2).astype(dtype)

    np.testing.assert_array_equal(init.draw("stripes", (3,)), [0, 1, 0])
    np.testing.assert_array_equal(init.draw(stripes(2), (3,)), [0, 2, 0])


def test_weights_of_transposed_convolutions_count_inputs_as_inputs():
    shape = (64, 2, 5, 5)  # (in, out, height, width)
    values = init.draw("he_normal", shape, 0, transposed=True)
    assert values.shape == shape and values.flags.c_contiguous
    assert values.var() == pytest.approx(2 / (64 * 25), rel=0.1)
    layer = sc.nn.ConvTranspose2d(64, 2, 5, init="he_normal", seed=0)
    np.testing.assert_array_equal(layer.weight.get_value(), values)


def test_layers_take_them():
    layer = sc.nn.Dense(3, 2, init=init.constant(0.5))
    np.testing.assert_array_equal(layer.weight.get_value(), np.full((3, 2), 0.5))
