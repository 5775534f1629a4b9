"""MNIST, 28 x 28 grey images of handwritten digits (LeCun, Cortes and Burges 1998), and the four files that it set as a
custom: images and labels of a training and a test split, each an IDX file."""

from __future__ import annotations

from pathlib import Path

from symcnn.data.dataset import Dataset
from symcnn.data.idx import read_idx
from symcnn.errors import FileError
from symcnn.keywords import checked_keywords
from symcnn.paths import as_path

MNIST_CLASSES = ("0", "1", "2", "3", "4", "5", "6", "7", "8", "9")


@checked_keywords
def mnist(folder) -> tuple[Dataset, Dataset]:
    """Load MNIST as (train, test).

    Parameters
    ----------
    folder : str or pathlib.Path
        Where the four IDX files lie, plain or ``.gz``, named ``train-images-idx3-ubyte`` as they were published or
        ``train-images.idx3-ubyte`` as some programs unpack them.

    Returns
    -------
    train, test : Dataset
        images uint8 (n, 1, 28, 28), labels int64 (n,).

    Raises
    ------
    FileError
        If a file is missing, damaged or of another data set.

    Notes
    -----
    LeCun, Bottou, Bengio and Haffner, *Gradient-based learning applied to document recognition*, Proceedings of the
    IEEE 86(11), 1998.

    Examples
    --------
    >>> import numpy as np, tempfile
    >>> from symcnn.data import write_idx
    >>> folder = Path(tempfile.mkdtemp())
    >>> for split in ("train", "t10k"):
    ...     write_idx(folder / f"{split}-images-idx3-ubyte.gz", np.zeros((3, 28, 28), "uint8"))
    ...     write_idx(folder / f"{split}-labels-idx1-ubyte.gz", np.array([7, 2, 1], "uint8"))
    >>> train, test = mnist(folder)
    >>> train, test.labels
    (Dataset(3 x uint8[1, 28, 28], labels int64), array([7, 2, 1]))
    """
    hint = "name the folder of train-images-idx3-ubyte.gz, train-labels-idx1-ubyte.gz and the two files t10k-..."
    return read_splits(folder, "MNIST", MNIST_CLASSES, hint)


def read_splits(folder, name: str, classes: tuple[str, ...], hint: str) -> tuple[Dataset, Dataset]:
    """(train, test) of a data set called `name` in the four files of MNIST; `hint` says where to get them."""
    folder = as_path(folder)
    if not folder.is_dir():
        raise FileError(f"{name}: {folder} is not a folder", hint=hint)
    return _read_split(folder, "train", name, classes, hint), _read_split(folder, "t10k", name, classes, hint)


def _read_split(folder, prefix, name, classes, hint) -> Dataset:
    images = read_idx(_find(folder, f"{prefix}-images", "idx3-ubyte", name, hint))
    labels = read_idx(_find(folder, f"{prefix}-labels", "idx1-ubyte", name, hint))
    if images.dtype != "uint8" or images.shape[1:] != (28, 28) or labels.dtype != "uint8" or labels.ndim != 1:
        raise FileError(
            f"{folder} does not hold {name}",
            expected="images uint8 (n, 28, 28) and labels uint8 (n,)",
            found=f"images {images.dtype} {images.shape} and labels {labels.dtype} {labels.shape}",
        )
    if len(images) != len(labels):
        raise FileError(
            f"{folder}: the files of {prefix} do not belong together",
            expected=f"{len(images):,} labels, one per image",
            found=f"{len(labels):,} labels",
        )
    if labels.max(initial=0) >= len(classes):
        raise FileError(
            f"{folder} does not hold {name}", expected=f"labels 0 to {len(classes) - 1}", found=f"label {labels.max()}"
        )
    return Dataset(images[:, None], labels.astype("int64"), classes)


def _find(folder, stem, kind, name, hint) -> Path:
    for path in (folder / f"{stem}{separator}{kind}{ending}" for separator in "-." for ending in (".gz", "")):
        if path.exists():
            return path
    raise FileError(f"{name}: {folder} holds no {stem}-{kind}", hint=hint)
