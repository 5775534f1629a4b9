"""OnnxModel: what `load` returns, a callable that runs a graph on arrays."""

from __future__ import annotations

from functools import cached_property

import numpy as np

import symcnn as sc
from symcnn.errors import InputError, ShapeError
from symcnn.interop.onnx.file import Graph, Port, read
from symcnn.interop.onnx.module import OnnxModule
from symcnn.interop.onnx.translate import check_supported
from symcnn.interop.onnx.values import NeedsSizes
from symcnn.keywords import checked_keywords

KEPT = 16  # functions for sets of shapes, where a graph must be translated anew for each


@checked_keywords
def load(path, device: str = "cpu") -> OnnxModel:
    """Read an ONNX model.

    Parameters
    ----------
    path : path, bytes or onnx.ModelProto
        Any opset from 6 on. Nothing in the file is executed; tensors in other files must lie in its folder.
    device : {"cpu", "reference"}
        Where it runs.

    Returns
    -------
    OnnxModel

    Raises
    ------
    FileError
        If there is no such file, or it is damaged, too large, or no ONNX model.
    InputError
        If there are operators without a translation; all nodes concerned are named.
    PackageError
        Without the package onnx, which the extra ``onnx`` brings.

    Examples
    --------
    >>> import numpy as np, onnx, onnx.helper as helper
    >>> from onnx import TensorProto
    >>> x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", 2]) for name in "xy")
    >>> graph = helper.make_graph([helper.make_node("Relu", ["x"], ["y"])], "example", [x], [y])
    >>> model = load(helper.make_model(graph))
    >>> model
    OnnxModel 'example': x float32[?, 2] -> y float32[?, 2], 1 nodes, 0 parameters
    >>> model(np.array([[-1.0, 2.0]], "float32"))
    [array([[0., 2.]], dtype=float32)]
    """
    graph = read(path)
    check_supported(graph)
    return OnnxModel(graph, device)


class OnnxModel:
    """A model that was read from an ONNX file.

    ``model(*arrays)`` runs it and returns the list of its outputs; inputs may also be given by name. A new batch size
    compiles nothing, unless the graph computes with sizes; then it is translated for each set of shapes.

    Attributes
    ----------
    graph : Graph
        Its nodes and tensors as plain data.
    module : OnnxModule
        The network, for everything that is done with one: drawing, training, freezing, saving.
    device : str
    """

    def __init__(self, graph: Graph, device: str = "cpu"):
        self.graph, self.device = graph, device
        self._functions: dict[tuple, sc.Function | None] = {}

    @cached_property
    def module(self) -> OnnxModule:
        return OnnxModule(self.graph)

    @property
    def inputs(self) -> list[str]:
        """Names of the inputs, in the order of a call."""
        return [port.name for port in self.graph.inputs]

    @property
    def outputs(self) -> list[str]:
        """Names of the outputs, in the order in which a call returns them."""
        return [port.name for port in self.graph.outputs]

    def __call__(self, *arrays, **named) -> list[np.ndarray]:
        given = self._arrays(arrays, named)
        return self.function(*given)(*given)

    def function(self, *arrays) -> sc.Function:
        """The compiled function that runs on arrays of these shapes, with its ``stages``, ``kernels`` and ``profile``."""
        shapes = tuple(a.shape for a in arrays)
        for key in ((), shapes):
            if key not in self._functions:
                try:
                    self._remember(key, self._build(arrays, exact=bool(key)))
                except NeedsSizes:
                    if key:
                        raise
                    self._functions[()] = None  # it cannot be built for open sizes
            if (function := self._functions[key]) is not None:
                return function
        raise AssertionError("built for these shapes, or raised")

    def _remember(self, key, function):
        self._functions[key] = function
        exact = [k for k in self._functions if k]
        if len(exact) > KEPT:
            del self._functions[exact[0]]

    def _build(self, arrays, exact: bool):
        inputs = [
            sc.input(f"input{k}", _shape(port, a, exact), a.dtype)
            for k, (port, a) in enumerate(zip(self.graph.inputs, arrays, strict=True))
        ]
        outputs = self.module.outputs(dict(zip(self.inputs, inputs, strict=True)))
        return sc.function(
            inputs, outputs, device=self.device, on_unused_input="ignore", name=self.graph.name or "model"
        )

    def _arrays(self, arrays, named) -> list[np.ndarray]:
        names = self.inputs
        if len(arrays) > len(names):
            raise InputError(
                f"this model has {len(names)} input(s)", expected=", ".join(names), found=f"{len(arrays)} arrays"
            )
        given = dict(zip(names, arrays, strict=False))
        unknown = sorted(set(named) - set(names))
        if unknown or set(named) & set(given):
            raise InputError("inputs are given once, by their names", expected=", ".join(names), found=", ".join(named))
        given |= named
        missing = [name for name in names if name not in given]
        if missing:
            raise InputError(f"input {', '.join(missing)} is missing", expected=", ".join(names))
        return [_checked(port, given[port.name]) for port in self.graph.inputs]

    def __repr__(self):
        ports = [
            ", ".join(f"{p.name} {p.dtype}{'' if p.shape is None else _text(p.shape)}" for p in some)
            for some in (self.graph.inputs, self.graph.outputs)
        ]
        count = self.module.parameters().count
        return f"OnnxModel {self.graph.name!r}: {ports[0]} -> {ports[1]}, {len(self.graph.nodes)} nodes, {count:,} parameters"


def _shape(port: Port, array, exact: bool):
    return array.shape if exact or port.shape is None else port.shape


def _checked(port: Port, value) -> np.ndarray:
    array = np.asarray(value)
    if array.dtype != port.dtype:
        if not np.can_cast(array.dtype, port.dtype, "same_kind"):
            raise InputError(f"input {port.name!r} has another dtype", expected=port.dtype, found=array.dtype)
        array = array.astype(port.dtype)
    shape = port.shape
    if shape is not None and (
        array.ndim != len(shape) or any(None is not d != n for d, n in zip(shape, array.shape, strict=True))
    ):
        raise ShapeError(f"input {port.name!r} has another shape", expected=_text(shape), found=_text(array.shape))
    return array


def _text(shape) -> str:
    return f"[{', '.join('?' if d is None else str(d) for d in shape)}]"
