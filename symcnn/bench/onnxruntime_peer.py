"""onnxruntime as a contender; it only runs ONNX models."""

from __future__ import annotations

import os
from functools import cache

from symcnn.bench import zoo


def prepare(variant: str, what: str, network: str, batch: int):
    """A call without arguments that does the task once and waits for its result."""
    if what != "onnx":
        raise ValueError(f"onnxruntime does not do {what!r}")
    session, images = _session(network), zoo.images(batch)
    feeds = {session.get_inputs()[0].name: images}
    return lambda: session.run(None, feeds)


def memory(task: dict) -> dict:
    return {}


@cache
def _session(network):
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = int(os.environ["SYMCNN_THREADS"])
    model = zoo.network(network).SerializeToString()
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
