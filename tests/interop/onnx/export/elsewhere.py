"""What the tests of export share: a model of ours run by onnxruntime, or where that has no kernel by onnx itself."""

import warnings

import numpy as np
import pytest

from symcnn.interop.onnx.export.save import exported

# What onnxruntime says of operators and types that it has no kernel for.
UNABLE = ("NOT_IMPLEMENTED", "INVALID_GRAPH", "Could not find an implementation", "not supported", "not implemented")


def run_elsewhere(model, arrays, in_shape=None) -> tuple[list[np.ndarray], str]:
    """Outputs of `model` as ONNX at `arrays`, and who computed them."""
    onnx, runtime = pytest.importorskip("onnx"), pytest.importorskip("onnxruntime")
    proto = exported(model, in_shape)
    onnx.checker.check_model(proto, full_check=True)
    feeds = {port.name: np.asarray(array) for port, array in zip(proto.graph.input, arrays, strict=True)}
    options = runtime.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = 1
    try:
        session = runtime.InferenceSession(proto.SerializeToString(), options, providers=["CPUExecutionProvider"])
        return session.run(None, feeds), "onnxruntime"
    except Exception as error:  # its exceptions have no common base
        if not any(words in str(error) for words in UNABLE):
            raise
    from onnx.reference import ReferenceEvaluator

    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")  # NumPy's, about overflow inside of it
        return [np.asarray(y) for y in ReferenceEvaluator(proto).run(None, feeds)], "onnx"
