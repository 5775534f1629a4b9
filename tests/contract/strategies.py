"""What Hypothesis draws from: small shapes, layouts of memory, keys, windows; and the comparison with the reference."""

import numpy as np
from hypothesis import strategies as st

import symcnn as sc
from tests.contract.cases import assert_agree

OTHERS = ("cpu",)  # a GPU, which is simulated where there is none, takes seconds for what these draw in each test

sizes = st.sampled_from([2, 3, 1, 4, 5, 0])  # shrinks to the left
seeds = st.integers(0, 9)


def shapes(min_rank=0, max_rank=3, size=sizes):
    return st.lists(size, min_size=min_rank, max_size=max_rank).map(tuple)


def array_of(shape, seed=0, dtype="float64", low=-2.0, high=2.0):
    return np.random.default_rng(seed).uniform(low, high, shape).astype(dtype)


@st.composite
def laid_out(draw, shape, dtype="float64"):
    """An array of that shape: contiguous, Fortran-ordered, every other element, reversed, or repeated by stride 0."""
    array = array_of(shape, draw(seeds), dtype)
    layout = draw(st.sampled_from(["C", "F", "sparse", "reversed", "repeated"]))
    if layout == "F":
        return np.asfortranarray(array)
    if layout == "sparse":
        whole = np.zeros([2 * d for d in shape], dtype)
        part = whole[(*[slice(None, None, 2)] * len(shape), ...)]  # the dots: a view even of rank 0
        part[...] = array
        return part
    if layout == "reversed":
        return array[(slice(None, None, -1),) * len(shape)]
    if layout == "repeated" and shape and shape[0]:
        return np.broadcast_to(array[:1], shape)
    return array


@st.composite
def key_for(draw, shape):
    """A basic index: ints, slices with steps of both signs, None, an ellipsis."""
    parts = []
    for d in shape:
        if d and draw(st.booleans()):
            parts.append(draw(st.integers(-d, d - 1)))
            continue
        bound = st.none() | st.integers(-d - 2, d + 2)
        parts.append(slice(draw(bound), draw(bound), draw(st.sampled_from([None, 1, 2, -1, -2, 3]))))
    if draw(st.booleans()):
        parts.insert(draw(st.integers(0, len(parts))), None)
    if draw(st.booleans()):
        cut = draw(st.integers(0, len(parts)))
        parts = [*parts[:cut], Ellipsis] if draw(st.booleans()) else [Ellipsis, *parts[cut:]]
    return tuple(parts)


def input_like(name, array, known):
    """An Input of the type of `array`, of known or unknown sizes."""
    return sc.input(name, array.shape if known else (None,) * array.ndim, array.dtype)


def check(inputs, outputs, arrays, tolerance=None, wrt=()):
    """`outputs`, and the gradient of their sum of squares, agree with the reference on every other backend."""
    outputs = list(outputs)
    if wrt:
        cost = sum((sc.sum(sc.square(y)) for y in outputs if y.type.is_float), start=sc.constant(0.0, "float64"))
        outputs += sc.grad(cost, list(wrt), disconnected="zeros")
    expected = sc.function(inputs, outputs, device="reference", on_unused_input="ignore")(*arrays)
    for device in OTHERS:
        found = sc.function(inputs, outputs, device=device, on_unused_input="ignore")(*arrays)
        for a, b in zip(found, expected, strict=True):
            assert_agree(a, b, tolerance)
    return expected
