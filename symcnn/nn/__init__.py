"""Networks as objects: layers that own their parameters and build expressions.

Read `module` for what a Module is, `layers` for the layers, `sequential` and `parallel` for how they combine, `state` and
`trace` for what a layer remembers from batch to batch, `freeze` for what training leaves alone.
"""

from symcnn.nn.layers import (
    Activation,
    Conv2d,
    Dense,
    Dropout,
    Flatten,
    GlobalAvgPool2d,
    LocalResponseNorm,
    MaxPool2d,
    ReLU,
)
from symcnn.nn.module import Module, Parameters
from symcnn.nn.parallel import Parallel
from symcnn.nn.sequential import Sequential
from symcnn.nn.side_heads import SideHeads
from symcnn.nn.state import State
from symcnn.nn.trace import Trace, record_update

__all__ = [
    "Activation",
    "Conv2d",
    "Dense",
    "Dropout",
    "Flatten",
    "GlobalAvgPool2d",
    "LocalResponseNorm",
    "MaxPool2d",
    "Module",
    "Parallel",
    "Parameters",
    "ReLU",
    "Sequential",
    "SideHeads",
    "State",
    "Trace",
    "record_update",
]
