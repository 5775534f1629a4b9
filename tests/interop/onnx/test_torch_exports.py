"""What PyTorch writes for its functions, at any batch size, equals what PyTorch computes."""

import io
import warnings

import numpy as np
import pytest

pytest.importorskip("onnx")
from symcnn.interop.onnx import load

OPSETS = (9, 13, 17)

# By name: the function and whether one translation serves all batch sizes.
IDIOMS = {
    "view": (lambda t, F, x: x.view(x.size(0), -1), True),
    "channel shuffle": (lambda t, F, x: x.view(x.size(0), 2, 2, x.size(2), x.size(3)).transpose(1, 2).reshape(x.shape), True),
    "pixel shuffle": (lambda t, F, x: F.pixel_shuffle(x, 2), True),
    "chunks in another order": (lambda t, F, x: t.cat(x.chunk(2, 1)[::-1], 1), True),
    "squeeze and excite": (lambda t, F, x: x * F.hardsigmoid(F.adaptive_avg_pool2d(x, 1)), True),
    "unit length": (lambda t, F, x: F.normalize(x), True),
    "layer norm": (lambda t, F, x: F.layer_norm(x, (8,)), True),
    "attention": (lambda t, F, x: (x @ x.transpose(-1, -2) / 8**0.5).softmax(-1) @ x, True),
    "deviation": (lambda t, F, x: x.std((2, 3)), True),
    "log-sum-exp": (lambda t, F, x: t.logsumexp(x, 1), True),
    "norm": (lambda t, F, x: x.norm(p=1, dim=(2, 3)), True),
    "running sum": (lambda t, F, x: x.cumsum(2), True),
    "maximum and its place": (lambda t, F, x: x.max(1)[1], True),
    "largest three": (lambda t, F, x: x.topk(3, -1)[0], True),
    "places of the largest": (lambda t, F, x: x.flatten(1).topk(5)[1], True),
    "index": (lambda t, F, x: x[:, [0, 2]], True),
    "slices": (lambda t, F, x: x[:, 1:, ::2, -3:], True),
    "flip": (lambda t, F, x: x.flip(2), True),
    "roll": (lambda t, F, x: x.roll((1, -1), (2, 3)), True),
    "where": (lambda t, F, x: t.where(x > 0, x, x * 2), True),
    "masked fill": (lambda t, F, x: x.masked_fill((x > 0) & (x < 1), -1.0), True),
    "limits": (lambda t, F, x: x.clamp(min=0.1) + x.clamp(-0.5, 0.5) + F.relu6(x), True),
    "power": (lambda t, F, x: x.abs() ** 1.5 + x**2, True),
    "remainder": (lambda t, F, x: t.fmod(x, 0.3), True),
    "activations": (lambda t, F, x: F.hardswish(x) + F.gelu(x) + F.silu(x) + F.elu(x) + F.celu(x) + F.softplus(x), True),
    "slopes": (lambda t, F, x: F.prelu(x, t.tensor([0.1, 0.2, 0.3, 0.4])), True),
    "gate": (lambda t, F, x: F.glu(x, 1), True),
    "mirrored edge": (lambda t, F, x: F.pad(x, (1, 2, 2, 1), mode="reflect"), True),
    "repeated edge": (lambda t, F, x: F.pad(x, (1, 2, 2, 1), mode="replicate"), True),
    "cut and padded": (lambda t, F, x: F.pad(x, (1, 2, 0, -1), value=3.0), True),
    "enlarged": (lambda t, F, x: F.interpolate(x, scale_factor=2), True),
    "embedding": (lambda t, F, x: F.embedding(x.argmax(1), t.eye(4)), True),
    "einsum": (lambda t, F, x: t.einsum("nchw,ndhw->ncd", x, x), True),
    "stacked": (lambda t, F, x: t.stack([x, x * 2], 1).unbind(1)[1], True),
    "repeated": (lambda t, F, x: x.repeat(1, 2, 1, 1), True),
    "triangle": (lambda t, F, x: t.tril(x), True),
    "gather": (lambda t, F, x: x.gather(1, t.zeros_like(x[:, :1], dtype=t.long)), False),
    "scatter": (lambda t, F, x: t.zeros_like(x).scatter(1, x.argmax(1, keepdim=True), 1.0), False),
    "expand": (lambda t, F, x: t.ones(1, 4, 1, 1).expand(x.size(0), -1, -1, -1) + x, False),
    "patches": (lambda t, F, x: F.unfold(x, 2), True),
    "assignment": (lambda t, F, x: _assigned(x), False),
}  # fmt: skip


def _assigned(x):
    y = x.clone()
    y[:, 1:3, 0] = 7.0
    return y


def exported(torch, function, x, opset):
    """A model with an open batch size; ``None`` where PyTorch cannot write it for this opset."""

    class Network(torch.nn.Module):
        def forward(self, x):
            return function(torch, torch.nn.functional, x)

    file = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            torch.onnx.export(
                Network(),
                (x,),
                file,
                opset_version=opset,
                dynamo=False,
                input_names=["x"],
                dynamic_axes={"x": {0: "n"}},
            )
        except torch.onnx.errors.OnnxExporterError:
            return None
    return load(file.getvalue(), device="reference")


@pytest.mark.parametrize("idiom", IDIOMS)
def test_idioms_of_pytorch(torch, idiom):
    function, open_batch = IDIOMS[idiom]
    x = torch.from_numpy(np.random.default_rng(0).normal(size=(2, 4, 6, 8)).astype("float32"))
    models = [model for opset in OPSETS if (model := exported(torch, function, x, opset)) is not None]
    assert models
    for model in models:
        for images in (x, x[:1]):
            expected = function(torch, torch.nn.functional, images).numpy()
            (found,) = model(images.numpy())
            assert found.dtype == expected.dtype
            np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)
    if open_batch:
        assert models[-1].function(x.numpy()) is models[-1].function(x[:1].numpy())
