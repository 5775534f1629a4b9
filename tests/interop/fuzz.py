"""Mutated files of one kind are read, one after the other, in a process of little memory that reports what should not be.

``python -m tests.interop.fuzz onnx 0 500`` tries the mutations 0 to 499. What may come out is a result or an error of
symcnn's family, and a model whose loading failed is as it was. Anything else fails: another exception, a crash, more than
`SECONDS` for one file, more than `MEMORY` beyond what the process had before, a program that is started, a pickle that is
loaded, or a file read that lies outside of the folder of the model.
"""

import copy
import faulthandler
import io
import json
import resource
import struct
import sys
import tempfile
import traceback
import warnings
import zipfile
from pathlib import Path

import numpy as np

import symcnn as sc

SECONDS = 20
MEMORY = 3 * 2**30
SECRET = "secret.bin"  # lies beside the folder of the model
FORBIDDEN = (
    "os.system",
    "os.exec",
    "os.posix_spawn",
    "subprocess.Popen",
    "pickle.find_class",
    "socket.connect",
    "os.mkdir",
)
EXTREME = (-(2**63), -(2**31), -2, -1, 0, 1, 2, 3, 7, 255, 2**16, 2**31 - 1, 2**31, 2**33, 2**40, 2**62, 2**63 - 1)


class Watch:
    """Notes what Python is about to do that no reader of files should."""

    def __init__(self):
        self.seen = []
        sys.addaudithook(self)

    def __call__(self, event, arguments):
        if event in FORBIDDEN or (event == "open" and SECRET in str(arguments[0])):
            self.seen.append(f"{event} {arguments!r:.200}")


def bytes_mutated(rng, content: bytes) -> bytes:
    """A few bytes changed, cut out, repeated or put in; or an end cut off."""
    data = bytearray(content)
    for _ in range(rng.integers(1, 6)):
        if not data:
            break
        at, length = int(rng.integers(len(data))), int(rng.integers(1, 9))
        match rng.integers(6):
            case 0:
                data[at] ^= 1 << rng.integers(8)
            case 1:
                data[at : at + length] = rng.bytes(length)
            case 2:
                del data[at : at + length]
            case 3:
                data[at:at] = data[at : at + length] * int(rng.integers(1, 50))
            case 4:
                data[at : at + 8] = struct.pack("<q", EXTREME[rng.integers(len(EXTREME))])
            case 5:
                del data[at:]
    return bytes(data)


def value_mutated(rng, value):
    """Another value for one in a JSON document: often of another type, often extreme."""
    strange = [
        None,
        True,
        "",
        "x" * 100,
        [],
        {},
        [[]],
        1e308,
        -0.5,
        float("nan"),
        *EXTREME,
        value,
        [value],
        {"a": value},
    ]
    return strange[rng.integers(len(strange))]


def tree_mutated(rng, tree):
    """A JSON document with one of its values changed, left out, or one more."""
    tree = copy.deepcopy(tree)
    places = []

    def walk(node):
        for key in node if isinstance(node, dict) else range(len(node)):
            places.append((node, key))
            if isinstance(node[key], (dict, list)):
                walk(node[key])

    walk(tree)
    node, key = places[rng.integers(len(places))]
    match rng.integers(4):
        case 0:
            del node[key]
        case 1 if isinstance(node, dict):
            node[f"{key}2"] = node[key]
        case _:
            node[key] = value_mutated(rng, node[key])
    return tree


# ---- ONNX


def onnx_seeds():
    """Models with inputs: ONNX's cases of a few families of operators each time, and one with its tensors in a file."""
    from tests.interop.onnx import backend

    families = [name for name in backend.families() if name not in backend.FILES]

    def seed(rng):
        while True:
            found = backend.cases(families[rng.integers(len(families))])
            if found:
                case = found[rng.integers(len(found))]
                return backend.model_of(case), [
                    np.asarray(x) for x in case.data_sets[0][0] if isinstance(x, np.ndarray)
                ]

    return seed


def external_seed(folder):
    """A model whose weight lies in a file of its own."""
    from onnx import TensorProto, helper

    np.arange(6, dtype="<f4").tofile(folder / "weights.bin")
    weight = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=(2, 3), data_location=TensorProto.EXTERNAL)
    for key, value in {"location": "weights.bin", "offset": "0", "length": "24"}.items():
        weight.external_data.add(key=key, value=value)
    x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in "xy")
    graph = helper.make_graph([helper.make_node("MatMul", ["x", "w"], ["y"])], "g", [x], [y], [weight])
    return helper.make_model(graph), [np.ones((1, 2), "float32")]


def proto_mutated(rng, proto, operators):
    """One thing in a model changed that a parser lets through."""
    graph = proto.graph
    node = graph.node[rng.integers(len(graph.node))] if graph.node else None
    tensors = [*graph.initializer, *(a.t for n in graph.node for a in n.attribute if a.HasField("t"))]
    values = [*graph.input, *graph.output]

    def number():
        return EXTREME[rng.integers(len(EXTREME))]

    match rng.integers(14):
        case 0 if node and node.attribute:
            attribute = node.attribute[rng.integers(len(node.attribute))]
            attribute.i = number()
            attribute.f = float(number())
            if attribute.ints:
                attribute.ints[rng.integers(len(attribute.ints))] = number()
            if attribute.floats:
                attribute.floats[rng.integers(len(attribute.floats))] = float(number())
        case 1 if node and node.attribute:
            attribute = node.attribute[rng.integers(len(node.attribute))]
            attribute.type = int(rng.integers(0, 15))
        case 2 if node and node.attribute:
            del node.attribute[rng.integers(len(node.attribute))]
        case 3 if node and node.attribute:
            node.attribute[rng.integers(len(node.attribute))].s = rng.bytes(5)
        case 4 if node and node.input:
            del node.input[rng.integers(len(node.input))]
        case 5 if node and node.input:
            names = [*graph.node[0].input, *graph.node[0].output, "nowhere", "", *(v.name for v in values)]
            node.input[rng.integers(len(node.input))] = names[rng.integers(len(names))]
        case 6 if node:
            node.op_type = operators[rng.integers(len(operators))]
        case 7 if node:
            graph.node.add().CopyFrom(node)
        case 8 if tensors:
            tensor = tensors[rng.integers(len(tensors))]
            if tensor.dims and rng.integers(2):
                tensor.dims[rng.integers(len(tensor.dims))] = number()
            else:
                tensor.dims.append(number())
        case 9 if tensors:
            tensors[rng.integers(len(tensors))].data_type = int(rng.integers(0, 25))
        case 10 if values:
            value = values[rng.integers(len(values))].type.tensor_type
            value.elem_type = int(rng.integers(0, 25))
        case 11 if values:
            dims = values[rng.integers(len(values))].type.tensor_type.shape.dim
            (dims[rng.integers(len(dims))] if dims and rng.integers(2) else dims.add()).dim_value = number()
        case 12:
            proto.opset_import[0].version = int(rng.integers(1, 30))
        case _:
            found = [t for t in graph.initializer if t.external_data]
            if found:
                entry = found[0].external_data[rng.integers(len(found[0].external_data))]
                paths = (
                    f"../{SECRET}",
                    f"a/../../{SECRET}",
                    "link.bin",
                    "/etc/hostname",
                    "",
                    ".",
                    "\0",
                    "weights.bin/..",
                )
                entry.value = paths[rng.integers(len(paths))] if rng.integers(2) else str(number())


def inputs_mutated(rng, arrays):
    """Small numbers of inputs are shapes and axes for many operators."""
    return [
        np.full_like(a, np.clip(EXTREME[rng.integers(len(EXTREME))], np.iinfo(a.dtype).min, np.iinfo(a.dtype).max))
        if a.dtype.kind in "iu" and not rng.integers(4) else a
        for a in arrays
    ]  # fmt: skip


def try_onnx(folder):
    seed_of, operators = onnx_seeds(), sorted(sc.interop.onnx.OPERATORS)
    (folder / "link.bin").symlink_to(folder.parent / SECRET)
    external, path = external_seed(folder), folder / "model.onnx"

    def attempt(rng):
        proto, arrays = external if not rng.integers(10) else seed_of(rng)
        proto = type(proto).FromString(proto.SerializeToString())
        for _ in range(rng.integers(1, 4)):
            proto_mutated(rng, proto, operators)
        content = proto.SerializeToString()
        path.write_bytes(content if rng.integers(3) else bytes_mutated(rng, content))
        model = sc.interop.onnx.load(path, device="reference")
        repr(model)
        if rng.integers(5):
            model(*inputs_mutated(rng, arrays))
        else:
            sc.nn.replace_head(model.module, 2)

    return attempt


# ---- weights and checkpoints


def network():
    return sc.nn.Sequential(
        a=sc.nn.Dense(3, 4, seed=0), norm=sc.nn.BatchNorm(4), b=sc.nn.Dense(4, 2, seed=0), in_shape=(3,)
    )


def unchanged_by_failure(model, load):
    """Load; if that fails the model is as it was."""
    before = {path: value.get_value() for path, value in model.variables().items()}
    try:
        load()
    except sc.errors.SymcnnError:
        for name, value in model.variables().items():
            assert np.array_equal(value.get_value(), before[name], equal_nan=True), f"{name} was changed"
        raise


def safetensors_mutated(rng, content: bytes) -> bytes:
    """Bytes changed, or the header as a document."""
    if rng.integers(2):
        return bytes_mutated(rng, content)
    (length,) = struct.unpack("<Q", content[:8])
    header = json.dumps(tree_mutated(rng, json.loads(content[8 : 8 + length]))).encode()
    return struct.pack("<Q", len(header)) + header + content[8 + length :]


def npz_mutated(rng, content: bytes) -> bytes:
    """Bytes of the archive changed, or of one of its members, which then has the right checksum."""
    if not rng.integers(3):
        return bytes_mutated(rng, content)
    changed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(changed, "w", zipfile.ZIP_DEFLATED) as new:
        chosen = rng.integers(len(old.namelist()))
        for k, name in enumerate(old.namelist()):
            member = old.read(name)
            if k == chosen:
                at = member.find(b"(") + 1  # the shape, which the header spells out
                number = str(EXTREME[rng.integers(len(EXTREME))]).encode()
                member = bytes_mutated(rng, member) if rng.integers(2) else member[:at] + number + member[at:]
            new.writestr(name, member)
    return changed.getvalue()


def try_weights(mutated, name):
    def attempt_in(folder):
        path = folder / name
        sc.interop.save_weights(network(), path)
        content = path.read_bytes()

        def attempt(rng):
            path.write_bytes(mutated(rng, content))
            model = network()
            loads = [lambda: sc.interop.load_weights(model, path)]
            if path.suffix != ".npz":
                loads += [lambda: model.load(path), lambda: sc.nn.load_matching(model, path)]
            unchanged_by_failure(model, loads[rng.integers(len(loads))])

        return attempt

    return attempt_in


def try_checkpoint(folder):
    from symcnn.train import checkpoint_file

    data = np.arange(24, dtype="float32").reshape(8, 3), np.arange(8) % 2

    def train(epochs, model, **options):
        callbacks = [sc.train.EarlyStopping(monitor="loss", patience=3), *options.pop("callbacks", ())]
        sc.train.fit(
            model, data, epochs=epochs, batch_size=4, device="reference", progress=False, callbacks=callbacks,
            optimizer=sc.optim.SGD(0.1, momentum=0.9), schedule=sc.optim.Plateau(), **options,
        )  # fmt: skip

    train(1, network(), callbacks=[sc.train.Checkpoints(folder)])
    (path,) = checkpoint_file.checkpoints(folder).values()
    content = path.read_bytes()
    arrays, state = checkpoint_file.read(path)

    def attempt(rng):
        match rng.integers(4):
            case 0:
                path.write_bytes(safetensors_mutated(rng, content))
            case 1 if not rng.integers(5):  # a valid digest of a document that is very deep
                text = "[" * 10**5
                metadata = {
                    "format": checkpoint_file.FORMAT,
                    "state": text,
                    "sha256": checkpoint_file._digest(arrays, text),
                }
                from safetensors.numpy import save

                path.write_bytes(save(arrays, metadata))
            case _:
                checkpoint_file.write(path, arrays, tree_mutated(rng, state))
        model = network()
        train(2, model, resume=folder)

    return attempt


KINDS = {
    "onnx": try_onnx,
    "safetensors": try_weights(safetensors_mutated, "w.safetensors"),
    "npz": try_weights(npz_mutated, "w.npz"),
    "checkpoint": try_checkpoint,
}


def main(kind: str, first: int, count: int) -> int:
    """How many of the mutations did what none should."""
    watch, bad, outcomes = Watch(), 0, {"read": 0, "refused": 0}
    with tempfile.TemporaryDirectory() as above:
        (Path(above) / SECRET).write_bytes(bytes(1000))
        folder = Path(above) / "folder"
        folder.mkdir()
        attempt = KINDS[kind](folder)
        in_use = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (in_use + MEMORY, resource.RLIM_INFINITY))
        for seed in range(first, first + count):
            watch.seen.clear()
            faulthandler.dump_traceback_later(SECONDS, exit=True)
            print(kind, seed, flush=True)
            try:
                with warnings.catch_warnings(), np.errstate(all="ignore"):
                    warnings.simplefilter("ignore")
                    attempt(np.random.default_rng(seed))
                outcomes["read"] += 1
            except sc.errors.SymcnnError:
                outcomes["refused"] += 1
            except Exception:
                bad += 1
                print(f"--- {kind} {seed} let an error of another family out", file=sys.stderr)
                traceback.print_exc(limit=-6)
            if watch.seen:
                bad += 1
                print(f"--- {kind} {seed} did what no reader of files should: {watch.seen}", file=sys.stderr)
        faulthandler.cancel_dump_traceback_later()
    print(kind, outcomes, f"{bad} bad")
    return bad


if __name__ == "__main__":
    sys.exit(min(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])), 1))
