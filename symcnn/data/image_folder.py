"""A folder of image files, one sub-folder for each class."""

from __future__ import annotations

import os
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from symcnn.data.dataset import Dataset
from symcnn.data.image_files import EXTENSIONS, ImageFiles
from symcnn.errors import FileError, InputError
from symcnn.keywords import checked_keywords, nearest
from symcnn.paths import as_path

SPLITS = {"train", "training", "val", "valid", "validation", "test", "testing"}  # no classes, if all are of these


@checked_keywords
def image_folder(
    path,
    size: int | tuple[int, int] | None = None,
    mode: str = "RGB",
    fit: str = "stretch",
    extensions: Sequence[str] = EXTENSIONS,
) -> Dataset:
    """The images below `path`, of which every sub-folder is a class; decoded when a batch asks for them.

    Parameters
    ----------
    path : str or pathlib.Path
        Holds ``class_a/1.jpg``, ``class_a/2.jpg``, ``class_b/deeper/3.png`` and so on. Names that start with a dot are
        passed over.
    size : int or (height, width), optional
        Scale all images to it. Without it they must be of one size, and their headers are read at once.
    mode : {"RGB", "L"}
        Three channels, or brightness alone.
    fit : {"stretch", "crop"}
        Where the aspect differs from that of `size`: stretch the image, or cut off what is too much at both ends.
    extensions : sequence of str
        Endings of the files to read, of those that are known; upper case is the same. Other files are skipped, with a
        warning that counts them.

    Returns
    -------
    Dataset
        images uint8 (n, channels, height, width), an `ImageFiles`; labels int64 (n,), numbers of the sub-folders in
        alphabetical order, which are the classes.

    Raises
    ------
    FileError
        If there is no such folder, no class, a class without images, or (when it is asked for) a file that cannot be
        decoded.
    ShapeError
        If sizes differ and `size` is not given.
    InputError
        If an argument is not usable.
    PackageError
        If Pillow is not installed; ``pip install 'symcnn[images]'``.

    Examples
    --------
    >>> import tempfile
    >>> from PIL import Image
    >>> folder = Path(tempfile.mkdtemp())
    >>> for name, colour in (("lemon", "yellow"), ("plum", "purple")):
    ...     (folder / name).mkdir()
    ...     Image.new("RGB", (48, 32), colour).save(folder / name / "1.png")
    >>> data = image_folder(folder, size=(16, 16), fit="crop")
    >>> data, data.classes
    (Dataset(2 x uint8[3, 16, 16], labels int64), ('lemon', 'plum'))
    """
    path = as_path(path)
    for extension in extensions:
        if str(extension).lower() not in EXTENSIONS:
            hint = nearest(str(extension), EXTENSIONS)
            raise InputError(f"image_folder: unknown extension {extension!r}", hint=hint)
    known = {str(extension).lower() for extension in extensions}
    if not path.is_dir():
        raise FileError(f"image_folder: {path} is not a folder", hint="name the folder that holds one folder per class")
    visible = sorted(entry for entry in path.iterdir() if not entry.name.startswith("."))
    folders = [entry for entry in visible if entry.is_dir()]
    skipped = [entry for entry in visible if not entry.is_dir()]
    if not folders:
        raise FileError(
            f"image_folder: {path} holds no folders",
            expected="one folder per class, with its images",
            found=f"{len(skipped)} files",
        )
    if len(folders) > 1 and all(folder.name.lower() in SPLITS for folder in folders):
        raise FileError(
            f"image_folder: {path} holds splits, not classes", found=", ".join(folder.name for folder in folders),
            hint=f"read each by itself: image_folder({str(folders[0])!r})",
        )  # fmt: skip
    by_class = []
    for folder in folders:
        inside = _files_below(folder)
        images = [file for file in inside if file.suffix.lower() in known]
        if not images:
            raise FileError(
                f"image_folder: {folder} holds no images",
                expected=f"files ending in {', '.join(sorted(known))}",
                found=f"{len(inside)} files",
            )
        skipped += [file for file in inside if file.suffix.lower() not in known]
        by_class.append(images)
    if skipped:
        warnings.warn(
            f"image_folder: skipped {len(skipped)} files that are no images of a class, such as {skipped[0]}",
            stacklevel=3,  # above checked_keywords
        )
    labels = np.repeat(np.arange(len(folders), dtype="int64"), [len(images) for images in by_class])
    files = [file for images in by_class for file in images]
    size = (size, size) if isinstance(size, int | np.integer) else size
    images: Any = ImageFiles(files, size=size, mode=mode, fit=fit)
    return Dataset(images, labels, tuple(folder.name for folder in folders))


def _files_below(folder: Path) -> list[Path]:
    """All files, however deep, but hidden ones; in an order that does not depend on the file system."""

    def refuse(error):
        raise FileError(f"{error.filename} cannot be read: {error.strerror}") from None

    found = []
    for here, folders, files in os.walk(folder, onerror=refuse):
        folders[:] = [name for name in folders if not name.startswith(".")]
        found += [Path(here, name) for name in files if not name.startswith(".")]
    return sorted(found)
