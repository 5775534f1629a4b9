"""Tuned kernels run on arrays: by emulation where tiles are large, by Numba's simulator where they are small."""

from dataclasses import replace
from typing import Any

import numpy as np

from symcnn.backends.cuda.device import Call, Memory
from symcnn.backends.cuda.launch import ON_DEVICE, SIMULATED
from symcnn.backends.cuda.simulator import SIMULATOR
from symcnn.backends.cuda.tuned import tuned_kernel
from symcnn.config import config
from symcnn.ir.types import TensorType
from symcnn.schedule.plan import WORKSPACE, View
from tests.backends.cuda.emulation import emulate

GEOMETRIES = {"large": ON_DEVICE, "small": SIMULATED, "emulated": SIMULATED}
"""An emulation of small tiles pays off after many launches: it is compiled first."""


class Store:
    """The finish that stores elements as they are."""

    operands, integer_names = ("y0",), ("m0",)

    def __init__(self, dtype, output=None):
        self.dtypes = (dtype,)
        self.views = (output,)
        self.sizes = (output.shape[-1],) if output else ()

    def lines(self, row, column, value):
        return [f"y0[int32({row} * m0 + {column})] = {value}"]


class BiasRelu(Store):
    """An epilogue: a bias per column, then the positive part; what was computed is stored besides."""

    operands = ("y0", "y1", "y2")

    def __init__(self, dtype, output=None, bias=None):
        super().__init__(dtype, output)
        self.dtypes = (dtype,) * 3
        self.views = (output, bias, output and replace(output, buffer=output.buffer + 1))

    def lines(self, row, column, value):
        return [
            f"t1 = {value} + y1[{column}]",
            f"y0[int32({row} * m0 + {column})] = maximum(t1, {self.dtypes[0]}(0))",
            f"y2[int32({row} * m0 + {column})] = {value}",
        ]


def memory_and_view(array, number):
    """The flat memory that `array` is a view of, and the View."""
    base = array
    while base.base is not None:
        base = base.base
    flat = base.reshape(-1) if base.size else np.zeros(1, array.dtype)
    offset = array.__array_interface__["data"][0] - base.__array_interface__["data"][0] if array.size else 0
    strides = tuple(s // array.itemsize for s in array.strides)
    return flat, View(number, offset, array.shape, strides, array.dtype)


def simulate(kernel, grid, pointers, sizes):
    SIMULATOR.compile([kernel])
    SIMULATOR.launch(
        Call(kernel, tuple((Memory(0, p.nbytes, p.view(np.uint8)), 0) for p in pointers), tuple(sizes), grid)
    )


def in_precision(geometry):
    """`geometry`, with tensor cores only if the settings allow tf32."""
    return replace(geometry, tensor_cores=geometry.tensor_cores and config.tf32)


def launch(op, arrays, geometry="large", known=lambda size: True, bias=None) -> Any:
    """The result of the tuned kernels of `op`, and of an epilogue of bias and relu if a bias is given.

    Sizes for which `known` is false are unknown when kernels are chosen.
    """
    run = simulate if geometry == "small" else emulate
    geometry, entry = in_precision(GEOMETRIES[geometry]), tuned_kernel(op)
    concrete = [TensorType(a.dtype, a.shape) for a in arrays]
    types = [TensorType(t.dtype, tuple(d if known(d) else None for d in t.shape)) for t in concrete]
    made, output_type = op.infer(*concrete), op.infer(*types)
    assert entry.accepts(op, types, output_type)
    memory, views = zip(*(memory_and_view(a, k) for k, a in enumerate(arrays)), strict=True)
    memory = [*memory, *(np.full(max(made.size, 1), np.nan, made.dtype) for _ in range(2))]
    _, output = memory_and_view(memory[-2][: made.size].reshape(made.shape), len(arrays))
    dtype = made.dtype.name
    if bias is None:
        loose, bound = Store(dtype), Store(dtype, output)
    else:
        memory.append(bias)
        bias_view = View(len(memory) - 1, 0, bias.shape, (1,), bias.dtype)
        loose, bound = BiasRelu(dtype), BiasRelu(dtype, output, bias_view)
    operands = tuple(None if k in op.shape_only else v for k, v in enumerate(views))
    nbytes = entry.workspace(op, output, operands, geometry)
    scratch = np.full(max(nbytes, 1), 0xFF, np.uint8)
    workspace = View(WORKSPACE, 0, (nbytes,), (1,), np.dtype("uint8")) if nbytes else None
    kernels = entry.kernels(op, types, output_type, loose, geometry)
    launches = entry.launches(op, types, output_type, output, operands, bound, geometry, workspace)
    assert {l.kernel for l in launches} <= set(kernels)
    for l in launches:
        assert max(l.grid[1:]) <= 65535
        pointers = []
        for view in l.operands:
            whole = scratch if view.buffer == WORKSPACE else memory[view.buffer]
            pointers.append(whole.view(np.uint8).reshape(-1)[view.offset :])
        pointers = [
            p[: p.size // np.dtype(n).itemsize * np.dtype(n).itemsize].view(n)
            for p, n in zip(pointers, l.kernel.operands, strict=True)
        ]
        run(l.kernel, l.grid, pointers, l.sizes)
    results = [m[: made.size].reshape(made.shape) for m in memory[len(arrays) : len(arrays) + 2]]
    return results[0] if bias is None else results
