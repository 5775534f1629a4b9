"""The live report: one output that is updated in its place, seldom enough to cost nothing, and silence elsewhere."""

import sys
import types

import numpy as np
import pytest

import symcnn as sc
from symcnn.viz import LiveReport, live_report
from symcnn.viz.live_report import BatchLosses

X = np.random.default_rng(0).normal(size=(64, 4)).astype("float32")
DATA = X, (X[:, 0] > 0).astype("int64")


def fit(*callbacks, **options):
    options = {"epochs": 6, "batch_size": 16, "device": "reference", "progress": False} | options
    model = sc.models.mlp([4, 8, 2], seed=0)
    return sc.train.fit(model, DATA, DATA, callbacks=list(callbacks), **options)


class Output:
    """Stands for an output of a notebook."""

    def __init__(self):
        self.shown = []

    def update(self, figure):
        self.shown.append(figure)


@pytest.fixture
def output(monkeypatch):
    """A notebook whose clock advances by half a second each time that it is asked."""
    found, now = Output(), [0.0]
    ipython = types.ModuleType("IPython")
    ipython.get_ipython = lambda: types.SimpleNamespace(kernel=object())
    ipython.display = types.ModuleType("IPython.display")
    ipython.display.HTML = str
    ipython.display.display = lambda shown, display_id: found
    monkeypatch.setitem(sys.modules, "IPython", ipython)
    monkeypatch.setitem(sys.modules, "IPython.display", ipython.display)

    def clock():
        now[0] += 0.5
        return now[0]

    monkeypatch.setattr(live_report, "perf_counter", clock)
    found.now = now
    return found


def test_one_output_is_updated_and_ends_with_the_live_view(output):
    live = LiveReport()
    fit(live, sc.train.Monitor(every=2), epochs=40)
    assert live.updates == len(output.shown) > 2
    *before, last = output.shown
    assert all(figure.live is None for figure in before) and last.live is not None
    assert all("Loss of each batch" in figure.svg for figure in before)
    assert "Update ratio" in last.svg and "after epoch 40" in last.title
    titles = [chart["title"] for chart in last.live.data["charts"]]
    assert titles[:3] == ["Loss of each batch", "Loss", "Accuracy"]


def test_drawing_takes_less_than_two_percent_of_the_time(output):
    """By this clock a drawing takes half a second, so the next one is due after 25."""
    live = LiveReport()
    fit(live, epochs=100)
    during = live.updates - 1  # the last, when all is over, is not waited for
    assert during >= 3
    assert during * 0.5 <= 0.02 * output.now[0] + 0.5


def test_no_more_often_than_asked(output):
    live = LiveReport(every=150.0)
    fit(live, epochs=100)
    assert 1 <= live.updates - 1 <= output.now[0] / 150


def test_outside_of_a_notebook_it_says_so_once(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "IPython", None)
    live = LiveReport()
    fit(live, progress="lines")
    assert live.updates == 0
    assert capsys.readouterr().out.count("outside of notebooks") == 1


def test_training_does_not_notice(output):
    assert fit(LiveReport())["loss"] == fit()["loss"]


def test_without_a_monitor_or_an_epoch(output):
    live = LiveReport()
    fit(live, steps=2, epochs=None)
    assert "Layers" not in output.shown[-1].svg
    assert output.shown[-1].text.startswith("Training,")


@pytest.mark.parametrize("every", [0, 0.5, "1", float("inf")])
def test_refused(every):
    with pytest.raises(sc.InputError, match="every"):
        LiveReport(every=every)
    with pytest.raises(sc.InputError, match="evry"):
        LiveReport(evry=2)


def test_many_batches_become_few_points():
    losses = BatchLosses(size=10)
    values = np.random.default_rng(0).normal(size=80)
    for k, value in enumerate(values):
        losses.add((k + 1) / 80, value)
    np.testing.assert_allclose(losses.values, values.reshape(5, 16).mean(axis=1))
    assert losses.epochs == pytest.approx([0.2, 0.4, 0.6, 0.8, 1.0])


def test_in_a_real_kernel():
    pytest.importorskip("ipykernel")
    nbclient, nbformat = pytest.importorskip("nbclient"), pytest.importorskip("nbformat")
    code = """
import numpy as np, time, symcnn as sc
class Slow(sc.train.Callback):
    def on_epoch(self, run):
        time.sleep(0.4)
data = np.eye(4), np.arange(4)
history = sc.train.fit(sc.models.mlp([4, 4]), data, epochs=4, callbacks=[Slow(), sc.viz.LiveReport()],
                       device="reference", progress=False)
"""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code)])
    nbclient.NotebookClient(notebook, timeout=60).execute()
    (output,) = notebook.cells[0].outputs  # updated in its place: one
    assert output.output_type == "display_data"
    assert "trainingReport" in output.data["text/html"] and "4 epochs" in output.data["text/plain"]
