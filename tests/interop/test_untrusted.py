"""Files from anywhere: mutated ones are read or refused, and nothing else happens; nor does a model read other files.

``SYMCNN_FUZZ=20000 pytest tests/interop/test_untrusted.py`` tries so many mutations of each kind.
"""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import symcnn as sc

ROOT = Path(__file__).resolve().parents[2]
COUNTS = {"onnx": 200, "safetensors": 300, "npz": 300, "checkpoint": 100}


def run(*arguments) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, *arguments], cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("kind", COUNTS)
def test_mutated_files_are_read_or_refused(kind):
    if kind == "onnx":
        pytest.importorskip("onnx")
    count = int(os.environ.get("SYMCNN_FUZZ", COUNTS[kind]))
    done = run("-m", "tests.interop.fuzz", kind, "0", str(count))
    assert done.returncode == 0, f"{done.stdout[-300:]}\n{done.stderr[-5000:]}"
    assert "'refused': 0" not in done.stdout and "'read': 0" not in done.stdout, "both must occur"


@pytest.mark.parametrize(
    ("deed", "what"),
    [
        ("raise ValueError('odd')", "ValueError: odd"),
        ("np.zeros(2**33, 'uint8')", "Unable to allocate"),
        ("os.system('true')", "os.system"),
        ("pickle.loads(b'cos\\ngetcwd\\n.')", "pickle.find_class"),
        ("open(folder.parent / fuzz.SECRET)", "secret.bin"),
        ("time.sleep(60)", "Timeout"),
        ("os.kill(os.getpid(), 11)", ""),
    ],
)
def test_the_fuzzer_notices(deed, what):
    code = f"""
import os, pickle, sys, time
import numpy as np
from tests.interop import fuzz
fuzz.SECONDS = 1
def broken(folder):
    def attempt(rng):
        {deed}
    return attempt
fuzz.KINDS["broken"] = broken
sys.exit(fuzz.main("broken", 0, 1))
"""
    done = run("-c", code)
    assert done.returncode != 0
    assert what in done.stderr


def outside(folder, location):
    """A model in `folder` whose weight, it says, lies at `location`."""
    onnx = pytest.importorskip("onnx")
    weight = onnx.TensorProto(name="w", data_type=1, dims=(2, 2), data_location=onnx.TensorProto.EXTERNAL)
    weight.external_data.add(key="location", value=str(location))
    x, y = (onnx.helper.make_tensor_value_info(name, 1, None) for name in "xy")
    node = onnx.helper.make_node("MatMul", ["x", "w"], ["y"])
    model = onnx.helper.make_model(onnx.helper.make_graph([node], "g", [x], [y], [weight]))
    (folder / "model.onnx").write_bytes(model.SerializeToString())
    return folder / "model.onnx"


@pytest.fixture
def folder(tmp_path):
    """Of a model; weights lie in it, in a folder inside, and, as they should not, beside it."""
    inside = tmp_path / "model"
    (inside / "more").mkdir(parents=True)
    weights = np.eye(2, dtype="<f4").tobytes()
    for path in (inside / "w.bin", inside / "more" / "w.bin", tmp_path / "w.bin", tmp_path / "model2"):
        path.write_bytes(weights)
    (inside / "link.bin").symlink_to(tmp_path / "w.bin")
    (inside / "up").symlink_to(tmp_path)
    (inside / "circle").symlink_to(inside / "circle")
    (inside / "inner.bin").symlink_to(inside / "w.bin")
    os.mkfifo(inside / "pipe")
    return inside


@pytest.mark.parametrize("location", ["w.bin", "more/w.bin", "./more/../w.bin", "inner.bin"])
def test_tensors_may_lie_in_the_folder_of_the_model(folder, location):
    model = sc.interop.onnx.load(outside(folder, location), device="reference")
    assert model(np.ones((1, 2), "float32"))[0].tolist() == [[1, 1]]


@pytest.mark.parametrize(
    "location",
    [
        "../w.bin",
        "more/../../w.bin",
        "link.bin",
        "up/w.bin",
        "../model2",
        "circle",
        "pipe",
        "/etc/hostname",
        "",
        ".",
        "more",
        "none",
    ],
)
def test_and_nowhere_else(folder, location):
    with pytest.raises(sc.errors.FileError, match="not where they may be"):
        sc.interop.onnx.load(outside(folder, location))


def test_nor_at_an_absolute_path(folder):
    with pytest.raises(sc.errors.FileError, match="not where they may be"):
        sc.interop.onnx.load(outside(folder, folder.parent / "w.bin"))


def test_a_model_without_a_path_has_no_folder(folder):
    with pytest.raises(sc.errors.FileError, match="file of its own"):
        sc.interop.onnx.load(outside(folder, "w.bin").read_bytes())
