"""Tuned kernels against float64 on random numbers; loss and gradients of whole networks against NumPy's."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

import symcnn as sc
from benchmarks.gpu_own import batch_of, model
from benchmarks.gpu_report import Deadline
from benchmarks.gpu_tasks import TINY
from symcnn.bench import own
from symcnn.config import config

# Of the largest magnitude in the result: operands of tf32 have 10 bits of mantissa.
TOLERANCE = {False: 2e-5, True: 3e-3}
AGREEMENT = 1e-4  # of gradients, in float32
IMAGES = 2  # in a batch


@dataclass(frozen=True)
class Convolution:
    """A convolution and its two gradients, images in NHWC."""

    channels: int
    size: tuple[int, int]
    filters: int
    window: tuple[int, int]
    stride: int = 1
    padding: int = 0
    dilation: int = 1
    groups: int = 1
    batch: int = IMAGES

    def arrays(self, rng) -> list[np.ndarray]:
        x = rng.normal(size=(self.batch, *self.size, self.channels))
        w = rng.normal(size=(self.filters, self.channels // self.groups, *self.window))
        out = [
            (n + 2 * self.padding - self.dilation * (k - 1) - 1) // self.stride + 1
            for n, k in zip(self.size, self.window, strict=True)
        ]
        return [a.astype("float32") for a in (x, w, rng.normal(size=(self.batch, *out, self.filters)))]

    def expressions(self, x, w, g) -> list:
        y = sc.conv2d(x, w, self.stride, self.padding, dilation=self.dilation, groups=self.groups, layout="NHWC")
        return [y, *sc.vjp(y, [x, w], g)]

    def in_torch(self, torch, x, w, g) -> list:
        image, of = x.movedim(-1, 1), (None, [self.stride] * 2, [self.padding] * 2, [self.dilation] * 2)
        y = torch.conv2d(image, w, *of, self.groups)
        _, stride, padding, dilation = of
        gradients = torch.ops.aten.convolution_backward(
            g.movedim(-1, 1), image, w, None, stride, padding, dilation, False, [0, 0], self.groups, [True, True, False]
        )
        return [y.movedim(1, -1), gradients[0].movedim(1, -1), gradients[1]]


@dataclass(frozen=True)
class Product:
    """A product of matrices, or of stacks of them, and its two gradients."""

    rows: int
    depth: int
    columns: int
    stack: tuple[int, ...] = ()

    def arrays(self, rng) -> list[np.ndarray]:
        shapes = ((self.rows, self.depth), (self.depth, self.columns), (self.rows, self.columns))
        return [rng.normal(size=(*self.stack, *shape)).astype("float32") for shape in shapes]

    def expressions(self, a, b, g) -> list:
        y = a @ b
        return [y, *sc.vjp(y, [a, b], g)]

    def in_torch(self, torch, a, b, g) -> list:
        return [a @ b, g @ b.mT, a.mT @ g]


ODD = (
    Convolution(3, (11, 13), 5, (3, 2), padding=1),
    Convolution(8, (17, 9), 16, (3, 3), stride=2, padding=1),
    Convolution(16, (12, 12), 24, (5, 5), padding=2, groups=2),
    Convolution(8, (15, 15), 8, (3, 3), padding=1, groups=8),
    Convolution(6, (19, 18), 10, (3, 3), padding=2, dilation=2),
    Convolution(5, (14, 14), 9, (1, 1), stride=3),
    Convolution(33, (7, 7), 65, (1, 1)),
    Product(17, 33, 65),
    Product(1, 300, 7),
    Product(130, 1, 129),
    Product(40, 50, 60, (3,)),
    Product(9, 16, 5, (2, 3)),
)
DENSE = (Product(128, 784, 512), Product(128, 800, 500), Product(64, 2048, 10), Product(16, 9216, 1024))


def cases(simulate: bool) -> list:
    """Odd sizes first, then what the networks have."""
    if simulate:
        return [Convolution(2, (5, 5), 3, (3, 3), stride=2, padding=1, batch=1), Product(3, 5, 4)]
    layers = dict.fromkeys(c for name in ("lenet", "cs231n", "alexnet", "googlenet") for c in own.convolutions(name))
    networks = dict.fromkeys(
        Convolution(c.in_channels, (c.height, c.width), c.out_channels, c.window, c.stride, c.padding, 1, c.groups)
        for c in layers
    )
    return [*ODD, *DENSE, *networks]


def check(section: dict, deadline: Deadline, simulate: bool = False) -> None:
    """Every case with and without tf32, until the deadline; then gradients."""
    rows = section["rows"] = []
    todo = cases(simulate)
    section.update(cases=len(todo) * 2, wrong=0, oracle=_oracle_name())
    rng = np.random.default_rng()  # fresh numbers in every run
    before = config.tf32
    try:
        for case in todo:
            for tf32 in (True, False):
                if deadline.left < 8 and rows and not simulate:
                    break
                config.tf32 = tf32
                rows += _checked(case, rng, tf32)
        config.tf32 = False
        section["gradients"] = _gradients(simulate)
    finally:
        config.tf32 = before
        section["wrong"] = sum(not row["right"] for row in (*rows, *section.get("gradients", ())))
        done = len({(row["case"], row["tf32"]) for row in rows})
        print(f"{done} of {section['cases']} cases, {section['wrong']} wrong")
    for row in rows:
        if not row["right"]:
            print(f"wrong: {row}")


def _checked(case, rng, tf32: bool) -> list[dict]:
    """A row for the value and for each gradient."""
    arrays = case.arrays(rng)
    inputs = [sc.input(name, a.shape) for name, a in zip("xwg", arrays, strict=True)]
    label = {"case": str(case), "tf32": tf32}
    try:
        function = sc.function(inputs, case.expressions(*inputs), device="cuda")
        found = function(*arrays)
        algorithms = [k.algorithm for k in function.kernels]
    except Exception as error:  # one kernel that does not compile is one finding
        return [{**label, "what": "all", "error": f"{type(error).__name__}: {error}"[:400], "right": False}]
    rows = []
    for what, a, e in zip(("value", "first gradient", "second gradient"), found, _oracle(case, arrays), strict=True):
        difference = float(np.abs(a - e).max() / np.abs(e).max())
        right = bool(difference <= TOLERANCE[tf32])  # a NaN is not
        rows.append({**label, "what": what, "difference": difference, "right": right})
    return [{**row, "algorithms": algorithms} for row in rows]


def _oracle_name() -> str:
    try:
        import torch
    except ImportError:
        return "NumPy, float64"
    return f"PyTorch, float64, {'cuda' if torch.cuda.is_available() else 'cpu'}"


def _oracle(case, arrays) -> list[np.ndarray]:
    wide = [a.astype("float64") for a in arrays]
    try:
        import torch
    except ImportError:
        inputs = [sc.input(name, a.shape, "float64") for name, a in zip("xwg", wide, strict=True)]
        return sc.function(inputs, case.expressions(*inputs), device="reference")(*wide)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    return [t.cpu().numpy() for t in case.in_torch(torch, *(torch.from_numpy(a).to(device) for a in wide))]


def _gradients(simulate: bool) -> list[dict]:
    """How far loss and gradients of whole networks are from NumPy's, each relative to its largest element."""
    rows = []
    for name, batch in ((TINY, 2),) if simulate else (("lenet", 16), ("cs231n", 2)):
        X, classes = batch_of(name, batch)
        x, labels = sc.input("x", X.shape), sc.input("labels", classes.shape, "int64")
        net = model(name)
        loss = sc.losses.cross_entropy(net(x, training=True), labels)
        outputs = [loss, *sc.grad(loss, list(net.parameters()))]
        ours, theirs = (sc.function([x, labels], outputs, device=d)(X, classes) for d in ("cuda", "reference"))
        differences = [float(np.abs(a - b).max() / np.abs(b).max()) for a, b in zip(ours, theirs, strict=True)]
        right = all(d <= AGREEMENT for d in differences)  # a NaN is not
        rows.append({"network": name, "batch": batch, "differences": differences, "right": right})
    return rows
