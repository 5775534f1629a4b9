"""The commands, run as a user runs them."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

import symcnn
from symcnn.cli import main


def run(*arguments, cwd):
    """As a user would, but with the symcnn under test wherever the command runs."""
    return subprocess.run(
        [sys.executable, "-m", "symcnn.cli", *arguments],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(Path(symcnn.__file__).parents[1])},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def test_a_short_demo_tells_everything_and_writes_its_page(tmp_path):
    found = run("demo", "--epochs", "2", "--images-per-class", "20", cwd=tmp_path)
    assert found.returncode == 0, found.stderr
    for text in (
        "431,080",
        "One training step",
        "expression",
        "precision",
        "recall",
        "Sneaker",
        "Compiling took",
        "Test accuracy",
    ):
        assert text in found.stdout
    assert "epoch 2/2" in found.stdout and "val_accuracy" in found.stdout
    page = (tmp_path / "symcnn-demo.html").read_text()
    for text in ("431,080", "Confusion matrix", "First-layer filters", "data:image/png", "<svg"):
        assert text in page
    assert len(list(tmp_path.iterdir())) == 1


def test_bench_shows_the_machine_and_a_table(tmp_path):
    found = run("bench", "mlp", "--batch", "2", "--seconds", "0.01", "--alone", cwd=tmp_path)
    assert found.returncode == 0, found.stderr
    for text in ("GFLOP/s", "GB/s", "numba", "training step", "Install a peer"):
        assert text in found.stdout
    assert not list(tmp_path.iterdir())


def test_bench_beside_a_peer(torch, tmp_path):
    found = run("bench", "mlp", "--batch", "2", "--seconds", "0.01", cwd=tmp_path)
    assert found.returncode == 0, found.stderr
    assert "torch" in found.stdout and "ratio" in found.stdout and "nan" not in found.stdout


def test_bench_of_an_unknown_network(capsys):
    with pytest.raises(SystemExit):
        main(["bench", "lenot"])
    assert "did you mean 'lenet'" in capsys.readouterr().err


INFO = (
    "symcnn",
    "numpy",
    "numba",
    "processor",
    "bits",
    "threads",
    "float32",
    "tuned",
    "winograd",
    "tf32",
    "simulator",
    "kernel cache",
)


def test_info(capsys):
    assert main(["info"]) == 0
    shown = capsys.readouterr().out
    assert all(name in shown for name in INFO)


def test_info_tells_how_many_threads_run_and_whether_kernels_are_kept(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(symcnn.config, "threads", 10_000)
    monkeypatch.setattr(symcnn.config, "cache_dir", tmp_path)
    main(["info"])
    shown = capsys.readouterr().out
    assert "10000 asked for" in shown and " 10000 used" not in shown and "(writable; 0 files" in shown
    monkeypatch.setattr("symcnn.backends.cache.KernelCache.is_writable", lambda self: False)
    main(["info"])
    assert "not writable" in capsys.readouterr().out


def test_info_names_the_gpus_or_says_why_there_are_none(monkeypatch, capsys):
    for reason, row in (("there is no NVIDIA driver", "there is no NVIDIA driver"), (None, "A100 (8.0), H100 (9.0)")):
        monkeypatch.setattr("symcnn.backends.cuda.gpus.unavailable", lambda reason=reason: reason)
        monkeypatch.setattr("symcnn.backends.cuda.gpus.listed", lambda: ["A100 (8.0)", "H100 (9.0)"])
        main(["info"])
        assert ["gpu", row] in [line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines()]


@pytest.mark.parametrize("missing", ["numba_cuda", "cuda"])
def test_info_needs_no_package_of_cuda(monkeypatch, capsys, missing):
    find = importlib.util.find_spec
    monkeypatch.setattr(
        "symcnn.backends.cuda.gpus.find_spec", lambda name, *rest: None if name == missing else find(name, *rest)
    )
    assert main(["info"]) == 0
    assert "pip install 'symcnn[cuda]'" in capsys.readouterr().out


def test_help_names_the_commands(capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["--help"])
    shown = capsys.readouterr().out
    assert stopped.value.code == 0 and all(name in shown for name in ("demo", "bench", "info"))


BAD = [
    [],
    ["dmeo"],
    ["demo", "--epochs", "0"],
    ["demo", "--device", "tpu"],
    *(["bench", "--seconds", seconds] for seconds in ("-1", "nan", "inf", "x")),
]


@pytest.mark.parametrize("arguments", BAD)
def test_bad_arguments(arguments, capsys):
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == 2 and "usage" in capsys.readouterr().err


def test_errors_are_one_message_without_traceback(tmp_path, monkeypatch, capsys):
    from symcnn.errors import FileError

    def fail(*_):
        raise FileError("the images are gone")

    monkeypatch.setattr("symcnn.demo.demo", fail)
    assert main(["demo"]) == 1
    shown = capsys.readouterr().err
    assert shown.startswith("symcnn: the images are gone") and "Traceback" not in shown
