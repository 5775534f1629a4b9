"""The history: rows, a table, and a file that gives every number back."""

import copy
import math
import pickle

import pytest

from symcnn.errors import FileError
from symcnn.train import History


def test_saved_and_loaded(tmp_path):
    history = History()
    for value in (0.1 + 0.2, 1e-300, float("inf"), -0.0, 3):
        history.add(loss=value, val_loss=1 / 3)
    history.save(tmp_path / "history.json")
    found = History.load(tmp_path / "history.json")
    assert found == history and found.epochs == 5 and math.copysign(1, found["loss"][3]) == -1
    history.add(loss=float("nan"), val_loss=0.5)
    history.save(tmp_path / "history.json")
    assert math.isnan(History.load(tmp_path / "history.json")["loss"][-1])


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        "3",
        "{}",
        '{"history": 3}',
        '{"history": {"loss": 3}}',
        '{"history": {"loss": ["a"]}}',
        "\xff",
        "[" * 9999,
    ],
)
def test_files_that_hold_no_history(tmp_path, content):
    path = tmp_path / "history.json"
    path.write_text(content, encoding="latin-1")
    with pytest.raises(FileError, match=r"history\.json"):
        History.load(path)


def test_attributes_of_other_libraries():
    history = History(loss=[0.5])
    with pytest.raises(AttributeError, match=r"history\['loss'\]"):
        history.history  # noqa: B018
    assert copy.deepcopy(history) == pickle.loads(pickle.dumps(history)) == history


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(FileError, match="No such file"):
        History.load(tmp_path / "none.json")
    with pytest.raises(FileError, match="cannot be written"):
        History().save(tmp_path / "none" / "history.json")
    with pytest.raises(FileError, match="no path"):
        History.load(3)
