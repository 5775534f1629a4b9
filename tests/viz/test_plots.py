"""Figures for papers: what is drawn is what was measured, pyplot never hears of it, and bad input has its error."""

import io
import sys

import numpy as np
import pytest

import symcnn as sc
from symcnn.viz import plot_confusion, plot_history, plot_norms

pytest.importorskip("matplotlib")

HISTORY = {
    "loss": [2.0, 1.0, 0.5], "val_loss": [2.1, 1.2, 0.9], "val_accuracy": [0.3, 0.6, 0.7],
    "learning_rate": [0.1, 0.05, 0.01], "seconds": [1, 1, 1],
}  # fmt: skip


@pytest.fixture(scope="module")
def monitor():
    found = sc.train.Monitor(every=2)
    X = np.random.default_rng(0).normal(size=(32, 4))
    model = sc.models.mlp([4, 6, 2], seed=0)
    sc.train.fit(
        model, (X, np.arange(32) % 2), epochs=3, batch_size=8, callbacks=found, device="reference", progress=False
    )
    return found


def saved(figure, kind="pdf"):
    content = io.BytesIO()
    figure.savefig(content, format=kind)
    return content.getvalue()


def test_curves_are_those_of_the_history():
    figure = plot_history(HISTORY)
    loss, accuracy = figure.axes
    assert [line.get_ydata().tolist() for line in loss.get_lines()] == [HISTORY["loss"], HISTORY["val_loss"]]
    (line,) = accuracy.get_lines()
    assert line.get_xdata().tolist() == [1, 2, 3] and line.get_ydata().tolist() == HISTORY["val_accuracy"]
    assert [text.get_text() for text in loss.get_legend().get_texts()] == ["training", "validation"]
    assert loss.get_lines()[0].get_linestyle() != loss.get_lines()[1].get_linestyle() == line.get_linestyle()
    assert saved(figure).startswith(b"%PDF")


def test_the_loss_on_a_logarithmic_scale():
    assert [axes.get_yscale() for axes in plot_history(HISTORY, log=True).axes] == ["log", "linear"]


def test_norms_are_those_of_the_monitor(monitor):
    figure = plot_norms(monitor)
    panels = {axes.get_ylabel(): axes for axes in figure.axes}
    assert list(panels)[:3] == ["Weights: norm |w|", "Gradients: norm |g|", "Update ratio |dw|/|w|"]
    for panel, number in (("Gradients: norm |g|", "gradient_norm"), ("Dead units", "dead")):
        for line in panels[panel].get_lines():
            steps, values = monitor.series(line.get_label(), number)
            np.testing.assert_array_equal(line.get_xdata(), steps)
            np.testing.assert_array_equal(line.get_ydata(), values)
    band = panels["Update ratio |dw|/|w|"].patches[0].get_extents()
    low, high = (panels["Update ratio |dw|/|w|"].transData.inverted().transform([(0, y) for y in (band.y0, band.y1)]))[
        :, 1
    ]
    assert low < 1e-3 < high
    assert saved(figure)


def test_a_layer_looks_alike_in_every_panel(monitor):
    looks = {}
    for axes in plot_norms(monitor).axes:
        for line in axes.get_lines():
            looks.setdefault(line.get_label(), set()).add((line.get_color(), str(line.get_linestyle())))
    assert len(looks) == 3 and all(len(found) == 1 for found in looks.values())


def test_the_confusion_matrix_has_its_counts_where_they_belong():
    confusion = sc.metrics.ConfusionMatrix(("cat", "dog", "eel"))
    confusion.update([0, 1, 1, 1, 2], [0, 0, 1, 1, 2])
    (axes,) = plot_confusion(confusion).axes
    found = {(text.get_position()[1] - 0.5, text.get_position()[0] - 0.5): text.get_text() for text in axes.texts}
    assert found == {(0, 0): "1", (0, 1): "1", (1, 1): "2", (2, 2): "1"}
    assert [tick.get_text() for tick in axes.get_yticklabels()] == ["cat", "dog", "eel"]
    top, bottom = axes.get_ylim()[::-1]
    assert (top, bottom) == (0, 3)  # the first class is the uppermost row
    assert b"/Subtype /Image" not in saved(plot_confusion(confusion))  # sharp at any size


def test_no_grid_lies_over_the_counts():
    import matplotlib

    with matplotlib.rc_context({"axes.grid": True}):
        (axes,) = plot_confusion(np.eye(2)).axes
    assert not [line for line in (*axes.get_xgridlines(), *axes.get_ygridlines()) if line.get_visible()]


def test_pyplot_does_not_know(monitor):
    from matplotlib import pyplot

    for figure in (plot_history(HISTORY), plot_norms(monitor), plot_confusion(np.eye(2))):
        assert saved(figure, "svg")
    assert not pyplot.get_fignums()


@pytest.mark.parametrize(
    ("plot", "argument", "error"),
    [
        (plot_history, {}, sc.InputError),
        (plot_history, [1, 2], sc.InputError),
        (plot_history, {"loss": "abc"}, sc.InputError),
        (plot_norms, HISTORY, sc.InputError),
        (plot_norms, sc.train.Monitor(), sc.InputError),
        (plot_confusion, np.zeros((2, 3)), sc.ShapeError),
        (plot_confusion, [], sc.ShapeError),
    ],
)
def test_refused(plot, argument, error):
    with pytest.raises(error):
        plot(argument)


def test_one_name_per_class():
    with pytest.raises(sc.InputError, match="one name"):
        plot_confusion(np.eye(3), ["cat"])


def test_without_matplotlib(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(sc.PackageError, match="matplotlib") as found:
        plot_history(HISTORY)
    assert "symcnn[viz]" in str(found.value)
