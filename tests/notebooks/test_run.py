"""The runner of notebooks: the same text each time, the first failure stops it."""

import pytest

pytest.importorskip("nbclient")
pytest.importorskip("ipykernel")

import nbformat
from nbclient.exceptions import CellExecutionError

from notebooks.run import clean, execute, notebooks, text

v4 = nbformat.v4


def notebook(*sources):
    return v4.new_notebook(cells=[v4.new_code_cell(source) for source in sources])


def test_two_runs_give_the_same_text():
    sources = ("x = 6 * 7", "print(x)\nprint(x + 1)", "x", "x")
    one, other = (text(clean(execute(notebook(*sources)))) for _ in range(2))
    assert one == other
    assert '"42\\n"' in one and '"43\\n"' in one
    assert [cell.execution_count for cell in nbformat.reads(one, 4).cells] == [1, 2, 3, 4]


def test_the_notebook_that_is_given_stays_as_it_is():
    given = notebook("print('now')")
    given.cells[0].outputs = [v4.new_output("stream", text="before")]
    ran = execute(given)
    assert ran.cells[0].outputs[0].text == "now\n"
    assert given.cells[0].outputs[0].text == "before"


def test_a_cell_finds_what_lies_beside_the_notebooks():
    ran = execute(notebook("import checks\nchecks.__name__"))
    assert ran.cells[0].outputs[0].data["text/plain"] == "'checks'"


def test_an_error_stops_it():
    with pytest.raises(CellExecutionError, match="ZeroDivisionError"):
        execute(notebook("1 / 0"))


def test_editing_a_cell_renames_no_other():
    before = [cell.id for cell in clean(notebook("a = 1", "b = 2", "b = 2")).cells]
    after = [cell.id for cell in clean(notebook("a = 5", "b = 2", "b = 2")).cells]
    assert len(set(before)) == 3
    assert before[0] != after[0] and before[1:] == after[1:]


def test_only_tags_are_kept_of_what_a_cell_carries():
    made = notebook("a = 1", "b = 2")
    made.cells[0].metadata.update(tags=["varies"], collapsed=True, execution={"iopub.status.busy": "2020-01-01"})
    made.metadata["language_info"] = {"name": "python", "version": "3.11.0"}
    cleaned = clean(made)
    assert [cell.metadata for cell in cleaned.cells] == [{"tags": ["varies"]}, {}]
    assert cleaned.metadata.language_info == {"name": "python"}


def test_notebooks_are_found_by_the_beginnings_of_their_names():
    every = notebooks()
    assert every == sorted(every)
    assert notebooks(every[0].name[:2]) == every[:1]
    assert notebooks("no such notebook") == []


def test_errors_name_the_cell_that_built_the_expression():
    """The file that IPython makes up for a cell is in a temporary folder, and says nothing to anybody."""
    building = "import symcnn as sc\nx = sc.input('x', (3,))\ny = sc.log(x)"
    failing = "try:\n    y @ sc.input('z', (4,))\nexcept sc.ShapeError as error:\n    print(error.where, '|', y.origin)"
    ran = execute(notebook(building, failing))
    assert ran.cells[1].outputs[0].text == "Cell In[2], line 2 | Cell In[1], line 3\n"
