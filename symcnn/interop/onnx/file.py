"""Reading .onnx files, which may come from anywhere: bounded, checked, and turned into plain data.

Nothing in such a file is executed. What is bounded: the file (`LIMIT` bytes), the tensors that it unfolds to, and the folder
in which tensors outside of the file may lie, which is that of the model.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from symcnn.errors import FileError, PackageError
from symcnn.interop.onnx.registry import Node
from symcnn.ir.types import DTYPES
from symcnn.paths import as_path

LIMIT = 4 * 2**30  # bytes of a file, and of all its tensors together
DOMAINS = ("", "ai.onnx")


@dataclass(frozen=True)
class Port:
    """An input or output of a graph: ``None`` in the shape is a size that the call decides; no shape, an unknown rank."""

    name: str
    dtype: np.dtype
    shape: tuple[int | None, ...] | None


@dataclass(frozen=True, eq=False)
class Graph:
    """A model as plain data.

    Attributes
    ----------
    name : str
    inputs, outputs : tuple of Port
        Without the initialisers, which old models list among their inputs.
    nodes : tuple of Node
        In topological order.
    tensors : dict
        Initialisers and constants by name.
    opset : int
    """

    name: str
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    nodes: tuple[Node, ...]
    tensors: dict[str, np.ndarray]
    opset: int


def read(source) -> Graph:
    """The graph of a model.

    Parameters
    ----------
    source : path, bytes or onnx.ModelProto

    Raises
    ------
    FileError
        If there is no such file, or it is damaged, too large, or no ONNX model.
    PackageError
        Without the package onnx.
    """
    onnx = import_onnx()
    model, folder = _model(onnx, source)
    return _graph(onnx, model, folder)


def import_onnx() -> Any:
    """The package onnx."""
    try:
        import onnx
        import onnx.numpy_helper
    except ImportError:
        raise PackageError("ONNX models need the package onnx", hint="pip install 'symcnn[onnx]'") from None
    return onnx


def _model(onnx, source):
    """The parsed model, and the folder in which its external data may lie."""
    if isinstance(source, onnx.ModelProto):
        return source, None
    if isinstance(source, (bytes, bytearray)):
        return _parsed(onnx, bytes(source), "the model"), None
    path = as_path(source)
    try:
        size = path.stat().st_size
        if size > LIMIT:
            raise FileError(f"{path} is too large", expected=f"at most {LIMIT:,} bytes", found=f"{size:,}")
        content = path.read_bytes()
    except OSError as error:
        if isinstance(error, FileError):
            raise
        raise FileError(f"{path} cannot be read: {error.strerror}") from None
    return _parsed(onnx, content, str(path)), path.parent


def _parsed(onnx, content: bytes, what: str):
    from google.protobuf.message import DecodeError

    model = onnx.ModelProto()
    try:
        model.ParseFromString(content)
    except (DecodeError, RecursionError, ValueError) as error:
        raise FileError(f"{what} is damaged or no ONNX model", found=str(error)) from None
    if not model.HasField("graph"):
        raise FileError(f"{what} is no ONNX model", found="no graph in it")
    return model


def _graph(onnx, model, folder) -> Graph:
    opset = next((o.version for o in model.opset_import if o.domain in DOMAINS), 1)
    proto = model.graph
    _check_names(proto)
    budget = _Budget()
    tensors = {t.name: _array(onnx, t, folder, budget) for t in proto.initializer}
    if proto.sparse_initializer:
        raise FileError("sparse tensors are not supported", found=f"{len(proto.sparse_initializer)} in {proto.name!r}")
    nodes, taken = [], set()
    for k, n in enumerate(proto.node):
        name = _unique(n.name or f"{n.op_type}_{k}", taken)
        op = n.op_type if n.domain in DOMAINS else f"{n.domain}.{n.op_type}"
        attributes = {a.name: _attribute(onnx, a, folder, budget) for a in n.attribute}
        if (tensor := _tensor(op, n, attributes, tensors)) is not None:
            tensors[n.output[0]] = tensor
            continue
        nodes.append(Node(op, name, tuple(n.input), tuple(n.output), attributes, opset))
    inputs = tuple(_port(onnx, v) for v in proto.input if v.name not in tensors)
    return Graph(proto.name, inputs, tuple(_port(onnx, v) for v in proto.output), _ordered(nodes), tensors, opset)


def _check_names(proto) -> None:
    """FileError if a name is no text: protobuf then gives bytes."""
    names = [proto.name, *(x.name for some in (proto.initializer, proto.input, proto.output) for x in some)]
    for n in proto.node:
        names += [n.name, n.op_type, n.domain, *n.input, *n.output, *(a.name for a in n.attribute)]
    for name in names:
        if not isinstance(name, str):
            raise FileError("the model is damaged: a name is no text", found=f"{name!r:.100}")


def _tensor(op: str, node, attributes, tensors) -> np.ndarray | None:
    """The tensor that a node only names.

    Some exporters write weights as constants. That of PyTorch writes initialisers of equal values once, with an identity for
    each of the others; they are tensors of their own.
    """
    if len(node.output) != 1 or node.output[0] in tensors:
        return None
    if op == "Identity" and len(node.input) == 1:
        return tensors.get(node.input[0])
    value = attributes.get("value") if op == "Constant" else None
    return value if isinstance(value, np.ndarray) else None


def _unique(name: str, taken: set[str]) -> str:
    found, number = name, 2
    while found in taken:
        found, number = f"{name}_{number}", number + 1
    taken.add(found)
    return found


def _ordered(nodes: list[Node]) -> tuple[Node, ...]:
    """`nodes` so that each comes after what it reads.

    Raises
    ------
    FileError
        If they read each other in a circle, or two make the same name.
    """
    maker: dict[str, int] = {}
    for k, node in enumerate(nodes):
        for name in filter(None, node.outputs):
            if name in maker:
                raise FileError(
                    f"the model is not sound: {name!r} is made twice", found=f"{nodes[maker[name]].name}, {node.name}"
                )
            maker[name] = k
    order: list[Node] = []
    state = [0] * len(nodes)  # 0 not seen, 1 waiting for its inputs, 2 done
    for start in range(len(nodes)):
        stack = [start]
        while stack:
            k = stack[-1]
            waiting = [m for m in (maker.get(name) for name in nodes[k].inputs) if m is not None and state[m] != 2]
            if state[k] == 2:
                stack.pop()
            elif not waiting:
                state[k] = 2
                order.append(nodes[stack.pop()])
            elif any(state[m] == 1 for m in waiting) and state[k] == 1:
                raise FileError("the model is not sound: its nodes read each other in a circle", found=nodes[k].name)
            else:
                state[k] = 1
                stack.extend(waiting)
    return tuple(order)


def _port(onnx, value) -> Port:
    tensor = value.type.tensor_type
    dtype = _dtype(onnx, tensor.elem_type, value.name)
    if not tensor.HasField("shape"):
        return Port(value.name, dtype, None)
    dims = [d.dim_value if d.HasField("dim_value") and d.dim_value > 0 else None for d in tensor.shape.dim]
    return Port(value.name, dtype, tuple(dims))


def _dtype(onnx, code: int, name: str) -> np.dtype:
    try:
        dtype = np.dtype(onnx.helper.tensor_dtype_to_np_dtype(code))
    except (KeyError, TypeError, ValueError):
        raise FileError(f"{name}: there is no tensor type {code}") from None
    if dtype not in DTYPES:
        raise FileError(f"{name}: tensors of {dtype} are not supported", expected=", ".join(map(str, DTYPES)))
    return dtype


class _Budget:
    """How many bytes of tensors a file may still unfold to."""

    def __init__(self):
        self.left = LIMIT

    def take(self, count: int, name: str) -> None:
        self.left -= count
        if self.left < 0:
            raise FileError(f"{name}: the tensors of this model are too large", expected=f"at most {LIMIT:,} bytes")


def _array(onnx, tensor, folder: Path | None, budget: _Budget) -> np.ndarray:
    """The numbers of a tensor; what claims to be larger than what is there is refused before it is allocated."""
    name = tensor.name or "a tensor"
    if any(d < 0 for d in tensor.dims):
        raise FileError(f"{name}: a size is negative", found=tuple(tensor.dims))
    dtype = _dtype(onnx, tensor.data_type, name)
    budget.take(prod(tensor.dims) * dtype.itemsize, name)
    if tensor.data_location == onnx.TensorProto.EXTERNAL:
        return _external(tensor, dtype, folder, name)
    try:
        return np.array(onnx.numpy_helper.to_array(tensor))  # a copy of our own
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError) as error:
        raise FileError(f"{name} is damaged", found=str(error)[:200]) from None


def _external(tensor, dtype, folder, name) -> np.ndarray:
    """A tensor in a file of its own, which lies in the folder of the model or below it."""
    about = {entry.key: entry.value for entry in tensor.external_data}
    if folder is None:
        raise FileError(f"{name} lies in a file of its own", hint="load the model by its path")
    root = folder.resolve()
    try:
        path = (root / about.get("location", "")).resolve()
        is_there = path.is_relative_to(root) and path.is_file()
    except (TypeError, ValueError, OSError, RuntimeError):  # no name of a file at all; links that go in a circle
        is_there = False
    if not is_there:
        raise FileError(
            f"{name}: its data are not where they may be", expected=f"a file in {root}", found=about.get("location")
        )
    try:
        offset, count = int(about.get("offset", 0)), prod(tensor.dims)
        wanted = count * dtype.itemsize
        if offset < 0 or int(about.get("length", wanted)) != wanted or offset + wanted > path.stat().st_size:
            raise ValueError(f"{wanted:,} bytes from {offset:,} of {path.name}")
        return np.fromfile(path, dtype.newbyteorder("<"), count, offset=offset).astype(dtype).reshape(tensor.dims)
    except (ValueError, OSError) as error:
        raise FileError(f"{name} is not all there", found=str(error)) from None


def _attribute(onnx, attribute, folder, budget) -> Any:
    kinds = onnx.AttributeProto
    if attribute.type == kinds.TENSOR:
        return _array(onnx, attribute.t, folder, budget)
    if attribute.type in (kinds.GRAPH, kinds.GRAPHS, kinds.SPARSE_TENSOR, kinds.SPARSE_TENSORS, kinds.TYPE_PROTO):
        return None  # of control flow, which has no operator here
    value = onnx.helper.get_attribute_value(attribute)
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if value is None:
        raise FileError(f"attribute {attribute.name!r} has no value")
    if attribute.type == kinds.STRINGS:
        return tuple(v.decode("utf-8", "replace") for v in value)
    return value if isinstance(value, (int, float)) else tuple(value)
