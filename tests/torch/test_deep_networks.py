"""The deeper networks, small, agree with PyTorch: what they put out in training, loss and the gradient of every parameter."""

import numpy as np
import pytest

import symcnn as sc
from tests.torch.compare import TOLERANCE, relative_error

CLASSES = 5


def zfnet(nn, n=2):
    norm = lambda: nn.LocalResponseNorm(5, 1e-4, 0.75, 2.0)  # noqa: E731
    pool = lambda: nn.MaxPool2d(3, 2, ceil_mode=True)  # noqa: E731
    return nn.Sequential(
        *[nn.Conv2d(3, 3 * n, 7, 2, 1), nn.ReLU(), pool(), norm()],
        *[nn.Conv2d(3 * n, 8 * n, 5, 2), nn.ReLU(), pool(), norm()],
        *[nn.Conv2d(8 * n, 12 * n, 3, padding=1), nn.ReLU(), nn.Conv2d(12 * n, 12 * n, 3, padding=1), nn.ReLU()],
        *[nn.Conv2d(12 * n, 8 * n, 3, padding=1), nn.ReLU(), pool(), nn.Flatten()],
        *[nn.Linear(8 * n, 128 * n), nn.ReLU(), nn.Linear(128 * n, 128 * n), nn.ReLU(), nn.Linear(128 * n, CLASSES)],
    )


def vgg(nn, depths, normalized):
    layers, channels = [], 3
    for depth, filters in zip(depths, (2, 4, 8, 16, 16), strict=True):
        for _ in range(depth):
            layers += [nn.Conv2d(channels, filters, 3, padding=1), *[nn.BatchNorm2d(filters)] * normalized, nn.ReLU()]
            channels = filters
        layers.append(nn.MaxPool2d(2))
    dense = [nn.Flatten(), nn.Linear(2 * 16, 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU(), nn.Linear(128, CLASSES)]
    return nn.Sequential(*layers, *dense)


def nin(nn):
    def block(n_in, first, second, third, window, padding):
        sizes = [(n_in, first, window, 1, padding), (first, second, 1), (second, third, 1)]
        return [layer for size in sizes for layer in (nn.Conv2d(*size), nn.ReLU())]

    return nn.Sequential(
        *[*block(3, 12, 10, 6, 5, 2), nn.MaxPool2d(3, 2, ceil_mode=True)],
        *[*block(6, 12, 12, 12, 5, 2), nn.AvgPool2d(3, 2, ceil_mode=True)],
        *[*block(12, 12, 12, CLASSES, 3, 1)[:-1], nn.AdaptiveAvgPool2d(1), nn.Flatten()],
    )


def resnet(nn, depths, bottleneck):
    class Block(nn.Module):
        def __init__(self, n_in, inside, stride):
            super().__init__()
            n_out = 4 * inside if bottleneck else inside
            windows = [(inside, 1, 1), (inside, 3, stride), (n_out, 1, 1)]
            windows = windows if bottleneck else [(inside, 3, stride), (inside, 3, 1)]
            layers, channels = [], n_in
            for number, (filters, window, step) in enumerate(windows):
                layers += [nn.ReLU()] * (number > 0)
                layers += [nn.Conv2d(channels, filters, window, step, window // 2, bias=False), nn.BatchNorm2d(filters)]
                channels = filters
            self.body, self.around = nn.Sequential(*layers), nn.Identity()
            if stride > 1 or n_in != n_out:
                self.around = nn.Sequential(nn.Conv2d(n_in, n_out, 1, stride, bias=False), nn.BatchNorm2d(n_out))

        def forward(self, x):
            return nn.functional.relu(self.body(x) + self.around(x))

    layers = [nn.Conv2d(3, 4, 7, 2, 3, bias=False), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(3, 2, 1)]
    channels = 4
    for stage, depth in enumerate(depths):
        for number in range(depth):
            layers.append(Block(channels, 4 * 2**stage, 2 if stage and not number else 1))
            channels = 4 * 2**stage * (4 if bottleneck else 1)
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, CLASSES))


def fcn8s(nn):
    """With the paper's way to the right size: enlarge by whole windows, then crop."""

    class FCN(nn.Module):
        def __init__(self):
            super().__init__()
            body = list(vgg(nn, (2, 2, 3, 3, 3), False))[:31]
            for pool in (4, 9, 16, 23, 30):
                body[pool].ceil_mode = True
            self.body = nn.ModuleList(
                [*body, nn.Conv2d(16, 128, 7, padding=3), nn.ReLU(), nn.Conv2d(128, 128, 1), nn.ReLU()]
            )
            self.score, self.up2 = nn.Conv2d(128, CLASSES, 1), self.enlarge(4, 2)
            self.score4, self.up4 = nn.Conv2d(16, CLASSES, 1), self.enlarge(4, 2)
            self.score3, self.up8 = nn.Conv2d(8, CLASSES, 1), self.enlarge(16, 8)
            # As ours lie: an enlargement before the scores that it is added to.
            self.order = [self.score, self.up2, self.score4, self.up4, self.score3, self.up8]

        def enlarge(self, window, stride):
            return nn.ConvTranspose2d(CLASSES, CLASSES, window, stride, stride // 2, groups=CLASSES, bias=False)

        def parameters(self):
            return [p for part in (self.body, *self.order) for p in part.parameters()]

        def forward(self, x):
            seen, size = [], x.shape[2:]
            for layer in self.body:
                x = layer(x)
                seen.append(x)
            x = crop(self.up2(self.score(x)), seen[23]) + self.score4(seen[23])
            x = crop(self.up4(x), seen[16]) + self.score3(seen[16])
            return self.up8(x)[:, :, : size[0], : size[1]]

    def crop(x, like):
        return x[:, :, : like.shape[2], : like.shape[3]]

    return FCN()


# Our network and PyTorch's. Images are as small as each takes them, and not square.
NETWORKS = {
    "zfnet": (lambda **o: sc.models.zfnet((3, 63, 70), width=1 / 16, **o), lambda nn: zfnet(nn)),
    "vgg16": (lambda **o: sc.models.vgg16((3, 32, 64), width=1 / 32, **o), lambda nn: vgg(nn, (2, 2, 3, 3, 3), False)),
    "vgg19_bn": (
        lambda **o: sc.models.vgg19((3, 32, 64), width=1 / 32, batch_norm=True, **o),
        lambda nn: vgg(nn, (2, 2, 4, 4, 4), True),
    ),
    "nin": (lambda **o: sc.models.nin((3, 11, 14), width=1 / 16, **o), nin),
    "resnet18": (lambda **o: sc.models.resnet18((3, 40, 36), width=1 / 16, **o), lambda nn: resnet(nn, (2, 2, 2, 2), False)),
    "resnet50": (lambda **o: sc.models.resnet50((3, 40, 36), width=1 / 16, **o), lambda nn: resnet(nn, (3, 4, 6, 3), True)),
    "fcn8s": (lambda **o: sc.models.fcn8s((3, 45, 70), width=1 / 32, learn_upsampling=True, **o), fcn8s),
}  # fmt: skip


@pytest.mark.parametrize("name", NETWORKS)
def test_network(torch, name):
    make, theirs = NETWORKS[name]
    options = {} if name.startswith("resnet") else {"dropout": 0.0}
    ours = make(classes=CLASSES, dtype="float64", **options)
    theirs = theirs(torch.nn).to(torch.float64)
    rng, parameters, others = np.random.default_rng(0), ours.parameters(), list(theirs.parameters())
    assert len(parameters) == len(others)
    for p, other in zip(parameters, others, strict=True):
        value = p.get_value() + rng.normal(size=p.shape) * 0.1
        p.set_value(value)
        other.data = torch.tensor(value.T if p.ndim == 2 else value)
    X = rng.normal(size=(3, *ours.in_shape))
    labels = rng.integers(0, CLASSES, (3, *X.shape[2:]) if name == "fcn8s" else 3)

    output = theirs(torch.tensor(X))
    loss = torch.nn.functional.cross_entropy(output, torch.tensor(labels))
    loss.backward()
    expected = [p.grad.numpy().T if p.ndim == 2 else p.grad.numpy() for p in others]

    x, t = sc.input("x", (None, *ours.in_shape), "float64"), sc.input("t", (None,) * labels.ndim, "int64")
    y = ours(x, training=True)
    cost = sc.losses.cross_entropy(y, t)
    run = sc.function([x, t], [y, cost, *sc.grad(cost, list(parameters))], device="reference")
    names = ["output", "loss", *parameters.keys()]
    size = max(np.abs(g).max() for g in expected)
    assert np.abs(expected[0]).max() > 1e-3 * size, "the gradient reaches the first layer"
    for what, a, b in zip(names, run(X, labels), [output.detach().numpy(), loss.item(), *expected], strict=True):
        # A gradient that is zero but for rounding, as of a bias that batch norm subtracts again, has no relative error.
        assert relative_error(a, b) < TOLERANCE["float64"] or np.abs(a - b).max() < 1e-13 * size, what
