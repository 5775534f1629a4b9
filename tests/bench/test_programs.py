"""The programs of ``benchmarks/``, each on its smallest task, and the page made of their figures."""

import dataclasses
import json
import sys
from importlib import import_module

import pytest

from benchmarks import options, results
from symcnn.bench import turns

PROGRAMS = {
    "networks": ["mlp", "--what", "one"],
    "layers": ["lenet", "--directions", "forward"],
    "elementwise": ["--sizes", "1000"],
    "memory": ["mlp"],
    "onnx": ["squeezenet", "--batches", "1"],
}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    for module in (options, results):
        monkeypatch.setattr(module, "RESULTS", tmp_path / "results")
    return tmp_path


def test_programs_print_tables_and_leave_figures_for_the_page(folder, monkeypatch, capsys):
    pytest.importorskip("onnx")
    for name, arguments in PROGRAMS.items():
        monkeypatch.setattr(sys, "argv", [name, *arguments, "--seconds", "0", "--record", "--peers"])
        import_module(f"benchmarks.{name}").main()
        content = json.loads((folder / "results" / f"{name}.json").read_text())
        assert content["command"].startswith(f"python -m benchmarks.{name}") and content["rows"]
    shown = capsys.readouterr().out
    assert shown.count("wrote ") == len(PROGRAMS) and "ratio" not in shown
    assert "nan" not in shown and "128x1x28x28 -> 20 5x5" in shown
    results.main()
    page = (folder / "RESULTS.md").read_text()
    for text in (
        "## Networks",
        "## Convolutions",
        "## Elementwise",
        "## Memory",
        "## Networks of the ONNX",
        "| mlp forward, 1 |",
        "GFLOP/s",
    ):
        assert text in page
    assert "## From definition" not in page, "what was not measured has no section"


def test_nothing_is_written_unless_asked_for(folder, monkeypatch, capsys):
    program = import_module("benchmarks.memory")
    monkeypatch.setattr(sys, "argv", ["memory", "mlp", "--seconds", "0", "--peers"])
    program.main()
    assert not list(folder.iterdir()) and "wrote" not in capsys.readouterr().out
    monkeypatch.setattr(sys, "argv", [*sys.argv, "--json", str(folder / "mine.json")])
    program.main()
    assert [path.name for path in folder.iterdir()] == ["mine.json"]


@pytest.mark.parametrize("name", ["networks", "layers", "memory", "compile"])
def test_unknown_networks_are_told_with_the_known_ones(name, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", [name, "foo"])
    with pytest.raises(SystemExit):
        import_module(f"benchmarks.{name}").main()
    told = capsys.readouterr().err.splitlines()[-1]
    assert "no benchmark network is called 'foo'; known: mlp, lenet, cs231n, alexnet, googlenet" in told


def test_missing_peers_and_a_busy_machine_are_told_once(monkeypatch, capsys):
    jax = dataclasses.replace(turns.CONTENDERS["jax"], package="no_such_package")
    monkeypatch.setitem(turns.CONTENDERS, "jax", jax)
    monkeypatch.setattr(options.machine, "load_average", lambda: 1e6)
    asked = options.parser(None, 1.0).parse_args(["--peers", "jax"])
    assert [c.name for c in options.chosen(asked)] == ["symcnn"]
    shown = capsys.readouterr().out
    assert shown.count("jax: not installed") == 1 and shown.count("others use this machine") == 1
    monkeypatch.setattr(options.machine, "load_average", lambda: 0.0)
    options.chosen(asked)
    assert "others" not in capsys.readouterr().out


def test_a_page_of_failures_and_missing_peers(folder):
    timed = {"min_ms": 1.0, "median_ms": 2.0}
    rows = [
        {"what": "train", "network": "lenet", "batch": 2, "samples": {"symcnn": timed, "jax": {"failed": "no"}}},
        {"what": "train", "network": "mlp", "batch": 2, "samples": {"symcnn": timed, "torch": timed}},
    ]
    machine = {"python": "3", "versions": {}, "processor": "p", "processors": 2, "vectors": "v", "system": "s"}
    (folder / "results").mkdir()
    content = {"command": "c", "machine": machine, "threads": 2, "rows": rows}
    (folder / "results" / "networks.json").write_text(json.dumps(content))
    results.main()
    page = (folder / "RESULTS.md").read_text()
    assert "| lenet training step, 2 | 1 / 2 | - | - | - |" in page
    assert "| mlp training step, 2 | 1 / 2 | - | 1 / 2 | 1.00 / **1.00** |" in page
