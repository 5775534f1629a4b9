"""The networks of the ONNX model zoo: their stored outputs, and with random weights what onnxruntime makes of them."""

import numpy as np
import pytest

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")
import onnx
from onnx.backend.test.runner import Runner

import symcnn as sc
from symcnn.bench import zoo
from tests.interop.onnx.judge import run

# Grouped and depthwise convolutions, batch and response normalisation, sums and joins, dense layers; less than 100 MB each.
VARIED = ("inception_v1", "resnet50", "shufflenet", "squeezenet")


@pytest.mark.parametrize("name", [name for name in zoo.NAMES if name not in ("vgg19", "densenet121")])
def test_stored_outputs(name):
    path = zoo.path(name)
    model = sc.interop.onnx.load(path)
    ports = {v.name: v for v in onnx.load(str(path)).graph.input}
    (found,) = model(*(Runner.generate_dummy_data(ports[name]) for name in model.inputs))
    with open(f"{path.with_suffix('')}_output_0.pb", "rb") as stored:
        expected = onnx.numpy_helper.to_array(onnx.TensorProto.FromString(stored.read()))
    np.testing.assert_allclose(found, expected, rtol=1e-4)


@pytest.mark.parametrize("name", VARIED)
def test_random_weights(name):
    model, images = zoo.network(name), zoo.images(2)
    here = sc.interop.onnx.load(model)
    assert here.module.parameters().count > 1e6
    expected = run(model, images)
    assert not np.allclose(expected[-1][0], expected[-1][1], rtol=1e-2), "random weights tell images apart"
    for ours, theirs in zip(here(images), expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-3, atol=1e-5 * np.abs(theirs).max())
