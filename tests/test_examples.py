"""The programs of examples/ run, in small."""

import re
import runpy
import sys
from pathlib import Path

import pytest

from symcnn.data.fashion_mnist import BUNDLED

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
SMALL = {
    "fashion_mnist.py": (["--folder", str(BUNDLED), "--epochs", "2"], r"test accuracy 0\.[5-9]"),
    "segmentation.py": (["--images", "16", "--epochs", "1"], "mean IoU: "),
    "transfer.py": (
        ["--images", "2", "--seeds", "1", "--epochs", "1", "--pretraining", "1"],
        r"Sneaker or Ankle boot +0\.",
    ),
}


def test_every_example_is_here():
    assert sorted(SMALL) == sorted(path.name for path in EXAMPLES.glob("*.py"))


@pytest.mark.parametrize("name", SMALL)
def test_runs(name, tmp_path, monkeypatch, capsys):
    arguments, said = SMALL[name]
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", [name, *arguments])
    runpy.run_path(str(EXAMPLES / name), run_name="__main__")
    assert re.search(said, capsys.readouterr().out)
