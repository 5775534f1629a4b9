"""Writer: collects the nodes, constants and parameters of an ONNX graph while forms write it."""

from __future__ import annotations

from typing import Any

import numpy as np

from symcnn.ir.variable import Constant, Shared, Variable

OPSET = 21
"""The first in which group norm has one scale per channel; onnxruntime knows it since 1.18."""

# What NumPy calls it -> the number that ONNX has for it.
CODES = {
    "float32": 1, "uint8": 2, "int8": 3, "uint16": 4, "int16": 5, "int32": 6, "int64": 7, "bool": 9, "float64": 11,
    "uint32": 12, "uint64": 13,
}  # fmt: skip


class Writer:
    """The graph so far; calling it adds a node.

    Attributes
    ----------
    names : dict
        Variable -> the name of its value.
    nodes : list
        onnx.NodeProto, each after what it reads.
    parameters : list of Shared
        Those that are read, in order.
    scope : str
        Path of the layer that is being written: nodes are called by it.
    """

    def __init__(self, onnx):
        self.onnx = onnx
        self.names: dict[Variable, str] = {}
        self.nodes: list[Any] = []
        self.parameters: list[Shared] = []
        self.scope = ""
        self._taken: set[str] = set()
        self._constants: dict[tuple, str] = {}

    def __call__(self, op: str, *inputs: str, **attributes) -> str:
        """Add a node with one result and return its name; ``""`` stands for an input that is left out."""
        name = self.unique(f"{self.scope}/{op}" if self.scope else op)
        self.nodes.append(self.onnx.helper.make_node(op, inputs, [name], name, **attributes))
        return name

    def unique(self, name: str) -> str:
        """`name`, or with a number if it is taken."""
        found, number = name, 2
        while found in self._taken:
            found, number = f"{name}_{number}", number + 1
        self._taken.add(found)
        return found

    # ---- leaves

    def parameter(self, shared: Shared, name: str) -> None:
        """A Shared will be an initialiser."""
        self.names[shared] = self.unique(name)
        self.parameters.append(shared)

    def constant(self, value, dtype: Any = "int64") -> str:
        """Numbers as a Constant node; equal ones are one node."""
        array = np.asarray(value, dtype)
        key = array.dtype, array.shape, array.tobytes()
        if key not in self._constants:
            name = self.unique("constant")
            tensor = self.onnx.numpy_helper.from_array(array, name)
            self.nodes.append(self.onnx.helper.make_node("Constant", [], [name], name, value=tensor))
            self._constants[key] = name
        return self._constants[key]

    # ---- what many forms need

    def cast(self, name: str, variable: Variable, dtype) -> str:
        """The value `name` of `variable` in another dtype."""
        dtype = np.dtype(dtype)
        if variable.dtype == dtype:
            return name
        if isinstance(variable, Constant):
            return self.constant(variable.value.astype(dtype), dtype)
        return self.to(name, dtype)

    def to(self, name: str, dtype) -> str:
        """A value in `dtype`."""
        return self("Cast", name, to=CODES[np.dtype(dtype).name])

    def shape(self, variable: Variable, name: str | None) -> str:
        """The shape of a Variable as a value: numbers if they are known, else asked of its value `name`."""
        return self.constant(variable.shape) if variable.type.is_concrete else self("Shape", str(name))

    def size(self, variable: Variable, name: str | None, axis: int) -> str:
        """The size of one axis, as a vector of one element."""
        size = variable.shape[axis]
        if size is not None:
            return self.constant([size])
        return self("Shape", str(name), start=axis, end=axis + 1)

    def reshape(self, name: str, sizes) -> str:
        """A value under a shape that is known but for one -1."""
        return self("Reshape", name, self.constant(list(sizes)), **({"allowzero": 1} if 0 in sizes else {}))

    def squeeze(self, name: str, axes) -> str:
        return self("Squeeze", name, self.constant(list(axes))) if axes else name

    def unsqueeze(self, name: str, axes) -> str:
        return self("Unsqueeze", name, self.constant(list(axes))) if axes else name
