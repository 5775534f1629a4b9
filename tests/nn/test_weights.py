"""Saving and loading: exact, atomic, and unmoved by bad files."""

import numpy as np
import pytest

import symcnn as sc
from symcnn import nn


def model(seed=0, hidden=4):
    return nn.Sequential(
        a=nn.Dense(3, hidden, seed=seed), drop=nn.Dropout(0.5, seed=seed), b=nn.Dense(hidden, 2, seed=seed)
    )


def values(module):
    return {name: s.get_value() for name, s in module.parameters().items()}


def test_round_trip_is_exact(tmp_path):
    saved, loaded = model(0), model(1)
    saved.save(tmp_path / "weights.safetensors")
    loaded.load(tmp_path / "weights.safetensors")
    for name, value in values(saved).items():
        np.testing.assert_array_equal(value, values(loaded)[name], strict=True)
    assert [p.name for p in tmp_path.iterdir()] == ["weights.safetensors"], "no temporary file stays behind"


def test_others_can_read_it(tmp_path):
    numpy = pytest.importorskip("safetensors.numpy")
    model().save(tmp_path / "w")
    assert numpy.load_file(tmp_path / "w")["a.weight"].shape == (3, 4)


@pytest.mark.parametrize(
    "damage", [lambda b: b[:10], lambda b: b[:-3], lambda b: b"", lambda b: b"PK\x03\x04" + b, lambda b: b"{}" * 40]
)
def test_a_damaged_file_changes_nothing(tmp_path, damage):
    path, network = tmp_path / "w", model(0)
    model(1).save(path)
    path.write_bytes(damage(path.read_bytes()))
    before = values(network)
    with pytest.raises(sc.errors.FileError, match="w"):
        network.load(path)
    assert all((before[name] == value).all() for name, value in values(network).items())


def test_weights_of_another_network(tmp_path):
    network = model(0)
    before = values(network)
    model(1, hidden=5).save(tmp_path / "wider")
    with pytest.raises(sc.errors.FileError, match=r"a\.weight does not fit"):
        network.load(tmp_path / "wider")
    nn.Sequential(a=nn.Dense(3, 4)).save(tmp_path / "shorter")
    with pytest.raises(sc.errors.FileError, match="another network"):
        network.load(tmp_path / "shorter")
    assert all((before[name] == value).all() for name, value in values(network).items())


def test_missing_file_and_folder(tmp_path):
    with pytest.raises(sc.errors.FileError, match="cannot be read"):
        model().load(tmp_path / "nothing")
    with pytest.raises(sc.errors.FileError, match="cannot be written"):
        model().save(tmp_path / "no folder" / "w")


def test_a_failed_save_keeps_the_old_file(tmp_path, monkeypatch):
    path, network = tmp_path / "w", model(0)
    network.save(path)
    before = path.read_bytes()

    def full(*_):
        raise OSError("no space left")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="no space"):
        model(1).save(path)
    assert path.read_bytes() == before and len(list(tmp_path.iterdir())) == 1
