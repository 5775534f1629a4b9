"""OnnxModel: what `load` returns, a callable that runs a graph on arrays."""

from __future__ import annotations

from functools import cached_property

import numpy as np

import symcnn as sc
from symcnn.arrays import as_numpy
from symcnn.errors import InputError, ShapeError, SymcnnError
from symcnn.interop.onnx.file import Graph, Port, read
from symcnn.interop.onnx.module import OnnxModule
from symcnn.interop.onnx.translate import check_supported
from symcnn.interop.onnx.values import NeedsSizes
from symcnn.ir.graph import leaves
from symcnn.ir.variable import Input
from symcnn.keywords import checked_keywords

KEPT = 16  # functions for sets of shapes, where a graph must be translated anew for each
SMALL = 1024  # elements of an input by whose values a graph may be translated


@checked_keywords
def load(path, device: str = "cpu") -> OnnxModel:
    """Read an ONNX model.

    Parameters
    ----------
    path : path, bytes or onnx.ModelProto
        Any opset from 6 on, with at most 4 GiB of tensors. Nothing in the file is executed; tensors in other files must lie in its
        folder.
    device : {"cpu", "cuda", "reference"}
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
    compiles nothing, unless the graph computes with sizes; then it is translated for each set of shapes. Where an input
    says what the shapes are, as the axes of a reduction do, it is translated for each of their values.

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
        self._functions: dict[tuple, sc.Function] = {}
        self._exact = False  # whether there must be a function for each set of shapes
        self._numbers: set[str] = set()  # inputs that shapes depend on: there is a function for each of their values

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
        return self._function(given)(*self._data(given))

    def function(self, *arrays) -> sc.Function:
        """The compiled function that runs on arrays of these shapes, with its ``stages``, ``kernels`` and ``profile``.

        Its inputs are those of the model, without those that shapes depend on: it was made for their values.
        """
        return self._function(self._arrays(arrays, {}))

    def _function(self, given: list[np.ndarray]) -> sc.Function:
        while True:
            key = self._key(given)
            if key in self._functions:
                return self._functions[key]
            try:
                made = self._functions[key] = self._build(given)
            except SymcnnError as error:
                self._ask_for_more(error, given)
                continue
            if len(self._functions) > KEPT:
                del self._functions[next(iter(self._functions))]
            return made

    def _ask_for_more(self, error: SymcnnError, given: list[np.ndarray]) -> None:
        """Translate for the shapes of each call from now on, and if that was not enough for the values of small inputs.

        Raises
        ------
        SymcnnError
            If that cannot help: `error`.
        """
        if not self._exact:
            self._exact = True
            return
        source = error.source if isinstance(error, NeedsSizes) else None
        sizes: dict[str | None, tuple[str, int]] = {
            f"input{k}": (name, a.size) for k, (name, a) in enumerate(zip(self.inputs, given, strict=True))
        }
        asked = [] if source is None else [sizes[v.name] for v in leaves([source]) if isinstance(v, Input)]
        if not asked or any(size > SMALL for _, size in asked):
            raise error
        self._numbers.update(name for name, _ in asked)

    def _key(self, given) -> tuple:
        shapes = tuple(a.shape for a in given) if self._exact else ()
        values = tuple(a.tobytes() for name, a in zip(self.inputs, given, strict=True) if name in self._numbers)
        return shapes, values

    def _data(self, given) -> list[np.ndarray]:
        return [a for name, a in zip(self.inputs, given, strict=True) if name not in self._numbers]

    def _build(self, given) -> sc.Function:
        values = {
            port.name: a if port.name in self._numbers else sc.input(f"input{k}", _shape(port, a, self._exact), a.dtype)
            for k, (port, a) in enumerate(zip(self.graph.inputs, given, strict=True))
        }
        outputs = self.module.outputs(values)
        inputs = [v for v in values.values() if isinstance(v, Input)]
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
    array = np.asarray(as_numpy(value))
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
