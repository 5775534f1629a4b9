"""What notebooks show: a view if it can be made, else the text; and nothing is imported before they ask."""

import subprocess
import sys
from types import SimpleNamespace

import pytest

import symcnn.viz
from symcnn.display import VIEWS, Displayed


class Explanation(Displayed):
    def __str__(self):
        return "1 < 2"


@pytest.mark.parametrize("name", VIEWS.values())
def test_every_view_exists(name):
    assert callable(getattr(symcnn.viz, name))


def test_a_notebook_shows_what_the_view_makes(monkeypatch):
    figure = SimpleNamespace(_repr_mimebundle_=lambda: {"text/html": "a picture"})
    monkeypatch.setattr(symcnn.viz, VIEWS["Explanation"], lambda shown: figure, raising=False)
    assert Explanation()._repr_mimebundle_() == {"text/html": "a picture"}


def test_without_the_view_it_shows_the_text(monkeypatch):
    def fails(shown):
        raise ImportError("fast_sugiyama")

    monkeypatch.setattr(symcnn.viz, VIEWS["Explanation"], fails, raising=False)
    assert Explanation()._repr_mimebundle_() == {"text/plain": "1 < 2", "text/html": "<pre>1 &lt; 2</pre>"}


def test_drawings_are_not_imported_before_a_notebook_asks():
    code = (
        "import sys, symcnn as sc\n"
        "x = sc.input('x', (2,)); f = sc.function([x], x + 1, device='reference')\n"
        "str(f.explain()), str(f.profile([1, 2]))\n"
        "assert 'symcnn.viz' not in sys.modules\n"
        "f.explain()._repr_mimebundle_()\n"
        "assert 'symcnn.viz' in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
