"""Every live view passes an automated accessibility check (axe-core, WCAG 2.1 A and AA), light and dark."""

import numpy as np
import pytest

import symcnn as sc

pytest.importorskip("fast_sugiyama")
axe = pytest.importorskip("axe_playwright_python.sync_playwright")


def neuron():
    x, w = sc.input("x", ()), sc.input("w", ())
    return sc.draw(sc.sigmoid(w * x), values={"x": 1, "w": 2}, title="A neuron")


def story():
    x = sc.input("x", (None, 3))
    return sc.viz.story(sc.function([x], sc.log(sc.softmax(x)), device="reference"))


def training():
    model = sc.models.mlp([4, 3, 2], seed=0)
    monitor = sc.train.Monitor(every=1)
    data = sc.data.Dataset(np.random.default_rng(0).normal(size=(16, 4)).astype("float32"), np.arange(16) % 2)
    history = sc.train.fit(
        model, data, data, epochs=2, batch_size=8, callbacks=[monitor], device="reference", progress=False
    )
    return sc.viz.training_report(history, model=model, monitor=monitor, data=data)


FIGURES = {
    "graph": neuron,
    "model": lambda: sc.draw(sc.models.lenet(init="zeros")),
    "story": story,
    "training": training,
    "architecture": lambda: sc.viz.architecture(sc.models.lenet(init="zeros")),
    "convolution": lambda: sc.viz.convolution(),
    "pooling": lambda: sc.viz.pooling(),
    "receptive field": lambda: sc.viz.receptive_field(sc.models.lenet(init="zeros")),
    "activation": lambda: sc.viz.activation("tanh"),
    "activations": lambda: sc.viz.activations(sc.models.lenet(seed=0), np.zeros((1, 28, 28), "float32")),
    "filters": lambda: sc.viz.filters(sc.models.lenet(seed=0)),
    "saliency": lambda: sc.viz.saliency(sc.models.lenet(seed=0), np.ones((1, 28, 28), "float32")),
}


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", FIGURES)
def test_axe_finds_nothing(page_of, name, scheme):
    page = page_of(FIGURES[name](), color_scheme=scheme)
    found = axe.Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]})
    assert not found.response["violations"], found.generate_report()
