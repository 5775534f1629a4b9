"""An expression becomes an ONNX model: what is unstable is rewritten, forms are chosen from the outputs down, then written.

The graph is the one that the user wrote. There compositions still are what our functions made of them, so that batch norm
or softmax is found and becomes the operator of that name, and every node has its layer. Later phases take them apart for
our own kernels. One of them is run: `stabilize`, which leaves all else as it is, because what does not overflow here must
not overflow there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import zip_longest
from typing import Any

import symcnn
from symcnn.errors import InputError
from symcnn.interop.onnx.export.registry import Form, form_of, own_form
from symcnn.interop.onnx.export.writer import CODES, OPSET, Writer
from symcnn.ir.graph import toposort
from symcnn.ir.variable import Constant, Input, Shared, Variable
from symcnn.rewrite.engine import rewrite
from symcnn.rewrite.stabilize import STABILIZE

LIMIT = 2**31 - 2**20  # bytes of tensors in one file, which protobuf limits, and some room for the nodes
IR_VERSION = 10  # that of OPSET


def as_model(
    onnx: Any,
    name: str,
    inputs: Sequence[tuple[Input, Sequence[str]]],
    outputs: Mapping[str, Variable],
    parameters: Mapping[Shared, str],
) -> Any:
    """An onnx.ModelProto, checked.

    Parameters
    ----------
    onnx : module
    name : str
        Of the graph.
    inputs : sequence of (Input, names of its sizes)
        The names are used where sizes are unknown.
    outputs : mapping
        Name -> Variable.
    parameters : mapping
        Shared -> its name, for those that have a path; others are called by their layers.

    Raises
    ------
    InputError
        If there are ops that ONNX has no words for, all of which are named, or the model is too large for a file.
    """
    roots, _ = rewrite(outputs.values(), STABILIZE)
    forms = _forms(roots)
    order = toposort(roots, lambda v: forms[v].reads if v in forms else ())
    _check_size(order)
    writer = Writer(onnx)
    for x, _ in inputs:
        writer.names[x] = writer.unique(str(x.name))
    results = [writer.unique(output) for output in outputs]
    scopes = _scopes_of_shared(order, forms)
    for v in order:
        writer.scope = v.origin.scope
        if isinstance(v, Shared):
            writer.parameter(v, parameters.get(v) or _path(v, scopes[v]))
        elif isinstance(v, Constant):
            writer.names[v] = writer.constant(v.value, v.dtype)
        elif v in forms:
            form = forms[v]
            writer.names[v] = form.write(writer, *(writer.names[x] for x in form.reads))
    _name_results(writer, roots, results)
    return _checked(onnx, writer, name, inputs, zip(results, roots, strict=True))


def _forms(roots) -> dict[Variable, Form]:
    """A form for every Variable that is needed and no leaf.

    Raises
    ------
    InputError
        If some have none.
    """
    forms: dict[Variable, Form] = {}
    missing = []
    waiting = list(roots)
    while waiting:
        while waiting:
            v = waiting.pop()
            if v.op is None or v in forms:
                continue
            found = form_of(v)
            if found is None:
                missing.append(v)
                found = Form(v.inputs, lambda writer, *names: "")  # what it reads may be missing, too
            forms[v] = found
            waiting.extend(found.reads)
        waiting = _split(forms)
    if missing:
        places = [f"{v.op.name} ({v.origin}{f', layer {v.origin.scope}' * bool(v.origin.scope)})" for v in missing]
        raise InputError(
            f"{len(missing)} op(s) of this graph cannot be said in ONNX", found="; ".join(sorted(places)),
            hint="export what computes the outputs of a network, without gradients and random numbers",
        )  # fmt: skip
    return forms


def _split(forms) -> list[Variable]:
    """Compositions that absorb what others read or absorb, too, become their outermost ops; what these read."""
    absorbed = Counter(y for chosen in forms.values() for y in chosen.absorbs)
    read = []
    for v, chosen in list(forms.items()):
        if any(y in forms or absorbed[y] > 1 for y in chosen.absorbs):
            forms[v] = own_form(v)
            read += forms[v].reads
    return read


def _check_size(order) -> None:
    size = sum(v.size * v.dtype.itemsize for v in order if isinstance(v, (Shared, Constant)))
    if size > LIMIT:
        raise InputError(
            "this model is too large for an ONNX file", expected=f"at most {LIMIT:,} bytes", found=f"{size:,}",
            hint="model.save(path) writes weights of any size as safetensors",
        )  # fmt: skip


def _scopes_of_shared(order, forms) -> dict[Variable, str]:
    """Shared -> the layer that reads it first."""
    scopes: dict[Variable, str] = {}
    for v in order:
        for x in forms[v].reads if v in forms else ():
            scopes.setdefault(x, v.origin.scope)
    return scopes


def _path(shared: Shared, scope: str) -> str:
    name = shared.name or "shared"
    return name if not scope or name.startswith(f"{scope}.") else f"{scope}.{name}"


def _name_results(writer: Writer, roots, results) -> None:
    """Values that are outputs get their names; what is an input, a parameter or another output as well is passed on."""
    made = {name for node in writer.nodes for name in node.output if node.op_type != "Constant"}
    renamed: dict[str, str] = {}
    for v, result in zip(roots, results, strict=True):
        value = writer.names[v]
        if value in made and value not in renamed:
            renamed[value] = result
        else:
            writer.nodes.append(writer.onnx.helper.make_node("Identity", [value], [result], result))
    for node in writer.nodes:
        node.input[:] = [renamed.get(name, name) for name in node.input]
        node.output[:] = [renamed.get(name, name) for name in node.output]


def _checked(onnx, writer: Writer, name, inputs, outputs):
    """The model of what was written.

    It is checked while its parameters are inputs: their values do not matter, and a check copies all there is several times.
    """
    helper = onnx.helper

    def port(value, v, sizes=()):
        shape = [n if d is None else d for d, n in zip_longest(v.shape, sizes)]
        return helper.make_tensor_value_info(value, CODES[v.dtype.name], shape)

    graph = helper.make_graph(
        writer.nodes,
        name,
        [port(writer.names[x], x, sizes) for x, sizes in inputs],
        [port(*output) for output in outputs],
    )
    graph.input.extend(port(writer.names[shared], shared) for shared in writer.parameters)
    model = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION, producer_name="symcnn",
        producer_version=symcnn.__version__,
    )  # fmt: skip
    model = onnx.shape_inference.infer_shapes(model, check_type=True, data_prop=True)  # viewers show shapes
    onnx.checker.check_model(model, full_check=True)
    del model.graph.input[len(inputs) :]
    for shared in writer.parameters:
        values = shared.storage.astype(shared.dtype.newbyteorder("<"), copy=False)
        model.graph.initializer.add(
            name=writer.names[shared], data_type=CODES[shared.dtype.name], dims=shared.shape, raw_data=values.tobytes()
        )
    return model
