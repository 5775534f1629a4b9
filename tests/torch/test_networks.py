"""The networks of `symcnn.models` agree with PyTorch: logits, loss and the gradient of every parameter, in float64."""

import numpy as np
import pytest

import symcnn as sc
from symcnn.bench.torch_networks import torch_network
from tests.torch.compare import TOLERANCE, relative_error

# Images as small as each network takes them: all layers occur, and a step costs little.
NETWORKS = {
    "mlp": lambda **options: sc.models.mlp([784, 512, 512, 7], **options),
    "lenet": lambda **options: sc.models.lenet(classes=7, **options),
    "cs231n": lambda **options: sc.models.cs231n_convnet((3, 16, 24), classes=7, **options),
    "alexnet": lambda **options: sc.models.alexnet((3, 63, 67), classes=7, dropout=0.0, **options),
    "googlenet": lambda **options: sc.models.googlenet((3, 48, 62), classes=7, dropout=0.0, **options),
}


def weights_of(theirs):
    """PyTorch's parameters as ours are laid out: dense weights are (in, out)."""
    return [p.detach().numpy().T if p.ndim == 2 else p.detach().numpy() for p in theirs.parameters()]


@pytest.mark.parametrize("name", NETWORKS)
def test_network(torch, name):
    ours = NETWORKS[name](dtype="float64")
    dense = next(layer for layer in ours if isinstance(layer, sc.nn.Dense))
    theirs = torch_network(name, classes=7, features=dense.in_features).to(torch.float64).eval()  # nothing is dropped
    parameters = ours.parameters()
    for p, value in zip(parameters, weights_of(theirs), strict=True):
        p.set_value(value)
    rng = np.random.default_rng(0)
    X, labels = rng.normal(size=(2, *ours.in_shape)), rng.integers(0, 7, 2)

    logits = theirs(torch.tensor(X))
    loss = torch.nn.functional.cross_entropy(logits, torch.tensor(labels))
    loss.backward()
    expected = [p.grad.numpy().T if p.ndim == 2 else p.grad.numpy() for p in theirs.parameters()]

    x, t = sc.input("x", (None, *ours.in_shape), "float64"), sc.input("t", (None,), "int64")
    y = ours(x, training=True)
    cost = sc.losses.cross_entropy(y, t)
    run = sc.function([x, t], [y, cost, *sc.grad(cost, list(parameters))])
    names = ["logits", "loss", *parameters.keys()]
    for what, a, b in zip(names, run(X, labels), [logits.detach().numpy(), loss.item(), *expected], strict=True):
        assert relative_error(a, b) < TOLERANCE["float64"], what
