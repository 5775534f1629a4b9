"""Convolutions with every kind of padding, against onnxruntime."""

import numpy as np
import pytest

from symcnn.errors import InputError, ShapeError

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")
from tests.interop.onnx.graphs import apply
from tests.interop.onnx.judge import agree, normal

PADS = [
    {}, {"pads": [1, 0, 2, 1]}, {"auto_pad": "VALID"}, {"auto_pad": "SAME_UPPER"}, {"auto_pad": "SAME_LOWER"},
    {"auto_pad": "NOTSET", "pads": [0, 2, 0, 1]},
]  # fmt: skip


@pytest.mark.parametrize("pads", PADS, ids=str)
@pytest.mark.parametrize("strides", [[1, 1], [2, 3]], ids=str)
def test_convolution(pads, strides):
    agree("Conv", normal(2, 4, 8, 9), normal(6, 2, 3, 2), normal(6), known=(1, 2), group=2, strides=strides, **pads)


@pytest.mark.parametrize("pads", [pads for pads in PADS if "auto_pad" not in pads], ids=str)
def test_dilated_convolution(pads):
    agree("Conv", normal(1, 3, 9, 8), normal(4, 3, 3, 2), dilations=[2, 3], **pads)


@pytest.mark.parametrize(
    "pads", [{}, {"pads": [2, 1]}, {"auto_pad": "SAME_LOWER"}, {"auto_pad": "SAME_UPPER"}], ids=str
)
def test_signals_are_images_of_one_row(pads):
    agree("Conv", normal(2, 3, 10), normal(4, 3, 4), normal(4), known=(1,), strides=[3], **pads)
    if not pads.get("auto_pad"):
        agree("ConvTranspose", normal(2, 3, 5), normal(3, 4, 4), strides=[3], output_padding=[1], **pads)


@pytest.mark.parametrize(
    "attributes",
    [
        {}, {"pads": [1, 0, 2, 1]}, {"output_padding": [1, 1]}, {"pads": [1, 1, 1, 1], "output_padding": [1, 2]},
        {"auto_pad": "VALID"}, {"auto_pad": "SAME_UPPER"}, {"auto_pad": "SAME_LOWER"}, {"dilations": [2, 1]},
        {"output_shape": [8, 11]}, {"output_shape": [8, 11], "auto_pad": "SAME_UPPER"}, {"output_shape": [9, 13], "auto_pad": "SAME_LOWER"},
    ],
    ids=str,
)  # fmt: skip
def test_transposed_convolution(attributes):
    agree(
        "ConvTranspose",
        normal(2, 4, 4, 4),
        normal(4, 3, 3, 4),
        normal(6),
        known=(1, 2),
        group=2,
        strides=[2, 3],
        **attributes,
    )


def test_what_no_window_reaches_is_bias():
    y = apply(
        "ConvTranspose",
        normal(1, 1, 2, 2),
        normal(1, 1, 1, 1),
        np.ones(1, "float32"),
        strides=[2, 2],
        output_shape=[5, 6],
    )
    assert y.shape == (1, 1, 5, 6)
    np.testing.assert_array_equal(y[0, 0, 1::2], 1)
    np.testing.assert_array_equal(y[0, 0, 3:], 1)


def test_by_compiled_kernels():
    agree(
        "Conv",
        normal(2, 4, 8, 9),
        normal(6, 4, 3, 3),
        device="cpu",
        tolerance=1e-4,
        auto_pad="SAME_LOWER",
        strides=[2, 2],
    )


def test_what_is_no_window_is_refused():
    with pytest.raises(ShapeError, match="windows over 3 axes"):
        apply("Conv", normal(1, 1, 3, 3, 3), normal(1, 1, 2, 2, 2))
    with pytest.raises(InputError, match="auto_pad is unknown"):
        apply("Conv", normal(1, 1, 3, 3), normal(1, 1, 2, 2), auto_pad="SAME")
    with pytest.raises(ShapeError, match="pads have the wrong length"):
        apply("Conv", normal(1, 1, 3, 3), normal(1, 1, 2, 2), pads=[1, 1, 1])
    with pytest.raises(ShapeError, match="strides is for 3 axes"):
        apply("Conv", normal(1, 1, 3, 3), normal(1, 1, 2, 2), strides=[1, 1, 1])
