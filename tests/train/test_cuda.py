"""Training with device="cuda", in the simulator: as anywhere else, while parameters stay on the device."""

import numpy as np
import pytest

import symcnn as sc

rng = np.random.default_rng(0)
X = rng.normal(size=(6, 3)).astype("float32")
DATA = X, (X[:, 0] > 0).astype("int64")


@pytest.fixture(autouse=True)
def simulated(monkeypatch):
    monkeypatch.setattr(sc.config, "simulate_cuda", True)


def fit(device, model, **options):
    options = {"batch_size": 4, "epochs": 2, "seed": 1, "progress": False} | options
    return sc.train.fit(model, DATA, device=device, **options)


def network():
    return sc.nn.Sequential(sc.nn.Dense(3, 2, seed=0), sc.nn.Dropout(0.5, seed=3))


def values(model):
    return {path: v.get_value() for path, v in model.variables().items()}


def close(a, b):
    assert a.keys() == b.keys()
    for path, value in a.items():
        np.testing.assert_allclose(value, b[path], rtol=1e-5, atol=1e-6)


def test_a_run_is_that_of_the_reference(tmp_path):
    """Validation, a schedule, dropout, a checkpoint, resuming from it on another device, predictions and a file."""
    model, twin = network(), network()
    options = {"schedule": lambda epoch: 0.5**epoch, "validation": DATA}
    history = fit("cuda", model, **options, callbacks=sc.train.Checkpoints(tmp_path), epochs=1)
    expected = fit("reference", twin, **options, epochs=2)
    assert history["loss"] == pytest.approx(expected["loss"][:1], rel=1e-5)
    assert history["val_loss"] == pytest.approx(expected["val_loss"][:1], rel=1e-5)

    again = network()
    resumed = fit("reference", again, **options, callbacks=sc.train.Checkpoints(tmp_path), resume=tmp_path)
    assert resumed["loss"] == pytest.approx(expected["loss"], rel=1e-5)
    close(values(again), values(twin))

    fit("cuda", model, **options, epochs=1)
    np.testing.assert_allclose(model.predict(X, device="cuda"), model.predict(X), rtol=1e-5, atol=1e-6)
    model.save(tmp_path / "model.safetensors")
    loaded = network()
    loaded.load(tmp_path / "model.safetensors")
    close(values(loaded), values(model))


def test_devices_train_one_network_in_turns():
    model, twin = network(), network()
    optimizer = sc.optim.SGD(0.1, momentum=0.9)
    steps = [sc.train.compile_step(model, optimizer=optimizer, device=d) for d in ("cuda", "cpu", "cuda", "reference")]
    alone = sc.train.compile_step(twin, optimizer=sc.optim.SGD(0.1, momentum=0.9), device="reference")
    for calls, step in enumerate(steps):
        step.compile(*DATA).calls = calls
        assert step(*DATA) == pytest.approx(alone(*DATA), rel=1e-5)
    close(values(model), values(twin))


def test_arrays_that_are_on_the_device_stay_there():
    from symcnn.backends.cuda.array import DeviceArray

    step = sc.train.compile_step(network(), device="cuda")
    images, labels = step.upload(*DATA)
    assert isinstance(images, DeviceArray) and isinstance(labels, DeviceArray)
    loss = step.begin(images, labels)
    assert isinstance(loss, DeviceArray) and loss.shape == ()
    assert float(loss) == pytest.approx(sc.train.compile_step(network(), device="reference")(*DATA), rel=1e-5)
    with pytest.raises(sc.InputError, match="out of range"):
        step(images, step.upload(X, DATA[1] + 1)[1])
