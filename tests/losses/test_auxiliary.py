"""The loss of several outputs is the weighted sum of theirs."""

import numpy as np
import pytest

import symcnn as sc

Y = [np.full(3, v, "float32") for v in (1, 2, 3)]


def run(loss, count):
    outputs, t = [sc.input(f"y{k}", (3,)) for k in range(count)], sc.input("t", (3,))
    return float(
        sc.function([*outputs, t], loss(tuple(outputs), t), device="reference")(*Y[:count], np.zeros(3, "float32"))
    )


@pytest.mark.parametrize(
    ("weight", "count", "expected"),
    [(0.3, 3, 1 + 0.3 * 4 + 0.3 * 9), ([0.5, 0.1], 3, 1 + 0.5 * 4 + 0.1 * 9), (0.3, 1, 1), (0, 2, 1), (1, 2, 5)],
)
def test_weighted_sum(weight, count, expected):
    assert run(sc.losses.with_auxiliary(sc.losses.squared_error, weight), count) == pytest.approx(expected, rel=1e-6)


def test_one_output_has_the_loss_itself():
    y, t = sc.input("y", (3,)), sc.input("t", (3,))
    assert sc.losses.with_auxiliary(sc.losses.squared_error)(y, t) is sc.losses.squared_error(y, t)


def test_refusals():
    with pytest.raises(sc.InputError, match="not callable"):
        sc.losses.with_auxiliary("cross_entropy")
    for weight in (-1, "much", [0.3, None]):
        with pytest.raises(sc.InputError, match="weight"):
            sc.losses.with_auxiliary(sc.losses.squared_error, weight)
    with pytest.raises(sc.InputError, match="one weight per auxiliary"):
        run(sc.losses.with_auxiliary(sc.losses.squared_error, [0.3]), 3)
