"""Arguments that all layers take alike: biases, dtypes, initialisers, seeds."""

import numpy as np
import pytest

import symcnn as sc
from symcnn import init, nn

LAYERS = {
    "dense": lambda **options: nn.Dense(3, 4, **options),
    "maxout": lambda **options: nn.Maxout(3, 4, pieces=1, **options),
    "conv": lambda **options: nn.Conv2d(3, 4, 1, **options),
    "depthwise": lambda **options: nn.DepthwiseConv2d(4, 1, **options),
    "separable": lambda **options: nn.SeparableConv2d(3, 4, 1, **options).pointwise,
    "transposed": lambda **options: nn.ConvTranspose2d(3, 4, 1, **options),
}


@pytest.mark.parametrize("make", LAYERS.values(), ids=LAYERS)
def test_biases(make):
    for none in (False, None):
        assert make(bias=none).bias is None
    for bias, expected in {True: 0, 0.1: 0.1, "ones": 1, init.constant(0.5): 0.5}.items():
        np.testing.assert_array_equal(make(bias=bias).bias.get_value(), np.full(4, expected, "float32"))
    for wrong in (1, 0, "one", [0.0]):
        with pytest.raises(sc.errors.InputError):
            make(bias=wrong)


@pytest.mark.parametrize("make", LAYERS.values(), ids=LAYERS)
def test_seeds(make):
    first, again, other = (make(seed=s).weight.get_value() for s in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)
    with pytest.raises(sc.errors.InputError, match="no seed"):
        make(seed="0")


@pytest.mark.parametrize(
    "make",
    [
        *LAYERS.values(),
        lambda **options: nn.BatchNorm(4, **options),
        lambda **options: nn.LayerNorm(4, **options),
        lambda **options: nn.GroupNorm(2, 4, **options),
        lambda **options: nn.InstanceNorm(4, **options),
        lambda **options: nn.PReLU(4, **options),
    ],
)
def test_dtypes(make):
    for dtype in ("float32", np.float64):
        layer = make(dtype=dtype)
        assert {v.dtype for v in layer.variables()} == {np.dtype(dtype)} and layer.dtype == dtype
    for wrong in ("int64", "float16", "flot32", None):
        with pytest.raises(sc.errors.DTypeError):
            make(dtype=wrong)
