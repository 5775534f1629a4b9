"""One comparison with PyTorch: the value of an expression, and the gradient of its projection by every float operand."""

import numpy as np

import symcnn as sc

# Largest relative error ||a - b|| / ||b|| of a tensor.
TOLERANCE = {"float32": 2e-5, "float64": 1e-11}


def normal(rng, *shape):
    return rng.standard_normal(shape)


def relative_error(found, expected) -> float:
    found, expected = np.asarray(found, "float64"), np.asarray(expected, "float64")
    assert found.shape == expected.shape
    norm = np.linalg.norm(expected)
    return float(np.linalg.norm(found - expected) / (norm if norm > 0 else 1.0))


def agree(torch, ours, theirs, *arrays, dtypes=("float32", "float64"), unknown=False):
    """`ours` on Variables equals `theirs` on tensors, with gradients; float arrays are cast to each of `dtypes`.

    With `unknown`, first sizes are declared unknown.
    """
    for dtype in dtypes:
        given = [a.astype(dtype) if a.dtype.kind == "f" else a for a in arrays]
        tensors = [torch.tensor(a, requires_grad=a.dtype.kind == "f") for a in given]
        value = theirs(*tensors)
        direction = np.random.default_rng(1).uniform(0.5, 1.5, value.shape).astype(dtype)
        expected = [value.detach().numpy()]
        if value.requires_grad:
            value.backward(torch.tensor(direction))
            expected += [np.zeros(t.shape) if t.grad is None else t.grad.numpy() for t in tensors if t.requires_grad]

        shapes = [(None, *a.shape[1:]) if unknown and a.ndim else a.shape for a in given]
        inputs = [sc.input(f"x{k}", shape, a.dtype) for k, (a, shape) in enumerate(zip(given, shapes, strict=True))]
        y = ours(*inputs)
        outputs = [y]
        if value.requires_grad:
            outputs += sc.vjp(y, [x for x in inputs if x.type.is_float], sc.constant(direction), disconnected="zeros")
        for number, (a, b) in enumerate(zip(sc.function(inputs, outputs)(*given), expected, strict=True)):
            error = relative_error(a, b)
            assert error < TOLERANCE[dtype], (
                f"{dtype}, {f'gradient {number}' if number else 'value'}: relative error {error:.2g}"
            )
