"""The CUDA backend as functions see it: kernels to look at, profiles, debug mode, random numbers, devices by number."""

import gc
import weakref

import numpy as np
import pytest

import symcnn as sc
from symcnn.backends.base import backend
from symcnn.backends.cuda.backend import CudaBackend
from symcnn.backends.cuda.launch import ON_DEVICE, SIMULATED
from symcnn.errors import InputError
from symcnn.rewrite.pipeline import simplify
from symcnn.schedule.lower import lower
from tests.backends.cuda.devices import Emulator, Spy, backend_of, made

rng = np.random.default_rng(0)


@pytest.fixture
def device():
    return made(Spy())


def small_network():
    """Inputs, Shareds, loss and updates of a step with every kind of kernel."""
    x, t = sc.input("x", (None, 1, 4, 4)), sc.input("t", (None,), "int64")
    w = sc.shared(rng.normal(size=(2, 1, 3, 3)).astype("float32"), "w")
    v = sc.shared(rng.normal(size=(2 * 2 * 2, 4)).astype("float32") / 4, "v")
    h = sc.max_pool2d(sc.relu(sc.conv2d(x, w, padding=1)), 2)
    loss = sc.losses.cross_entropy(sc.flatten(h, 1) @ v, t)
    updates = {p: p - 0.1 * g for p, g in zip((w, v), sc.grad(loss, [w, v]), strict=True)}
    return [x, t], [w, v], loss, updates


BATCH = rng.normal(size=(3, 1, 4, 4)).astype("float32"), np.array([0, 3, 1])


@pytest.mark.parametrize("mode", ["fast", "debug"])
def test_steps_of_a_network(device, mode):
    losses, values = [], []
    for d in (device, "reference"):
        state = np.random.default_rng(5)
        inputs, shareds, loss, updates = small_network()
        for s in shareds:
            s.set_value(state.normal(size=s.shape) / 4)
        step = sc.function(inputs, loss, updates=updates, device=d, mode=mode)
        losses.append([float(step(*BATCH)) for _ in range(2)])
        values.append([s.get_value() for s in shareds])
    np.testing.assert_allclose(*losses, rtol=1e-5)
    for a, b in zip(*values, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6)


def test_what_a_function_shows(device):
    inputs, _, loss, updates = small_network()
    step = sc.function(inputs, loss, updates=updates, device=device)
    before = [(k.name, k.algorithm, k.source) for k in step.kernels]
    assert all(source.count("def kernel(") >= 1 for *_, source in before)
    algorithms = {name.partition(" ")[0]: algorithm for name, algorithm, _ in before}
    assert algorithms["conv2d"] != "generated" and algorithms["matmul"] != "generated"
    assert "generated" in algorithms.values()
    step.bind(x=BATCH[0].shape, t=(3,))
    assert [k.name for k in step.kernels] == [name for name, *_ in before]
    assert all("?" not in text for k in step.kernels for text in k.shapes)
    assert step.memory_plan.by_kind["scratch"] == step._current().executable.scratch_bytes
    assert step.memory_plan.peak_bytes == sum(step.memory_plan.by_kind.values())
    assert "def kernel(" in str(step.stages["kernels"])
    assert "cuda.blockIdx" in str(step.stages["kernels"])
    assert "conv2d" in str(step.explain())


def test_profile(device):
    inputs, shareds, loss, updates = small_network()
    step = sc.function(inputs, loss, updates=updates, device=device)
    old = shareds[0].get_value()
    profile = step.profile(*BATCH, repeat=2)
    assert len(profile.kernels) == len(step.kernels)
    assert [k.algorithm for k in sorted(profile.kernels, key=lambda k: k.index)] == [k.algorithm for k in step.kernels]
    assert all(k.seconds > 0 for k in profile.kernels) and any(k.flops > 0 for k in profile.kernels)
    assert (shareds[0].get_value() != old).any(), "updates are applied"


def test_debug_mode_names_the_kernel_that_is_wrong(device):
    spy = backend_of(device).device
    x = sc.input("x", (3,))
    f = sc.function([x], sc.exp(x) * 2, device=device, mode="debug")
    np.testing.assert_allclose(f(np.zeros(3)), 2)
    upload, launch = spy.upload, spy.launch

    def wrong(call):
        launch(call)
        memory, offset = call.pointers[-1]
        upload(memory, offset, np.full(1, 17, "float32"))

    spy.launch = wrong
    with pytest.raises(sc.SymcnnError, match="exp"):
        f(np.zeros(3))


def test_debug_mode_stops_at_what_is_no_number(device):
    x = sc.input("x", (3,))
    f = sc.function([x], sc.sum(sc.log(x)), device=device, mode="debug")
    with pytest.raises(sc.SymcnnError, match="log"):
        f([1, -1, 2])


def test_random_numbers_are_the_same_everywhere(device):
    """Drawn from the seed and the number of the call, whoever draws them."""
    x = sc.input("x", (None, 7))
    draw = [sc.dropout(x, 0.4, seed=3), sc.dropout(x + 1, 0.5, seed=9)]
    devices = [device, made(Emulator()), "cpu", "reference"]
    functions = [sc.function([x], draw, device=d) for d in devices]
    X = np.ones((9, 7), "float32")
    masks = [[np.stack(f(X)) != 0 for _ in range(3)] for f in functions]
    for others in masks[1:]:
        np.testing.assert_array_equal(masks[0], others)
    assert (masks[0][0] != masks[0][1]).any() and 0.4 < np.mean(masks[0]) < 0.7


def test_functions_may_share_parameters(device):
    """One trains, one predicts, one is of another device; all see the same values."""
    w = sc.shared(np.ones((3, 2), "float32"), "w")
    x = sc.input("x", (None, 3))
    y = x @ w
    train = sc.function([x], [], updates={w: w - 0.1 * sc.grad(sc.sum(y * y), w)}, device=device)
    predict = [sc.function([x], y, device=d) for d in (device, "cpu", "reference")]
    X = rng.normal(size=(4, 3)).astype("float32")
    for _ in range(3):
        train(X)
        results = [p(X) for p in predict]
        for found in results:
            np.testing.assert_allclose(found, X @ w.get_value(), rtol=1e-5, atol=1e-5)


def test_kernels_go_with_their_function(device):
    x = sc.input("x", (None, 3))
    f = sc.function([x], sc.exp(x) @ np.ones((3, 2), "float32"), device=device)
    f(np.ones((2, 3)))
    steps = [weakref.ref(step) for step in f.program.steps]
    executable = weakref.ref(f._current().executable)
    del f
    gc.collect()
    assert [executable(), *(s() for s in steps)] == [None] * (1 + len(steps))


def test_everything_is_compiled_before_the_first_call(device):
    """What `prepare` compiles is enough, whatever the sizes: tuned kernels choose by size among those."""
    inputs, _, loss, updates = small_network()
    step = sc.function(inputs, loss, updates=updates, device=device)
    spy = backend_of(device).device
    spy.since()
    for n in (1, 2, 64, 1000):
        step.bind(x=(n, 1, 4, 4), t=(n,))
        assert spy.since()["compile"] == 0


def test_devices_by_number(monkeypatch):
    monkeypatch.setattr(sc.config, "simulate_cuda", True)
    one = backend("cuda")
    assert one is backend("cuda") is backend("cuda:0")
    assert one.device.geometry is SIMULATED
    with pytest.raises(InputError):
        backend("cuda:zero")


def test_tf32_is_as_when_a_function_was_built(monkeypatch):
    monkeypatch.setattr(sc.config, "tf32", True)
    gpu = Emulator(ON_DEVICE)
    built = CudaBackend(gpu)
    y = sc.conv2d(sc.input("x", (None, 8, 9, 9)), sc.shared(np.ones((16, 8, 3, 3), "float32")))
    program = lower(simplify([y])[-1].outputs, {}, built.tuned, built.finishes_rows, built.keeps_rows)
    (step,) = (s for s in program.steps if s.tuned is not None)
    before = built.kernels_of(step)
    monkeypatch.setattr(sc.config, "tf32", False)
    assert built.kernels_of(step) == before
    assert CudaBackend(gpu).kernels_of(step) != before


def test_geometries():
    """Rows are folded pairwise."""
    for geometry in (ON_DEVICE, SIMULATED):
        assert geometry.row & (geometry.row - 1) == 0
