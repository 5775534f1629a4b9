"""What the site does beyond its plugins: pages from notebooks, and formulas as MathML, which browsers draw by themselves."""

import html
import re
import sys
from pathlib import Path

import nbformat
from latex2mathml.converter import convert
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File

sys.path.insert(0, str(Path(__file__).parent))
import api_pages
import notebook_pages

# What pymdownx.arithmatex makes of a formula between dollars.
_FORMULA = re.compile(
    r'(?<=class="arithmatex">)\\(?P<bracket>[(\[])(?P<formula>.+?)\\[)\]](?=</(?:span|div)>)', re.DOTALL
)

# Links of the repository, and what they are on the site.
_MOVED = {
    "](../notebooks/": "](notebooks/",
    "](../benchmarks/RESULTS.md)": "](benchmarks.md)",
    "](../CONTRIBUTING.md)": "](contributing.md)",
    "](docs/": "](",
    ".ipynb)": ".md)",
}

_LOADS_FROM_ELSEWHERE = re.compile(
    r'<(?:script|img|iframe|source)\b[^>]*\ssrc="(?:https?:)?//[^"]*|<link\b[^>]*stylesheet[^>]*//[^"]*'
)

_outputs: dict[str, list[str]] = {}


def on_files(files, config):
    """Each notebook becomes a page."""
    for file in [file for file in files if file.src_uri.endswith(".ipynb")]:
        markdown, outputs = notebook_pages.page(nbformat.read(file.abs_src_path, as_version=4))
        made = File.generated(config, file.src_uri.replace(".ipynb", ".md"), content=markdown)
        _outputs[made.src_uri] = outputs
        files.remove(file)
        files.append(made)
    config.nav = _unfolded(config.nav, sorted(file.src_uri for file in files.documentation_pages()))
    return files


def _unfolded(nav, pages):
    """The navigation with the pages of a folder in place of ``folder/*``."""
    if isinstance(nav, dict):
        return {title: _unfolded(inner, pages) for title, inner in nav.items()}
    if isinstance(nav, str):
        return nav
    unfolded = []
    for entry in nav:
        if isinstance(entry, str) and entry.endswith("/*"):
            unfolded += [page for page in pages if page.startswith(entry[:-1]) and not page.endswith("README.md")]
        else:
            unfolded.append(_unfolded(entry, pages))
    return unfolded


def on_page_markdown(markdown, page, **_):
    if page.file.src_uri.startswith("api/"):
        return api_pages.expanded(markdown)
    for in_the_repository, here in _MOVED.items():
        markdown = markdown.replace(in_the_repository, here)
    return markdown


def on_page_content(content, page, **_):
    content = _FORMULA.sub(_mathml, content)
    return notebook_pages.with_outputs(content, _outputs.get(page.file.src_uri, []))


def on_post_page(output, page, **_):
    if found := _LOADS_FROM_ELSEWHERE.search(output):
        raise PluginError(f"{page.file.src_uri} loads something from elsewhere: {found[0]}")
    return output


def _mathml(found) -> str:
    display = "block" if found["bracket"] == "[" else "inline"
    return convert(html.unescape(found["formula"]), display=display)
