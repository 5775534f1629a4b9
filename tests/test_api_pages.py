"""The reference in docs/api names everything public, and nothing else."""

import re
from pathlib import Path

import pytest

import symcnn as sc
from symcnn.ir.op import public_builders

PAGES = sorted((Path(__file__).resolve().parents[1] / "docs/api").glob("*.md"))
PACKAGES = (
    sc.data, sc.data.transforms, sc.init, sc.interop, sc.interop.onnx, sc.losses, sc.metrics, sc.models, sc.nn, sc.optim,
    sc.regularize, sc.train, sc.viz,
)  # fmt: skip


def named() -> list[str]:
    """Every ``::: sc.name``, and every name in a table."""
    found = []
    for page in PAGES:
        text = page.read_text()
        tables = "\n".join(re.findall(r"^\|.*\|$", text, re.MULTILINE))
        found += re.findall(r"^::: sc\.([\w.]+)$", text, re.MULTILINE) + re.findall(r"`sc\.([\w.]+)`", tables)
    return found


def resolved(name):
    value = sc
    for part in name.split("."):
        value = getattr(value, part)
    return value


def test_every_name_exists():
    for name in named():
        resolved(name)


@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: package.__name__)
def test_everything_of_a_package_is_there(package):
    prefix = package.__name__.removeprefix("symcnn.")
    offered = {f"{prefix}.{name}" for name in package.__all__ if callable(getattr(package, name))}
    assert offered <= set(named())


def test_every_function_of_expressions_is_there_under_one_of_its_names():
    here = [resolved(name) for name in named()]
    assert not [name for name, function in public_builders().items() if not any(function is other for other in here)]


def test_every_other_public_name_is_there():
    ours = {name for name, value in vars(sc).items() if getattr(value, "__module__", "").startswith("symcnn.")}
    others = ours - public_builders().keys() - {"config", "public_builders"}
    assert {name for name in others if name[0] != "_"} <= set(named())
