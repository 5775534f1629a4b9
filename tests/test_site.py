"""The parts of the documentation site that are ours; `mkdocs build --strict` is the test of the whole."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "docs/site"))


def code(source, *outputs):
    return {"cell_type": "code", "source": source, "outputs": list(outputs)}


def test_a_notebook_becomes_markdown_with_its_outputs_in_place():
    import notebook_pages

    cells = [
        {"cell_type": "markdown", "source": "# Title\n\n$x$"},
        code("1 < 2", {"output_type": "execute_result", "data": {"text/plain": "True <b>"}}),
        code("f", {"output_type": "display_data", "data": {"text/plain": "a dot", "image/png": "AAAA\n"}}),
        code("g", {"output_type": "display_data", "data": {"text/plain": "o", "text/html": "<script>a & b</script>"}}),
        code("h", {"output_type": "stream", "text": "\x1b[31mred\x1b[0m"}, {"output_type": "stream", "text": "second"}),
    ]
    markdown, outputs = notebook_pages.page({"cells": cells})
    assert markdown.startswith("# Title\n\n$x$\n\n```python\n1 < 2\n```\n\n")
    assert "True" not in markdown
    page = notebook_pages.with_outputs(markdown, outputs)
    places = [
        page.index(part)
        for part in (
            "<pre>True &lt;b&gt;</pre>",
            '<img alt="a dot" src="data:image/png;base64,AAAA">',
            "<script>a & b</script>",
            "<pre>red</pre>",
            "<pre>second</pre>",
        )
    ]
    assert places == sorted(places)


def test_formulas_of_docstrings_are_markdown():
    pytest.importorskip("griffe")
    from docstrings import as_markdown

    text = "Of :math:`x_1`.\n\n.. math::\n\n    y = a\n        + b\n\nMore, as ``code``::\n\n    run()\n"
    assert as_markdown(text).split("\n\n")[:2] == ["Of $x_1$.", "$$y = a + b$$"]
    assert "``code``" in as_markdown(text)
    assert as_markdown("Examples\n--------\n::\n\n    run()") == "Examples\n--------\n\n\n    run()"
