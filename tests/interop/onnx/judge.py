"""onnxruntime as the judge of single nodes."""

import numpy as np
import pytest

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")
import onnxruntime
from onnx import helper

from symcnn.interop.onnx import load
from tests.interop.onnx.graphs import CURRENT, graph, value

RNG = np.random.default_rng(0)


def normal(*shape):
    return RNG.normal(size=shape).astype("float32")


def run(model, *arrays):
    """The outputs of a model by onnxruntime."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return session.run(None, {i.name: a for i, a in zip(session.get_inputs(), arrays, strict=True)})


def agree(op, *arrays, known=(), dtypes=("float32",), opset=CURRENT, device="reference", tolerance=1e-5, **attributes):
    """Assert that a node gives the same here and there, with all sizes in the file and with none.

    Parameters
    ----------
    op : str
    *arrays : array or None
        Its inputs; those at positions in `known` are initialisers.
    dtypes : sequence of str
        One for each output.
    """
    names = ["" if a is None else f"x{k}" for k, a in enumerate(arrays)]
    outputs = [f"y{k}" for k in range(len(dtypes))]
    node = helper.make_node(op, names, outputs, **attributes)
    given = {name: np.asarray(a) for name, a in zip(names, arrays, strict=True) if name}
    tensors = {names[k]: given.pop(names[k]) for k in known}
    results = [value(n, dtype) for n, dtype in zip(outputs, dtypes, strict=True)]
    for shape in (None, lambda a: [None] * a.ndim):
        inputs = [value(n, a, shape and shape(a)) for n, a in given.items()]
        model = graph([node], inputs, results, tensors, opset)
        for here, there in zip(load(model, device=device)(*given.values()), run(model, *given.values()), strict=True):
            assert (here.dtype, here.shape) == (there.dtype, there.shape)
            np.testing.assert_allclose(here, there, rtol=tolerance, atol=tolerance)
