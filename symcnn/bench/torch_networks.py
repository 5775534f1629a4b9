"""The benchmark networks in PyTorch, layer by layer as in `symcnn.models`: what tests and benchmarks compare with."""

from __future__ import annotations


def torch_network(name: str, classes: int = 10, features: int | None = None):
    """The network called `name` as a ``torch.nn.Sequential``; its parameters come in the order of ours.

    Parameters
    ----------
    name : {"mlp", "lenet", "cs231n", "alexnet", "googlenet"}
    classes : int
    features : int, optional
        Inputs of the first dense layer, where images differ from the usual size.
    """
    from torch import cat, nn
    from torch.nn import functional

    class Inception(nn.Module):
        def __init__(self, channels, n1, reduce3, n3, reduce5, n5, pooled):
            super().__init__()
            self.one = nn.Conv2d(channels, n1, 1)
            self.reduce3, self.three = nn.Conv2d(channels, reduce3, 1), nn.Conv2d(reduce3, n3, 3, padding=1)
            self.reduce5, self.five = nn.Conv2d(channels, reduce5, 1), nn.Conv2d(reduce5, n5, 5, padding=2)
            self.pooled = nn.Conv2d(channels, pooled, 1)

        def forward(self, x):
            relu = functional.relu
            return cat(
                [
                    relu(self.one(x)),
                    relu(self.three(relu(self.reduce3(x)))),
                    relu(self.five(relu(self.reduce5(x)))),
                    relu(self.pooled(functional.max_pool2d(x, 3, 1, 1))),
                ],
                1,
            )

    def conv(*sizes, **geometry):
        return [nn.Conv2d(*sizes, **geometry), nn.ReLU()]

    def norm():
        return nn.LocalResponseNorm(5, 1e-4, 0.75, 2.0)

    def pool():
        return nn.MaxPool2d(3, 2, ceil_mode=True)

    if name == "mlp":
        layers = [nn.Linear(features or 784, 512), nn.ReLU(), nn.Linear(512, 512), nn.ReLU(), nn.Linear(512, classes)]
    elif name == "lenet":
        layers = [
            *[nn.Conv2d(1, 20, 5), nn.MaxPool2d(2), nn.ReLU(), nn.Conv2d(20, 50, 5), nn.MaxPool2d(2), nn.ReLU()],
            *[nn.Flatten(), nn.Linear(features or 800, 500), nn.ReLU(), nn.Linear(500, classes)],
        ]
    elif name == "cs231n":
        layers = []
        for n_in, n_out in ((3, 32), (32, 64), (64, 128)):
            layers += [*conv(n_in, n_out, 3, padding=1), *conv(n_out, n_out, 3, padding=1), nn.MaxPool2d(2)]
        layers += [nn.Flatten(), nn.Linear(features or 2048, classes)]
    elif name == "alexnet":
        layers = [
            *[*conv(3, 96, 11, stride=4, padding=2), norm(), nn.MaxPool2d(3, 2)],
            *[*conv(96, 256, 5, padding=2, groups=2), norm(), nn.MaxPool2d(3, 2)],
            *conv(256, 384, 3, padding=1),
            *conv(384, 384, 3, padding=1, groups=2),
            *[*conv(384, 256, 3, padding=1, groups=2), nn.MaxPool2d(3, 2)],
            *[nn.Flatten(), nn.Dropout(), nn.Linear(features or 9216, 4096), nn.ReLU()],
            *[nn.Dropout(), nn.Linear(4096, 4096), nn.ReLU()],
            nn.Linear(4096, classes),
        ]
    elif name == "googlenet":
        layers = [
            *[*conv(3, 64, 7, stride=2, padding=3), pool(), norm()],
            *[*conv(64, 64, 1), *conv(64, 192, 3, padding=1), norm(), pool()],
            *[Inception(192, 64, 96, 128, 16, 32, 32), Inception(256, 128, 128, 192, 32, 96, 64), pool()],
            Inception(480, 192, 96, 208, 16, 48, 64),
            Inception(512, 160, 112, 224, 24, 64, 64),
            Inception(512, 128, 128, 256, 24, 64, 64),
            Inception(512, 112, 144, 288, 32, 64, 64),
            *[Inception(528, 256, 160, 320, 32, 128, 128), pool()],
            *[Inception(832, 256, 160, 320, 32, 128, 128), Inception(832, 384, 192, 384, 48, 128, 128)],
            *[nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(0.4), nn.Linear(1024, classes)],
        ]
    else:
        raise ValueError(name)
    return nn.Sequential(*layers)
