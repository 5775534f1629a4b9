"""Networks of the lecture, one family per file: plain functions that return a `symcnn.nn.Module`.

All take `classes`, `seed`, `dtype`, `init` (of all weights; ``"zeros"`` is the quickest, before weights are loaded) and
`width`, a factor of all hidden widths: ``vgg16(width=1 / 16)`` is a VGG-16 that trains in seconds.
"""

from difflib import get_close_matches

from symcnn.models.alexnet import alexnet
from symcnn.models.cs231n import cs231n_convnet
from symcnn.models.fcn import fcn8s, fcn16s, fcn32s, fcn_alexnet
from symcnn.models.googlenet import googlenet
from symcnn.models.lenet import lenet
from symcnn.models.mlp import mlp
from symcnn.models.nin import nin, nin_imagenet
from symcnn.models.resnet import resnet18, resnet34, resnet50
from symcnn.models.vgg import vgg16, vgg19
from symcnn.models.zfnet import zfnet

__all__ = [
    "alexnet",
    "cs231n_convnet",
    "fcn8s",
    "fcn16s",
    "fcn32s",
    "fcn_alexnet",
    "googlenet",
    "lenet",
    "mlp",
    "nin",
    "nin_imagenet",
    "resnet18",
    "resnet34",
    "resnet50",
    "vgg16",
    "vgg19",
    "zfnet",
]

# Families that have the name of no network: without this, `sc.models.resnet()` would call a module.
for _family in ("cs231n", "fcn", "resnet", "vgg"):
    globals().pop(_family, None)


def __getattr__(name: str):
    """An unknown network: those that are called alike, or all."""
    if not name.startswith("_"):
        lower = name.lower()
        alike = [known for known in __all__ if lower in known] or get_close_matches(lower, __all__, n=3)
        raise AttributeError(
            f"symcnn.models has no network {name!r}; "
            + (f"did you mean {' or '.join(map(repr, alike))}?" if alike else f"known: {', '.join(__all__)}")
        )
    raise AttributeError(f"module 'symcnn.models' has no attribute {name!r}")
