"""Checkpoints: a resumed run is the same to the bit; what is damaged or foreign is noticed, and nothing is lost."""

import json
import os
import shutil
import signal
import warnings
from functools import partial

import numpy as np
import pytest

import symcnn as sc
from symcnn.train import Callback, Checkpoints, EarlyStopping
from tests.train.kill_and_resume import kill_and_resume

rng = np.random.default_rng(0)
DATA = rng.normal(size=(50, 6)), rng.integers(0, 3, 50)
VALIDATION = rng.normal(size=(10, 6)), rng.integers(0, 3, 10)


def network():
    return sc.nn.Sequential(sc.nn.Dense(6, 8, seed=0), sc.nn.Dropout(0.3, seed=1), sc.nn.Dense(8, 3, seed=2))


def halved(X, labels, rng):
    return X / 2, labels


def fit(folder=None, model=None, data=DATA, **options):
    """Six steps an epoch; with `folder` from there on."""
    model = model or network()
    options = {
        "batch_size": 9, "epochs": 4, "device": "reference", "progress": False, "seed": 3,
        "optimizer": sc.optim.Adam(0.01), "schedule": sc.optim.cosine_decay(5), "resume": folder,
    } | options  # fmt: skip
    callbacks = [*options.pop("callbacks", ()), *([Checkpoints(folder, keep=99)] if folder else [])]
    return model, sc.train.fit(model, data, VALIDATION, callbacks=callbacks, **options)


def same(one, other):
    (model, history), (another, its_history) = one, other
    values = zip(model.variables(), another.variables(), strict=True)
    assert all(a.get_value().tobytes() == b.get_value().tobytes() for a, b in values)
    for name in history.keys() - {"seconds"}:
        assert history[name] == its_history[name]


class At(Callback):
    """Does something after a number of steps; the first time."""

    def __init__(self, steps, action):
        self.steps, self.action = steps, action

    def on_step(self, run):
        if run.steps_done == self.steps:
            self.action(run)


def die(run):
    raise RuntimeError("killed")


def broken_off(folder, steps, **options):
    with pytest.raises(RuntimeError, match="killed"):
        fit(folder, callbacks=[At(steps, die), *options.pop("callbacks", ())], **options)


def test_processes_that_are_killed(tmp_path):
    kill_and_resume("dense", kills=3, seed=0)


@pytest.mark.parametrize("steps", [1, 5, 6, 7, 13, 18, 23])
def test_a_run_that_broke_off_goes_on_to_the_same_bits(tmp_path, steps):
    broken_off(tmp_path, steps, callbacks=[Checkpoints(tmp_path / "every", every=1)])
    same(fit(), fit(tmp_path))  # from the end of an epoch, or from the start if there was none
    if steps > 1:
        same(fit(), fit(tmp_path / "every"))  # from the step before


@pytest.mark.parametrize("steps", [6, 10, 12])
def test_more_steps_and_more_epochs_may_be_asked_for(tmp_path, steps):
    same(fit(steps=steps), fit(tmp_path, steps=steps))
    same(fit(steps=steps), fit(tmp_path, steps=steps))  # nothing more to do
    same(fit(epochs=5), fit(tmp_path, epochs=5))


def test_after_ctrl_c(tmp_path):
    def interrupt(run):
        os.kill(os.getpid(), signal.SIGINT)

    for name, action in {"interrupt": interrupt, "stop": lambda run: run.stop("enough")}.items():
        fit(tmp_path / name, callbacks=[At(9, action)])
        assert [path.name[5:13] for path in files(tmp_path / name)] == ["00000006", "00000009"]
        same(fit(), fit(tmp_path / name))


def test_early_stopping_and_plateau_go_on(tmp_path):
    def options():
        return {
            "callbacks": [EarlyStopping(patience=4)], "epochs": 40, "optimizer": sc.optim.Adam(0.1),
            "schedule": sc.optim.Plateau(factor=0.5, patience=1),
        }  # fmt: skip

    unbroken = fit(**options())
    stopped = unbroken[1].epochs
    assert 4 < stopped < 40 and len(set(unbroken[1]["learning_rate"])) > 1
    for epochs in (1, stopped - 2, stopped - 1):
        folder = tmp_path / str(epochs)
        fit(folder, **options() | {"epochs": epochs})
        same(unbroken, fit(folder, **options()))
        same(unbroken, fit(folder, **options()))  # a run that stopped stays so
        longer = {**options(), "callbacks": [EarlyStopping(patience=6)]}
        same(fit(**longer), fit(folder, **longer))  # unless it may wait longer


def test_checkpoints_hold_the_other_callbacks_of_the_same_moment(tmp_path):
    class Count(Callback):
        steps = 0

        def on_step(self, run):
            self.steps += 1

        def state(self):
            return {"steps": self.steps, "twice": {"array": np.array([self.steps, self.steps])}}

        def restore(self, state):
            self.steps = state["steps"]
            assert (state["twice"]["array"] == self.steps).all()

    first, again = Count(), Count()
    fit(callbacks=[Checkpoints(tmp_path), first, Count()], steps=8)
    fit(callbacks=[again, Checkpoints(tmp_path), Count()], resume=tmp_path)
    assert (first.steps, again.steps) == (8, 24)
    with pytest.raises(sc.errors.FileError, match="written without Count 3"):
        fit(tmp_path, callbacks=[Count(), Count(), Count()])
    with pytest.raises(sc.InputError, match="cannot hold this"):
        fit(
            callbacks=[
                Checkpoints(tmp_path / "other"),
                type("Bad", (Callback,), {"state": lambda self: {"f": print}})(),
            ]
        )


def test_which_are_written_and_kept(tmp_path):
    def numbers(**options):
        folder = tmp_path / str(len(list(tmp_path.iterdir())))
        fit(callbacks=[Checkpoints(folder, **options)], epochs=2)
        return [int(path.name[5:13]) for path in sorted(folder.iterdir())]

    assert numbers() == [6, 12]
    assert numbers(every=5) == [6, 10, 12]
    assert numbers(every=5, keep=1) == [12]
    assert numbers(every=4, at_epoch_end=False) == [4, 8, 12]
    assert numbers(every=5, at_epoch_end=False) == [5, 10, 12]  # and one at the end
    assert numbers(at_epoch_end=False) == [12]


def test_none_is_written_of_weights_that_are_nan(tmp_path):
    data = DATA[0].copy(), DATA[1]
    data[0][7] = np.nan
    for folder, options in {"guarded": {}, "not": {"nan_guard": False}}.items():
        with warnings.catch_warnings(action="ignore"):
            fit(callbacks=[Checkpoints(tmp_path / folder, every=1)], data=data, **options)
        steps = [int(path.name[5:13]) for path in files(tmp_path / folder)]
        assert steps and steps[-1] < 6


# ---- files that are not as they should be


@pytest.fixture
def folder(tmp_path):
    fit(tmp_path, epochs=2)
    assert len(files(tmp_path)) == 2
    return tmp_path


def files(folder):
    return sorted(folder.glob("step-*.safetensors"))


def shorten(path):
    path.write_bytes(path.read_bytes()[:-5])


def flip(path):
    content = bytearray(path.read_bytes())
    content[-100] ^= 1
    path.write_bytes(content)


def alter_state(path):
    path.write_bytes(path.read_bytes().replace(b"steps_done", b"steps_gone"))


def empty(path):
    path.write_bytes(b"")


def text(path):
    path.write_text("these are no weights\n" * 100)


def other_weights(path):
    network().save(path)


def other_version(path):
    from safetensors import safe_open
    from safetensors.numpy import save_file

    with safe_open(path, "np") as file:
        arrays, metadata = {name: file.get_tensor(name) for name in file.keys()}, file.metadata()  # noqa: SIM118
    save_file(arrays, path, metadata | {"format": "symcnn checkpoint 2"})


def make_folder(path):
    path.unlink()
    path.mkdir()


DAMAGE = [shorten, flip, alter_state, empty, text, other_weights, other_version, make_folder]


@pytest.mark.parametrize("damage", DAMAGE)
def test_the_newest_good_one_is_taken(folder, damage):
    damage(files(folder)[-1])
    with pytest.warns(UserWarning, match=r"step-00000012.*; resumed from step-00000006.safetensors instead"):
        if damage is make_folder:  # which cannot be replaced by a file
            with pytest.raises(sc.errors.FileError, match="cannot be written"):
                fit(folder)
        else:
            same(fit(), fit(folder))


@pytest.mark.parametrize("damage", DAMAGE)
def test_if_none_is_good_nothing_begins_and_nothing_is_deleted(folder, damage):
    for path in files(folder):
        damage(path)
    before = {path: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    with pytest.raises(sc.errors.FileError, match=r"no checkpoint in .* can be read") as error:
        fit(folder)
    assert error.value.hint == "delete them to begin anew"
    assert all(path.read_bytes() == content for path, content in before.items())


def test_a_good_one_is_always_kept(folder):
    shorten(files(folder)[-1])
    with pytest.warns(UserWarning, match="instead"):
        fit(callbacks=[Checkpoints(folder, every=1, keep=1), At(8, die)][:1], resume=folder, steps=8)
    assert [path.name[5:13] for path in files(folder)] == ["00000008", "00000012"]
    with pytest.warns(UserWarning, match="resumed from step-00000008"):
        same(fit(), fit(folder))


def test_what_a_killed_process_left_half_written_is_removed(folder):
    half = folder / ".step-00000013.safetensors.x7d2"
    half.write_bytes(b"half")
    other = folder / "notes.txt"
    other.write_text("mine")
    fit(folder)
    assert not half.exists() and other.exists()


@pytest.mark.parametrize(
    "options, says",
    [
        ({"batch_size": 8}, "the batch size"),
        ({"seed": 4}, "the seed"),
        ({"data": (DATA[0][1:], DATA[1][1:])}, "number of training examples"),
        ({"optimizer": sc.optim.Adam(0.02)}, "the learning rate"),
        ({"optimizer": sc.optim.SGD(0.01)}, "the optimizer"),
        ({"optimizer": sc.optim.Adam(0.01, weight_decay=0.1)}, "the optimizer"),
        ({"model": sc.models.mlp([6, 3])}, "another run"),
        ({"model": sc.nn.Sequential(sc.nn.Dense(6, 9), sc.nn.Dropout(), sc.nn.Dense(9, 3))}, "layer 0 differs"),
        ({"model": sc.nn.Sequential(sc.nn.Dense(6, 8), sc.nn.Dropout(), sc.nn.Dense(8, 3))}, "layer 1 differs"),
        ({"model": network().freeze("0")}, "which arrays are frozen differs"),
        ({"data": sc.data.Dataset(*DATA).augment(halved)}, "what is done to the batches differs"),
        ({"loss": partial(sc.losses.cross_entropy, label_smoothing=0.1)}, "the loss differs"),
        ({"penalty": sc.regularize.L1(0.1) + sc.regularize.L2(0.1)}, "the penalty differs"),
        ({"constraint": sc.regularize.MaxNorm(2)}, "the constraint differs"),
        ({"schedule": sc.optim.Plateau()}, "the schedule differs"),
        ({"schedule": None}, "the schedule differs"),
    ],
)
def test_a_checkpoint_of_another_run(folder, options, says):
    model = options.setdefault("model", network())
    options = {"optimizer": sc.optim.Adam(0.01)} | options
    before, rate = [v.get_value() for v in model.variables()], options["optimizer"].learning_rate
    with pytest.raises(sc.errors.FileError, match=says):
        fit(folder, **options)
    assert all((v.get_value() == b).all() for v, b in zip(model.variables(), before, strict=True))
    assert options["optimizer"].learning_rate == rate
    assert len(files(folder)) == 2


def test_a_folder_of_another_run_is_not_written_to(folder):
    with pytest.raises(sc.InputError, match="holds checkpoints of another run") as error:
        fit(callbacks=[Checkpoints(folder)])
    assert "resume=" in error.value.hint
    with pytest.raises(sc.InputError, match="holds checkpoints of another run"):
        fit(callbacks=[Checkpoints(folder)], resume=folder / "none yet")
    shutil.copytree(folder, folder / "copy")
    fit(callbacks=[Checkpoints(folder / "new")], resume=folder / "copy")


def test_complaints(tmp_path):
    for wrong in ({"every": 0}, {"keep": 0}, {"every": 2.5}):
        with pytest.raises(sc.InputError, match="whole number"):
            Checkpoints(tmp_path, **wrong)
    with pytest.raises(sc.errors.FileError, match="no path"):
        Checkpoints(None)
    file = tmp_path / "file"
    file.write_text("")
    with pytest.raises(sc.errors.FileError, match="cannot be made"):
        fit(callbacks=[Checkpoints(file)])
    with pytest.raises(sc.errors.FileError, match="cannot be read"):
        fit(resume=file)


def test_a_checkpoint_is_one_file_that_other_tools_read(folder):
    from safetensors import safe_open

    with safe_open(files(folder)[-1], "np") as file:
        state = json.loads(file.metadata()["state"])
        assert state["steps_done"] == 12 and state["position"]["epoch"] == 2
        assert file.get_tensor("model/0.weight").shape == (6, 8)
