"""What the README says happens: its Python blocks run, and print the text block that follows them."""

import contextlib
import io
import re
from pathlib import Path

README = Path(__file__).resolve().parents[1] / "README.md"


def blocks() -> list[tuple[str, str]]:
    """(language, text) of each fenced block, in order."""
    return re.findall(r"^```(\w*)\n(.*?)^```$", README.read_text(), re.MULTILINE | re.DOTALL)


def test_python_blocks_run_and_print_what_they_say(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    namespace: dict = {"__name__": "readme"}
    found = blocks()
    ran = 0
    for (language, text), (following, expected) in zip(found, [*found[1:], ("", "")], strict=True):
        if language != "python":
            continue
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(io.StringIO()):
            exec(compile(text, str(README), "exec"), namespace)
        ran += 1
        if following == "text":
            assert printed.getvalue() == expected
    assert ran


def test_set_up_is_two_commands():
    commands = [text.strip() for language, text in blocks() if language == "sh"]
    assert commands[:2] == ["pip install -e . && symcnn demo", "pip install -e '.[test]' && pytest"]
