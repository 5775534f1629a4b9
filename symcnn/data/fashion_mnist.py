"""Fashion-MNIST: 28 x 28 grey images of ten kinds of clothing (Xiao, Rasul and Vollgraf 2017, arXiv:1708.07747)."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from symcnn.data.dataset import Dataset
from symcnn.data.idx import write_idx
from symcnn.data.mnist import read_splits
from symcnn.errors import InputError
from symcnn.keywords import checked_keywords

FASHION_MNIST_CLASSES = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)

BUNDLED = Path(__file__).with_name("fashion_mnist_subset")
DEBIAN = Path("/usr/share/datasets/fashion-mnist")


@checked_keywords
def fashion_mnist(full: bool = False, folder=None) -> tuple[Dataset, Dataset]:
    """Load Fashion-MNIST as (train, test).

    Parameters
    ----------
    full : bool
        ``False``: the bundled subset, 600 training and 100 test images per class.
        ``True``: all 60,000 and 10,000 images, from `folder`.
    folder : str or pathlib.Path, optional
        Where the four IDX files lie, plain or ``.gz``; implies ``full``. By default where Debian's package
        ``dataset-fashion-mnist`` puts them.

    Returns
    -------
    train, test : Dataset
        images uint8 (n, 1, 28, 28), labels int64 (n,).

    Raises
    ------
    FileError
        If a file is missing, damaged or of another data set.

    Examples
    --------
    >>> train, test = fashion_mnist()
    >>> train, test.class_counts()
    (Dataset(6000 x uint8[1, 28, 28], labels int64), array([100, 100, 100, 100, 100, 100, 100, 100, 100, 100]))
    """
    if not isinstance(full, bool):
        raise InputError("fashion_mnist: full is True or False", found=repr(full), hint="fashion_mnist(folder=...)")
    if folder is None:
        folder = DEBIAN if full else BUNDLED
    hint = (
        "install Debian's package dataset-fashion-mnist, or name the folder of the files from "
        "github.com/zalandoresearch/fashion-mnist"
    )
    return read_splits(folder, "Fashion-MNIST", FASHION_MNIST_CLASSES, hint)


def write_subset(source, target, per_class: tuple[int, int] = (600, 100)) -> None:
    """Write the first `per_class` (training, test) images of every class, in the order of `source`.

    This is how the bundled subset was made, from Debian's folder.
    """
    for data, prefix, count in zip(fashion_mnist(folder=source), ("train", "t10k"), per_class, strict=True):
        rows = np.sort(np.concatenate([np.flatnonzero(data.labels == c)[:count] for c in range(len(data.classes))]))
        write_idx(Path(target) / f"{prefix}-images-idx3-ubyte.gz", data.images[rows, 0])
        write_idx(Path(target) / f"{prefix}-labels-idx1-ubyte.gz", data.labels[rows].astype("uint8"))
