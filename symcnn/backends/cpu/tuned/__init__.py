"""Kernels written by hand for the operations that take most of a network's time.

`tuned_kernel` finds the entry of an op by the name of its class; images with their channels last have entries of
their own, named as they are written: ``"ChannelsLast(Conv2d)"``. The kernel is given the op as it stands in the graph,
so there the window is ``op.inner.window``. An entry is optional: whatever is not here, or not accepted, runs as a
generated loop nest. Each entry has

``accepts(op, types, output_type) -> bool``
    whether the kernels compute this op on operands of these types;
``workspace(op, output, operands) -> int``
    bytes of memory that its launches share, 0 for none;
``launches(op, output, operands, threads, workspace=None) -> list[Launch]``
    the launches, to be run one after the other; `operands` and `output` are `View`, an operand that an op takes for
    its shape alone is None, and `workspace` is the view of the shared memory.
``algorithm_for(op, output, operands) -> str``
    what people call what these launches do; an entry of a `Choice` has an attribute ``algorithm`` in its place;

and may have

``sometimes``
    tables of kernels by dtype that are launched for some batch sizes and not for others: they are compiled beforehand,
    so that a new batch size never compiles;
``finishes_rows``
    True if the kernels call `symcnn.backends.cpu.tuned.arguments.finish` on every row of the output, once it is final:
    the op then takes an epilogue;
``keeps_rows(op, types, output_type) -> bool``
    whether, for any sizes that these types leave open, the kernels can do without memory for the output (its view is
    `NOWHERE`) and call `finish_kept` instead.

Where several algorithms compute an op, each has an entry and a `Choice` picks one of them by the sizes.
"""

from typing import Any

from symcnn.backends.cpu.tuned.choice import Choice, nominal_views
from symcnn.backends.cpu.tuned.conv2d import Conv2d
from symcnn.backends.cpu.tuned.conv2d_input import Conv2dInputGrad
from symcnn.backends.cpu.tuned.conv2d_weight import Conv2dWeightGrad
from symcnn.backends.cpu.tuned.depthwise import DepthwiseConv2d, DepthwiseConv2dInputGrad, DepthwiseConv2dWeightGrad
from symcnn.backends.cpu.tuned.gemm import MatMul
from symcnn.backends.cpu.tuned.winograd import WinogradConv2d, WinogradConv2dInputGrad
from symcnn.backends.cpu.tuned.winograd_weight import WinogradConv2dWeightGrad
from symcnn.ops.channels_last import ChannelsLast

INPUT_GRADIENT = Choice(WinogradConv2dInputGrad(), DepthwiseConv2dInputGrad(), Conv2dInputGrad())

TUNED = {
    "MatMul": MatMul(),
    "ChannelsLast(Conv2d)": Choice(WinogradConv2d(), DepthwiseConv2d(), Conv2d()),
    "ChannelsLast(Conv2dInputGrad)": INPUT_GRADIENT,
    "ChannelsLast(Conv2dTranspose)": INPUT_GRADIENT,  # the same sum: only where the size of the result comes from differs
    "ChannelsLast(Conv2dWeightGrad)": Choice(
        WinogradConv2dWeightGrad(), DepthwiseConv2dWeightGrad(), Conv2dWeightGrad()
    ),
}


def tuned_kernel(op) -> Any:
    """The entry for `op`, or ``None``."""
    name = type(op).__name__
    return TUNED.get(f"{name}({type(op.inner).__name__})" if isinstance(op, ChannelsLast) else name)


def tuned_choice(variable, plan=None) -> tuple[Any, str]:
    """The entry that computes `variable` and its algorithm: for the shapes of `plan`, or for a large batch without one."""
    op, entry = variable.op, tuned_kernel(variable.op)
    if plan is None:
        output, operands = nominal_views(op, [x.type for x in variable.inputs], variable.type)
    else:
        output = plan.view(variable)
        operands = tuple(None if k in op.shape_only else plan.view(x) for k, x in enumerate(variable.inputs))
    algorithm = entry.algorithm_for(op, output, operands)
    return entry.chosen(op, output, operands) if isinstance(entry, Choice) else entry, algorithm


def compiled_beforehand(variable) -> list:
    """The kernels that `variable` needs for some batch size, if another may need others."""
    entry = tuned_kernel(variable.op)
    if isinstance(entry, Choice):
        return entry.beforehand(variable.op, tuple(x.type for x in variable.inputs), variable.type)
    return [table[variable.dtype.name] for table in getattr(entry, "sometimes", ())]
