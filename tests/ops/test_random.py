"""Random numbers: the published test vectors of Philox, moments, reproducibility."""

import numpy as np
import pytest

import symcnn as sc
from symcnn.ops.random import CALL, philox
from tests.interpret import evaluate_graph

# Random123's kat_vectors, philox4x32 with 10 rounds: counter, key, output.
KNOWN = [
    ((0, 0, 0, 0), (0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
    ((0xFFFFFFFF,) * 4, (0xFFFFFFFF,) * 2, (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
    (
        (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
        (0xA4093822, 0x299F31D0),
        (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
    ),
]


def _int64(low, high):
    return np.array(low | high << 32, np.uint64).astype(np.int64)


@pytest.mark.parametrize(("counter", "key", "expected"), KNOWN)
def test_philox_gives_the_published_numbers(counter, key, expected):
    words = philox(_int64(*key), _int64(*counter[2:]), _int64(*counter[:2]))
    assert tuple(map(int, words)) == expected


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_moments(dtype):
    n = 200_000
    u = evaluate_graph(sc.random.uniform((n,), seed=1, dtype=dtype), {CALL: np.int64(0)})
    z = evaluate_graph(sc.random.normal((n,), seed=1, dtype=dtype), {CALL: np.int64(0)})
    assert u.dtype == z.dtype == dtype
    assert u.min() >= 0 and u.max() < 1
    assert abs(u.mean() - 0.5) < 0.003 and abs(u.var() - 1 / 12) < 0.001
    assert np.histogram(u, 10, (0, 1))[0].std() < 3 * np.sqrt(n / 10)
    assert abs(z.mean()) < 0.01 and abs(z.std() - 1) < 0.01
    assert abs((z**3).mean()) < 0.05 and abs((z**4).mean() - 3) < 0.1
    assert np.isfinite(z).all()


def test_scale_and_shift():
    z = sc.random.normal((1000,), 3, mean=5, std=0.1)
    u = sc.random.uniform((1000,), 3, low=-2, high=-1)
    values = {CALL: np.int64(0)}
    assert abs(evaluate_graph(z, values).mean() - 5) < 0.02
    assert evaluate_graph(u, values).min() >= -2 and evaluate_graph(u, values).max() < -1
    b = evaluate_graph(sc.random.bernoulli((10_000,), 3, 0.2), values)
    assert b.dtype == bool and abs(b.mean() - 0.2) < 0.02


def test_scale_may_be_symbolic():
    s = sc.input("s", (), dtype="float64")
    z = sc.random.normal((5,), 0, std=s, dtype="float64")
    values = {CALL: np.int64(0), s: np.float64(2)}
    gradient = sc.grad(sc.sum(z), s)
    np.testing.assert_allclose(evaluate_graph(gradient, values), evaluate_graph(z, values).sum() / 2)


def test_equal_seeds_are_equal_and_calls_differ():
    draw = sc.function([], [sc.random.normal((4, 5), 7), sc.random.normal((4, 5), 7), sc.random.normal((4, 5), 8)])
    a, b, c = draw()
    np.testing.assert_array_equal(a, b)
    assert (a != c).all()
    again = draw()[0]
    assert (a != again).all()
    draw.calls = 0
    np.testing.assert_array_equal(draw()[0], a)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_backends_draw_the_same_numbers(dtype):
    outputs = [sc.random.uniform((1000,), 5, dtype=dtype), sc.random.normal((10, 100), -5, dtype=dtype)]
    for found, expected in zip(sc.function([], outputs)(), sc.function([], outputs, device="reference")(), strict=True):
        np.testing.assert_allclose(found, expected, rtol=4 * np.finfo(dtype).eps)


@pytest.mark.parametrize("seed", [1.5, "a", 2**63, None])
def test_seeds_that_are_refused(seed):
    with pytest.raises(sc.DTypeError, match="seed"):
        sc.random.normal((2,), seed)


def test_dtypes_that_are_refused():
    with pytest.raises(sc.DTypeError, match="float32 or float64"):
        sc.random.uniform((2,), 0, dtype="int32")


def test_dropout_keeps_the_expectation():
    x = sc.input("x", (None, 1000))
    y = sc.dropout(x, 0.25, seed=1)
    f = sc.function([x], [y, sc.grad(sc.sum(y), x)])
    ones = np.ones((50, 1000), "float32")
    found, gradient = f(ones)
    assert set(np.unique(found)) == {0, np.float32(1 / 0.75)}
    assert abs(found.mean() - 1) < 0.01
    np.testing.assert_array_equal(found, gradient)  # the same elements, in both directions
    assert (f(ones)[0] != found).any()


def test_dropout_without_a_seed_differs_from_layer_to_layer():
    x = sc.input("x", (100,))
    a, b = evaluate_graph(
        sc.stack([sc.dropout(x, 0.5), sc.dropout(x, 0.5)]), {x: np.ones(100, "float32"), CALL: np.int64(0)}
    )
    assert (a != b).any()


def test_rates():
    x = sc.input("x", (3,))
    assert sc.dropout(x, 0) is x
    for rate in (-0.1, 1, 2.0, sc.input("r", ())):
        with pytest.raises(sc.InputError, match="rate"):
            sc.dropout(x, rate)
