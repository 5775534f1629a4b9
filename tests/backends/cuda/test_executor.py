"""What a call asks of a device, and that it asks for nothing twice: uploads, recordings, copies, memory."""

import gc
import threading
import weakref

import numpy as np
import pytest

import symcnn as sc
from symcnn.backends.cuda import executor
from symcnn.backends.cuda.array import DeviceArray, to_device
from symcnn.backends.cuda.device import Memory
from symcnn.errors import ShapeError
from symcnn.schedule.memory import ALIGNMENT
from tests.backends.cuda.devices import Spy, backend_of, made

X = np.arange(12, dtype="float32").reshape(4, 3)


@pytest.fixture
def device():
    return made(Spy())


@pytest.fixture(params=["copied", "read where they lie"])
def arrays_are(request, monkeypatch):
    """Both ways of taking arrays of the device, which their size decides between."""
    if request.param != "copied":
        monkeypatch.setattr(executor, "MOST_COPIED", 0)
    return request.param


def spy_of(device):
    return backend_of(device).device


def on(device, array, offset=0):
    """A copy of `array` on a device, so many bytes after an address that is a multiple of 512."""
    spy = spy_of(device)
    array = np.ascontiguousarray(array)
    memory = spy.allocate(array.nbytes + offset)
    spy.upload(memory, offset, array)
    return DeviceArray(array.shape, array.dtype, memory, offset, spy)


# ---- what a call costs


def test_a_step_uploads_its_inputs_and_nothing_else(device):
    """Parameters and the state of the optimiser stay on the device; only the loss comes back."""
    w, m = sc.shared(np.ones((3, 2), "float32"), "w"), sc.shared(np.zeros((3, 2), "float32"), "m")
    x = sc.input("x", (None, 3))
    loss = sc.sum(sc.tanh(x @ w))
    moved = 0.9 * m + sc.grad(loss, w)
    step = sc.function([x], loss, updates={m: moved, w: w - 0.1 * moved}, device=device)
    spy = spy_of(device)
    step(X)
    first = spy.since()
    assert first["upload"] - 1 == 2, "the two Shareds, once"
    assert first["record"] == 1
    for k in range(3):
        step(X + k)
        assert spy.since() == {"upload": 1, "launch": first["launch"], "download": 1}
    w.get_value()
    w.get_value()
    assert spy.since() == {"download": 1}, "once for the same value"
    step(X)
    assert spy.since()["upload"] == 1


def test_constants_are_uploaded_when_a_plan_is_made(device):
    table = sc.constant(np.arange(3000, dtype="float32"))
    x = sc.input("x", (None,))
    f, g = (sc.function([x], y, device=device) for y in (sc.sum(x) * table, sc.sum(x) - table))
    spy = spy_of(device)
    spy.since()
    f(X[0])
    assert spy.since()["upload"] == 2
    for h, n in ((f, 2), (f, 3), (g, 3), (g, 1)):
        h(np.ones(n))
        assert spy.since()["upload"] == 1


def test_new_sizes_record_and_compile_nothing(device):
    x = sc.input("x", (None, 3))
    f = sc.function([x], [sc.softmax(x), sc.sum(x)], device=device)
    spy = spy_of(device)
    f(X)
    for n in (1, 5, 3):
        spy.since()
        f(np.ones((n, 3), "float32"))
        asked = spy.since()
        assert asked.pop("allocate") > 0
        assert asked == {"compile": 0, "upload": 1, "record": 1, "launch": asked["launch"], "download": 2}
        f(np.ones((n, 3), "float32"))
        assert spy.since() == {"upload": 1, "launch": asked["launch"], "download": 2}


def test_nothing_to_launch(device):
    x = sc.input("x", (None, 3))
    f = sc.function([x], sc.exp(x), device=device)
    assert f(np.zeros((0, 3), "float32")).shape == (0, 3)
    assert "launch" not in spy_of(device).counts


def test_uploaded_batches_share_one_recording(device, arrays_are):
    """Each batch that is sent ahead lies somewhere else; of large ones, none is recorded."""
    x = sc.input("x", (None, 3))
    f = sc.function([x], sc.exp(x), device=device)
    spy = spy_of(device)
    kept = [on(device, X + k) for k in range(4)]
    results = [f(array) for array in kept]
    asked = spy.since()
    assert asked.get("record", 0) == (arrays_are == "copied")
    assert asked["launch"] == 4
    np.testing.assert_allclose(f(X), np.exp(X), rtol=1e-6)  # of the host, after all those
    assert spy.since().get("record", 0) == (arrays_are != "copied")
    for k, found in enumerate(results):
        np.testing.assert_allclose(found.numpy(), np.exp(X + k), rtol=1e-6)


def test_an_uploaded_batch_is_let_go(device, arrays_are):
    x = sc.input("x", (None, 3))
    f = sc.function([x], sc.exp(x), device=device)
    batch = on(device, X)
    f(batch)
    watch = weakref.ref(batch.memory)
    del batch
    gc.collect()
    assert watch() is None


# ---- what goes in and what comes out


@pytest.mark.parametrize("offset", [0, 4, 64, 100])
def test_arrays_of_the_device(device, offset, arrays_are):
    x, y = sc.input("x", (None, 3)), sc.input("y", (3,))
    f = sc.function([x, y], [x * y, x, y[::-1], sc.sum(x)], device=device)
    spy = spy_of(device)
    batch = on(device, X, offset)
    spy.since()
    found = f(batch, X[1])  # one from here, one from there
    asked = spy.since()
    assert all(isinstance(a, DeviceArray) and a.device is spy for a in found)
    assert asked["upload"] == 1 + 1, "the array of the host; the reversed one goes by way of it"
    copied = arrays_are == "copied" or offset % ALIGNMENT
    assert asked["copy"] == 3 + bool(copied), "three results, and what was given unless it can be read where it lies"
    again = f(on(device, -X, offset), X[2])
    for results, (a, b) in ((found, (X, X[1])), (again, (-X, X[2]))):  # the first are still what they were
        for result, expected in zip(results, [a * b, a, b[::-1], a.sum()], strict=True):
            assert (result.shape, result.dtype) == (np.shape(expected), np.dtype("float32"))
            np.testing.assert_allclose(result.numpy(), expected)
    np.testing.assert_array_equal(batch.numpy(), X)


def test_results_go_on_as_inputs(device):
    x = sc.input("x", (4, 3))
    f = sc.function([x], x * 2, device=device)
    spy = spy_of(device)
    array = on(device, X)
    spy.since()
    for _ in range(3):
        array = f(array)
    assert {"upload", "download"}.isdisjoint(spy.since())
    np.testing.assert_array_equal(array.numpy(), X * 8)


def test_the_same_array_twice(device):
    x, y = sc.input("x", (None, 3)), sc.input("y", (None, 3))
    f = sc.function([x, y], [x + y, x * y], device=device)
    batch = on(device, X)
    for a, b in ((X, X), (batch, batch), (batch, X)):
        found = f(a, b)
        np.testing.assert_array_equal(np.asarray(found[0]), X + X)
        np.testing.assert_array_equal(np.asarray(found[1]), X * X)


def test_an_array_of_another_device_is_copied_over(device):
    other = made(Spy())
    x = sc.input("x", (None, 3))
    found = sc.function([x], x + 1, device=device)(to_device(X, spy_of(other)))
    assert isinstance(found, np.ndarray)
    np.testing.assert_array_equal(found, X + 1)


def test_arrays_of_the_host_in_any_layout(device):
    x = sc.input("x", (None, None))
    f = sc.function([x], x + 0, device=device)
    big = np.arange(48, dtype="float32").reshape(8, 6)
    for array in (big[::2], big[:, ::-1], big.T, np.asfortranarray(big), big[2:2], big.astype("float16"), big.tolist()):
        np.testing.assert_array_equal(f(array), np.asarray(array, "float32"))


VIEWS = {
    "itself": (lambda x: x, lambda x: x),
    "transposed": (lambda x: sc.transpose(x), lambda x: x.T),
    "reversed": (lambda x: x[::-1, ::-1], lambda x: x[::-1, ::-1]),
    "every other": (lambda x: x[::2, 1:], lambda x: x[::2, 1:]),
    "a row": (lambda x: x[1], lambda x: x[1]),
    "an element": (lambda x: x[1, 2], lambda x: x[1, 2]),
    "flat": (lambda x: sc.reshape(x, (12,)), lambda x: x.reshape(12)),
    "repeated": (lambda x: sc.broadcast_to(x[0], (5, 3)), lambda x: np.broadcast_to(x[0], (5, 3))),
    "nothing": (lambda x: x[2:2], lambda x: x[2:2]),
}


@pytest.mark.parametrize("of", ["an input", "a Shared", "a result"])
@pytest.mark.parametrize("stays", [False, True])
def test_outputs_that_are_views(device, of, stays, arrays_are):
    x, s = sc.input("x", (4, 3)), sc.shared(X, "s")
    source = {"an input": x, "a Shared": s, "a result": sc.exp(x)}[of]
    array = np.exp(X) if of == "a result" else X
    outputs = [view(source) for view, _ in VIEWS.values()]
    f = sc.function([x], outputs, device=device, on_unused_input="ignore")
    given = on(device, X) if stays else X.copy()
    found = f(given)
    if not stays:
        given[:] = 0  # what was given and what came back are apart
    s.set_value(X * 0)
    f(on(device, X * 0) if stays else X * 0)
    for a, (_, expected) in zip(found, VIEWS.values(), strict=True):
        np.testing.assert_allclose(np.asarray(a), expected(array), rtol=1e-6)


def test_results_may_be_changed(device):
    x, s = sc.input("x", (4, 3)), sc.shared(X, "s")
    f = sc.function([x], [x, s, s[1:], x * 2], device=device)
    for _ in range(2):
        for array in f(X):
            array[...] = -1
    np.testing.assert_array_equal(s.get_value(), X)
    np.testing.assert_array_equal(f(X)[3], X * 2)


# ---- updates


def test_two_shareds_swap(device):
    a, b = sc.shared(X, "a"), sc.shared(-X, "b")
    step = sc.function([], [a, b], updates={a: b, b: a}, device=device)
    for k in range(3):
        old = step()
        np.testing.assert_array_equal(old[k % 2], X)
        np.testing.assert_array_equal(old[1 - k % 2], -X)
    np.testing.assert_array_equal(a.get_value(), -X)
    np.testing.assert_array_equal(b.get_value(), X)


def test_an_update_by_a_view_of_itself(device):
    a = sc.shared(X[:3], "a")
    b = sc.shared(X[:3] + 10, "b")
    step = sc.function([], [], updates={a: sc.transpose(b), b: a[::-1]}, device=device)
    x, y = a.get_value(), b.get_value()
    for _ in range(3):
        step()
        x, y = y.T.copy(), x[::-1].copy()
    np.testing.assert_array_equal(a.get_value(), x)
    np.testing.assert_array_equal(b.get_value(), y)


def test_a_call_that_fails_leaves_values_that_can_be_read(device):
    """The first update is done, the second is not: the host gets what the device has, not an old mixture."""
    a, b, x = sc.shared(np.ones(3, "float32"), "a"), sc.shared(np.ones(3, "float32"), "b"), sc.input("x", (3,))
    step = sc.function([x], [], updates={a: a * 2, b: b + sc.log(x)}, device=device, mode="debug")
    step(np.ones(3))
    with pytest.raises(sc.SymcnnError):
        step(-np.ones(3))
    found = a.get_value(), b.get_value()
    assert found[0].tolist() in ([2, 2, 2], [4, 4, 4])
    again = sc.function([], [a, b], device=device)()
    np.testing.assert_array_equal(again, found)


def test_who_reads_during_a_call_does_not_keep_the_old_value(device):
    """A value that was read while the device was at it may be the old one, but not once the call is over."""
    spy, s = spy_of(device), sc.shared(np.zeros(3, "float32"), "s")
    step = sc.function([], [], updates={s: s + 1}, device=device)
    step()
    launch, seen = spy.launch, []

    def slow(call):
        reader = threading.Thread(target=lambda: seen.append(s.get_value()))
        reader.start()
        reader.join()
        launch(call)

    spy.launch = slow
    step()
    assert seen[0].tolist() == [1, 1, 1]
    assert s.get_value().tolist() == [2, 2, 2]


# ---- limits


@pytest.mark.parametrize("shape", [(2**31,), (2**16, 2**16), (2**40, 3)])
def test_too_many_elements_for_a_kernel(device, shape):
    x = sc.input("x", (None,) * len(shape))
    f = sc.function([x], sc.exp(x), device=device)
    spy = spy_of(device)
    spy.since()
    with pytest.raises(ShapeError, match=r"2,147,483,647"):
        f.bind(x=shape)
    assert "allocate" not in spy.since(), "said before any memory is asked for"


def test_too_many_elements_for_a_sum_of_what_is_nowhere(device):
    """A table of all pairs needs no memory, but its elements have to be counted."""
    x, y = sc.input("x", (None,)), sc.input("y", (3, 1, 1))
    pairs = sc.expand_dims(x, 1) * sc.expand_dims(x, 0)
    f = sc.function([x, y], sc.max(sc.expand_dims(pairs, 0) + y, axis=(1, 2)), device=device)
    f.bind(x=(1000,))
    spy = spy_of(device)
    spy.since()
    with pytest.raises(ShapeError, match=r"2,147,483,647"):
        f.bind(x=(2**16,))
    assert "allocate" not in spy.since()


def test_memory_that_runs_out(device):
    spy = spy_of(device)
    allocate = spy.allocate

    def limited(nbytes) -> Memory:
        if nbytes > 2**20:
            raise sc.errors.BackendError("out of memory")
        return allocate(nbytes)

    spy.allocate = limited
    x = sc.input("x", (None,))
    f = sc.function([x], sc.exp(x), device=device)
    with pytest.raises(sc.errors.BackendError):
        f.bind(x=(2**20,))
    np.testing.assert_array_equal(f(np.zeros(3)), 1)


def test_what_belongs_to_a_function_goes_with_it(device):
    spy, alive = spy_of(device), []
    allocate = spy.allocate

    def watched(nbytes):
        memory = allocate(nbytes)
        alive.append(weakref.ref(memory))
        return memory

    spy.allocate = watched
    x, s = sc.input("x", (None, 3)), sc.shared(X, "s")
    f = sc.function([x], sc.sum(x) * sc.exp(s), updates={s: s + 1}, device=device)
    f(X)
    g = sc.function([], s * 2, device=device)
    np.testing.assert_array_equal(g(), (X + 1) * 2)
    del f
    gc.collect()
    left = [r().nbytes for r in alive if r() is not None]
    assert X.nbytes in left and s.get_value()[0, 0] == 1
    del g, s
    gc.collect()
    assert [r() for r in alive if r() is not None] == []
