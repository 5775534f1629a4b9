"""`import symcnn` is cheap: it loads nothing that a user may not need, and takes a moment."""

import subprocess
import sys

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
