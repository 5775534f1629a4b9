"""`import symcnn` is cheap: it loads nothing that a user may not need, and takes a moment."""

import subprocess
import sys

import pytest

import symcnn as sc

LAZY = ("numba", "llvmlite", "matplotlib", "networkx", "tqdm", "safetensors", "onnx", "torch", "IPython")


def run(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout


def test_nothing_heavy_or_optional_is_loaded():
    loaded = run("import sys, symcnn; print(*sorted({name.partition('.')[0] for name in sys.modules}))").split()
    assert "symcnn" in loaded
    assert not set(LAZY) & set(loaded)


def test_it_takes_little_longer_than_numpy():
    # Time on the processor, and the smallest of several: other processes may be running.
    code = "import time, numpy; start = time.process_time(); import symcnn; print(time.process_time() - start)"
    best = float("inf")
    for _ in range(8):
        best = min(best, float(run(code)))
        if best < 0.4:
            break
    assert best < 0.4


@pytest.mark.parametrize(
    ("name", "meant"), [("softmx", "softmax"), ("conv2", "conv2d"), ("model", "models"), ("Shared_", "Shared")]
)
def test_a_misspelt_name_gets_the_nearest(name, meant):
    with pytest.raises(AttributeError, match=f"no attribute '{name}'; did you mean '{meant}'"):
        getattr(sc, name)


def test_names_that_resemble_nothing():
    assert not hasattr(sc, "xyzzy")
    with pytest.raises(AttributeError, match=r"no attribute '__wrapped__'$"):
        sc.__wrapped__  # noqa: B018
