"""CIFAR-10 and CIFAR-100: small files of exactly the published formats, read from folders and archives."""

import gzip
import io
import pickle
import struct
import tarfile

import numpy as np
import pytest

from symcnn.data import bundle, cifar10, cifar100
from symcnn.data.cifar import CIFAR10_CLASSES, CIFAR100_CLASSES, CIFAR100_COARSE_CLASSES
from symcnn.errors import FileError, InputError

TRAIN = tuple(f"data_batch_{i}" for i in range(1, 6))
N = 4  # images per file


def pixels(name):
    seed = list(name.encode())
    return np.random.default_rng(seed).integers(0, 256, (N, 3072)).astype("uint8")


def label_lists(name, keys):
    rng = np.random.default_rng(list(name.encode()))
    return {key: rng.integers(0, {"coarse_labels": 20, "labels": 10}.get(key, 100), N).tolist() for key in keys}


def python2_string(text: bytes) -> bytes:
    """SHORT_BINSTRING or BINSTRING, as Python 2 pickled its ``str``."""
    if len(text) < 256:
        return b"U" + bytes([len(text)]) + text
    return b"T" + struct.pack("<i", len(text)) + text


def python2_batch(images, labels: dict) -> bytes:
    """The bytes of a published batch: protocol 2 by Python 2, the array by NumPy's names of that time."""
    items = b""
    for key, values in labels.items():
        items += python2_string(key.encode()) + b"](" + b"".join(b"K" + bytes([v]) for v in values) + b"e"
    rows, columns = images.shape
    array = (
        b"cnumpy.core.multiarray\n_reconstruct\nq\x01cnumpy\nndarray\nq\x02K\x00\x85U\x01b\x87Rq\x03"
        b"(K\x01" + b"J" + struct.pack("<i", rows) + b"M" + struct.pack("<H", columns) + b"\x86"
        b"cnumpy\ndtype\nq\x04U\x02u1K\x00K\x01\x87Rq\x05(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
        b"\x89" + python2_string(images.tobytes()) + b"tb"
    )
    items += python2_string(b"data") + array + python2_string(b"batch_label") + python2_string(b"training batch")
    return b"\x80\x02}q\x00(" + items + b"u."


def python3_batch(protocol):
    def dump(images, labels):
        return pickle.dumps({b"data": images, **{k.encode(): v for k, v in labels.items()}}, protocol=protocol)

    return dump


def in_columns(images, labels):
    return pickle.dumps({"data": np.asfortranarray(images), **labels}, protocol=2)


def python_version(keys, names, dump=python2_batch) -> dict:
    return {name: dump(pixels(name), label_lists(name, keys)) for name in names}


def binary_version(keys, names) -> dict:
    files = {}
    for name in names:
        columns = [np.array(values, "uint8")[:, None] for values in label_lists(name, keys).values()]
        files[f"{name}.bin"] = np.concatenate([*columns, pixels(name)], axis=1).tobytes()
    return files


TEN = {"keys": ("labels",), "names": (*TRAIN, "test_batch")}
HUNDRED = {"keys": ("coarse_labels", "fine_labels"), "names": ("train", "test")}


def write(folder, files) -> object:
    folder.mkdir(exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return folder


def archive(path, files, mode="w:gz") -> object:
    with tarfile.open(path, mode) as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return path


def check_ten(found, classes=CIFAR10_CLASSES):
    for data, names in zip(found, (TRAIN, ("test_batch",)), strict=True):
        assert data.images.dtype == np.uint8 and data.labels.dtype == np.int64 and data.classes == classes
        images = np.concatenate([pixels(name) for name in names])
        np.testing.assert_array_equal(data.images, images.reshape(-1, 3, 32, 32))
        assert data.labels.tolist() == [v for name in names for v in label_lists(name, ("labels",))["labels"]]


def test_binary(tmp_path):
    check_ten(cifar10(write(tmp_path, binary_version(**TEN))))


@pytest.mark.parametrize("dump", [python2_batch, in_columns, *map(python3_batch, range(5))])
def test_python(tmp_path, dump):
    check_ten(cifar10(write(tmp_path, python_version(**TEN, dump=dump))))


def test_the_helper_writes_real_pickles():
    """Python and NumPy themselves agree about the bytes that stand for Python 2's."""
    found = pickle.loads(python2_batch(pixels("a"), {"labels": [3, 1, 4, 1]}), encoding="latin1")
    assert found["labels"] == [3, 1, 4, 1]
    np.testing.assert_array_equal(found["data"], pixels("a"))


@pytest.mark.parametrize("version", [binary_version, python_version])
def test_hundred(tmp_path, version):
    write(tmp_path, version(**HUNDRED))
    for labels, classes in (("fine", CIFAR100_CLASSES), ("coarse", CIFAR100_COARSE_CLASSES)):
        for data, name in zip(cifar100(tmp_path, labels=labels), ("train", "test"), strict=True):
            np.testing.assert_array_equal(data.images, pixels(name).reshape(-1, 3, 32, 32))
            assert data.labels.tolist() == label_lists(name, HUNDRED["keys"])[f"{labels}_labels"]
            assert data.classes == classes
    with pytest.raises(InputError, match="coarse"):
        cifar100(tmp_path, labels="course")
    with pytest.raises(InputError, match="lables"):
        cifar100(tmp_path, lables="fine")


def test_classes_are_all_there():
    assert [len(set(c)) for c in (CIFAR10_CLASSES, CIFAR100_CLASSES, CIFAR100_COARSE_CLASSES)] == [10, 100, 20]
    assert list(CIFAR100_CLASSES) == sorted(CIFAR100_CLASSES)


NAMES = [f"class{i}" for i in range(10)]


def meta(names):
    """The two files of class names, one for each version."""
    text = "\n".join([*names, ""]).encode()
    pickled = pickle.dumps({"label_names": names, "num_vis": 3072}, protocol=0)  # as the published one
    return (binary_version, "batches.meta.txt", text), (python_version, "batches.meta", pickled)


@pytest.mark.parametrize(("version", "name", "content"), meta(NAMES))
def test_class_names_beside_the_images(tmp_path, version, name, content):
    check_ten(cifar10(write(tmp_path, {**version(**TEN), name: content})), classes=tuple(NAMES))


@pytest.mark.parametrize(
    ("version", "name", "content"),
    [*meta(NAMES[:9]), (python_version, "batches.meta", pickle.dumps({"label_names": [*NAMES[:9], 9]}))],
)
def test_other_class_names(tmp_path, version, name, content):
    with pytest.raises(FileError, match="class names"):
        cifar10(write(tmp_path, {**version(**TEN), name: content}))


def test_a_folder_further_up(tmp_path):
    write(tmp_path / "cifar-10-batches-bin", binary_version(**TEN))
    (tmp_path / "another").mkdir()
    check_ten(cifar10(tmp_path))


@pytest.mark.parametrize("mode", ["w", "w:gz"])
@pytest.mark.parametrize("version", [binary_version, python_version])
def test_archive(tmp_path, version, mode):
    files = {f"cifar-10-batches/{name}": content for name, content in version(**TEN).items()}
    path = archive(tmp_path / "cifar.tar.gz", {"cifar-10-batches/readme.html": b"<html>", **files}, mode)
    check_ten(cifar10(path))
    assert [p.name for p in tmp_path.iterdir()] == ["cifar.tar.gz"]


def test_archives_with_strange_members(tmp_path):
    files = binary_version(**TEN)
    deeper = {f"a/b/{name}": content for name, content in files.items()}
    with pytest.raises(FileError, match="none of them"):
        cifar10(archive(tmp_path / "a.tar", deeper, "w"))
    twice = {**files, "x/test_batch.bin": files["test_batch.bin"]}
    with pytest.raises(FileError, match="more than once"):
        cifar10(archive(tmp_path / "b.tar", twice, "w"))
    link = tarfile.TarInfo("test_batch.bin")
    link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
    del files["test_batch.bin"]
    path = archive(tmp_path / "c.tar", files, "w")
    with tarfile.open(path, "a") as tar:
        tar.addfile(link)
    with pytest.raises(FileError, match="test_batch"):
        cifar10(path)


def test_bombs(tmp_path, monkeypatch):
    monkeypatch.setattr(bundle, "LARGEST_ARCHIVE", 100_000)
    monkeypatch.setattr(bundle, "LARGEST_FILE", 50_000)
    with pytest.raises(FileError, match="unpacks to more"):
        cifar10(archive(tmp_path / "a.tar.gz", {"readme": bytes(200_000)}))
    with pytest.raises(FileError, match="too large"):
        cifar10(archive(tmp_path / "b.tar.gz", {"test_batch.bin": bytes(60_000)}))
    write(tmp_path, binary_version(**TEN) | {"test_batch.bin": bytes(60_000)})
    with pytest.raises(FileError, match="too large"):
        cifar10(tmp_path)


def test_missing(tmp_path):
    with pytest.raises(FileError, match="does not exist"):
        cifar10(tmp_path / "nothing")
    with pytest.raises(FileError, match="none of them"):
        cifar10(tmp_path)
    files = binary_version(**TEN)
    del files["data_batch_3.bin"]
    with pytest.raises(FileError, match=r"no data_batch_3\.bin"):
        cifar10(write(tmp_path, files))


@pytest.mark.parametrize("version", [binary_version, python_version])
@pytest.mark.parametrize("keep", [0, 1, 700, 3073 * 2 + 5])
def test_truncated_file(tmp_path, version, keep):
    files = version(**TEN)
    name = next(iter(files))
    with pytest.raises(FileError, match="data_batch_1"):
        cifar10(write(tmp_path, files | {name: files[name][:keep]}))


def test_cut_between_two_records(tmp_path):
    files = binary_version(**TEN)
    with pytest.raises(FileError, match="data_batch_2: 2"):
        cifar10(write(tmp_path, files | {"data_batch_2.bin": files["data_batch_2.bin"][: 2 * 3073]}))


@pytest.mark.parametrize("cut", [0, 1, 100, 3000, -600])
def test_truncated_archive(tmp_path, cut):
    path = archive(tmp_path / "a.tar.gz", binary_version(**TEN))
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(FileError):
        cifar10(path)


@pytest.mark.parametrize(
    "content", [b"", b"nonsense", gzip.compress(b"nonsense", mtime=0), b"\x1f\x8bnonsense", bytes(10240)]
)
def test_not_an_archive(tmp_path, content):
    (tmp_path / "a").write_bytes(content)
    with pytest.raises(FileError):
        cifar10(tmp_path / "a")


@pytest.mark.parametrize(
    "batch",
    [
        [],
        {},
        {"data": pixels("a")},
        {"data": pixels("a"), "labels": [1, 2]},
        {"data": pixels("a"), "labels": [1, 2, 3, 10]},
        {"data": pixels("a"), "labels": [1, 2, 3, -1]},
        {"data": pixels("a"), "labels": [1, 2, 3, 1000]},
        {"data": pixels("a"), "labels": [1, 2, 3, "4"]},
        {"data": pixels("a")[:, :-1], "labels": [1, 2, 3, 4]},
        {"data": pixels("a")[:0], "labels": []},
        {"data": [1, 2], "labels": [1, 2]},
    ],
)
def test_a_batch_of_something_else(tmp_path, batch):
    files = python_version(**TEN)
    with pytest.raises(FileError, match="data_batch_4"):
        cifar10(write(tmp_path, files | {"data_batch_4": pickle.dumps(batch, protocol=2)}))


def test_labels_that_are_no_class(tmp_path):
    files = binary_version(**TEN)
    content = bytearray(files["test_batch.bin"])
    content[3073] = 10
    with pytest.raises(FileError, match="10 in record 1"):
        cifar10(write(tmp_path, files | {"test_batch.bin": bytes(content)}))
