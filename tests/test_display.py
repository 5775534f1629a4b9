"""What a notebook shows by itself, in a real kernel: views of functions, and what failed."""

import pytest

import symcnn as sc
from symcnn.display import Displayed

nbformat = pytest.importorskip("nbformat")
nbclient = pytest.importorskip("nbclient")
pytest.importorskip("ipykernel")
pytest.importorskip("fast_sugiyama")


@pytest.fixture(scope="module")
def outputs():
    """The outputs of some cells, one list per cell."""
    cells = [
        'import symcnn as sc\nx, w = sc.input("x", (None, 3)), sc.input("w", (4, 2))',
        "sc.relu(x) @ w",
        'sc.input("x", "three")',
        'sc.function([x], sc.exp(x), device="reference").explain()',
        "sc.draw(sc.exp(x))",
    ]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in cells])
    nbclient.NotebookClient(notebook, timeout=120, allow_errors=True, kernel_name="python3").execute()
    return [cell.outputs for cell in notebook.cells]


def test_a_shape_error_shows_the_graph_and_then_the_traceback(outputs):
    picture, error = outputs[1]
    assert picture.output_type == "display_data"
    assert "data:image/svg+xml;base64" in picture.data["text/html"]
    assert "matmul of float32[?, 3] and float32[4, 2] fails" in picture.data["text/plain"]
    assert error.output_type == "error" and error.ename == "ShapeError"
    traceback = "\n".join(error.traceback)
    assert "inner sizes differ" in traceback and "sc.relu(x)" in traceback


def test_an_error_without_an_op_has_its_traceback_alone(outputs):
    (error,) = outputs[2]
    assert error.output_type == "error" and "shape of an input" in "\n".join(error.traceback)


def test_explanations_and_drawings_are_live(outputs):
    for shown in (outputs[3], outputs[4]):
        (result,) = shown
        assert result.output_type == "execute_result"
        assert "<script>" in result.data["text/html"] and result.data["text/plain"]


def test_a_view_that_fails_leaves_the_text(monkeypatch):
    class Profile(Displayed):
        def __str__(self):
            return "<text>"

    monkeypatch.setattr("symcnn.viz.times", lambda profile: 1 / 0, raising=False)
    assert Profile()._repr_mimebundle_() == {"text/plain": "<text>", "text/html": "<pre>&lt;text&gt;</pre>"}


def test_errors_look_as_ever_outside_of_ipython():
    with pytest.raises(sc.ShapeError) as caught:
        sc.input("x", (2, 3)) @ sc.input("w", (4, 2))
    assert caught.value.op.name == "matmul" and [x.name for x in caught.value.operands] == ["x", "w"]
