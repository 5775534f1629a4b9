"""A notebook as a page of Markdown: its text gets the type, formulas and colours of all other pages.

Plugins for notebooks bring half a megabyte of styles to each page and fetch scripts from elsewhere; these pages need neither.
"""

import re
from html import escape

_ANSI = re.compile(r"\x1b\[[0-9;]*m")
_PLACE = "<!-- output {} -->"


def page(notebook) -> tuple[str, list[str]]:
    """Markdown with a place for each output, and the HTML of these outputs, which Markdown should not touch."""
    parts, outputs = [], []
    for cell in notebook["cells"]:
        if cell["cell_type"] == "markdown":
            parts.append(cell["source"])
            continue
        parts.append(f"```python\n{cell['source']}\n```")
        for output in cell["outputs"]:
            parts.append(_PLACE.format(len(outputs)))
            outputs.append(f'<div class="output">{_html(output)}</div>')
    return "\n\n".join(parts), outputs


def with_outputs(html: str, outputs: list[str]) -> str:
    """The page with each output in its place."""
    for number, output in enumerate(outputs):
        html = html.replace(_PLACE.format(number), output, 1)
    return html


def _html(output) -> str:
    """The richest form that an output has."""
    data = output.get("data", {})
    if "text/html" in data:
        return data["text/html"]
    if "image/png" in data:
        return (
            f'<img alt="{escape(data.get("text/plain", ""))}" src="data:image/png;base64,{data["image/png"].strip()}">'
        )
    text = output["text"] if output["output_type"] == "stream" else data["text/plain"]
    return f"<pre>{escape(_ANSI.sub('', text))}</pre>"
