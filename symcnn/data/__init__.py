"""Images and labels: reading, splitting, normalising, batching. NumPy only."""

from symcnn.data.dataset import Dataset, as_dataset
from symcnn.data.fashion_mnist import FASHION_MNIST_CLASSES, fashion_mnist
from symcnn.data.idx import read_idx, write_idx
from symcnn.data.normalize import Normalize
from symcnn.data.prefetch import prefetch

__all__ = [
    "FASHION_MNIST_CLASSES",
    "Dataset",
    "Normalize",
    "as_dataset",
    "fashion_mnist",
    "prefetch",
    "read_idx",
    "write_idx",
]
