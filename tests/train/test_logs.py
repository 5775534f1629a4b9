"""Logs: a CSV table and TensorBoard's event files, also of runs that broke off and went on."""

import csv
import struct
import sys

import numpy as np
import pytest

import symcnn as sc
from symcnn.train import Callback, Checkpoints, CSVLog, TensorBoardLog

rng = np.random.default_rng(0)
DATA = rng.normal(size=(20, 4)), rng.integers(0, 2, 20)


def fit(callbacks, **options):
    options = {"epochs": 3, "batch_size": 8, "device": "reference", "progress": False} | options
    return sc.train.fit(sc.models.mlp([4, 2], seed=0), DATA, DATA, callbacks=callbacks, **options)


class Die(Callback):
    def on_step(self, run):
        if run.steps_done == 8:
            raise RuntimeError("killed")


def test_csv(tmp_path):
    history = fit(CSVLog(tmp_path / "log.csv"))
    with open(tmp_path / "log.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row.pop("epoch") for row in rows] == ["1", "2", "3"]
    assert {name: [float(row[name]) for row in rows] for name in rows[0]} == history


def test_csv_of_a_resumed_run_has_every_epoch_once(tmp_path):
    def callbacks(name):
        return [Checkpoints(tmp_path / name, every=4, at_epoch_end=False), CSVLog(tmp_path / f"{name}.csv")]

    def losses(name):
        return [line.split(",")[:4] for line in (tmp_path / f"{name}.csv").read_text().splitlines()]

    fit(callbacks("unbroken"))
    with pytest.raises(RuntimeError):
        fit([*callbacks("broken"), Die()])
    assert len(losses("broken")) == 3  # two epochs; the checkpoint is from within the second
    fit(callbacks("broken"), resume=tmp_path / "broken")
    assert losses("broken") == losses("unbroken") and len(losses("broken")) == 4


def test_csv_that_cannot_be_written_is_noticed_at_once(tmp_path):
    model = sc.models.mlp([4, 2])
    step = sc.train.compile_step(model, device="reference")
    with pytest.raises(sc.errors.FileError, match="cannot be written"):
        sc.train.fit(model, DATA, callbacks=CSVLog(tmp_path / "none" / "log.csv"), step=step, nan_guard=False)
    assert step.function is None


# ---- TensorBoard


@pytest.fixture
def events():
    """A function that reads the events of a folder: records of length, checksum, message, checksum."""
    Event = pytest.importorskip("tensorboardX.proto.event_pb2").Event

    def read(folder):
        for path in sorted(folder.glob("events.out.tfevents.*")):
            content, at = path.read_bytes(), 0
            while at < len(content):
                (length,) = struct.unpack("<Q", content[at : at + 8])
                yield Event.FromString(content[at + 12 : at + 12 + length])
                at += length + 16

    return read


def scalars(events):
    return [(v.tag, event.step, v.simple_value) for event in events for v in event.summary.value]


def test_tensorboard(tmp_path, events):
    history = fit(TensorBoardLog(tmp_path, every=2))
    found = scalars(events(tmp_path))
    tags = {tag for tag, _, _ in found}
    assert tags == {"loss/train", "loss/val", "accuracy/val", "learning_rate", "seconds", "step/loss"}
    for tag, name in {"loss/train": "loss", "loss/val": "val_loss", "accuracy/val": "val_accuracy"}.items():
        assert [(step, value) for t, step, value in found if t == tag] == [
            (3 * (k + 1), np.float32(value)) for k, value in enumerate(history[name])
        ]
    assert [step for tag, step, _ in found if tag == "step/loss"] == [2, 4, 6, 8]


def test_tensorboard_forgets_what_came_after_the_checkpoint(tmp_path, events):
    def callbacks():
        return [Checkpoints(tmp_path, every=4, at_epoch_end=False), TensorBoardLog(tmp_path / "log")]

    with pytest.raises(RuntimeError):
        fit([*callbacks(), Die()])
    fit(callbacks(), resume=tmp_path)
    starts = [event.step for event in events(tmp_path / "log") if event.HasField("session_log")]
    assert starts == [9 - 8 + 4]  # steps from 5 on are written again


def test_without_the_package(monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorboardX", None)
    with pytest.raises(sc.errors.PackageError, match="needs the package tensorboardX") as error:
        TensorBoardLog("runs")
    assert "pip install" in error.value.hint


def test_complaints(tmp_path):
    pytest.importorskip("tensorboardX")
    with pytest.raises(sc.InputError, match="whole number"):
        TensorBoardLog(tmp_path, every=0)
    file = tmp_path / "file"
    file.write_text("")
    with pytest.raises(sc.errors.FileError, match="cannot be written to"):
        fit(TensorBoardLog(file))
