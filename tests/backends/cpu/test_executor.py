"""Calls from several Python threads: each gets its own result, and shared state is updated once per call."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np

import symcnn as sc


def test_the_same_function_from_several_threads():
    x = sc.input("x", (None, 64))
    f = sc.function([x], sc.sum(sc.tanh(x) @ sc.constant(np.eye(64, dtype="float32")), axis=1))
    batches = [np.full((k % 5 + 1, 64), k / 40, "float32") for k in range(40)]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(f, batches))
    for batch, result in zip(batches, found, strict=True):
        np.testing.assert_allclose(result, np.tanh(batch).sum(1), rtol=1e-5)


def test_functions_that_share_state():
    total = sc.shared(np.zeros(1000, "float64"))
    x = sc.input("x", ())
    adders = [sc.function([x], [], updates={total: total + k * x}) for k in (1, 2, 3)]
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda k: adders[k % 3](1.0), range(300)))
    np.testing.assert_array_equal(total.get_value(), 600)
