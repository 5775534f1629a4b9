"""The NaN guard: it stops, goes back, and names the op and line, the bad data, or the rate."""

from pathlib import Path

import numpy as np
import pytest

import symcnn as sc
from symcnn import nn
from symcnn.train.snapshot import Snapshot

rng = np.random.default_rng(0)
X = rng.normal(size=(64, 4)).astype("float32")
DATA = X, (X[:, 0] > 0).astype("int64")


class Logarithm(nn.Module):
    """Fine as long as its operand is positive."""

    def forward(self, x, training):
        return sc.log(x)  # this line


def line() -> int:
    (found,) = [k for k, row in enumerate(Path(__file__).read_text().splitlines(), 1) if row.endswith("# this line")]
    return found


pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")


def fit(network, guard, data=DATA, **options):
    options = {"epochs": 20, "batch_size": 16, "device": "reference", "progress": False, "nan_guard": False} | options
    return sc.train.fit(network, data, callbacks=[guard], **options)


def finite(network) -> bool:
    return all(np.isfinite(p.get_value()).all() for p in network.variables())


def drifting(seed=0):
    """A network whose logarithm sees smaller and smaller values while it trains, and at last a negative one."""
    layer = nn.Dense(4, 2, seed=seed)
    layer.weight.set_value(0.01 * layer.weight.get_value())
    layer.bias.set_value([1.0, 1.0])
    return nn.Sequential(dense=layer, log=Logarithm())


@pytest.mark.parametrize("every", [1, 3, 100])
def test_names_the_op_and_the_line_and_keeps_the_weights_from_just_before(every):
    optimizer = sc.optim.SGD(0.1, momentum=0.9)
    network, guard = drifting(), sc.train.NaNGuard(every=every)
    history = fit(network, guard, optimizer=optimizer)
    found = guard.incident
    assert found is not None and found.step > 3 and found.rows == ()
    assert found.error.what.startswith("log made the first NaN or infinity")
    assert f"{__file__}:{line()}" in str(found) and "NaN" in str(found) and found.layer == "log"
    assert history.epochs < 20 and finite(network) and optimizer.learning_rate == 0.1

    # The same training, stopped one step earlier, has the same weights.
    twin = drifting()
    sc.train.fit(
        twin, DATA, steps=found.step - 1, batch_size=16, optimizer=sc.optim.SGD(0.1, momentum=0.9), device="reference",
        progress=False,
    )  # fmt: skip
    for a, b in zip(network.parameters(), twin.parameters(), strict=True):
        np.testing.assert_array_equal(a.get_value(), b.get_value())


def test_on_the_cpu_in_the_loss():
    def loss(output, labels):
        right = sc.sum(sc.one_hot(labels, 2) * output, axis=1)
        return sc.mean(sc.sqrt(right))

    network, guard = drifting()[:1], sc.train.NaNGuard()
    fit(network, guard, loss=loss, optimizer=sc.optim.SGD(0.5), device="cpu")
    assert guard.incident.error.what.startswith("sqrt made the first NaN") and guard.incident.layer is None
    assert finite(network)


def test_replays_schedules_and_random_numbers():
    def noisy():
        return nn.Sequential(drop=nn.Dropout(0.3, seed=5), rest=drifting())

    def options():
        return {
            "optimizer": sc.optim.SGD(0.1, momentum=0.9), "schedule": lambda epoch: 1 + epoch, "batch_size": 16,
            "device": "reference", "progress": False,
        }  # fmt: skip

    network, guard = noisy(), sc.train.NaNGuard()
    fit(network, guard, **options())
    twin = noisy()
    sc.train.fit(twin, DATA, steps=guard.incident.step - 1, **options())
    for a, b in zip(network.parameters(), twin.parameters(), strict=True):
        np.testing.assert_array_equal(a.get_value(), b.get_value())


def test_bad_rows_of_the_data():
    images = X.copy()
    images[[3, 40]] = np.nan
    data = sc.data.Dataset(images, DATA[1])
    for train, batch_size in ((data, 64), (data.balanced(per_class=60).augment(lambda X, t, rng: (X, t)), 128)):
        network, guard = sc.models.mlp([4, 8, 2], seed=0), sc.train.NaNGuard()
        fit(network, guard, train, batch_size=batch_size, epochs=1)
        assert set(guard.incident.rows) == {3, 40}
        assert "Bad data" in str(guard.incident) and finite(network)


def test_an_explosion_is_put_down_to_the_rate():
    network, guard = sc.models.mlp([4, 8, 8, 2], seed=0), sc.train.NaNGuard()
    fit(network, guard, optimizer=sc.optim.SGD(1e6), loss=lambda z, t: sc.mean(sc.square(z - t[:, None])))
    found = guard.incident
    assert found.growth > 1e3 and "learning rate 1e+06 is too high" in str(found) and finite(network)


def test_weights_that_overflow_in_the_last_step_are_noticed():
    network, guard = nn.Sequential(dense=nn.Dense(4, 2, seed=0)), sc.train.NaNGuard()
    fit(network, guard, optimizer=sc.optim.SGD(3e38), loss=lambda z, t: 1e3 * sc.mean(z - t[:, None]), steps=1)
    assert finite(network) and "A weight after step 1" in str(guard.incident)


def test_what_cannot_be_repeated_says_so():
    class Vandal(sc.train.Callback):
        def on_step(self, run):
            if run.steps_done == 5:
                run.model.parameters()["dense1.bias"].set_value([np.nan, 0.0])

    network, guard = sc.models.mlp([4, 2], seed=0), sc.train.NaNGuard()
    sc.train.fit(
        network, DATA, callbacks=[Vandal(), guard], batch_size=16, epochs=4, device="reference", progress=False,
        nan_guard=False,
    )  # fmt: skip
    assert "did not bring it back" in str(guard.incident) and finite(network)


def test_nothing_happens_in_a_healthy_run():
    watched, alone = sc.models.mlp([4, 8, 2], seed=0), sc.models.mlp([4, 8, 2], seed=0)
    guard = sc.train.NaNGuard(every=3)
    first = fit(watched, guard)
    assert first["loss"] == fit(alone, sc.train.Callback())["loss"] and guard.incident is None


def test_a_checkpoint_of_what_went_wrong_is_not_written(tmp_path):
    network = drifting()
    sc.train.fit(
        network, DATA, epochs=20, batch_size=16, optimizer=sc.optim.SGD(0.1, momentum=0.9), device="reference",
        progress=False, callbacks=sc.train.Checkpoints(tmp_path, every=1),
    )  # fmt: skip
    written = sorted(int(name.stem.split("-")[-1]) for name in tmp_path.iterdir() if name.suffix == ".safetensors")
    guard = sc.train.NaNGuard()
    fit(drifting(), guard, optimizer=sc.optim.SGD(0.1, momentum=0.9))
    assert written[-1] == guard.incident.step - 1


def test_fit_has_one_by_default():
    network = drifting()
    with pytest.warns(RuntimeWarning, match="log made the first NaN") as warned:
        history = sc.train.fit(
            network, DATA, epochs=20, batch_size=16, optimizer=sc.optim.SGD(0.1, momentum=0.9), device="reference",
            progress=False,
        )  # fmt: skip
    assert warned[0].filename == __file__ and history.epochs < 20 and finite(network)


def test_complaints():
    network = sc.models.mlp([4, 2], seed=0)
    network.parameters()[0].set_value(np.full((4, 2), np.nan))
    with pytest.raises(sc.InputError, match=r"dense1\.weight holds NaN or infinity before"):
        fit(network, sc.train.NaNGuard())
    with pytest.raises(sc.InputError, match="at least 1"):
        sc.train.NaNGuard(every=0)


def test_copying_takes_a_twentieth_of_the_time(monkeypatch):
    now, copies = [0.0], []

    class Slow(Snapshot):
        def __init__(self, step):
            super().__init__(step)
            now[0] += 2.0
            copies.append(step.function.calls)

    class Second(sc.train.Callback):
        def on_step(self, run):
            now[0] += 1.0

    monkeypatch.setattr("symcnn.train.nan_guard.Snapshot", Slow)
    monkeypatch.setattr("symcnn.train.nan_guard.perf_counter", lambda: now[0])
    network = sc.models.mlp([4, 2])
    sc.train.fit(
        network, DATA, steps=120, batch_size=16, device="reference", progress=False,
        callbacks=[sc.train.NaNGuard(every=10), Second()],
    )  # fmt: skip
    assert copies == [0, 10, 48, 86]
