"""Types: dtypes that are computed in, shapes with unknown dimensions, and broadcasting that never guesses."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from symcnn.errors import DTypeError, ShapeError
from symcnn.ir.types import TensorType, as_dtype, broadcast_shapes, normalize_axes, normalize_axis, shape_text

SHAPES = st.lists(st.integers(0, 3), max_size=4).map(tuple)


@given(st.lists(SHAPES, min_size=1, max_size=3))
def test_known_shapes_broadcast_as_in_numpy(shapes):
    try:
        expected = np.broadcast_shapes(*shapes)
    except ValueError:
        with pytest.raises(ShapeError):
            broadcast_shapes(*shapes)
    else:
        assert broadcast_shapes(*shapes) == expected


@given(SHAPES, SHAPES, st.data())
def test_unknown_dimensions_promise_nothing_wrong(a, b, data):
    """What is said with some sizes hidden is true of the sizes themselves, where an unknown one is not stretched."""
    hidden = [tuple(None if data.draw(st.booleans()) else d for d in shape) for shape in (a, b)]
    try:
        actual = np.broadcast_shapes(a, b)
    except ValueError:
        return
    for shape, vague in zip((a, b), hidden, strict=True):
        for d, e, n in zip(shape[::-1], vague[::-1], actual[::-1], strict=False):
            if e is None and d == 1 != n:
                return  # binding refuses this
    found = broadcast_shapes(*hidden)
    assert len(found) == len(actual)
    assert all(d in (None, n) for d, n in zip(found, actual, strict=True))


def test_unknown_dimensions():
    assert broadcast_shapes((None, 3), (1, 3)) == (None, 3)
    assert broadcast_shapes((None, 3), (5, 1)) == (5, 3)
    assert broadcast_shapes((None,), (None,)) == (None,)
    assert broadcast_shapes((), (None, 1)) == (None, 1)
    with pytest.raises(ShapeError, match="broadcast"):
        broadcast_shapes((None, 3), (None, 4))


def test_types():
    t = TensorType("float32", (None, 3))
    assert (t.ndim, t.size, t.nbytes, t.is_concrete, t.is_float) == (2, None, None, False, True)
    assert TensorType("int16", (2, 3)).nbytes == 12
    assert TensorType(np.float64, ()).size == 1
    assert str(t) == "float32[?, 3]"
    assert shape_text(()) == "[]"
    assert t == TensorType(np.float32, [None, np.int64(3)])
    assert t.with_dtype("int8").shape == t.shape
    with pytest.raises(ShapeError, match="negative"):
        TensorType("float32", (-1,))


def test_accepts_and_may_be():
    f = lambda *shape: TensorType("float32", shape)  # noqa: E731
    assert f(None, 3).accepts(f(5, 3))
    assert f(None, 3).accepts(f(None, 3))
    assert not f(5, 3).accepts(f(None, 3))
    assert not f(None, 3).accepts(f(5, 4))
    assert not f(None).accepts(f(5, 3))
    assert not f(3).accepts(TensorType("float64", (3,)))
    assert f(5, 3).may_be(f(None, 3))
    assert not f(5, 3).may_be(f(4, None))
    assert not f(3).may_be(f(3, 3))


def test_dtypes():
    assert as_dtype("float32") == np.float32
    assert as_dtype(bool) == np.bool_
    for wrong in ("float16", "complex64", "U3", object, "no such dtype"):
        with pytest.raises(DTypeError, match="not supported"):
            as_dtype(wrong)


def test_axes():
    assert normalize_axis(-1, 3) == 2
    assert normalize_axis(np.int64(1), 3) == 1
    assert normalize_axes(None, 3) == (0, 1, 2)
    assert normalize_axes((2, -3), 3) == (0, 2)
    assert normalize_axes((), 3) == ()
    for wrong in (3, -4):
        with pytest.raises(ShapeError, match="out of range"):
            normalize_axis(wrong, 3)
    with pytest.raises(ShapeError, match="twice"):
        normalize_axes((0, -3), 3)
    with pytest.raises(DTypeError, match="integer"):
        normalize_axis(1.5, 3)
