"""Training on a device that keeps its arrays: what is uploaded, when the loss is waited for, and that nothing else differs."""

import numpy as np
import pytest

import symcnn as sc
from tests.pretended_gpu import OnDevice

rng = np.random.default_rng(0)
X = rng.normal(size=(80, 3)).astype("float32")
DATA = X, (X[:, 0] > 0).astype("int64")


def fit(device, model=None, **options):
    model = model or sc.models.mlp([3, 4, 2])
    options = {"epochs": 2, "batch_size": 16, "progress": False, "seed": 3} | options
    return model, sc.train.fit(model, DATA, device=device, **options)


def weights(model):
    return [v.get_value() for v in model.variables()]


@pytest.mark.parametrize("prefetch", [0, 2])
def test_fit_is_what_it_is_elsewhere(pretended_gpu, prefetch):
    (model, history), (twin, expected) = (
        fit(d, prefetch=prefetch, validation=DATA, schedule=lambda epoch: 0.9**epoch)
        for d in (pretended_gpu, "reference")
    )
    assert {k: v for k, v in history.items() if k != "seconds"} == {k: v for k, v in expected.items() if k != "seconds"}
    for a, b in zip(weights(model), weights(twin), strict=True):
        np.testing.assert_array_equal(a, b)
    assert OnDevice.uploads == 2 * 2 * 5, "images and labels of each batch, once"


def test_the_loss_of_a_step_is_waited_for_when_the_next_has_begun(pretended_gpu, monkeypatch):
    events, begin, read = [], sc.train.step.Step.begin, OnDevice.__array__
    monkeypatch.setattr(sc.train.step.Step, "begin", lambda *a: (events.append("begin"), begin(*a))[1])

    def noted(array, *args, **kwargs):
        if not array.shape:
            events.append("loss")
        return read(array)

    monkeypatch.setattr(OnDevice, "__array__", noted)
    fit(pretended_gpu, epochs=1)
    assert events == ["begin", *["begin", "loss"] * 4, "loss"]


def test_who_looks_at_the_loss_after_each_step_sees_that_of_the_step(pretended_gpu):
    class Look(sc.train.Callback):
        def __init__(self):
            self.losses = []

        def on_step(self, run):
            self.losses.append(run.loss)

    looks = [Look(), Look()]
    for look, device in zip(looks, (pretended_gpu, "reference"), strict=True):
        fit(device, callbacks=look)
    assert looks[0].losses == looks[1].losses and len(looks[0].losses) == 10


class Poisoned(sc.nn.Module):
    """Its logarithm becomes NaN at a large negative value."""

    def __init__(self):
        self.dense = sc.nn.Dense(3, 2, seed=0)

    def forward(self, x, training):
        return self.dense(x) + 0 * sc.log(1e3 + x.sum(axis=1, keepdims=True))


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("row", [0, 30, 79])
@pytest.mark.parametrize("looked_at", [False, True])
def test_the_nan_guard_goes_back_to_the_same_weights_though_it_notices_later(pretended_gpu, row, looked_at):
    poisoned = X.copy()
    poisoned[row] = -1e4
    found = {}
    for device in (pretended_gpu, "reference"):
        model, guard = Poisoned(), sc.train.NaNGuard()
        look = [type("Look", (sc.train.Callback,), {"on_step": lambda self, run: None})()] if looked_at else []
        sc.train.fit(
            model, (poisoned, DATA[1]), epochs=3, batch_size=16, device=device, progress=False, callbacks=[guard, *look]
        )
        assert guard.incident is not None
        found[device] = str(guard.incident), [w.tolist() for w in weights(model)]
    assert found[pretended_gpu] == found["reference"]
    assert "log made the first NaN" in found["reference"][0]


def test_a_step_takes_arrays_of_its_device_as_they_are(pretended_gpu):
    model = sc.models.mlp([3, 2])
    step = sc.train.compile_step(model, device=pretended_gpu)
    here = sc.train.compile_step(sc.models.mlp([3, 2]), device="reference")
    assert step(OnDevice(X), OnDevice(DATA[1])) == here(X, DATA[1])
    assert step(OnDevice(X), DATA[1]) == here(X, DATA[1])
    assert step(X, OnDevice(DATA[1])) == here(X, DATA[1])
    assert step.compile(OnDevice(X), DATA[1]) is step.function
    with pytest.raises(sc.DTypeError, match="images on pretended are not converted"):
        step(OnDevice(X.astype("float64")), DATA[1])
    with pytest.raises(sc.ShapeError, match="one label per image"):
        step(OnDevice(X), OnDevice(DATA[1][:3]))
    with pytest.raises(sc.InputError, match="out of range"):
        step(OnDevice(X), OnDevice(DATA[1] + 1))


def test_predict_leaves_the_outputs_of_such_arrays_there(pretended_gpu):
    model = sc.models.mlp([3, 2])
    found = model.predict(OnDevice(X), device=pretended_gpu)
    assert isinstance(found, OnDevice) and OnDevice.downloads == 0
    np.testing.assert_array_equal(found.array, model.predict(X, device="reference"))
    assert isinstance(model.predict(X, device=pretended_gpu), np.ndarray)
    with pytest.raises(sc.ShapeError, match="takes other inputs"):
        model.predict(OnDevice(X[:, :2]), device=pretended_gpu)
    with pytest.raises(sc.DTypeError, match="not converted"):
        model.predict(OnDevice(X.astype("float64")), device=pretended_gpu)
    for device in (pretended_gpu, "reference"):
        with pytest.raises(sc.InputError, match="this OnDevice is on cuda:1") as error:
            model.predict(OnDevice(X, number=1), device=device)
        assert "device='cuda:1'" in error.value.hint
    assert OnDevice.downloads == 0
