"""Resizing in all of its modes, against onnxruntime."""

import numpy as np
import pytest

from symcnn.errors import InputError, ShapeError

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")
from onnx import helper

from symcnn.interop.onnx import load
from tests.interop.onnx.graphs import apply, graph, value
from tests.interop.onnx.judge import agree, normal

WHOLE = [(2.0, 3.0), (1.5, 0.6)]  # they lead from 6 x 5 to whole sizes
SCALES = [*WHOLE, (0.5, 0.5), (1.0, 2.5)]
# To align corners of what is no whole number of pixels onnxruntime takes that number rounded down, ONNX's own cases do not.
CASES = [(mode, of) for mode in ("half_pixel", "pytorch_half_pixel", "asymmetric") for of in SCALES]
CASES += [("align_corners", of) for of in WHOLE]
X = normal(2, 3, 6, 5)


def scales(*given):
    return np.array([1, 1, *given], "float32")


@pytest.mark.parametrize(("mode", "of"), CASES, ids=str)
@pytest.mark.parametrize("kind", ["linear", "cubic"])
def test_interpolation(mode, of, kind):
    agree("Resize", X, None, scales(*of), known=(2,), mode=kind, coordinate_transformation_mode=mode, tolerance=1e-4)


@pytest.mark.parametrize(("mode", "of"), CASES, ids=str)
@pytest.mark.parametrize("rounding", ["round_prefer_floor", "round_prefer_ceil", "floor", "ceil"])
def test_nearest(mode, of, rounding):
    agree("Resize", X, None, scales(*of), known=(2,), coordinate_transformation_mode=mode, nearest_mode=rounding)


@pytest.mark.parametrize("size", [(9, 4), (1, 1), (6, 13)], ids=str)
@pytest.mark.parametrize("kind", ["nearest", "linear"])
def test_to_a_size(size, kind):
    agree("Resize", X, None, None, np.array([2, 3, *size]), known=(3,), mode=kind, tolerance=1e-4)


def test_opset_10_had_other_defaults():
    for kind in ("nearest", "linear"):
        agree("Resize", X, scales(2, 1.4), known=(1,), mode=kind, opset=10, tolerance=1e-4)
    for opset, attributes in ((9, {}), (7, {"scales": [1.0, 1.0, 2.0, 3.0]})):
        inputs = (X, scales(2, 3)) if opset == 9 else (X,)
        for kind in ("nearest", "linear"):
            agree("Upsample", *inputs, known=(1,)[: opset - 8], mode=kind, opset=opset, tolerance=1e-4, **attributes)
    old = apply("Upsample", X, opset=6, height_scale=2.0, width_scale=3.0, mode="bilinear")
    np.testing.assert_allclose(old, apply("Upsample", X, scales(2, 3), known=(1,), mode="linear", opset=9), rtol=1e-5)


def test_without_the_outside_and_with_wide_kernels():
    for kind in ("linear", "cubic"):
        agree(
            "Resize",
            X,
            None,
            scales(0.6, 0.4),
            known=(2,),
            mode=kind,
            antialias=1,
            exclude_outside=1,
            opset=18,
            tolerance=1e-4,
        )
    agree(
        "Resize",
        X,
        None,
        scales(1.7, 2.5),
        known=(2,),
        mode="cubic",
        exclude_outside=1,
        cubic_coeff_a=-0.5,
        tolerance=1e-4,
    )


def test_a_region_with_a_value_outside_of_the_image():
    region = np.array([0, 0, 0.2, -0.3, 1, 1, 0.8, 1.2], "float32")
    agree(
        "Resize", X, region, None, np.array([2, 3, 4, 7]), known=(1, 3), mode="linear", tolerance=1e-4,
        coordinate_transformation_mode="tf_crop_and_resize", extrapolation_value=7.0,
    )  # fmt: skip


@pytest.mark.parametrize("policy", ["not_larger", "not_smaller"])
def test_aspect_ratios_are_kept(policy):
    agree("Resize", X, None, None, np.array([9, 9]), known=(3,), axes=[2, 3], keep_aspect_ratio_policy=policy)


def test_other_dtypes_and_ranks():
    agree("Resize", (np.abs(X) * 50).astype("uint8"), None, scales(2, 0.5), known=(2,), dtypes=("uint8",))
    agree("Resize", normal(2, 3, 5), None, np.array([1, 1, 1.7], "float32"), known=(2,), mode="linear", tolerance=1e-4)


def test_enlarging_by_integers_needs_no_sizes():
    import symcnn as sc
    from symcnn.interop.onnx.registry import OPERATORS, Node

    x = sc.input("x", (None, 3, None, None))
    attributes = {"coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
    node = Node("Resize", "up", ("x", "", "s"), ("y",), attributes, 13)
    y = OPERATORS["Resize"].translate(node, x, None, scales(2, 2))
    np.testing.assert_array_equal(sc.function([x], y, device="reference")(X), X.repeat(2, 2).repeat(2, 3))


def test_axes_that_keep_their_size_may_be_open():
    """As PyTorch writes it: the first two sizes of the image, and two numbers."""
    nodes = [
        helper.make_node("Shape", ["x"], ["kept"], end=2),
        helper.make_node("Concat", ["kept", "size"], ["sizes"], axis=0),
        helper.make_node("Resize", ["x", "", "", "sizes"], ["y"], mode="linear"),
    ]
    inputs, outputs = [value("x", X, ["n", 3, 6, 5])], [value("y", "float32")]
    model = load(graph(nodes, inputs, outputs, {"size": np.array([9, 4])}), device="reference")
    expected = apply("Resize", X, None, None, np.array([2, 3, 9, 4]), known=(3,), mode="linear")
    np.testing.assert_array_equal(model(X)[0], expected)
    np.testing.assert_array_equal(model(X[:1])[0], expected[:1])
    assert model.function(X) is model.function(X[:1]), "one function serves every batch"


def test_what_cannot_be_resized_is_refused():
    with pytest.raises(InputError, match="the result is too large"):
        apply("Resize", X.repeat(50, 2), None, None, np.array([2, 3, 2**21, 5]), known=(3,), mode="linear")
    with pytest.raises(InputError, match="neither scales nor sizes"):
        apply("Resize", X)
    with pytest.raises(ShapeError, match="one scale or size is needed for each axis"):
        apply("Resize", X, None, np.ones(3, "float32"), known=(2,))
    with pytest.raises(InputError, match="scales must be positive"):
        apply("Resize", X, None, scales(0, 1), known=(2,))
    with pytest.raises(InputError, match="mode is unknown"):
        apply("Resize", X, None, scales(2, 2), known=(2,), mode="sinc")
    with pytest.raises(InputError, match="coordinate_transformation_mode is unknown"):
        apply("Resize", X, None, scales(2, 2), known=(2,), coordinate_transformation_mode="other")
