"""Writing .onnx files: networks, functions and expressions, for everything that runs ONNX models."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import symcnn as sc
from symcnn.errors import InputError
from symcnn.function import Function
from symcnn.interop.onnx.export.graph import as_model
from symcnn.interop.onnx.file import import_onnx
from symcnn.interop.onnx.model import OnnxModel
from symcnn.interop.onnx.values import NeedsSizes
from symcnn.ir.graph import leaves
from symcnn.ir.variable import Input, Variable
from symcnn.keywords import checked_keywords
from symcnn.nn import Module
from symcnn.nn.summary import shape_text
from symcnn.nn.weights import write_atomically
from symcnn.ops.random import CALL


@checked_keywords
def save(model, path, in_shape=None) -> None:
    """Write a network, a function or an expression as an ONNX model.

    The graph is that of evaluation, as it was written: layers such as batch norm, dense or softmax become the operator of that
    name, and nodes are called by the paths of their layers. Parameters are initialisers of the names that they have in
    ``model.parameters()``, so that `load` gives them the same paths. Whatever would overflow as written is written
    in the stable form that symcnn computes.

    Parameters
    ----------
    model : Module, Function, OnnxModel, Variable, or list, tuple or dict of Variables
        Of a network the size of the batch stays open, as ``n``, and so does any other size that is not known. A function
        must not update anything. Of Variables the inputs are what they are made of, in order of appearance.
    path : path
        Written whole or not at all.
    in_shape : tuple of int or None, optional
        Shape of one example, for networks that take any; by default the module's own `in_shape`.

    Raises
    ------
    InputError
        If some ops cannot be said in ONNX, such as random numbers and gradients; all are named, with their lines. If the
        function updates a Shared, the shape of an example is not known, or the model is larger than 2 GB.
    FileError
        If the file cannot be written.
    PackageError
        Without the package onnx, which the extra ``onnx`` brings.

    Notes
    -----
    Operator set 21, which onnxruntime runs since version 1.18. What ONNX knows no operator for is composed: ``erfc`` is
    1 - erf there, which has fewer digits where it is tiny. A network in float64 is written in float64, but onnxruntime has
    convolutions for float32 alone.

    Examples
    --------
    >>> import os, tempfile
    >>> import numpy as np
    >>> import symcnn as sc
    >>> model, images = sc.models.lenet(), np.ones((2, 1, 28, 28), "float32")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save(model, os.path.join(folder, "lenet.onnx"))
    ...     again = sc.interop.onnx.load(os.path.join(folder, "lenet.onnx"), device="reference")
    >>> bool(np.allclose(again(images)[0], model.predict(images, device="reference"), rtol=1e-5))
    True
    """
    write_atomically(path, exported(model, in_shape).SerializeToString())


def exported(model, in_shape=None) -> Any:
    """What `save` writes, as an onnx.ModelProto."""
    onnx = import_onnx()
    name, inputs, outputs, parameters = _taken_apart(model, in_shape)
    return as_model(onnx, name, inputs, _named(outputs), parameters)


def _taken_apart(model, in_shape) -> tuple[str, list, Any, dict]:
    """Its name, its inputs with names for their sizes, its outputs, and the paths of its parameters."""
    if isinstance(model, Module):
        x, sizes = _example(model, in_shape)
        paths = {shared: path for path, shared in model.variables().items()}
        return type(model).__name__, [(x, sizes)], model(x, training=False), paths
    if in_shape is not None:
        raise InputError("in_shape is for networks", found=type(model).__name__, hint="inputs have shapes")
    if isinstance(model, OnnxModel):
        return _of_loaded(model)
    if isinstance(model, Function):
        if model.updates:
            raise InputError(
                f"{model.name} updates what it reads, and an ONNX model cannot",
                found=", ".join(map(repr, model.updates)), hint="save a function of the outputs alone",
            )  # fmt: skip
        return model.name, _ports(model.inputs), model.outputs, {}
    found = list(_named(model).values())
    return "expression", _ports([x for x in leaves(found) if isinstance(x, Input) and x is not CALL]), model, {}


def _example(model: Module, in_shape) -> tuple[Input, tuple[str, ...]]:
    """An input for a batch of examples, and names for its sizes."""
    shape = model.in_shape if in_shape is None else in_shape
    if not isinstance(shape, (tuple, list)):
        raise InputError(
            f"the shape of an example of this {type(model).__name__} is not known", found=repr(shape),
            hint="save(model, path, in_shape=(3, 224, 224))",
        )  # fmt: skip
    x, known = sc.input("input", (None, *shape), model.dtype), model.in_shape
    if known is not None and not x.type.with_shape((None, *known)).accepts(x.type):
        raise InputError(
            f"{type(model).__name__} takes other examples", expected=shape_text(known), found=shape_text(shape)
        )
    images = ("channels", "height", "width")
    names = images if len(shape) == 3 else tuple(f"size{k}" for k in range(1, len(shape) + 1))
    return x, ("n", *names)


def _of_loaded(model: OnnxModel):
    """A model that was loaded, with the names of its inputs and outputs."""
    ports = model.graph.inputs
    if unknown := [port.name for port in ports if port.shape is None]:
        raise InputError("the rank of an input is not known", found=", ".join(unknown))
    inputs = [sc.input(port.name, port.shape, port.dtype) for port in ports]
    try:
        outputs = model.module.outputs(dict(zip(model.inputs, inputs, strict=True)))
    except NeedsSizes as error:
        error.hint = "for examples of one shape it can be written: save(model.module, path, in_shape=(3, 224, 224))"
        raise
    paths = {shared: path for path, shared in model.module.variables().items()}
    return model.graph.name or "model", _ports(inputs), dict(zip(model.outputs, outputs, strict=True)), paths


def _ports(inputs) -> list[tuple[Input, tuple[str, ...]]]:
    return [(x, tuple(f"{x.name}_{axis}" for axis in range(x.ndim))) for x in inputs]


def _named(outputs) -> dict[str, Variable]:
    """Outputs by name: the keys of a dict, ``output`` for a single one, else ``output0``, ``output1`` ..."""
    if isinstance(outputs, Variable):
        return {"output": outputs}
    if isinstance(outputs, (list, tuple)):
        outputs = {f"output{k}": v for k, v in enumerate(outputs)}
    if not isinstance(outputs, Mapping) or not outputs:
        raise InputError(
            "save writes networks, functions and expressions", found=type(outputs).__name__,
            expected="a Module, a Function or Variables", hint="save(model, path)",
        )  # fmt: skip
    for v in outputs.values():
        if not isinstance(v, Variable):
            raise InputError("an output must be a Variable", found=repr(v))
    return {str(key): v for key, v in outputs.items()}
