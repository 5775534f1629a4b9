"""Networks as objects: layers that own their parameters and build expressions.

Read `module` for what a Module is; `dense`, `conv`, `pool`, `batch_norm`, `normalization`, `noise`, `activation` and `shape`
for the layers; `sequential`, `parallel`, `residual` and `lambda_layer` for how they combine; `state` and `trace` for what a
layer remembers from batch to batch; `freeze` for what training leaves alone; `convolutional` and `transfer` for what
becomes of a trained network; `ownership`, `cost` and `summary` for which layer made which ops, what they cost, and the table.
"""

from symcnn.keywords import meant
from symcnn.nn.activation import (
    ELU,
    GELU,
    SELU,
    Activation,
    HardSigmoid,
    LeakyReLU,
    LogSoftmax,
    PReLU,
    ReLU,
    Sigmoid,
    SiLU,
    Softmax,
    Softplus,
    Tanh,
)
from symcnn.nn.batch_norm import BatchNorm
from symcnn.nn.conv import Conv2d, ConvTranspose2d, DepthwiseConv2d, SeparableConv2d
from symcnn.nn.convolutional import convolutional
from symcnn.nn.copying import twin
from symcnn.nn.dense import Dense, Maxout
from symcnn.nn.lambda_layer import Lambda
from symcnn.nn.module import Module, Parameters
from symcnn.nn.noise import Dropout, GaussianNoise, SpatialDropout
from symcnn.nn.normalization import GroupNorm, InstanceNorm, LayerNorm, LocalResponseNorm
from symcnn.nn.parallel import Parallel, Sum
from symcnn.nn.pool import AvgPool2d, GlobalAvgPool2d, GlobalMaxPool2d, MaxPool2d
from symcnn.nn.residual import Residual
from symcnn.nn.sequential import Sequential
from symcnn.nn.shape import Crop2d, Flatten, Pad2d, Reshape, Upsample2d
from symcnn.nn.side_heads import SideHeads
from symcnn.nn.state import State
from symcnn.nn.trace import Trace, record_update
from symcnn.nn.transfer import Matches, load_matching, replace_head

__all__ = [
    "ELU",
    "GELU",
    "SELU",
    "Activation",
    "AvgPool2d",
    "BatchNorm",
    "Conv2d",
    "ConvTranspose2d",
    "Crop2d",
    "Dense",
    "DepthwiseConv2d",
    "Dropout",
    "Flatten",
    "GaussianNoise",
    "GlobalAvgPool2d",
    "GlobalMaxPool2d",
    "GroupNorm",
    "HardSigmoid",
    "InstanceNorm",
    "Lambda",
    "LayerNorm",
    "LeakyReLU",
    "LocalResponseNorm",
    "LogSoftmax",
    "Matches",
    "MaxPool2d",
    "Maxout",
    "Module",
    "PReLU",
    "Pad2d",
    "Parallel",
    "Parameters",
    "ReLU",
    "Reshape",
    "Residual",
    "SeparableConv2d",
    "Sequential",
    "SiLU",
    "SideHeads",
    "Sigmoid",
    "Softmax",
    "Softplus",
    "SpatialDropout",
    "State",
    "Sum",
    "Tanh",
    "Trace",
    "Upsample2d",
    "convolutional",
    "load_matching",
    "record_update",
    "replace_head",
    "twin",
]


def __getattr__(name: str):
    raise AttributeError(f"symcnn.nn has no {name!r}; {meant(name, __all__)}")
