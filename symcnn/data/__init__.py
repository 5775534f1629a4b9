"""Images and labels: reading, splitting, normalising, batching. NumPy only, but for image files, which Pillow decodes."""

from symcnn.data import transforms
from symcnn.data.cifar import cifar10, cifar100
from symcnn.data.dataset import Dataset, as_dataset
from symcnn.data.fashion_mnist import FASHION_MNIST_CLASSES, fashion_mnist
from symcnn.data.idx import read_idx, write_idx
from symcnn.data.image_files import ImageFiles
from symcnn.data.image_folder import image_folder
from symcnn.data.layouts import check_layout, layout_hint, swap_red_blue, to_gray, to_nchw, to_nhwc
from symcnn.data.mnist import mnist
from symcnn.data.normalize import Normalize
from symcnn.data.prefetch import prefetch
from symcnn.data.shapes import synthetic_shapes
from symcnn.keywords import meant

__all__ = [
    "FASHION_MNIST_CLASSES",
    "Dataset",
    "ImageFiles",
    "Normalize",
    "as_dataset",
    "check_layout",
    "cifar10",
    "cifar100",
    "fashion_mnist",
    "image_folder",
    "layout_hint",
    "mnist",
    "prefetch",
    "read_idx",
    "swap_red_blue",
    "synthetic_shapes",
    "to_gray",
    "to_nchw",
    "to_nhwc",
    "transforms",
    "write_idx",
]


def __getattr__(name: str):
    raise AttributeError(f"symcnn.data has no {name!r}; {meant(name, __all__)}")
