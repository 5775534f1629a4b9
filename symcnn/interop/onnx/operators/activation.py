"""Activation functions."""

from __future__ import annotations

import symcnn as sc
from symcnn.interop.onnx.operators.operands import NUMPY_BROADCASTING
from symcnn.interop.onnx.registry import operator


@operator("Relu")
def relu(node, x):
    return sc.relu(x)


@operator("LeakyRelu")
def leaky_relu(node, x):
    return sc.leaky_relu(x, node.get("alpha", 0.01))


@operator("PRelu")
def prelu(node, x, slope):
    """Until opset 6 the slopes are those of the channels, later they broadcast."""
    if node.opset < NUMPY_BROADCASTING and slope.ndim == 1 and slope.shape != (1,):
        slope = sc.expand_dims(slope, tuple(range(1, x.ndim - 1)))
    return sc.where(x < 0, slope * x, x)


@operator("ThresholdedRelu")
def thresholded_relu(node, x):
    return sc.where(x > node.get("alpha", 1.0), x, 0)


@operator("Elu")
def elu(node, x):
    return sc.elu(x, node.get("alpha", 1.0))


@operator("Selu")
def selu(node, x):
    return node.get("gamma", 1.0507009873554805) * sc.elu(x, node.get("alpha", 1.6732632423543772))


@operator("Celu")
def celu(node, x):
    alpha = node.get("alpha", 1.0)
    return sc.maximum(x, 0) + alpha * sc.expm1(sc.minimum(x, 0) / alpha)


@operator("Gelu")
def gelu(node, x):
    return sc.gelu(x, node.get("approximate", "none"))


@operator("Sigmoid")
def sigmoid(node, x):
    return sc.sigmoid(x)


@operator("HardSigmoid")
def hard_sigmoid(node, x):
    return sc.hard_sigmoid(x, node.get("alpha", 0.2), node.get("beta", 0.5))


@operator("HardSwish")
def hard_swish(node, x):
    return x * sc.hard_sigmoid(x, 1 / 6, 0.5)


@operator("Swish")
def swish(node, x):
    return x * sc.sigmoid(node.get("alpha", 1.0) * x)


@operator("SwiGLU")
def swiglu(node, gate, x):
    return swish(node, gate) * x


@operator("Mish")
def mish(node, x):
    return x * sc.tanh(sc.softplus(x))


@operator("Softplus")
def softplus(node, x):
    return sc.softplus(x)


@operator("Softsign")
def softsign(node, x):
    return x / (1 + abs(x))


@operator("Shrink")
def shrink(node, x):
    """Towards zero by `bias`, and to zero within `lambd` of it."""
    limit, bias = node.get("lambd", 0.5), node.get("bias", 0.0)
    return sc.where(x < -limit, x + bias, sc.where(x > limit, x - bias, sc.zeros_like(x)))
