"""Convolutions and their gradients by the tuned kernels against the references in float64.

The contract tests run all examples on small tiles; here are large tiles, many windows, and views.
"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from symcnn.backends.cuda.simulated import to_tf32
from symcnn.backends.cuda.tuned import TUNED, tuned_kernel
from symcnn.config import config
from symcnn.errors import ShapeError
from symcnn.ops.channels_last import ChannelsLast
from symcnn.ops.conv import Conv2d, Conv2dInputGrad, Conv2dWeightGrad
from symcnn.ops.conv_transpose import Conv2dTranspose
from symcnn.ops.window import Window2d
from symcnn.schedule.plan import View
from tests.backends.cuda.tuned.launching import launch
from tests.contract.cases import arrays_for, assert_agree

FAMILY = (Conv2d, Conv2dInputGrad, Conv2dWeightGrad, Conv2dTranspose)
EXAMPLES = [
    pytest.param(ChannelsLast(**e.attributes), e, id=f"{type(e.attributes['inner']).__name__}-{k}")
    for k, e in enumerate(ChannelsLast.examples)
    if isinstance(e.attributes["inner"], FAMILY)
]
_rounded = np.vectorize(to_tf32, otypes=["float32"])


@pytest.fixture
def tf32(monkeypatch):
    monkeypatch.setattr(config, "tf32", True)


@pytest.fixture
def exact(monkeypatch):
    monkeypatch.setattr(config, "tf32", False)


def check(op, arrays, geometry="large", tf32=False, **kwargs):
    """With tf32, operands are rounded, and everything else is as exact as without."""
    given = [_rounded(a) if tf32 else a for a in arrays]
    expected = op.reference(*(a.astype("float64") for a in given))
    assert_agree(launch(op, arrays, geometry, **kwargs), expected.astype(arrays[0].dtype))


def normal(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


def family(window, image, filters):
    """(op, operands) for the three derivatives; `image` is (N, H, W, C)."""
    count = window.output_sizes(image[1:3], filters[2:])
    x, w, g = normal(*image), normal(*filters, seed=1), normal(image[0], *count, filters[0], seed=2)
    yield ChannelsLast(Conv2d(window)), [x, w]
    yield ChannelsLast(Conv2dInputGrad(window)), [g, w, x]
    yield ChannelsLast(Conv2dWeightGrad(window)), [x, g, w]


@pytest.mark.parametrize(("op", "example"), EXAMPLES[::7])
def test_sizes_may_be_unknown(op, example, exact):
    check(op, arrays_for(example, "float32"), "small", known=lambda size: False)


pairs = st.tuples(st.integers(1, 3), st.integers(1, 3))
padding = st.one_of(st.just("same"), st.tuples(*[st.tuples(st.integers(0, 2), st.integers(0, 3))] * 2))


@settings(max_examples=15, deadline=None)
@given(st.data())
def test_windows(data):
    groups, multiple, channels = (data.draw(st.integers(low, 3)) for low in (1, 1, 2))  # depthwise is below
    window = Window2d(data.draw(pairs), data.draw(padding), data.draw(pairs), groups)
    filters = (groups * multiple, channels, data.draw(st.integers(1, 3)), data.draw(st.integers(2, 3)))
    image = (data.draw(st.integers(0, 2)), *data.draw(st.tuples(*[st.integers(1, 9)] * 2)), groups * channels)
    try:
        window.output_sizes(image[1:3], filters[2:])
    except ShapeError:
        return
    before = config.tf32
    config.tf32 = False
    try:
        for op, arrays in family(window, image, filters):
            check(op, arrays, "emulated")
    finally:
        config.tf32 = before


# Large tiles, four neighbours at a time, in groups: filters that are packed, and filters of one tap.
LARGE = {
    "packed": (Window2d((2, 2), "same", groups=2), (2, 9, 9, 56), (160, 28, 3, 3)),
    "one tap": (Window2d((2, 1), groups=2), (2, 9, 9, 72), (80, 36, 1, 1)),
}


@pytest.mark.parametrize("case", LARGE)
def test_tensor_cores(case, tf32):
    for op, arrays in family(*LARGE[case]):
        check(op, arrays, tf32=True)


def test_long_sums_of_tensor_cores(tf32):
    """Every pixel in one class, and so many channels that the sum is cut."""
    window = Window2d((1, 1), ((1, 2), (0, 3)), (2, 3))
    _, (op, arrays), _ = family(window, (1, 6, 9, 36), (76, 36, 3, 3))
    check(op, arrays, tf32=True)


def test_large_tiles_in_float32(exact):
    op, arrays = next(iter(family(*LARGE["packed"])))
    check(op, arrays)


def test_first_layers(tf32):
    """Images of so few channels that neighbouring numbers belong to several taps."""
    convolution, _, gradient = family(Window2d((2, 2), "same"), (1, 15, 16, 3), (10, 3, 5, 5))
    check(*convolution, tf32=True)
    check(*gradient, "small")


def test_images_with_gaps(exact):
    """Parts of images: pixels, rows and images are farther apart than their channels take, or begin elsewhere."""
    window = Window2d(padding=((1, 1), (1, 1)))
    x, w, g = normal(2, 8, 9, 80)[:, 1:7, ::2, 8:72], normal(80, 64, 3, 3), normal(2, 6, 5, 100)[..., 20:]
    check(ChannelsLast(Conv2d(window)), [x, w])
    x, g = x[:1, :3], g[:1, :3, :, :4]
    check(ChannelsLast(Conv2d(window)), [x[..., 1:4], w[:10, ::2][:, :3]], "small")
    check(ChannelsLast(Conv2dInputGrad(window)), [g, w.swapaxes(0, 1)[:4, :6], x[..., :6]], "small")
    check(ChannelsLast(Conv2dWeightGrad(window)), [x[..., 2:5], g, w[:4, :3]], "small")


def test_sums_are_cut_for_small_batches(exact):
    x, g, w = normal(1, 2, 3, 100), normal(1, 2, 3, 5), normal(5, 100, 1, 1)
    check(ChannelsLast(Conv2d(Window2d())), [x, w], "small")
    check(ChannelsLast(Conv2dInputGrad(Window2d())), [x, w.swapaxes(0, 1).copy(), g], "small")


def test_no_channels(exact):
    """An empty sum is 0, also where there is nothing to divide by."""
    check(ChannelsLast(Conv2d(Window2d())), [normal(1, 4, 4, 0), normal(3, 0, 2, 2)], "small")


DEPTHWISE = (
    Window2d(groups=6),
    Window2d((2, 3), "same", groups=6),
    Window2d((2, 1), ((1, 2), (0, 1)), (2, 1), groups=6),
)


@pytest.mark.parametrize("window", DEPTHWISE, ids=str)
@pytest.mark.parametrize("multiple", [1, 2])
def test_depthwise(window, multiple):
    for op, arrays in family(window, (2, 9, 8, 6), (6 * multiple, 1, 3, 3)):
        check(op, arrays)
        views = [View(0, 0, a.shape, a.strides, a.dtype) for a in arrays]
        output = views[2] if len(views) == 3 else views[0]
        assert tuned_kernel(op).algorithm_for(op, output, views[:2]) == "depthwise"


def test_no_images_have_no_gradient():
    for window, filters in ((Window2d(), (4, 3, 3, 3)), (Window2d(groups=3), (3, 1, 3, 3))):
        for op, arrays in family(window, (0, 5, 5, 3), filters):
            found = launch(op, arrays, "small")
            assert found.shape == op.reference(*arrays).shape and not found.any()


@pytest.mark.parametrize("groups", [1, 4])
def test_the_epilogue_gets_every_element(groups, exact):
    window, last = Window2d((2, 2), "same", groups=groups), {Conv2d: 8, Conv2dInputGrad: 4, Conv2dWeightGrad: 3}
    for op, arrays in family(window, (1, 5, 5, 4), (8, 4 // groups, 3, 3)):
        bias = normal(last[type(op.inner)], seed=3)
        finished, plain = launch(op, arrays, "small", bias=bias)
        expected = op.reference(*(a.astype("float64") for a in arrays))
        assert_agree(plain, expected.astype("float32"))
        assert_agree(finished, np.maximum(expected + bias, 0).astype("float32"))


def test_float64(exact):
    window = Window2d((2, 1), "same")
    for op, arrays in family(window, (1, 5, 4, 2), (4, 2, 3, 2)):
        check(op, [a.astype("float64") for a in arrays], "small")


def test_every_convolution_has_an_entry():
    for inner in FAMILY:
        assert f"ChannelsLast({inner.__name__})" in TUNED
    assert tuned_kernel(Conv2d(Window2d())) is None  # images with their channels first are left to nests
