"""One comparison of a layer with PyTorch: its value, and the gradient of a projection by the input and every parameter."""

import numpy as np

import symcnn as sc
from tests.torch.compare import TOLERANCE, relative_error


def agree(torch, layer, theirs, X, *, training=True, device="reference"):
    """`layer` equals `theirs`, a module or function of PyTorch, which takes over its parameters; in the layer's dtype."""
    dtype = str(layer.dtype)
    X = X.astype(dtype)
    parameters = list(theirs.parameters()) if isinstance(theirs, torch.nn.Module) else []
    for ours, other in zip(layer.parameters(), parameters, strict=True):
        value = ours.get_value()
        other.data = torch.tensor(value.T if isinstance(theirs, torch.nn.Linear) else value)
    given = torch.tensor(X, requires_grad=True)
    value = theirs(given)
    direction = np.random.default_rng(1).uniform(0.5, 1.5, value.shape).astype(dtype)
    value.backward(torch.tensor(direction))
    gradients = [p.grad.numpy() for p in parameters]
    if isinstance(theirs, torch.nn.Linear):
        gradients = [g.T for g in gradients]
    expected = [value.detach(), given.grad, *gradients]

    x = sc.input("x", (None, *X.shape[1:]), dtype)
    y = layer(x, training=training)
    outputs = [y, *sc.vjp(y, [x, *layer.parameters()], sc.constant(direction))]
    for number, (a, b) in enumerate(zip(sc.function([x], outputs, device=device)(X), expected, strict=True)):
        error = relative_error(a, b)
        assert error < TOLERANCE[dtype], f"{f'gradient {number}' if number else 'value'}: relative error {error:.2g}"


def randomize(layer, rng):
    """`layer` with all its parameters drawn anew, biases and scales included."""
    for parameter in layer.parameters():
        parameter.set_value(rng.normal(size=parameter.shape).astype(parameter.dtype))
    return layer
