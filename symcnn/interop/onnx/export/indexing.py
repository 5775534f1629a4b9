"""Reading at positions that are data, one-hot vectors, and the loss of labels."""

from __future__ import annotations

from symcnn.interop.onnx.export.registry import form
from symcnn.ops.gather import OneHot, Take
from symcnn.ops.loss import SoftmaxCrossEntropy


def _as_index(writer, name, variable):
    """Positions in a dtype that operators take."""
    return name if variable.dtype in ("int32", "int64") else writer.cast(name, variable, "int64")


@form(Take)
def take(writer, variable, x, indices):
    return writer("Gather", x, _as_index(writer, indices, variable.inputs[1]), axis=variable.op.axis)


@form(OneHot)
def one_hot(writer, variable, labels):
    """ONNX wants an axis of labels: a single one gets one."""
    op, scalar = variable.op, variable.ndim == 1
    labels = writer.cast(labels, variable.inputs[0], "int64")
    labels = writer.unsqueeze(labels, [0] if scalar else [])
    values = writer.constant([0, 1], op.dtype)
    found = writer("OneHot", labels, writer.constant(op.depth), values, axis=1 if scalar else op.axis)
    return writer.squeeze(found, [0] if scalar else [])


@form(SoftmaxCrossEntropy)
def softmax_cross_entropy(writer, variable, logits, labels):
    """Taken from the logarithms: the operator of that name does not run on a batch of nothing."""
    labels = writer.unsqueeze(_as_index(writer, labels, variable.inputs[1]), [1])
    found = writer("GatherElements", writer("LogSoftmax", logits, axis=1), labels, axis=1)
    return writer("Neg", writer.squeeze(found, [1]))
