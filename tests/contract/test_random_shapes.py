"""Random shapes, axes, broadcasts, layouts and keys: values as NumPy's, values and gradients alike on every backend."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import symcnn as sc
from tests.contract.cases import assert_agree, run
from tests.contract.strategies import OTHERS, array_of, check, input_like, key_for, laid_out, seeds, shapes, sizes

few = settings(max_examples=20)


@few
@given(st.data())
def test_layout_of_an_input_does_not_matter(data):
    shape = data.draw(shapes())
    array = data.draw(laid_out(shape))
    x = input_like("x", array, known=False)
    for device in (*OTHERS, "reference"):
        assert_agree(run([x], sc.exp(x) + x, [array], device), np.exp(array) + array)


@few
@given(st.data())
def test_layouts_of_the_operands_of_a_product(data):
    m, k, n = (data.draw(sizes) for _ in range(3))
    a, b = data.draw(laid_out((m, k))), data.draw(laid_out((k, n)))
    x, y = input_like("x", a, known=False), input_like("y", b, known=False)
    for device in (*OTHERS, "reference"):
        assert_agree(run([x, y], x @ y, [a, b], device), a @ b)
        assert_agree(run([x, y], y.T @ x.T, [a, b], device), (a @ b).T)


@few
@given(st.data())
def test_basic_indexing(data):
    shape = data.draw(shapes(1, 3))
    key = data.draw(key_for(shape))
    array = array_of(shape)
    x = input_like("x", array, data.draw(st.booleans()))
    y = x[key]
    for device in (*OTHERS, "reference"):
        assert_agree(run([x], y, [array], device), array[key])
    check([x], [sc.exp(y) * 2], [array], wrt=[x])


@few
@given(st.data())
def test_broadcasting(data):
    """Some axes of each operand have size 1, and leading ones may be missing."""
    shape = data.draw(shapes(0, 3))
    arrays = []
    for k in range(2):
        mine = [1 if data.draw(st.booleans()) else d for d in shape]
        arrays.append(array_of(mine[data.draw(st.integers(0, len(mine))) :], seed=k))
    inputs = [input_like(f"x{k}", a, known=True) for k, a in enumerate(arrays)]
    x, y = inputs
    found, *_ = check(inputs, [x * y + sc.exp(y)], arrays, wrt=inputs)
    assert_agree(found, arrays[0] * arrays[1] + np.exp(arrays[1]))


@few
@given(st.data())
@pytest.mark.parametrize("kind", ["sum", "mean", "var", "prod", "max", "min"])
def test_reductions(kind, data):
    shape = data.draw(shapes(0, 3))
    axes = tuple(k for k in range(len(shape)) if data.draw(st.booleans()))
    axis = data.draw(st.sampled_from([None, axes])) if axes else None
    keepdims = data.draw(st.booleans())
    assume(0 not in shape or kind in ("sum", "prod"))
    array = array_of(shape)
    x = input_like("x", array, data.draw(st.booleans()))
    found, *_ = check([x], [getattr(sc, kind)(x, axis=axis, keepdims=keepdims)], [array], wrt=[x])
    assert_agree(found, np.asarray(getattr(np, kind)(array, axis=axis, keepdims=keepdims)))


@few
@given(st.data())
@pytest.mark.parametrize("kind", ["argmax", "argmin", "any", "all"])
def test_reductions_without_derivative(kind, data):
    shape = data.draw(shapes(1, 3, st.sampled_from([2, 3, 1, 4])))
    axis = data.draw(st.sampled_from([None, *range(-len(shape), len(shape))]))
    array = np.random.default_rng(data.draw(seeds)).integers(0, 3, shape)  # with ties
    x = input_like("x", array, data.draw(st.booleans()))
    y = getattr(sc, kind)(x, axis=axis)
    for device in (*OTHERS, "reference"):
        assert_agree(run([x], y, [array], device), np.asarray(getattr(np, kind)(array, axis=axis)))


@few
@given(st.data())
def test_softmax_along_any_axis(data):
    shape = data.draw(shapes(1, 3))
    axis = data.draw(st.integers(-len(shape), len(shape) - 1))
    assume(shape[axis] > 0)
    array = 100 * array_of(shape)
    x = input_like("x", array, data.draw(st.booleans()))
    found, *_ = check([x], [sc.softmax(x, axis=axis), sc.logsumexp(x, axis=axis)], [array], wrt=[x])
    e = np.exp(array - array.max(axis=axis, keepdims=True))
    assert_agree(found, e / e.sum(axis=axis, keepdims=True))


@few
@given(st.data())
def test_shape_functions(data):
    """A random chain of transposes, reshapes, new and removed axes, flips."""
    shape = data.draw(shapes(1, 3))
    array = array_of(shape)
    x = input_like("x", array, known=True)
    y, expected = 2 * x, 2 * array
    for _ in range(data.draw(st.integers(1, 4))):
        kind = data.draw(st.sampled_from(["transpose", "reshape", "expand_dims", "flip", "exp"]))
        if kind == "transpose":
            arguments = (data.draw(st.permutations(range(expected.ndim))),)
        elif kind == "reshape":
            arguments = (data.draw(st.sampled_from([(expected.size,), expected.shape[::-1], (*expected.shape, 1)])),)
        elif kind == "exp":
            arguments = ()
        else:
            arguments = (data.draw(st.integers(0, expected.ndim - 1)),)
        y, expected = getattr(sc, kind)(y, *arguments), getattr(np, kind)(expected, *arguments)
    found, *_ = check([x], [y], [array], wrt=[x])
    assert_agree(found, expected)


@few
@given(st.data())
def test_concatenation_and_stacking(data):
    shape = data.draw(shapes(1, 3))
    axis = data.draw(st.integers(-len(shape), len(shape) - 1))
    lengths = data.draw(st.lists(sizes, min_size=1, max_size=3))
    arrays = [
        array_of([n if k == axis % len(shape) else d for k, d in enumerate(shape)], k) for k, n in enumerate(lengths)
    ]
    inputs = [input_like(f"x{k}", a, known=True) for k, a in enumerate(arrays)]
    found, *_ = check(inputs, [sc.concat([sc.exp(x) for x in inputs], axis=axis)], arrays, wrt=inputs)
    assert_agree(found, np.exp(np.concatenate(arrays, axis=axis)))
    same = [sc.tanh(inputs[0]), inputs[0]]
    found, *_ = check(inputs[:1], [sc.stack(same, axis=axis)], arrays[:1], wrt=inputs[:1])
    assert_agree(found, np.stack([np.tanh(arrays[0]), arrays[0]], axis=axis))


@few
@given(st.data())
def test_padding(data):
    shape = data.draw(shapes(1, 3))
    widths = [(data.draw(st.integers(0, 2)), data.draw(st.integers(0, 2))) for _ in shape]
    array = array_of(shape)
    x = input_like("x", array, data.draw(st.booleans()))
    found, *_ = check([x], [sc.pad(sc.exp(x), widths)], [array], wrt=[x])
    assert_agree(found, np.pad(np.exp(array), widths))


@few
@given(st.data())
def test_take(data):
    shape = data.draw(shapes(1, 3, st.sampled_from([2, 3, 1, 4])))
    axis = data.draw(st.integers(-len(shape), len(shape) - 1))
    n = shape[axis]
    rng = np.random.default_rng(data.draw(seeds))
    indices = rng.integers(-n, n, data.draw(shapes(0, 2)))
    array = array_of(shape)
    x, i = input_like("x", array, data.draw(st.booleans())), input_like("i", indices, known=False)
    found, *_ = check([x, i], [sc.take(sc.exp(x), i, axis=axis)], [array, indices], wrt=[x])
    assert_agree(found, np.take(np.exp(array), indices, axis))


@few
@given(st.data())
def test_stacks_of_matrices(data):
    m, k, n = (data.draw(sizes) for _ in range(3))
    batch = data.draw(shapes(0, 2))
    stacks = []
    for matrix in ((m, k), (k, n)):
        mine = [1 if data.draw(st.booleans()) else d for d in batch]
        stacks.append(array_of((*mine[data.draw(st.integers(0, len(mine))) :], *matrix), seed=len(stacks)))
    inputs = [input_like(f"x{k}", a, known=True) for k, a in enumerate(stacks)]
    found, *_ = check(inputs, [inputs[0] @ inputs[1]], stacks, wrt=inputs)
    assert_agree(found, stacks[0] @ stacks[1])
