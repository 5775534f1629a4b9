"""An ONNX graph as a network: its initialisers are parameters that can be trained, frozen, saved and replaced."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from contextlib import contextmanager
from typing import Any

import symcnn as sc
from symcnn.errors import InputError
from symcnn.interop.onnx.file import Graph
from symcnn.interop.onnx.head import with_head
from symcnn.interop.onnx.operators import OPERATORS
from symcnn.interop.onnx.registry import Node
from symcnn.interop.onnx.translate import translate
from symcnn.ir.variable import Shared, Variable
from symcnn.keywords import checked_count
from symcnn.nn import Module, State
from symcnn.nn.scope import layer_scope
from symcnn.nn.trace import record_output

# What the inputs of layers are called, as in symcnn.nn; an initialiser elsewhere keeps its own name.
ROLES = {
    "Conv": ("", "weight", "bias"), "ConvTranspose": ("", "weight", "bias"), "Gemm": ("", "weight", "bias"), "MatMul": ("weight", "weight"),
    "BatchNormalization": ("", "gamma", "beta", "mean", "variance"), "InstanceNormalization": ("", "gamma", "beta"),
    "LayerNormalization": ("", "gamma", "beta"), "GroupNormalization": ("", "gamma", "beta"), "PRelu": ("", "slope"), "Add": ("bias", "bias"),
}  # fmt: skip
STATES = ("mean", "variance")


class OnnxLayer(Module):
    """A node that has parameters.

    Attributes
    ----------
    node : Node
    arrays : dict
        Role -> Shared: weight, bias, ...
    """

    def __init__(self, node: Node, arrays: dict[str, Shared]):
        self.node, self.arrays = node, arrays

    def parts(self):
        return {}

    def forward(self, x, training):
        raise InputError(
            f"{self!r} is a node of a graph and cannot be applied alone", hint="apply the module around it"
        )

    def __repr__(self):
        sizes = next(iter(self.arrays.values())).shape
        return f"{self.node.op}({' x '.join(map(str, sizes))})"


class OnnxModule(Module):
    """A network that was read from an ONNX file; made by `symcnn.interop.onnx.load`.

    Its parts are the nodes with parameters, by the names that these have in the file: for a network that PyTorch exported,
    those of its modules. So ``freeze("layer1*")``, ``summary()``, ``sc.draw(module)``, `compile_step`, `predict` and
    `symcnn.nn.replace_head` work as for every other network. Batch norms normalise by the batch in training, and dropout drops.

    Attributes
    ----------
    graph : Graph
    layers : dict
        Path -> OnnxLayer.
    """

    def __init__(self, graph: Graph):
        self.graph = graph
        self.layers, self._shared = _layers(graph)
        self.in_shape = graph.inputs[0].shape[1:] if len(graph.inputs) == 1 and graph.inputs[0].shape else None
        for path, variable in self.variables().items():
            variable.name = path

    def parts(self):
        return self.layers

    def owned_variables(self):
        for path, layer in self.layers.items():
            for role, value in layer.arrays.items():
                yield f"{path}.{role}", layer, role, value

    def forward(self, x, training):
        if len(self.graph.inputs) != 1:
            names = ", ".join(port.name for port in self.graph.inputs)
            raise InputError(
                "this network has several inputs",
                found=names,
                hint="model(*arrays) runs it; as a module it needs one input",
            )
        outputs = self.outputs({self.graph.inputs[0].name: x}, training)
        return outputs[0] if len(outputs) == 1 else tuple(outputs)

    def outputs(self, inputs: Mapping[str, Any], training: bool = False) -> list[Variable]:
        """The expressions of all outputs.

        Parameters
        ----------
        inputs : dict
            Name -> expression, or an array that is known.
        training : bool
        """
        by_node = {layer.node.name: layer for layer in self.layers.values()}

        def trains(node):  # a frozen batch norm goes on normalising by its running averages
            return training and not (node.name in by_node and "mean" in by_node[node.name].frozen)

        @contextmanager
        def around(node):
            layer = by_node.get(node.name)
            if layer is None:
                yield
                return
            with layer_scope(layer):
                yield

        def record(node, result):
            if node.name in by_node:
                record_output(by_node[node.name], result)

        values = {**self.graph.tensors, **self._shared, **inputs}
        found = translate(self.graph, values, trains, around, record)
        return [v if isinstance(v, Variable) else sc.constant(v) for v in found]

    def with_head(self, classes: int, seed, init) -> OnnxModule:
        """The same network with a fresh last layer, and without a softmax after it; see `symcnn.nn.replace_head`."""
        graph = with_head(self.graph, checked_count("replace_head: classes", classes), seed, init)
        changed = copy.copy(self)
        vars(changed).pop("_functions", None)  # compiled for the old head
        old = self.graph.tensors
        fresh = {
            value: sc.shared(graph.tensors[name])
            for name, value in self._shared.items()
            if graph.tensors[name] is not old[name]
        }
        changed.graph = graph
        changed._shared = {name: fresh.get(value, value) for name, value in self._shared.items()}
        changed.layers = {
            path: OnnxLayer(layer.node, {role: fresh.get(value, value) for role, value in layer.arrays.items()})
            if any(value in fresh for value in layer.arrays.values()) else layer
            for path, layer in self.layers.items()
        }  # fmt: skip
        return changed


def _layers(graph: Graph) -> tuple[dict[str, OnnxLayer], dict[str, Shared]]:
    """The nodes with parameters by path, and the Shared of every initialiser that is a parameter."""
    shared: dict[str, Shared] = {}
    layers: dict[str, OnnxLayer] = {}
    for node in graph.nodes:
        fresh: dict[str, Shared] = {}
        for position, name in enumerate(node.inputs):
            tensor = graph.tensors.get(name)
            if tensor is None or name in shared or not _is_parameter(node, position, tensor):
                continue
            role = _role(node, position, name, fresh)
            made = State(tensor, role) if role in STATES else sc.shared(tensor, role)
            shared[name] = fresh[role] = made
        if fresh:
            layers[_path(node, graph.tensors, layers)] = OnnxLayer(node, fresh)
    return layers, shared


def _is_parameter(node: Node, position: int, tensor) -> bool:
    """Whether it is trained: floats, but for those that shapes and scales consist of, and for single numbers of formulas."""
    operator = OPERATORS[node.op]
    if tensor.dtype.kind != "f" or position in operator.numbers | operator.sizes:
        return False
    return tensor.size > 1 or (node.op in ROLES and tensor.ndim > 0 and node.op != "Add")


def _role(node: Node, position: int, name: str, taken) -> str:
    roles = ROLES.get(node.op, ())
    role = roles[position] if position < len(roles) and roles[position] else name.rpartition(".")[2].rpartition("/")[2]
    return role if role not in taken else f"{role}{position}"


def _path(node: Node, tensors, taken) -> str:
    """A path for a node: what the names of its initialisers begin with, as PyTorch writes them, or its own name."""
    stems = {name.rpartition(".")[0] for name in node.inputs if name in tensors and "." in name and "/" not in name}
    path = stems.pop() if len(stems) == 1 else ".".join(filter(None, node.name.split("/")))
    path = path or node.name
    found, number = path, 2
    while found in taken:
        found, number = f"{path}_{number}", number + 1
    return found
