"""What the README and the pages of docs/ say happens: their Python blocks run, and print the text block that follows."""

import contextlib
import io
import re
from dataclasses import fields
from pathlib import Path

import pytest

from symcnn.config import config

ROOT = Path(__file__).resolve().parents[1]
PAGES = [
    path for path in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))) if "```python" in path.read_text()
]


def blocks(page) -> list[tuple[str, str]]:
    """(language, text) of each fenced block, in order."""
    return re.findall(r"^```(\w*)\n(.*?)^```$", page.read_text(), re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_python_blocks_run_and_print_what_they_say(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for setting in fields(config):  # what a page changes is changed back
        monkeypatch.setattr(config, setting.name, getattr(config, setting.name))
    namespace: dict = {"__name__": "page"}
    found = blocks(page)
    ran = 0
    for (language, text), (following, expected) in zip(found, [*found[1:], ("", "")], strict=True):
        if language != "python":
            continue
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(io.StringIO()):
            exec(compile(text, str(page), "exec"), namespace)
        ran += 1
        if following == "text":
            assert printed.getvalue() == expected
    assert ran


def test_set_up_is_two_commands():
    commands = [text.strip() for language, text in blocks(ROOT / "README.md") if language == "sh"]
    assert commands[:2] == ["pip install -e . && symcnn demo", "pip install -e '.[test]' && pytest"]
