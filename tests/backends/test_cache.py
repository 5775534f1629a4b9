"""The kernel cache survives concurrent processes, a killed one, damage, another Numba, and a folder that cannot be used."""

import os
import signal
import subprocess
import sys
import time

import pytest

# A process that runs generated kernels and says what it computed and whether it had to compile.
PROGRAM = """
import numpy as np, symcnn as sc
from symcnn.backends.cpu import compiler
sc.config.tuned = False
x = sc.input("x", (None, 7))
f = sc.function([x], sc.softmax(sc.tanh(x) @ sc.constant(np.ones((7, 3), "float32"))))
print(round(float(f(np.ones((2, 7))).sum()), 4), "compiled" if compiler.seconds else "loaded")
"""


def start(folder, program=PROGRAM):
    environment = {**os.environ, "SYMCNN_CACHE_DIR": str(folder)}
    command = [sys.executable, "-c", program]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def finish(process):
    out, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    return out.split(), errors


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    """A folder that two processes, started together on it while it was empty, have filled."""
    folder = tmp_path_factory.mktemp("cache")
    for words, _ in map(finish, [start(folder), start(folder)]):
        assert words == ["2.0", "compiled"]
    return folder


def test_a_second_process_compiles_nothing(filled):
    words, errors = finish(start(filled))
    assert words == ["2.0", "loaded"] and not errors


def test_no_temporary_files_stay(filled):
    assert list(filled.rglob("*.kernel")) and not list(filled.rglob("*.tmp"))


def test_sources_lie_beside_the_kernels(filled):
    sources = [path.read_text() for path in (filled / "kernels").glob("*.py")]
    assert sources and all("def kernel(lo, hi, args)" in text for text in sources)


@pytest.mark.parametrize("damage", ["truncated", "emptied", "flipped"])
def test_damaged_files_are_compiled_again(filled, damage):
    for path in filled.rglob("*.kernel"):
        data = bytearray(path.read_bytes())
        data[-20] ^= 0xFF
        path.write_bytes({"truncated": data[: len(data) // 2], "emptied": b"", "flipped": data}[damage])
    assert finish(start(filled))[0] == ["2.0", "compiled"]
    assert finish(start(filled))[0] == ["2.0", "loaded"]


def test_a_damaged_cache_of_the_executor(filled):
    damaged = list((filled / "executor").rglob("*.nb*"))
    for path in damaged:
        path.write_bytes(path.read_bytes()[:10])
    assert damaged and finish(start(filled))[0] == ["2.0", "loaded"]
    repaired = list((filled / "executor").rglob("*.nb*"))
    assert repaired and all(path.stat().st_size > 10 for path in repaired)


def test_another_version_of_numba(filled):
    other = "import numba; numba.__version__ = '0.0.0'\n" + PROGRAM
    assert finish(start(filled, other))[0] == ["2.0", "compiled"]
    assert finish(start(filled))[0] == ["2.0", "loaded"]


def test_killed_while_compiling(tmp_path):
    for moment in (0.8, 1.3, 2.0):
        process = start(tmp_path)
        time.sleep(moment)
        process.send_signal(signal.SIGKILL)
        process.communicate()
    assert finish(start(tmp_path))[0][0] == "2.0"
    assert finish(start(tmp_path))[0] == ["2.0", "loaded"]


def test_a_folder_that_cannot_be_used(tmp_path):
    (tmp_path / "file").write_text("in the way")
    words, errors = finish(start(tmp_path / "file" / "cache"))
    assert words == ["2.0", "compiled"]
    assert errors.count("cannot write its kernel cache") == 1 and "SYMCNN_CACHE_DIR" in errors
