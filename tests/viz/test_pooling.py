"""The picture of a pooling: values, winners and gradients are those of a pooling, in every setting."""

import numpy as np
import pytest

import symcnn as sc
from symcnn.errors import InputError, ShapeError
from symcnn.viz.pooling import X, pooling

from .pictures import lines, shown

GEOMETRIES = [(2, None, 0), (3, 2, 1), (3, 1, 0), (2, 3, 1), (4, 4, 2), (1, 1, 0)]


def by_hand(x, kind, window, stride, padding):
    """(y, dx, winners) for dy = 1, 2, 3, ..., one window after the other."""
    stride = stride or window
    rows, columns = ((n + 2 * padding - window) // stride + 1 for n in x.shape)
    y, dx, winners = np.zeros((rows, columns)), np.zeros(x.shape), np.zeros(x.shape, bool)
    for k, (r, q) in enumerate(np.ndindex(rows, columns), start=1):
        top, left = r * stride - padding, q * stride - padding
        place = np.s_[max(top, 0) : top + window, max(left, 0) : left + window]
        seen = x[place]
        if kind == "average":
            y[r, q] = seen.mean()
            dx[place] += k / seen.size
        else:
            y[r, q] = seen.max()
            best = np.unravel_index(seen.argmax(), seen.shape)
            dx[place][best] += k
            winners[place][best] = True
    return y, dx, winners


@pytest.mark.parametrize("kind", ["max", "average"])
@pytest.mark.parametrize(("window", "stride", "padding"), GEOMETRIES)
def test_values_and_gradients(kind, window, stride, padding):
    svg = pooling(kind=kind, window=window, stride=stride, padding=padding).svg
    y, dx, winners = by_hand(X, kind, window, stride, padding)
    np.testing.assert_allclose(shown(svg, "y"), y, atol=0.00501)
    np.testing.assert_allclose(shown(svg, "dx"), dx, atol=0.00501)
    inside = np.s_[padding : padding + 6, padding : padding + 6]
    np.testing.assert_array_equal(shown(svg, "x", "best")[inside], winners)

    x = sc.input("x", (1, 1, 6, 6), "float64")
    pool = sc.max_pool2d if kind == "max" else sc.avg_pool2d
    out = pool(x, window, stride=stride, padding=padding)
    cost = (out * shown(svg, "dy")).sum()
    values = sc.function([x], [out, sc.grad(cost, x)], device="reference")(X[None, None].astype("float64"))
    np.testing.assert_allclose(values[0][0, 0], y)
    np.testing.assert_allclose(values[1][0, 0], dx)


def test_forward_then_backward():
    n = 9
    forward, backward = pooling(step=3).svg, pooling(step=n + 3).svg
    y, dx, _ = by_hand(X, "max", 2, 2, 0)
    np.testing.assert_array_equal(shown(forward, "y").ravel(), [*y.ravel()[:4], *[np.nan] * 5])
    assert np.isnan(shown(forward, "dx")).all() and np.isnan(shown(forward, "dy")).all()
    assert shown(forward, "y", "now").ravel().nonzero()[0].tolist() == [3]
    assert shown(backward, "dy", "back").ravel().nonzero()[0].tolist() == [3]
    assert shown(backward, "dx").sum() == 1 + 2 + 3 + 4 and dx.sum() == sum(range(n + 1))
    # The fourth window sees 1, 3, 5 and 6.
    assert "y[1, 0] = max(1, 3, 5, 6) = 6" in lines(forward)
    assert "dx[3, 1] += dy[1, 0] = 4" in lines(backward)


def test_among_equals_the_first_wins():
    svg = pooling(np.ones((2, 2))).svg
    assert shown(svg, "x", "best").tolist() == [[True, False], [False, False]]
    assert shown(svg, "dx").tolist() == [[1, 0], [0, 0]]


def test_padding_never_wins():
    svg = pooling(-np.ones((2, 2)), window=3, stride=1, padding=1, step=0).svg
    assert shown(svg, "y")[0, 0] == -1 and np.isneginf(shown(svg, "x")[0]).all()


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"kind": "maximum"}, InputError, "did you mean 'max'"),
        ({"window": 0}, InputError, "window"),
        ({"padding": 2}, InputError, "from 0 to 1"),
        ({"window": 3, "x": [[1, 2]]}, ShapeError, "larger than the padded image"),
        ({"x": np.zeros((1, 4, 4))}, ShapeError, "cannot be drawn"),
        ({"step": 18}, InputError, "step"),
        ({"pool_size": 2}, InputError, "did you mean 'window'"),
    ],
)
def test_what_cannot_be_drawn(arguments, error, message):
    with pytest.raises(error) as caught:
        pooling(**arguments)
    assert message in str(caught.value)
