"""Random transforms of training images, ``transform(images, labels, rng) -> (images, labels)``. NumPy only."""

from symcnn.data.transforms.colour import ColorJitter
from symcnn.data.transforms.damage import Cutout, GaussianNoise
from symcnn.data.transforms.place import RandomCrop, RandomFlip, RandomShift
from symcnn.data.transforms.warp import RandomRotation, RandomZoom
from symcnn.keywords import meant

__all__ = [
    "ColorJitter",
    "Cutout",
    "GaussianNoise",
    "RandomCrop",
    "RandomFlip",
    "RandomRotation",
    "RandomShift",
    "RandomZoom",
]


def __getattr__(name: str):
    raise AttributeError(f"symcnn.data.transforms has no {name!r}; {meant(name, __all__)}")
