"""A fresh last layer for a graph that classifies: for other classes, with everything before it kept."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np

from symcnn.errors import InputError
from symcnn.init import draw
from symcnn.interop.onnx.file import Graph
from symcnn.interop.onnx.registry import Node

_SOFTMAX = ("Softmax", "LogSoftmax", "Identity")


def with_head(graph: Graph, classes: int, seed, init) -> Graph:
    """`graph` with fresh arrays in its last layer, and without the softmax at its end.

    Parameters
    ----------
    graph : Graph
        Whose last node with a weight is a product of matrices or a 1x1 convolution.
    classes : int
    seed : numpy.random.Generator
    init : str or callable
        An initialiser for the weight; a bias starts at zero.

    Raises
    ------
    InputError
        If it does not end like that.
    """
    if len(graph.outputs) != 1:
        raise InputError("replace_head: this graph has several outputs", found=", ".join(p.name for p in graph.outputs))
    graph = _without_softmax(graph)
    node = next((node for node in reversed(graph.nodes) if _weight(graph, node) is not None), None)
    weight = _weight(graph, node) if node else None
    if node is None or weight is None or not _is_dense(node, weight):
        raise InputError(
            "replace_head: the last node with a weight cannot be replaced", expected="Gemm, MatMul or a 1x1 Conv",
            found=f"{node.name} ({node.op})" if node else "no node with a weight",
        )  # fmt: skip
    outputs_first = node.op == "Conv" or bool(node.get("transB", 0))
    count = weight.shape[0 if outputs_first else 1]
    if node.op == "Conv":
        fresh = draw(init, (classes, *weight.shape[1:]), seed, weight.dtype.name)
    else:
        rows = weight.shape[1 if outputs_first else 0]
        fresh = draw(init, (rows, classes), seed, weight.dtype.name)
        fresh = np.array(fresh.T, order="C") if outputs_first else fresh
    arrays = {node.inputs[1]: fresh}
    for name in _biases(graph, node):
        bias = graph.tensors[name]
        if bias.ndim and bias.shape[-1] == count:
            arrays[name] = np.zeros((*bias.shape[:-1], classes), bias.dtype)
    uses = Counter(name for other in graph.nodes for name in other.inputs)
    if shared := [name for name in arrays if uses[name] > 1]:
        raise InputError("replace_head: other nodes use the weights of the last layer, too", found=", ".join(shared))
    (port,) = graph.outputs
    return replace(graph, tensors={**graph.tensors, **arrays}, outputs=(replace(port, shape=None),))


def _without_softmax(graph: Graph) -> Graph:
    """The graph that ends before the softmax and identities at its end, so that its output is logits."""
    (port,) = graph.outputs
    makers = {name: node for node in graph.nodes for name in node.outputs}
    name, dropped = port.name, set()
    while name in makers and makers[name].op in _SOFTMAX:
        dropped.add(makers[name].name)
        name = makers[name].inputs[0]
    nodes = tuple(node for node in graph.nodes if node.name not in dropped)
    return replace(graph, nodes=nodes, outputs=(replace(port, name=name),))


def _weight(graph: Graph, node: Node) -> np.ndarray | None:
    """The weight of a node that has one."""
    if node.op not in ("Gemm", "MatMul", "Conv", "ConvTranspose"):
        return None
    return next((graph.tensors.get(name) for name in node.inputs[1:]), None)


def _is_dense(node: Node, weight: np.ndarray) -> bool:
    if node.op == "Conv":
        return set(weight.shape[2:]) == {1} and node.get("group", 1) == 1
    return node.op in ("Gemm", "MatMul") and weight.ndim == 2


def _biases(graph: Graph, node: Node) -> list[str]:
    """Names of what is added to the result of `node`: its own bias, or that of an addition after it."""
    after = [other for other in graph.nodes if other.op == "Add" and node.outputs[0] in other.inputs]
    added = [name for other in (*after[:1], node) for name in other.inputs if name != node.inputs[1]]
    return [name for name in added if name in graph.tensors]
