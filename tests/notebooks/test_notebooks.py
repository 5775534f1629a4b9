"""The notebooks run from a clean kernel and say what their committed outputs say, and each is built like the others."""

import math
import re

import pytest

pytest.importorskip("nbclient")
pytest.importorskip("ipykernel")
pytest.importorskip("matplotlib")

from notebooks.run import FOLDER, clean, execute, notebooks, read, text

each_notebook = pytest.mark.parametrize("path", notebooks(), ids=lambda path: path.stem)

OUTPUT_BYTES, NOTEBOOK_BYTES = 400_000, 2_000_000
A_PLACE_ON_THIS_MACHINE = re.compile(r"/(home|root|tmp|usr|opt|var|work|Users)/|site-packages| at 0x[0-9a-f]+")
DECIMAL = re.compile(r"-?\d*\.\d+(?:e[-+]?\d+)?")


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def printed(cell) -> list[str]:
    """What a reader sees as text, one entry per output."""
    return [output.text if output.output_type == "stream" else output.data["text/plain"] for output in cell.outputs]


def shows_a_picture(cell) -> bool:
    return any(kind in output.get("data", ()) for output in cell.outputs for kind in ("image/png", "image/svg+xml", "text/html"))  # fmt: skip


def same_text(one: str, other: str) -> bool:
    """Equal, but that decimals may differ by 1 in their last digit or by 1%: processors round in different orders."""

    def close(a, b):
        last_digit = 10.0 ** -len(a.partition("e")[0].partition(".")[2])
        return math.isclose(float(a), float(b), rel_tol=0.01, abs_tol=1.01 * last_digit)

    numbers, others = DECIMAL.findall(one), DECIMAL.findall(other)
    return DECIMAL.sub("#", one) == DECIMAL.sub("#", other) and all(map(close, numbers, others))


@each_notebook
def test_runs_and_prints_what_it_did(path, monkeypatch):
    monkeypatch.setenv("SYMCNN_THREADS", "1")  # tests keep all cores busy; threads would wait for each other
    committed = read(path)
    for old, new in zip(code_cells(committed), code_cells(execute(committed)), strict=True):
        assert not [output for output in new.outputs if output.get("name") == "stderr"], old.source
        if "varies" in old.metadata.get("tags", ()):
            continue
        assert len(old.outputs) == len(new.outputs), old.source
        for before, after in zip(printed(old), printed(new), strict=True):
            assert same_text(before, after), f"{old.source}\n--- printed\n{before}\n--- and now\n{after}"


@each_notebook
def test_was_written_by_the_runner(path):
    notebook = read(path)
    assert path.read_text(encoding="utf-8") == text(clean(notebook)), f"python -m notebooks.run {path.name[:2]}"
    counts = [cell.execution_count for cell in code_cells(notebook)]
    assert counts == list(range(1, len(counts) + 1))


@each_notebook
def test_outputs_are_small_and_say_nothing_of_the_machine(path):
    notebook = read(path)
    outputs = [output for cell in code_cells(notebook) for output in cell.outputs]
    assert not [output for output in outputs if output.output_type == "error" or output.get("name") == "stderr"]
    assert not A_PLACE_ON_THIS_MACHINE.search(
        "\n".join(entry for cell in code_cells(notebook) for entry in printed(cell))
    )
    assert max(len(str(output)) for output in outputs) < OUTPUT_BYTES
    assert len(text(notebook)) < NOTEBOOK_BYTES


@each_notebook
def test_opens_with_title_goals_and_topics(path):
    notebook = read(path)
    assert 20 <= len(notebook.cells) <= 40
    first = notebook.cells[0]
    assert first.cell_type == "markdown"
    assert re.match(rf"# {path.name[:2]} · \S", first.source)
    assert "**Goals.**" in first.source
    assert "**In the lecture.**" in first.source


@each_notebook
def test_asks_for_a_prediction_before_each_picture(path):
    asked = False
    for cell in read(path).cells:
        if cell.source.startswith("## Exercises"):
            break
        if cell.cell_type == "markdown":
            asked = asked or "**Predict.**" in cell.source
        elif shows_a_picture(cell):
            assert asked, f"no prediction is asked before\n{cell.source}"
            asked = False


@each_notebook
def test_ends_with_exercises(path):
    cells = read(path).cells
    sections = [i for i, cell in enumerate(cells) if re.match("## ", cell.source) and cell.cell_type == "markdown"]
    last = cells[sections[-1] :]
    assert last[0].source.startswith("## Exercises")
    headings = re.findall(r"^### (\d)\. (By hand|With a checker|Experiment): \S", "\n".join(cell.source for cell in last), re.MULTILINE)  # fmt: skip
    assert [int(number) for number, _ in headings] == list(range(1, len(headings) + 1))
    assert 3 <= len(headings) <= 5
    assert {kind for _, kind in headings} == {"By hand", "With a checker", "Experiment"}
    for number, kind in headings:
        if kind == "With a checker":
            assert any(f'check("{path.name[:2]}-{number}"' in cell.source for cell in last if cell.cell_type == "code")


def test_there_are_fourteen():
    assert [path.name[:2] for path in notebooks()] == [f"{number:02}" for number in range(1, 15)]
    assert set(notebooks()) == set(FOLDER.glob("*.ipynb"))


@pytest.mark.parametrize(
    ("other", "same"),
    [
        ("loss 0.734, 12 steps", True),
        ("loss 0.735, 12 steps", True),
        ("loss 0.800, 12 steps", False),
        ("loss 0.734, 13 steps", False),
        ("loss 0.734", False),
    ],
)
def test_decimals_may_differ_a_little_and_nothing_else(other, same):
    assert same_text("loss 0.734, 12 steps", other) == same
