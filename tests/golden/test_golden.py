"""Graphs, nests and kernels of small programs, as they are printed: a change shows in the diff of a file here.

After an intended change, write the files anew with ``SYMCNN_UPDATE_GOLDEN=1 pytest tests/golden -n 0`` and read the diff.
"""

import os
from pathlib import Path

import numpy as np
import pytest

import symcnn as sc

HERE = Path(__file__).parent


def neuron():
    w0, x0, w1, x1, w2 = inputs = [sc.input(name, ()) for name in ("w0", "x0", "w1", "x1", "w2")]
    f = 1 / (1 + sc.exp(-(w0 * x0 + w1 * x1 + w2)))
    return sc.function(inputs, [f, *sc.grad(f, inputs)])


def softmax():
    x = sc.input("x", (None, None))
    return sc.function([x], sc.softmax(x))


def cross_entropy_gradient():
    x, labels = sc.input("x", (None, 10)), sc.input("labels", (None,), "int64")
    cost = sc.losses.cross_entropy(x, labels)
    return sc.function([x, labels], [cost, sc.grad(cost, x)])


def momentum():
    w, v = (sc.shared(np.zeros((3, 4), "float32"), name) for name in "wv")
    g = sc.input("g", (3, 4))
    velocity = 0.9 * v - 0.1 * g
    return sc.function([g], [], updates={v: velocity, w: w + velocity})


@pytest.mark.parametrize("program", [neuron, softmax, cross_entropy_gradient, momentum], ids=lambda p: p.__name__)
def test_printed_form(program):
    f = program()
    parts = [f"== {name}\n{f.stages[name]}" for name in ("expression", "layout", "nests")]
    parts += [f"== kernel: {k.name}\n{k.source}" for k in f.kernels]
    text = "\n\n".join(parts).rstrip() + "\n"
    file = HERE / f"{program.__name__}.txt"
    if os.environ.get("SYMCNN_UPDATE_GOLDEN"):
        file.write_text(text)
    assert text == file.read_text()
