"""Networks of PyTorch whose modules have the names of torchvision's and timm's, written after their sources.

Narrow ones: every width is a sixteenth or an eighth of the published one. Where a network of `symcnn.models` is that of the
paper and torchvision's is not (AlexNet, GoogLeNet), the paper's is built under torchvision's names.
"""

from torch import cat, nn
from torch.nn import functional as F


def vgg(depths, batch_norm=False, side=1, classes=10):
    """torchvision/models/vgg.py: ``features``, ``avgpool``, ``classifier``."""
    layers, channels = [], 3
    for depth, filters in zip(depths, (4, 8, 16, 32, 32), strict=True):
        for _ in range(depth):
            layers.append(nn.Conv2d(channels, filters, 3, padding=1))
            layers += [nn.BatchNorm2d(filters)] if batch_norm else []
            layers.append(nn.ReLU())
            channels = filters
        layers.append(nn.MaxPool2d(2, 2))
    hidden = 256
    network = nn.Module()
    network.features = nn.Sequential(*layers)
    network.avgpool = nn.AdaptiveAvgPool2d((side, side))
    network.classifier = nn.Sequential(
        nn.Linear(channels * side * side, hidden), nn.ReLU(), nn.Dropout(), nn.Linear(hidden, hidden), nn.ReLU(), nn.Dropout(),
        nn.Linear(hidden, classes),
    )  # fmt: skip
    network.forward = lambda x: network.classifier(network.avgpool(network.features(x)).flatten(1))
    return network.eval()


def timm_vgg(depths, side=1, classes=10):
    """timm/models/vgg.py: ``features``, ``pre_logits`` (two convolutions), ``head.fc``."""
    network, hidden = nn.Module(), 256
    network.features = vgg(depths).features
    network.pre_logits = nn.Module()
    network.pre_logits.fc1 = nn.Conv2d(32, hidden, side)
    network.pre_logits.fc2 = nn.Conv2d(hidden, hidden, 1)
    network.head = nn.Module()
    network.head.fc = nn.Linear(hidden, classes)

    def forward(x):
        seen = F.relu(network.pre_logits.fc2(F.relu(network.pre_logits.fc1(network.features(x)))))
        return network.head.fc(seen.mean((2, 3)))

    network.forward = forward
    return network.eval()


class Block(nn.Module):
    """torchvision/models/resnet.py, timm/models/resnet.py: BasicBlock and Bottleneck."""

    def __init__(self, n_in, inside, outside, stride):
        super().__init__()
        windows = (3, 3) if inside == outside else (1, 3, 1)
        self.count, channels = len(windows), n_in
        for number, window in enumerate(windows, start=1):
            n_out = outside if number == self.count else inside
            has_stride = number == (1 if self.count == 2 else 2)
            conv = nn.Conv2d(channels, n_out, window, stride if has_stride else 1, window // 2, bias=False)
            setattr(self, f"conv{number}", conv)
            setattr(self, f"bn{number}", nn.BatchNorm2d(n_out))
            channels = n_out
        self.downsample = None
        if stride != 1 or n_in != outside:
            self.downsample = nn.Sequential(nn.Conv2d(n_in, outside, 1, stride, bias=False), nn.BatchNorm2d(outside))

    def forward(self, x):
        y = x
        for number in range(1, self.count + 1):
            y = getattr(self, f"bn{number}")(getattr(self, f"conv{number}")(y))
            y = F.relu(y) if number < self.count else y
        return F.relu(y + (x if self.downsample is None else self.downsample(x)))


class ResNet(nn.Module):
    def __init__(self, depths, bottleneck=False, classes=10):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(3, 4, 7, 2, 3, bias=False), nn.BatchNorm2d(4)
        channels = 4
        for stage, depth in enumerate(depths, start=1):
            inside = 4 * 2 ** (stage - 1)
            blocks = []
            for number in range(depth):
                outside = 4 * inside if bottleneck else inside
                blocks.append(Block(channels, inside, outside, 2 if stage > 1 and number == 0 else 1))
                channels = outside
            setattr(self, f"layer{stage}", nn.Sequential(*blocks))
        self.fc = nn.Linear(channels, classes)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.bn1(self.conv1(x))), 3, 2, 1)
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.fc(x.mean((2, 3)))


class ReluNorm(nn.Module):
    def forward(self, x):
        return F.local_response_norm(F.relu(x), 5, alpha=1e-4, beta=0.75, k=2.0)


def alexnet(classes=10, grouped=True):
    """torchvision/models/alexnet.py by its names; the paper's groups and response norms."""
    groups = 2 if grouped else 1
    network = nn.Module()
    network.features = nn.Sequential(
        nn.Conv2d(3, 6, 11, 4, 2), ReluNorm(), nn.MaxPool2d(3, 2), nn.Conv2d(6, 16, 5, padding=2, groups=groups), ReluNorm(),
        nn.MaxPool2d(3, 2), nn.Conv2d(16, 24, 3, padding=1), nn.ReLU(), nn.Conv2d(24, 24, 3, padding=1, groups=groups), nn.ReLU(),
        nn.Conv2d(24, 16, 3, padding=1, groups=groups), nn.ReLU(), nn.MaxPool2d(3, 2),
    )  # fmt: skip
    network.classifier = nn.Sequential(
        nn.Dropout(),
        nn.Linear(16, 256),
        nn.ReLU(),
        nn.Dropout(),
        nn.Linear(256, 256),
        nn.ReLU(),
        nn.Linear(256, classes),
    )
    network.forward = lambda x: network.classifier(network.features(x).flatten(1))
    return network.eval()


class Convolution(nn.Module):
    """BasicConv2d; with a batch norm it is torchvision's, without it the paper's."""

    def __init__(self, n_in, n_out, window, stride=1, batch_norm=False):
        super().__init__()
        self.conv = nn.Conv2d(n_in, n_out, window, stride, window // 2, bias=not batch_norm)
        if batch_norm:
            self.bn = nn.BatchNorm2d(n_out, eps=0.001)

    def forward(self, x):
        return F.relu(self.conv(x))


class Inception(nn.Module):
    def __init__(self, n_in, n1, reduce3, n3, reduce5, n5, pooled, **options):
        super().__init__()
        self.branch1 = Convolution(n_in, n1, 1, **options)
        self.branch2 = nn.Sequential(Convolution(n_in, reduce3, 1, **options), Convolution(reduce3, n3, 3, **options))
        window = 3 if options else 5
        self.branch3 = nn.Sequential(
            Convolution(n_in, reduce5, 1, **options), Convolution(reduce5, n5, window, **options)
        )
        self.branch4 = nn.Sequential(nn.MaxPool2d(3, 1, 1), Convolution(n_in, pooled, 1, **options))
        self.n_out = n1 + n3 + n5 + pooled

    def forward(self, x):
        return cat([self.branch1(x), self.branch2(x), self.branch3(x), self.branch4(x)], 1)


class Head(nn.Module):
    def __init__(self, n_in, seen, classes, **options):
        super().__init__()
        self.conv = Convolution(n_in, 16, 1, **options)
        self.fc1, self.fc2 = nn.Linear(16 * seen, 128), nn.Linear(128, classes)


# Table 1 of the paper.
WIDTHS = {
    "3a": (64, 96, 128, 16, 32, 32), "3b": (128, 128, 192, 32, 96, 64), "4a": (192, 96, 208, 16, 48, 64),
    "4b": (160, 112, 224, 24, 64, 64), "4c": (128, 128, 256, 24, 64, 64), "4d": (112, 144, 288, 32, 64, 64),
    "4e": (256, 160, 320, 32, 128, 128), "5a": (256, 160, 320, 32, 128, 128), "5b": (384, 192, 384, 48, 128, 128),
}  # fmt: skip


class GoogLeNet(nn.Module):
    """torchvision/models/googlenet.py by its names, an eighth as wide."""

    def __init__(self, classes=10, auxiliary=False, **options):
        super().__init__()
        self.conv1 = Convolution(3, 8, 7, 2, **options)
        self.conv2, self.conv3 = Convolution(8, 8, 1, **options), Convolution(8, 24, 3, **options)
        channels = 24
        for name, widths in WIDTHS.items():
            block = Inception(channels, *[n // 8 for n in widths], **options)
            setattr(self, f"inception{name}", block)
            channels = block.n_out
            if auxiliary and name in ("4a", "4d"):
                setattr(self, "aux1" if name == "4a" else "aux2", Head(channels, 1, classes, **options))
        self.fc = nn.Linear(channels, classes)

    def forward(self, x):
        def pool(x):
            return F.max_pool2d(x, 3, 2, ceil_mode=True)

        def norm(x):
            return F.local_response_norm(x, 5, alpha=1e-4, beta=0.75, k=2.0)

        x = norm(pool(self.conv1(x)))
        x = pool(norm(self.conv3(self.conv2(x))))
        for name in WIDTHS:
            x = pool(x) if name in ("4a", "5a") else x
            x = getattr(self, f"inception{name}")(x)
        return self.fc(x.mean((2, 3)))
