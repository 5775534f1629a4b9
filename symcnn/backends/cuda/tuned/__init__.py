"""Kernels written by hand for the operations that take most of a network's time.

`tuned_kernel` finds the entry of an op by the name of its class; images with their channels last have entries of
their own, named as they are written: ``"ChannelsLast(Conv2d)"``. The kernel is given the op as it stands in the graph,
so there the window is ``op.inner.window``. An entry is optional: whatever is not here, or not accepted, runs as a
generated loop nest. Each entry has

``accepts(op, types, output_type) -> bool``
    whether the kernels compute this op on operands of these types;
``workspace(op, output, operands, geometry) -> int``
    bytes of memory that its launches need to themselves, 0 for none;
``kernels(op, types, output_type, finish, geometry) -> list[Kernel]``
    every kernel that some sizes may need that the types leave open, so that new sizes compile nothing;
``launches(op, types, output_type, output, operands, finish, geometry, workspace) -> list[Launch]``
    the launches, to be run one after the other; `operands` and `output` are `View`, an operand that an op takes for
    its shape alone is None, and `workspace` is the view of that memory, or None;
``algorithm_for(op, output, operands) -> str``
    what people call what these launches do.

The last kernel of an op ends each element of the result with the lines of the `finish`: with an epilogue, the result
itself may need no memory.
"""

from typing import Any

from symcnn.backends.cuda.tuned.conv2d import Conv2d
from symcnn.backends.cuda.tuned.conv2d_input import Conv2dInputGrad
from symcnn.backends.cuda.tuned.conv2d_weight import Conv2dWeightGrad
from symcnn.backends.cuda.tuned.depthwise import (
    Choice,
    DepthwiseConv2d,
    DepthwiseConv2dInputGrad,
    DepthwiseConv2dWeightGrad,
)
from symcnn.backends.cuda.tuned.matmul import MatMul
from symcnn.ops.channels_last import ChannelsLast

FILTERS = 1  # which operand they are, except of their own gradient
INPUT_GRADIENT = Choice(DepthwiseConv2dInputGrad(), Conv2dInputGrad(), FILTERS)

TUNED = {
    "MatMul": MatMul(),
    "ChannelsLast(Conv2d)": Choice(DepthwiseConv2d(), Conv2d(), FILTERS),
    "ChannelsLast(Conv2dInputGrad)": INPUT_GRADIENT,
    "ChannelsLast(Conv2dTranspose)": INPUT_GRADIENT,
    "ChannelsLast(Conv2dWeightGrad)": Choice(DepthwiseConv2dWeightGrad(), Conv2dWeightGrad(), -1),
}


def tuned_kernel(op) -> Any:
    """The entry for `op`, or ``None``."""
    name = type(op).__name__
    return TUNED.get(f"{name}({type(op.inner).__name__})" if isinstance(op, ChannelsLast) else name)
