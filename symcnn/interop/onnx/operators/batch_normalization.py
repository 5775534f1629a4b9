"""Batch normalisation, in all the forms that it has had."""

from __future__ import annotations

import symcnn as sc
from symcnn.interop.onnx.registry import operator
from symcnn.nn.batch_norm import record_averages
from symcnn.nn.state import State


@operator("BatchNormalization", needs_training=True)
def batch_normalization(node, x, gamma, beta, mean, variance, training=False):
    """By the running statistics; by those of the batch in training, or where the node itself says that it trains.

    A network in training moves its running statistics as `symcnn.nn.BatchNorm` does. A node that trains returns the moved
    ones, of the biased variance, and before opset 14 those of the batch, too.
    """
    epsilon, momentum = node.get("epsilon", 1e-5), node.get("momentum", 0.9)
    if not node.get("spatial", 1):
        scale = gamma / sc.sqrt(variance + epsilon)
        return (x - mean) * scale + beta
    parameters = (p.astype(x.dtype) for p in (gamma, beta))
    if not (training or _trains(node)):
        y = sc.batch_norm(x, *parameters, mean.astype(x.dtype), variance.astype(x.dtype), epsilon=epsilon)
        return y, mean, variance, mean, variance
    if isinstance(mean, State) and isinstance(variance, State):
        record_averages(x, mean, variance, 1 - momentum)
    batch = sc.batch_statistics(x)
    moved = [
        old * momentum + new.astype(old.dtype) * (1 - momentum)
        for old, new in zip((mean, variance), batch, strict=True)
    ]
    return sc.batch_norm(x, *parameters, epsilon=epsilon), *moved, *batch


def _trains(node) -> bool:
    """Since opset 14 an attribute says so; before, it was the outputs beyond the first, unless `is_test` is set."""
    if node.opset >= 14:
        return bool(node.get("training_mode", 0))
    return not node.get("is_test", 0) and any(node.outputs[1:])
