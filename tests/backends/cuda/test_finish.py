"""What follows a tuned kernel element by element is done in the kernel itself, whatever it is, and right."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import symcnn as sc
from symcnn.backends.cuda.finish import Finish
from tests.backends.cuda.devices import Spy, backend_of, made
from tests.contract.cases import assert_agree

DEVICE = made(Spy())


def array(*shape, seed=0):
    """Whole numbers, whose products are exact: what is compared or rounded afterwards is the same everywhere."""
    return np.random.default_rng([seed, *shape]).integers(-3, 4, shape).astype("float32")


def tuned_step(f):
    """The step of `f` that has a tuned kernel."""
    (step,) = [s for s in f.program.steps if s.tuned is not None]
    return step


def agree(inputs, outputs, arrays, **options):
    """The function, after its results were compared with those of NumPy."""
    f, plain = (sc.function(inputs, outputs, device=device, **options) for device in (DEVICE, "reference"))
    for found, expected in zip(f(*arrays), plain(*arrays), strict=True):
        assert_agree(found, expected)
    return f


PRODUCTS = {  # shapes of the operands, some sizes unknown, and of an array like the result
    "matrices": (((None, 7), (7, 6)), (5,), (5, 6)),
    "one column": (((None, 7), (7, 1)), (5,), (5, 1)),
    "one row": (((1, 7), (7, None)), (6,), (1, 6)),
    "stacks": (((None, 3, 7), (None, 7, 2)), (4, 4), (4, 3, 2)),
    "stacks of stacks": (((2, 2, None, 7), (2, 2, 7, 3)), (3,), (2, 2, 3, 3)),
    "a vector": (((None, 7), (7,)), (5,), (5,)),
}


def operands_of(name):
    shapes, sizes, result = PRODUCTS[name]
    sizes, found = iter(sizes), []
    for k, shape in enumerate(shapes):
        found.append((sc.input(f"x{k}", shape), array(*(next(sizes) if d is None else d for d in shape), seed=k)))
    return found, result


@st.composite
def epilogues(draw):
    """A function of a product and of more operands, and shapes of those."""
    name = draw(st.sampled_from(list(PRODUCTS)))
    _, result = operands_of(name)
    shapes, steps = [], []
    for _ in range(draw(st.integers(1, 4))):
        kind = draw(st.sampled_from(["relu", "scale", "column", "row", "whole", "whole", "scalar", "square"]))
        if kind in ("column", "row", "whole", "scalar"):
            shape = {
                "column": result[-1:], "row": (*result[:-1], 1), "whole": result, "scalar": ()
            }[kind]  # fmt: skip
            shapes.append(shape)
        steps.append((kind, draw(st.sampled_from(["+", "*", "-"])), draw(st.booleans())))
    ends = draw(
        st.lists(st.sampled_from(["value", "raw", "mask", "int", "first"]), min_size=1, max_size=3, unique=True)
    )
    return name, shapes, steps, ends


def _apply(steps, ends, product, operands):
    operands, value, first = iter(operands), product, None
    for kind, sign, _ in steps:
        if kind == "relu":
            value = sc.relu(value)
        elif kind == "square":
            value = value * value * 0.25
        elif kind == "scale":
            value = value * 1.5 + 0.5
        else:
            x = next(operands)
            value = value + x if sign == "+" else value * x if sign == "*" else x - value
        first = value if first is None else first
    results = {
        "value": lambda: value, "raw": lambda: product, "mask": lambda: value > 0.1,
        "int": lambda: sc.round(sc.clip(value, -99, 99) * 0.25).astype("int32"), "first": lambda: sc.tanh(first),
    }  # fmt: skip
    return [results[end]() for end in ends]


@settings(max_examples=30)
@given(case=epilogues())
def test_any_epilogue_of_a_product(case):
    name, shapes, steps, ends = case
    (a, b), _ = operands_of(name)
    like = (a[0] @ b[0]).shape  # sizes that are unknown there are unknown in what meets them
    more = []
    for k, shape in enumerate(shapes):
        symbolic = tuple(
            None if d is None and size != 1 else size
            for d, size in zip(like[-len(shape) or len(like) :], shape, strict=True)
        )
        more.append((sc.input(f"y{k}", symbolic), array(*shape, seed=5 + k)))
    inputs, arrays = zip(a, b, *more, strict=True)
    agree(inputs, _apply(steps, ends, inputs[0] @ inputs[1], inputs[2:]), arrays, on_unused_input="ignore")


I, K = sc.input("i", (None, 2, 4, 3)), sc.input("k", (3, 2, 1, 1))
C, R = sc.input("c", (3, 1, 1)), sc.input("r", (None, 3, 4, 3))
CONVOLUTIONS = {
    "bias and relu": lambda y: [sc.relu(y + C)],
    "residual": lambda y: [sc.relu(y + C) + R],
    "scale and shift": lambda y: [y * C + sc.exp(C)],
    "raw and mask": lambda y: [y, y + R > 0],
    "several": lambda y: [sc.tanh(y), y * R, y * C],
    "nothing": lambda y: [y],
}


@pytest.mark.parametrize("name", CONVOLUTIONS)
def test_epilogues_of_a_convolution(name):
    arrays = [array(2, 2, 4, 3), array(3, 2, 1, 1, seed=1), array(3, 1, 1, seed=2), array(2, 3, 4, 3, seed=3)]
    outputs = CONVOLUTIONS[name](sc.conv2d(I, K))
    f = agree([I, K, C, R], outputs, arrays, on_unused_input="ignore")
    step = tuned_step(f)
    assert (step.nest is None) == (name == "nothing")


def test_what_only_the_epilogue_reads_needs_no_memory():
    x, w, b = sc.input("x", (None, 7)), sc.input("w", (7, 6)), sc.input("b", (6,))
    f = agree([x, w, b], [sc.relu(x @ w + b) > 0], [array(5, 7), array(7, 6), array(6)])
    step = tuned_step(f)
    assert [v.dtype for v in step.writes] == [bool]
    finish = Finish(step)
    assert finish.dtypes == ("float32", "uint8")
    assert [b.variable for b in f._current().plan.buffers if b.variable is step.tuned] == []


def test_an_update_is_written_over_the_old_value():
    """The residual is the Shared itself: each element is read just before it is replaced."""
    x, w, s = sc.input("x", (5, 7)), sc.input("w", (7, 6)), sc.shared(array(5, 6), "s")
    X, W, S = array(5, 7), array(7, 6), s.get_value()
    f = sc.function([x, w], [], updates={s: s * 0.5 + x @ w}, device=DEVICE)
    assert f.program.in_place[f.program.updates[s]] is s
    for _ in range(2):
        f(X, W)
        S = S * np.float32(0.5) + X @ W
    np.testing.assert_allclose(s.get_value(), S, rtol=1e-5, atol=1e-5)


def test_the_result_of_a_product_lies_where_the_epilogue_reads():
    """A temporary that nobody reads again may be overwritten element by element."""
    x, w = sc.input("x", (None, 6)), sc.input("w", (6, 6))
    h = sc.exp(x[::-1])  # in memory, because the product reads it
    f = agree([x, w], [sc.tanh(h @ w) * 2 + sc.tanh(h @ (w + 1)) * h], [array(5, 6), array(6, 6)])
    assert sum(s.tuned is not None for s in f.program.steps) == 2


def test_names_do_not_depend_on_who_asks():
    """A kernel asks for lines more than once: for each of several elements, the text is the same but for their names."""
    x, w, b = sc.input("x", (None, 7)), sc.input("w", (7, 6)), sc.input("b", (6,))
    f = sc.function([x, w, b], [sc.relu(x @ w + b), x @ w], device=DEVICE)
    finish = Finish(tuned_step(f))
    first, second = finish.lines("row", "column", "value"), finish.lines("at1", "at2", "v9")
    renamed = [line.replace("row", "at1").replace("column", "at2").replace("value", "v9") for line in first]
    assert second == renamed
    bound = finish.bound(f.bind(x=(5, 7))._current().plan)
    assert len(finish.operands) == len(finish.dtypes) == len(bound.views) > len(finish.views)


def test_all_of_a_step_is_one_launch():
    x, w, b = sc.input("x", (None, 7)), sc.input("w", (7, 6)), sc.input("b", (6,))
    f = sc.function([x, w, b], sc.relu(x @ w + b), device=DEVICE)
    spy = backend_of(DEVICE).device
    f(array(5, 7), array(7, 6), array(6))
    spy.since()
    f(array(5, 7), array(7, 6), array(6))
    assert spy.since()["launch"] == 1
