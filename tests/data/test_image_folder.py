"""A folder per class: which files count, in which order, and that they are read batch by batch."""

import numpy as np
import pytest

from symcnn.data import Normalize, image_files, image_folder
from symcnn.errors import FileError, InputError

Image = pytest.importorskip("PIL.Image")


def save(path, level=0, size=(8, 6)):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, (level, level, level)).save(path, "PNG")


@pytest.fixture
def folder(tmp_path):
    """Three classes; the gray level of an image is its number in the expected order."""
    for level, name in enumerate(["b/1.png", "b/2.PNG", "b/deeper/0.png", "c/9.png", "d/1.jpg"]):
        save(tmp_path / name, level)
    return tmp_path


def test_classes_are_folders_in_order(folder):
    data = image_folder(folder)
    assert data.classes == ("b", "c", "d")
    assert data.labels.tolist() == [0, 0, 0, 1, 2] and data.labels.dtype == np.int64
    assert data.images[:, 0, 0, 0].tolist() == [0, 1, 2, 3, 4]
    assert data.class_counts().tolist() == [3, 1, 1]


def test_hidden_names_are_passed_over(folder):
    save(folder / ".thumbnails" / "1.png")
    save(folder / "b" / ".cache" / "1.png")
    save(folder / "b" / ".1.png")
    assert len(image_folder(folder)) == 5


def test_other_files_are_counted(folder):
    for name in ("readme.txt", "b/notes.txt", "c/labels.csv"):
        (folder / name).write_text("text")
    with pytest.warns(UserWarning, match="skipped 3 files") as caught:
        data = image_folder(folder)
    assert len(data) == 5 and caught[0].filename == __file__


def test_chosen_extensions(folder):
    with pytest.warns(UserWarning, match="skipped 1 file"):
        save(folder / "d" / "2.png")
        assert len(image_folder(folder, extensions=(".png",))) == 5
    with pytest.raises(InputError) as caught:
        image_folder(folder, extensions=("png",))
    assert ".png" in caught.value.hint


def test_files_are_read_batch_by_batch(folder, monkeypatch):
    """Neither a split nor a map nor augmentation decodes anything before the batches do, and then each image once."""
    opened = []
    original = image_files.ImageFiles._decoded
    monkeypatch.setattr(
        image_files.ImageFiles, "_decoded", lambda self, image: opened.append(1) or original(self, image)
    )
    data = (
        image_folder(folder)
        .augment(lambda images, labels, rng: (images, labels))
        .map(Normalize((2.0,) * 3, (1.0,) * 3))
    )
    train = data.take([4, 2, 1, 0])
    assert not opened
    for images, labels in train.batches(3, shuffle=True):
        levels = images[:, 0, 0, 0] + 2
        assert [data.labels[int(level)] for level in levels] == labels.tolist()
    assert len(opened) == 4


def test_folders_that_will_not_do(tmp_path):
    with pytest.raises(FileError, match="not a folder"):
        image_folder(tmp_path / "nothing")
    with pytest.raises(FileError, match="no folders"):
        image_folder(tmp_path)
    save(tmp_path / "a" / "1.png")
    (tmp_path / "b").mkdir()
    with pytest.raises(FileError, match="holds no images"):
        image_folder(tmp_path)


def test_a_folder_of_splits(tmp_path):
    for split in ("train", "Val"):
        for kind in ("cat", "dog"):
            save(tmp_path / split / kind / "1.png")
    with pytest.raises(FileError, match="holds splits, not classes") as caught:
        image_folder(tmp_path)
    assert str(tmp_path / "Val") in caught.value.hint
    assert image_folder(tmp_path / "train").classes == ("cat", "dog")
    save(tmp_path / "plane" / "1.png")  # one that is no split: the others may well be trains and tests
    assert image_folder(tmp_path).classes == ("Val", "plane", "train")


def test_one_number_is_both_sides(folder):
    for size in (4, np.int64(4)):
        assert image_folder(folder, size=size).images.shape == (5, 3, 4, 4)
