"""Random transforms of training images, ``transform(images, labels, rng) -> (images, labels)``. NumPy only."""

from symcnn.data.transforms.place import RandomCrop, RandomFlip, RandomShift

__all__ = ["RandomCrop", "RandomFlip", "RandomShift"]
