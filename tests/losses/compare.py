"""A loss and its gradient, ours on the reference backend and PyTorch's, on the same arrays."""

import numpy as np

import symcnn as sc


def value(loss, *arrays, **options):
    """The loss and its gradient with respect to the first array."""
    inputs = [sc.input(f"a{i}", (None, *a.shape[1:]), a.dtype) for i, a in enumerate(arrays)]
    cost = loss(*inputs, **options)
    return sc.function(inputs, [cost, sc.grad(sc.sum(cost), inputs[0])], device="reference")(*arrays)


def torch_value(torch, loss, prediction, *targets, **options):
    z = torch.tensor(prediction, requires_grad=True)
    cost = loss(z, *(torch.tensor(t) for t in targets), **options)
    cost.sum().backward()
    return cost.detach().numpy(), z.grad.numpy()


def assert_equal(found, expected):
    """Value and gradient, to what rounding in their dtype explains."""
    for a, b in zip(found, expected, strict=True):
        assert (np.asarray(a).dtype, a.shape) == (b.dtype, b.shape)
        eps = np.finfo(b.dtype).eps
        np.testing.assert_allclose(a, b, rtol=64 * eps, atol=32 * eps * np.abs(b).max())
