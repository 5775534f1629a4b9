"""Variables know the layer that made them, and gradients that of what they are pulled back through."""

import numpy as np
import pytest

import symcnn as sc
from symcnn import nn
from symcnn.ir.graph import toposort


class Twice(nn.Module):
    """A part in a list, and a module made on the spot."""

    def __init__(self):
        self.layers = [nn.Dense(3, 3), nn.Dense(3, 3)]

    def forward(self, x, training):
        return nn.ReLU()(self.layers[1](self.layers[0](x)))


def scopes(outputs, op):
    return {v.origin.scope for v in toposort(outputs) if v.op is not None and v.op.name == op}


def test_ops_have_the_paths_of_their_modules():
    model = nn.Sequential(first=nn.Dense(3, 3), block=Twice())
    y = model(sc.input("x", (None, 3)))
    assert scopes([y], "matmul") == {"first", "block.layers.0", "block.layers.1"}
    assert scopes([y], "relu") == {"block"}
    assert {v.origin.scope for v in toposort([sc.exp(y)])} >= {""}
    assert sc.exp(y).origin.scope == ""


def test_paths_are_those_of_modules():
    model = sc.models.googlenet(init="zeros")
    y = model(sc.input("x", (None, 3, 224, 224)))
    assert {v.origin.scope for v in toposort([y]) if v.op is not None} <= set(model.modules())


def test_gradients_lie_in_the_layer_that_they_come_through():
    model = nn.Sequential(a=nn.Dense(3, 3), b=nn.ReLU(), c=nn.Dense(3, 1))
    cost = sc.sum(model(sc.input("x", (None, 3))))
    made = [
        v for v in toposort(sc.grad(cost, list(model.parameters()))) if v.op is not None and v.origin.maker == "grad"
    ]
    assert {v.origin.scope for v in made if v.op.name == "matmul"} == {"a", "c"}
    assert "b" in {v.origin.scope for v in made}


def test_rewriting_keeps_the_scope():
    model = nn.Sequential(a=nn.Dense(3, 3), c=nn.Dense(3, 1))
    f = sc.function([x := sc.input("x", (None, 3))], model(x), device="reference")
    assert {v.origin.scope for v in toposort(f.phases[-1].outputs) if v.op is not None} >= {"a", "c"}


def test_an_error_in_a_layer_leaves_no_scope_behind():
    model = nn.Sequential(a=nn.Dense(3, 3))
    with pytest.raises(sc.ShapeError):
        model(sc.input("x", (None, 4)))
    assert sc.exp(sc.input("x", ())).origin.scope == ""


def test_steps_name_loss_and_optimizer():
    model = sc.models.mlp([4, 3])
    step = sc.train.compile_step(model, device="reference")
    graph = step.graph(sc.input("x", (None, 4)), sc.input("t", (None,), "int64"))
    found = {v.origin.scope for v in toposort([graph.cost, *graph.updates.values()]) if v.op is not None}
    assert {"loss", "optimizer", "dense1"} <= found
    assert np.isfinite(step(np.ones((2, 4), "float32"), np.array([0, 1])))
