"""Values that are computed again rather than loaded: which, and that they are the same."""

import numpy as np

import symcnn as sc

rng = np.random.default_rng(0)
X, Z = rng.normal(size=(2, 6, 8)).astype("float32")
W = rng.normal(size=(8, 8)).astype("float32")


def built(outputs, inputs):
    f = sc.function(inputs, outputs, device="cpu")
    expected = sc.function(inputs, outputs, device="reference")(X, Z)
    for a, b in zip(f(X, Z), expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)
    return f


def after_a_product(make):
    """Kernels that read of ``v = make(x, z)``: a product, then something that reads v, x and z."""
    x, z = sc.input("x", (None, 8)), sc.input("z", (None, 8))
    v = make(x, z)
    f = built([sc.tanh(v @ sc.shared(W)) + v + x * z], [x, z])
    return [k.name for k in f.kernels]


def test_a_quotient_of_what_is_loaded_anyway():
    first, last = after_a_product(lambda x, z: x / (z * z + 1))
    assert "divide" in first
    assert "divide" in last


def test_not_what_is_expensive():
    first, last = after_a_product(lambda x, z: sc.exp(x * z))
    assert "exp" in first
    assert "exp" not in last


def test_not_what_needs_more_to_be_loaded():
    x, z = sc.input("x", (None, 8)), sc.input("z", (None, 8))
    v = x / (z * z + 1)
    f = built([sc.tanh(v @ sc.shared(W)) + v + x], [x, z])
    assert "divide" not in f.kernels[-1].name


def test_not_what_is_read_elsewhere():
    """v is read in another order than x and z: they would have to be read in both."""
    x, z = sc.input("x", (8, 8)), sc.input("z", (8, 8))
    v = x / (z * z + 1)
    outputs = [sc.tanh(v @ sc.shared(W)) + sc.transpose(v) + x * z]
    f = sc.function([x, z], outputs, device="cpu")
    values = rng.normal(size=(2, 8, 8)).astype("float32")
    expected = sc.function([x, z], outputs, device="reference")(*values)
    np.testing.assert_allclose(f(*values)[0], expected[0], rtol=1e-4, atol=1e-5)
    assert "divide" not in f.kernels[-1].name


def test_what_nobody_loads_is_not_stored():
    """The normalised values of a batch are made twice, from mean and deviation, and kept nowhere."""
    x, z = sc.input("x", (64, 8)), sc.input("z", (64, 8))
    normal = (x - sc.mean(x, axis=0)) / sc.sqrt(sc.var(x, axis=0) + 1e-3)
    cost = sc.sum(sc.tanh(sc.sum(sc.relu(normal) * z, axis=0)))
    f = sc.function([x, z], [cost, sc.grad(cost, z), sc.sum(sc.square(normal) + x, axis=1)], device="cpu")
    values = rng.normal(size=(2, 64, 8))
    expected = sc.function([x, z], [cost, sc.grad(cost, z)], device="reference")(*values)
    for a, b in zip(f(*values), expected, strict=False):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-4)


def test_updates_see_the_old_values():
    """The gradient reads w again where it could load what was made of w: the update waits for it."""
    x, z = sc.input("x", (None, 8)), sc.input("z", (None, 8))
    results = []
    for device in ("cpu", "reference"):
        w = sc.shared(np.abs(W[:1]) + 1)
        v = x / w
        y = sc.tanh(v @ sc.shared(W)) + v + x * w
        f = sc.function([x, z], y, updates={w: w + sc.mean(z * v, axis=0, keepdims=True)}, device=device)
        results.append([f(X, Z), f(X, Z), w.get_value()])
    for a, b in zip(*results, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-4)


def test_what_follows_cheaply_from_something_in_memory_is_no_array():
    """Deviations from the mean of a column: the squares that are summed and the result read x, not a copy of them."""
    x, z = sc.input("x", (None, 8)), sc.input("z", (None, 8))
    deviation = x - sc.mean(x, axis=0)
    f = built([deviation / sc.sqrt(sc.sum(deviation * deviation, axis=0) + 1) * z], [x, z])
    large = [b for b in f.memory_plan.buffers if b.kind == "temporary" and b.nbytes >= X.nbytes]
    assert not large


def test_the_gradient_of_batch_norm_is_two_passes_over_the_batch():
    x, gamma = sc.input("x", (None, 8)), sc.input("z", (8,))
    loss = sc.sum(sc.tanh(sc.batch_norm(x, gamma, 2 * gamma)))
    f = sc.function([x, gamma], sc.grad(loss, [x, gamma]))
    f.bind(x=(6, 8))
    # of the size of x: the derivative of tanh, and the gradient; deviations and products are in no array
    assert [k.shapes.count("float32[6, 8]") for k in f.kernels if "float32[6, 8]" in k.shapes] == [1, 1]
    assert "sum" in f.kernels[-2].name  # one pass for the sums
