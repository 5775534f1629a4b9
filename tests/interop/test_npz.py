"""NumPy's archives: exact, atomic, and nothing in them is believed or executed."""

import io
import os
import pickle
import zipfile

import numpy as np
import pytest

from symcnn.errors import FileError
from symcnn.interop import npz

ARRAYS = {
    "a.weight": np.arange(6, dtype="float32").reshape(2, 3),
    "columns": np.asfortranarray(np.arange(6).reshape(2, 3)),
    "scalar": np.array(2.5),
    "empty": np.zeros((0, 3), "int8"),
    "flags": np.array([True, False]),
    "big-endian": np.array([1, 2], ">i4"),
}


@pytest.mark.parametrize("write", [npz.write, lambda path, arrays: np.savez(path, **arrays), lambda path, arrays: np.savez_compressed(path, **arrays)])  # fmt: skip
def test_what_goes_in_comes_out(tmp_path, write):
    write(tmp_path / "w.npz", ARRAYS)
    found = npz.read(tmp_path / "w.npz")
    assert found.keys() == ARRAYS.keys()
    for name, array in ARRAYS.items():
        np.testing.assert_array_equal(found[name], array, strict=True)


def test_numpy_reads_it(tmp_path):
    npz.write(tmp_path / "w.npz", ARRAYS)
    assert [path.name for path in tmp_path.iterdir()] == ["w.npz"], "no temporary file stays behind"
    with np.load(tmp_path / "w.npz", allow_pickle=False) as found:
        for name, array in ARRAYS.items():
            np.testing.assert_array_equal(found[name], array)


def archive(path, **members):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in members.items():
            file.writestr(f"{name}.npy", content)
    return path


def header(shape, descr="<f4"):
    """The first bytes of a member that claims this shape."""
    content = io.BytesIO()
    np.lib.format.write_array_header_1_0(content, {"descr": descr, "fortran_order": False, "shape": shape})
    return content.getvalue()


@pytest.mark.parametrize("shape", [(1 << 40,), (1 << 31, 1 << 31, 1 << 31), (-1,), (-2, -3), (3,)])
def test_claims_are_not_believed(tmp_path, shape):
    path = archive(tmp_path / "w.npz", a=header(shape) + b"\0" * 8)
    with pytest.raises(FileError, match=r"a is (too large|not all there)|damaged"):
        npz.read(path)


def test_more_than_is_claimed(tmp_path):
    with pytest.raises(FileError, match="not all there"):
        npz.read(archive(tmp_path / "w.npz", a=header((1,)) + b"\0" * 8))


def test_all_arrays_together_have_a_limit(tmp_path, monkeypatch):
    monkeypatch.setattr(npz, "LIMIT", 100)
    npz.write(tmp_path / "w.npz", {"a": np.zeros(12), "b": np.zeros(1, "int8")})
    assert npz.read(tmp_path / "w.npz").keys() == {"a", "b"}
    npz.write(tmp_path / "w.npz", {"a": np.zeros(12), "b": np.zeros(5, "int8")})
    with pytest.raises(FileError, match="b is too large"):
        npz.read(tmp_path / "w.npz")


class Touches:
    """A pickle that makes a file when it is loaded."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize("descr", ["|O", [("a", "<f4"), ("b", "|O")], "<U3", "<c8", "<M8[s]", "|V4"])
def test_what_holds_no_numbers_is_refused(tmp_path, descr):
    path = archive(tmp_path / "w.npz", a=header((1,), descr) + pickle.dumps(Touches(tmp_path / "ran")))
    with pytest.raises(FileError, match="a holds no numbers"):
        npz.read(path)
    assert not (tmp_path / "ran").exists()


def test_files_of_pytorch_are_pickles(tmp_path):
    torch = pytest.importorskip("torch")
    torch.save({"a": torch.ones(2)}, tmp_path / "w.npz")
    with pytest.raises(FileError, match="no archive of NumPy") as error:
        npz.read(tmp_path / "w.npz")
    assert "weights_only=True" in error.value.hint


@pytest.mark.parametrize("content", [b"", b"PK", b"not an archive" * 100])
def test_other_files(tmp_path, content):
    (tmp_path / "w.npz").write_bytes(content)
    with pytest.raises(FileError, match="damaged"):
        npz.read(tmp_path / "w.npz")


def test_no_file(tmp_path):
    for path in (tmp_path / "w.npz", tmp_path):
        with pytest.raises(FileError, match="cannot be read"):
            npz.read(path)
