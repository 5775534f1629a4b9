"""Random strides, paddings, dilations and groups of convolutions and pooling, values and gradients on every backend."""

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import symcnn as sc
from tests.contract.strategies import array_of, check, input_like

one_to_three = st.sampled_from([1, 2, 3])


@st.composite
def paddings(draw, strings=("valid", "same")):
    pad = st.integers(0, 2)
    return draw(st.sampled_from(strings) | pad | st.tuples(pad, pad) | st.tuples(pad, pad, pad, pad))


def built(function, *args, **kwargs):
    """The expression, unless the window does not fit the image: then the example is skipped."""
    try:
        return function(*args, **kwargs)
    except sc.ShapeError:
        assume(False)


@pytest.mark.parametrize(("tuned", "count"), [(True, 40), (False, 5)], ids=["tuned", "generated"])
def test_conv2d(tuned, count, monkeypatch):
    monkeypatch.setattr(sc.config, "tuned", tuned)

    @settings(max_examples=count)
    @given(st.data())
    def check_one(data):
        groups = data.draw(one_to_three)
        n, c, o = (
            data.draw(st.sampled_from([2, 1, 0])),
            groups * data.draw(one_to_three),
            groups * data.draw(one_to_three),
        )
        height, width, kh, kw = (data.draw(st.integers(low, high)) for low, high in ((1, 9), (1, 9), (1, 3), (1, 3)))
        x, w = array_of((n, c, height, width)), array_of((o, c // groups, kh, kw), 1)
        inputs = [input_like("x", x, True), input_like("w", w, True)]
        y = built(
            sc.conv2d, *inputs, stride=data.draw(one_to_three | st.tuples(one_to_three, one_to_three)),
            padding=data.draw(paddings()), dilation=data.draw(st.sampled_from([1, 2])), groups=groups,
        )  # fmt: skip
        check(inputs, [y], [x, w], wrt=inputs)

    check_one()


@pytest.mark.parametrize(("tuned", "count"), [(True, 20), (False, 4)], ids=["tuned", "generated"])
def test_conv2d_transpose(tuned, count, monkeypatch):
    monkeypatch.setattr(sc.config, "tuned", tuned)

    @settings(max_examples=count)
    @given(st.data())
    def check_one(data):
        groups, stride = data.draw(st.sampled_from([1, 2])), data.draw(one_to_three)
        n, c, o = data.draw(st.sampled_from([2, 1])), groups * data.draw(one_to_three), data.draw(one_to_three)
        height, width, kh, kw = (data.draw(st.integers(low, high)) for low, high in ((1, 5), (1, 5), (1, 3), (1, 3)))
        x, w = array_of((n, c, height, width)), array_of((c, o, kh, kw), 1)
        inputs = [input_like("x", x, True), input_like("w", w, True)]
        y = built(
            sc.conv2d_transpose, *inputs, stride=stride, padding=data.draw(st.integers(0, 1)),
            output_padding=data.draw(st.integers(0, stride - 1)), groups=groups,
        )  # fmt: skip
        check(inputs, [y], [x, w], wrt=inputs)

    check_one()


@settings(max_examples=12)
@given(st.data())
@pytest.mark.parametrize("pool", [sc.max_pool2d, sc.avg_pool2d], ids=lambda f: f.__name__)
def test_pooling(pool, data):
    shape = (
        data.draw(st.sampled_from([2, 1, 0])),
        data.draw(st.sampled_from([2, 1])),
        *(data.draw(st.integers(1, 8)) for _ in range(2)),
    )
    window = (data.draw(one_to_three), data.draw(one_to_three))
    x = array_of(shape)
    inputs = [input_like("x", x, data.draw(st.booleans()))]
    more = {"count_include_pad": data.draw(st.booleans())} if pool is sc.avg_pool2d else {}
    y = built(
        pool, *inputs, window, stride=data.draw(st.none() | one_to_three), padding=data.draw(st.integers(0, min(window) // 2)),
        ceil_mode=data.draw(st.booleans()), **more,
    )  # fmt: skip
    try:
        check(inputs, [y], [x], wrt=inputs)
    except sc.ShapeError:  # unknown sizes that turned out too small for the window
        assert any(d < 3 for d in shape[2:])
