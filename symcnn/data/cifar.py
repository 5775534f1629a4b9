"""CIFAR-10 and CIFAR-100: 32 x 32 colour images (Krizhevsky 2009), in either of the two formats they are published in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from symcnn.data import inert_pickle
from symcnn.data.bundle import read_bundle
from symcnn.data.dataset import Dataset
from symcnn.errors import FileError, InputError
from symcnn.keywords import checked_keywords, nearest


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


CIFAR10_CLASSES = _words("airplane automobile bird cat deer dog frog horse ship truck")

CIFAR100_CLASSES = _words("""
    apple aquarium_fish baby bear beaver bed bee beetle bicycle bottle bowl boy bridge bus butterfly camel can castle
    caterpillar cattle chair chimpanzee clock cloud cockroach couch crab crocodile cup dinosaur dolphin elephant flatfish
    forest fox girl hamster house kangaroo keyboard lamp lawn_mower leopard lion lizard lobster man maple_tree motorcycle
    mountain mouse mushroom oak_tree orange orchid otter palm_tree pear pickup_truck pine_tree plain plate poppy porcupine
    possum rabbit raccoon ray road rocket rose sea seal shark shrew skunk skyscraper snail snake spider squirrel streetcar
    sunflower sweet_pepper table tank telephone television tiger tractor train trout tulip turtle wardrobe whale
    willow_tree wolf woman worm
""")

CIFAR100_COARSE_CLASSES = _words("""
    aquatic_mammals fish flowers food_containers fruit_and_vegetables household_electrical_devices household_furniture
    insects large_carnivores large_man-made_outdoor_things large_natural_outdoor_scenes large_omnivores_and_herbivores
    medium_mammals non-insect_invertebrates people reptiles small_mammals trees vehicles_1 vehicles_2
""")

PIXELS = 3 * 32 * 32  # the red plane, the green and the blue, each row by row


@checked_keywords
def cifar10(folder) -> tuple[Dataset, Dataset]:
    """Load CIFAR-10 as (train, test): 50,000 and 10,000 images of ten classes.

    Parameters
    ----------
    folder : str or pathlib.Path
        The folder of ``data_batch_1.bin`` ... ``test_batch.bin`` (the binary version) or of ``data_batch_1`` ...
        ``test_batch`` (the Python version), a folder that holds that folder, or the published archive itself,
        ``cifar-10-binary.tar.gz`` or ``cifar-10-python.tar.gz``.

    Returns
    -------
    train, test : Dataset
        images uint8 (n, 3, 32, 32), in the order red, green, blue; labels int64 (n,).

    Raises
    ------
    FileError
        If a file is missing, damaged or not CIFAR-10. The Python version consists of pickles, which are programs;
        they are read without running anything (`symcnn.data.inert_pickle`), and refused if they hold more than data.

    Notes
    -----
    Krizhevsky, *Learning multiple layers of features from tiny images*, 2009; www.cs.toronto.edu/~kriz/cifar.html
    describes both formats.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> folder = Path(tempfile.mkdtemp())
    >>> for name in ("data_batch_1", "data_batch_2", "data_batch_3", "data_batch_4", "data_batch_5", "test_batch"):
    ...     _ = Path(folder, f"{name}.bin").write_bytes(bytes([6]) + bytes(3 * 32 * 32))
    >>> train, test = cifar10(folder)
    >>> train, test.classes[test.labels[0]]
    (Dataset(5 x uint8[3, 32, 32], labels int64), 'frog')
    """
    batches = tuple(f"data_batch_{i}" for i in range(1, 6))
    meta = {"batches.meta.txt": None, "batches.meta": "label_names"}
    return _load(folder, _Format("CIFAR-10", batches, ("test_batch",), ("labels",), 0, meta, CIFAR10_CLASSES))


@checked_keywords
def cifar100(folder, labels: str = "fine") -> tuple[Dataset, Dataset]:
    """Load CIFAR-100 as (train, test): 50,000 and 10,000 images of 100 classes, which form 20 coarse ones.

    Parameters
    ----------
    folder : str or pathlib.Path
        The folder of ``train.bin`` and ``test.bin`` (the binary version) or of ``train`` and ``test`` (the Python
        version), a folder that holds that folder, or the published archive itself.
    labels : {"fine", "coarse"}
        The 100 classes or the 20.

    Returns
    -------
    train, test : Dataset
        As `cifar10` returns them.

    Raises
    ------
    FileError
        As `cifar10` does.
    InputError
        If `labels` is neither.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> folder = Path(tempfile.mkdtemp())
    >>> for name in ("train", "test"):  # a coarse label, a fine one, the pixels
    ...     _ = Path(folder, f"{name}.bin").write_bytes(bytes([1, 73]) + bytes(3 * 32 * 32))
    >>> [test.classes[test.labels[0]] for test in (cifar100(folder)[1], cifar100(folder, labels="coarse")[1])]
    ['shark', 'fish']
    """
    kinds = {"coarse": CIFAR100_COARSE_CLASSES, "fine": CIFAR100_CLASSES}
    if labels not in kinds:
        raise InputError("cifar100: unknown kind of labels", found=repr(labels), hint=nearest(str(labels), kinds))
    meta = {f"{labels}_label_names.txt": None, "meta": f"{labels}_label_names"}
    columns, column = tuple(f"{kind}_labels" for kind in kinds), tuple(kinds).index(labels)
    return _load(folder, _Format("CIFAR-100", ("train",), ("test",), columns, column, meta, kinds[labels]))


@dataclass(frozen=True)
class _Format:
    """Where a data set keeps what."""

    name: str
    train: tuple[str, ...]  # files; the binary version appends .bin
    test: tuple[str, ...]
    columns: tuple[str, ...]  # the label bytes of a binary record, by their key in the Python version
    column: int  # the one that is asked for
    meta: Mapping[str, str | None]  # files of class names, and their key in the Python version
    classes: tuple[str, ...]


def _load(folder, form: _Format) -> tuple[Dataset, Dataset]:
    files = (*form.train, *form.test)
    bundle = read_bundle(folder, form.name, [[f"{name}.bin" for name in files], files], optional=form.meta)
    binary = f"{files[0]}.bin" in bundle
    classes = _class_names(bundle, form)

    def split(names) -> Dataset:
        read = _read_binary if binary else _read_python
        parts = [read(*bundle[f"{name}.bin" if binary else name], form) for name in names]
        _check_equal_sizes(names, parts, folder)
        images, labels = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
        return Dataset(images.reshape(-1, 3, 32, 32), labels.astype("int64"), classes)

    return split(form.train), split(form.test)


def _read_binary(path, content: bytes, form: _Format):
    """Records of the label bytes and the pixels, one after the other."""
    record = len(form.columns) + PIXELS
    if not content or len(content) % record:
        raise FileError(
            f"{path} is not a file of {form.name}, or is incomplete",
            expected=f"records of {record:,} bytes",
            found=f"{len(content):,} bytes",
        )
    records = np.frombuffer(content, "uint8").reshape(-1, record)
    labels = records[:, form.column]
    _check_labels(path, labels, form)
    return records[:, len(form.columns) :], labels


def _read_python(path, content: bytes, form: _Format):
    """A pickled dict: ``data`` (n, 3072), and one list of labels for each kind."""
    found = inert_pickle.load(content, path)
    key = form.columns[form.column]
    images, labels = (found.get("data"), found.get(key)) if isinstance(found, dict) else (None, None)
    if (
        not isinstance(images, np.ndarray)
        or images.shape[1:] != (PIXELS,)
        or not isinstance(labels, list)
        or not all(type(label) is int for label in labels)
        or not 0 < len(images) == len(labels)
    ):
        raise FileError(
            f"{path} is not a file of {form.name}",
            expected=f"data, uint8 (n, {PIXELS}), and {key}, a list of n integers",
        )
    if min(labels) < 0 or max(labels) > 255:
        raise FileError(f"{path}: a label is no class of {form.name}", expected=f"0 to {len(form.classes) - 1}")
    labels = np.array(labels, "uint8")
    _check_labels(path, labels, form)
    return images, labels


def _check_labels(path, labels, form):
    if labels.max() >= len(form.classes):
        raise FileError(
            f"{path}: a label is no class of {form.name}",
            expected=f"0 to {len(form.classes) - 1}",
            found=f"{labels.max()} in record {labels.argmax()}",
        )


def _check_equal_sizes(names, parts, folder):
    """A file that was cut between two records is noticed because the others are longer."""
    counts = [len(labels) for _, labels in parts]
    if len(set(counts)) > 1:
        raise FileError(
            f"{folder}: the training files are not equally long",
            expected="10,000 images in each, as published",
            found=", ".join(f"{name}: {count:,}" for name, count in zip(names, counts, strict=True)),
            hint="a file is incomplete; fetch it again",
        )


def _class_names(bundle, form) -> tuple[str, ...]:
    """The names that lie beside the images, or the ones that were published."""
    for file, key in form.meta.items():
        if file not in bundle:
            continue
        path, content = bundle[file]
        if key is None:
            names = content.decode("utf-8", "replace").split()
        else:
            found = inert_pickle.load(content, path)
            names = found.get(key) if isinstance(found, dict) else None
        if not isinstance(names, list) or len(names) != len(form.classes) or not all(isinstance(n, str) for n in names):
            raise FileError(
                f"{path} does not hold the class names of {form.name}",
                expected=f"{len(form.classes)} names",
                found=f"{names!r:.80}",
            )
        return tuple(names)
    return form.classes
