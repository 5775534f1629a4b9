"""The networks of the ONNX model zoo that the package onnx brings along for its tests, as inputs for tests and benchmarks.

To be small these files hold no weights: nodes make them of one value, and the batch is 1. `network` puts random weights in
their place, which a mistake in an order of axes does not survive, and lets the call decide the batch.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

NAMES = ("bvlc_alexnet", "densenet121", "inception_v1", "inception_v2", "resnet50", "shufflenet", "squeezenet", "vgg19", "zfnet512")  # fmt: skip


def path(name: str) -> Path:
    """The file of the network called `name`, one of `NAMES`; its output for the runner's own input lies beside it."""
    import onnx

    return Path(onnx.__file__).parent / "backend" / "test" / "data" / "light" / f"light_{name}.onnx"


def network(name: str, seed: int = 0) -> Any:
    """The ``onnx.ModelProto`` of the network called `name`, with random weights and one input (n, 3, 224, 224).

    What its softmax takes is an output, too: probabilities close to 0 and 1 hide differences.
    """
    import onnx
    from onnx import numpy_helper

    model = onnx.load(str(path(name)))
    graph, rng = model.graph, np.random.default_rng(seed)
    arrays = {t.name: numpy_helper.to_array(t) for t in graph.initializer}
    made = {n.output[0]: arrays[n.input[0]] for n in graph.node if n.op_type == "ConstantOfShape"}
    nodes = [n for n in graph.node if n.op_type != "ConstantOfShape"]
    roles = dict(_roles(nodes))
    for weight, shape in made.items():
        arrays[weight] = np.zeros(shape, np.float32)
    for weight, array in arrays.items():
        if array.dtype == np.float32 and weight in roles:
            arrays[weight] = _random(rng, array.shape, roles[weight])
    for node in nodes:
        if node.op_type == "Reshape" and node.input[0] not in arrays:
            arrays[node.input[1]] = np.array([0, *arrays[node.input[1]][1:]])  # 0 keeps the batch
    used = {name for node in nodes for name in node.input}
    images = [v for v in graph.input if v.name in used and v.name not in arrays]
    for value in (*images, *graph.output):
        value.type.tensor_type.shape.dim[0].dim_param = "n"
    for field, kept in (("node", nodes), ("input", images), ("value_info", ())):
        graph.ClearField(field)
        getattr(graph, field).extend(kept)
    logits = next((n.input[0] for n in nodes if n.op_type == "Softmax"), None)
    if logits is not None:
        graph.output.append(onnx.helper.make_tensor_value_info(logits, onnx.TensorProto.FLOAT, ["n", 1000]))
    graph.ClearField("initializer")
    graph.initializer.extend(numpy_helper.from_array(a, name) for name, a in arrays.items() if name in used)
    return model


def images(batch: int) -> np.ndarray:
    """Random images."""
    return np.random.default_rng(1).normal(size=(batch, 3, 224, 224)).astype("float32")


def _roles(nodes) -> Iterator[tuple[str, tuple[str, int]]]:
    """Of each name that a node reads, the operator that computes with it and at which position."""
    unsqueezed = {n.output[0]: n.input[0] for n in nodes if n.op_type in ("Unsqueeze", "Reshape")}
    for node in nodes:
        for position, name in enumerate(node.input):
            if name not in unsqueezed.values():
                yield unsqueezed.get(name, name), (node.op_type, position)


def _random(rng, shape, role) -> np.ndarray:
    """Weights with which activations keep their size; scales and variances around 1, shifts and means around 0."""
    if len(shape) > 1:
        values = rng.normal(size=shape) * (2 / np.prod(shape[1:])) ** 0.5
    elif role in (("BatchNormalization", 1), ("BatchNormalization", 4), ("Mul", 1)):
        values = rng.uniform(0.5, 1.5, shape)
    else:
        values = rng.normal(size=shape) * 0.1
    return values.astype("float32")
