"""The GPU's runtime on a driver that does what the real one may do at worst, as far as order and failures go."""

import gc
import inspect
import re
import threading

import numpy as np
import pytest
from cuda.bindings import driver as real

from symcnn.backends.cuda import compiler, gpus, uploads
from symcnn.backends.cuda.bindings import Driver, DriverError
from symcnn.backends.cuda.device import Call, Memory
from symcnn.backends.cuda.driver import Gpu
from symcnn.backends.cuda.launch import Kernel
from symcnn.errors import BackendError
from tests.backends.cuda.fake_driver import FakeDriver, image

ADD = Kernel(
    """def kernel(x0, x1, n0, n1):
    i = int32(cuda.blockIdx.x * 4 + cuda.threadIdx.x)
    if i < n0:
        x1[i] = x1[i] * float32(2.0) + x0[i] + float32(n1)
""",
    ("float32", "float32"),
    2,
    4,
)
SEEDS = [None, *range(6)]


@pytest.fixture
def make(monkeypatch):
    """Makes GPUs; no kernel is compiled for them."""
    monkeypatch.setattr(compiler, "images", lambda kernels, cc: {k: ("kernel", image(k)) for k in kernels})

    def gpu(seed=None, **options) -> Gpu:
        return Gpu(0, Driver(FakeDriver(seed, **options)))

    return gpu


def fake(gpu) -> FakeDriver:
    return gpu._driver.raw


def upload(gpu, array) -> Memory:
    memory = gpu.allocate(array.nbytes)
    gpu.upload(memory, 0, array)
    return memory


def download(gpu, memory, like, offset=0):
    result = np.zeros_like(like)
    gpu.download(memory, offset, result)
    return result


def adding(x, y, count, number=0, at=(0, 0)) -> Call:
    return Call(ADD, ((x, at[0]), (y, at[1])), (count, number), (-(-count // 4), 1, 1))


def test_the_fake_takes_what_the_real_functions_take():
    names = [name[1:] for name in vars(FakeDriver) if name.startswith("_cu")]
    assert len(names) > 30
    for name in names:
        (signature,) = re.findall(rf"^{name}\((.*)\)", getattr(real, name).__doc__)
        # commas within brackets belong to annotations
        wanted = len(re.sub(r"\[.*?\](?=[,\s]|$)", "", signature).split(",")) if signature else 0
        assert len(inspect.signature(getattr(FakeDriver, f"_{name}")).parameters) - 1 == wanted, name


def test_the_real_functions_take_the_arguments_that_the_fake_is_given(make):
    if gpus.unavailable() is None:
        pytest.skip("this machine has a driver, which would do what is asked")
    taken = set()

    def ask(name, arguments):
        with pytest.raises(Exception) as caught:
            getattr(real, name)(*arguments)
        assert not isinstance(caught.value, (TypeError, ValueError, OverflowError)), (name, arguments, caught.value)
        taken.add(name)

    gpu = make()
    fake(gpu).observe = ask
    x = upload(gpu, np.ones(4, "float32"))
    gpu.launch(adding(x, x, 4, -1))
    for _ in range(2):
        run = gpu.record([adding(x, x, 4)])
        run()
        del run
    gpu.copy(x, 0, x, 8, 8)
    gpu.seconds(gpu.synchronize)
    gpu.number_of(x.address)
    for _ in range(5):
        upload(gpu, np.ones(2**17))
    gpu.release()
    gpu.let_wait(77, x)
    assert download(gpu, x, np.ones(4, "float32")).tolist() == [18] * 4
    assert len(taken) >= 22 and {"cuLaunchKernel", "cuGraphInstantiate", "cuModuleLoadData", "cuMemFree"} <= taken


@pytest.mark.parametrize("seed", SEEDS)
def test_a_launch(make, seed):
    gpu = make(seed)
    a, b = np.arange(10, dtype="float32"), np.ones(10, "float32")
    x, y = upload(gpu, a), upload(gpu, b)
    gpu.launch(adding(x, y, 10, -3))
    assert download(gpu, y, b).tolist() == (2 * b + a - 3).tolist()
    assert gpu.name == "Fake H200" and gpu.capability == (9, 0) and gpu.number == 0


def test_operands_begin_where_the_call_says(make):
    gpu = make()
    a = np.arange(12, dtype="float32")
    x, y = upload(gpu, a), upload(gpu, a)
    gpu.launch(adding(x, y, 3, at=(8, 16)))
    expected = a.copy()
    expected[4:7] = 2 * a[4:7] + a[2:5]
    assert download(gpu, y, a).tolist() == expected.tolist()
    assert download(gpu, y, a[:2], offset=20).tolist() == expected[5:7].tolist()


def test_a_kernel_is_loaded_once(make):
    gpu = make()
    x = upload(gpu, np.ones(4, "float32"))
    gpu.compile([ADD, ADD])
    threads = [threading.Thread(target=lambda: gpu.launch(adding(x, x, 4))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    gpu.record([adding(x, x, 4)])()
    assert fake(gpu).calls.count("cuModuleLoadData") == 1
    assert download(gpu, x, np.ones(4, "float32")).tolist() == [81] * 4


def test_an_empty_launch_is_none(make):
    gpu = make()
    x = upload(gpu, np.ones(4, "float32"))
    gpu.launch(adding(x, x, 0))
    gpu.record([adding(x, x, 0)])()
    assert not {"cuLaunchKernel", "cuGraphLaunch", "cuStreamBeginCapture"} & set(fake(gpu).calls)


@pytest.mark.parametrize("capture", [True, False])
@pytest.mark.parametrize("seed", SEEDS)
def test_a_recording_runs_its_launches_again(make, seed, capture):
    gpu = make(seed)
    a, b = np.arange(6, dtype="float32"), np.ones(6, "float32")
    x, y = upload(gpu, a), upload(gpu, b)
    calls = [adding(x, y, 6, 1), adding(x, y, 6, 2), adding(y, x, 6)]
    if capture:
        run = gpu.record(calls)
    else:
        fake(gpu).failing["cuGraphInstantiate"] = "CUDA_ERROR_NOT_SUPPORTED"
        with pytest.warns(RuntimeWarning, match="cannot record a CUDA graph.*CUDA_ERROR_NOT_SUPPORTED"):
            run = gpu.record(calls)
    before = fake(gpu).calls.count("cuLaunchKernel")
    for _ in range(3):
        run()
    assert fake(gpu).calls.count("cuLaunchKernel") - before == (0 if capture else 9)
    assert fake(gpu).calls.count("cuGraphLaunch") == (3 if capture else 0)
    for _ in range(3):
        b = 2 * b + a + 1
        b = 2 * b + a + 2
        a = 2 * a + b
    assert download(gpu, y, b).tolist() == b.tolist() and download(gpu, x, a).tolist() == a.tolist()


@pytest.mark.parametrize("function", ["cuStreamBeginCapture", "cuLaunchKernel", "cuStreamEndCapture"])
def test_a_recording_that_fails_leaves_plain_launches(make, function):
    gpu = make()
    a = np.ones(4, "float32")
    x = upload(gpu, a)
    fake(gpu).failing[function] = "CUDA_ERROR_STREAM_CAPTURE_INVALIDATED"
    with pytest.warns(RuntimeWarning, match="CAPTURE_INVALIDATED"):
        run = gpu.record([adding(x, x, 4)])
    fake(gpu).failing.clear()
    run()
    assert download(gpu, x, a).tolist() == [3] * 4


def test_graphs_that_nobody_runs_any_more_are_given_back(make):
    gpu = make()
    x = upload(gpu, np.ones(4, "float32"))
    for _ in range(3):
        gpu.record([adding(x, x, 4)])
    gc.collect()
    gpu.record([adding(x, x, 4)])
    assert fake(gpu).calls.count("cuGraphExecDestroy") == 3
    assert fake(gpu).calls.count("cuGraphDestroy") == 4


# order


@pytest.mark.parametrize("seed", SEEDS)
def test_an_upload_waits_for_the_kernels_that_read_the_old_contents(make, seed):
    gpu = make(seed)
    y = upload(gpu, np.zeros(5, "float32"))
    x = gpu.allocate(20)
    run, expected = gpu.record([adding(x, y, 5)]), np.zeros(5, "float32")
    for k in range(8):
        batch = np.full(5, k, "float32")
        gpu.upload(x, 0, batch)
        batch[:] = np.nan  # the caller may
        if k % 3:
            run()
        else:
            gpu.launch(adding(x, y, 5))
        expected = 2 * expected + k
    assert download(gpu, y, expected).tolist() == expected.tolist()


@pytest.mark.parametrize("seed", SEEDS)
def test_an_upload_waits_for_the_kernel_that_writes_and_for_copies(make, seed):
    gpu = make(seed)
    ones = np.ones(5, "float32")
    x, y, z = (upload(gpu, ones * k) for k in (1, 2, 3))
    gpu.launch(adding(x, y, 5))
    gpu.upload(y, 0, ones * 7)  # overwrites what the kernel writes
    assert download(gpu, y, ones).tolist() == [7] * 5
    gpu.copy(z, 4, y, 0, 16)
    gpu.upload(y, 0, ones * 9)
    gpu.upload(z, 0, ones[:1] * 5)
    assert download(gpu, z, ones).tolist() == [5, 7, 7, 7, 7]
    assert download(gpu, y, ones).tolist() == [9] * 5


@pytest.mark.parametrize("seed", SEEDS)
def test_pinned_memory_is_not_filled_while_it_is_read(make, seed, monkeypatch):
    monkeypatch.setattr(uploads, "CHUNK", 2**16)
    gpu = make(seed)
    large = np.arange(70_000, dtype="float32")  # five chunks in four slots
    small = [np.full(3, k, "float32") for k in range(9)]
    memories = [upload(gpu, array) for array in [large, *small, large]]
    for memory, array in zip(memories, [large, *small, large], strict=True):
        assert np.array_equal(download(gpu, memory, array), array)
    assert sum(map(len, fake(gpu)._pinned.values())) <= uploads.SLOTS * 2**16


@pytest.mark.parametrize("seed", SEEDS)
def test_memory_goes_to_another_owner_while_the_gpu_is_at_work(make, seed):
    gpu = make(seed)
    y, expected = upload(gpu, np.zeros(5, "float32")), np.zeros(5, "float32")
    addresses = set()
    for k in range(10):
        x = upload(gpu, np.full(5, k, "float32"))  # what it replaces is free, and may still be read
        addresses.add(x.address)
        gpu.launch(adding(x, y, 5))
        expected = 2 * expected + k
        del x
    assert len(addresses) == 1
    assert download(gpu, y, expected).tolist() == expected.tolist()


@pytest.mark.parametrize("seed", SEEDS)
def test_memory_of_a_recording_that_is_gone_may_still_be_read(make, seed):
    """The GPU has yet to do its last run when somebody else gets the memory."""
    gpu = make(seed)
    y, expected = upload(gpu, np.zeros(5, "float32")), np.zeros(5, "float32")
    addresses = set()
    for k in range(10):
        x = upload(gpu, np.full(5, k, "float32"))
        addresses.add(x.address)
        gpu.record([adding(x, y, 5)])()
        expected = 2 * expected + k
        del x
    assert len(addresses) == 1
    assert download(gpu, y, expected).tolist() == expected.tolist()
    assert all(len(memory.owner.block.recordings) <= 1 for memory in (y, upload(gpu, expected)))


def test_the_next_upload_runs_beside_the_kernels_if_its_memory_is_not_theirs(make):
    gpu = make()  # moves only when it must
    ones = np.ones(4, "float32")
    y = upload(gpu, ones)
    inputs = [gpu.allocate(16), gpu.allocate(16)]
    runs = [gpu.record([adding(x, y, 4)]) for x in inputs]
    for k in range(6):
        gpu.upload(inputs[k % 2], 0, ones)
        runs[k % 2]()
    gpu.upload(inputs[0], 0, ones)
    compute, arrivals = (fake(gpu)._stream(stream) for stream in (gpu._compute, gpu._uploads.stream))
    fake(gpu)._until(lambda: not arrivals.queue, arrivals)
    graphs = [op for op in compute.queue if op[0] == "run"]
    assert len(graphs) == 1  # step 5 need not have run for the upload of step 6, steps 0 to 4 have


def test_a_new_block_waits_for_nothing(make):
    gpu = make()
    ones = np.ones(4, "float32")
    x = upload(gpu, ones)
    gpu.record([adding(x, x, 4)])()
    calls = fake(gpu).calls
    del calls[:]
    upload(gpu, ones)
    assert "cuStreamWaitEvent" not in calls


def test_an_upload_to_memory_of_others_waits_and_is_waited_for(make):
    for seed in SEEDS:
        gpu = make(seed)
        ones = np.ones(4, "float32")
        owned = upload(gpu, ones)
        foreign = Memory(owned.address, 16, "of another library")
        gpu.launch(adding(foreign, foreign, 4))
        gpu.upload(foreign, 0, ones * 5)
        gpu.launch(adding(foreign, foreign, 4))
        assert download(gpu, foreign, ones).tolist() == [15] * 4


def test_a_part_of_memory_shares_its_fate(make):
    for seed in SEEDS:
        gpu = make(seed)
        ones = np.ones(4, "float32")
        whole = upload(gpu, ones)
        part = Memory(whole.address + 8, 8, whole)
        gpu.launch(adding(part, part, 2))
        gpu.upload(whole, 0, ones * 5)
        gpu.launch(adding(part, part, 2))
        assert download(gpu, part, ones[:2]).tolist() == [15, 15]


@pytest.mark.parametrize("seed", SEEDS)
def test_streams_of_other_libraries(make, seed):
    gpu = make(seed)
    ones = np.ones(4, "float32")
    x, theirs = upload(gpu, ones), 77
    seen = []
    gpu.let_wait(theirs, x)
    fake(gpu)._enqueue(theirs, lambda: seen.append(fake(gpu)._from(x.address, "float32")[:4].tolist()))
    fake(gpu)._enqueue(theirs, lambda: fake(gpu)._from(x.address, "float32").fill(3))
    gpu.wait_for(theirs)
    gpu.launch(adding(x, x, 4))
    assert download(gpu, x, ones).tolist() == [9] * 4
    assert seen == [[1] * 4]


# memory


def test_memory_is_used_again(make):
    gpu = make()
    first = gpu.allocate(1000)
    address = first.address
    del first
    again = gpu.allocate(700)
    assert again.address == address and again.nbytes == 700
    assert gpu.allocate(700).address != address
    assert fake(gpu).calls.count("cuMemAlloc") == 2
    assert gpu.allocate(0).nbytes == 0


@pytest.mark.parametrize("seed", [None, 3])
def test_memory_that_nobody_uses_goes_to_the_driver_before_it_runs_out(make, seed):
    gpu = make(seed, memory=10 * 2**20)
    x = upload(gpu, np.ones(4, "float32"))
    large = gpu.allocate(8 * 2**20)
    gpu.launch(adding(x, large, 4))
    del large
    assert gpu.allocate(6 * 2**20).nbytes == 6 * 2**20
    assert gpu._pool.held == 6 * 2**20 + 512
    upload(gpu, np.ones(9, "float32"))  # and nobody uses it
    gpu.release()
    assert gpu._pool.held == 512
    assert download(gpu, x, np.ones(4, "float32")).tolist() == [1] * 4


def test_out_of_memory(make):
    gpu = make(memory=10 * 2**20)
    kept = gpu.allocate(4 * 2**20)
    with pytest.raises(BackendError, match="out of memory") as caught:
        gpu.allocate(7 * 2**20 - 5)
    assert caught.value.what == "Fake H200 (cuda:0) is out of memory"
    assert caught.value.expected == "8.0 MiB more"
    assert caught.value.found == "6.0 MiB free of 10.0; symcnn holds 4.0 MiB"
    assert "f.memory_plan" in caught.value.hint
    assert caught.value.where.startswith(__file__)
    assert kept.nbytes


@pytest.mark.parametrize("offset, count", [(0, 5), (4, 4), (-4, 1)])
def test_copies_stay_within_their_memory(make, offset, count):
    gpu = make()
    x, array = gpu.allocate(16), np.zeros(count, "float32")
    for copy in (
        lambda: gpu.upload(x, offset, array),
        lambda: gpu.download(x, offset, array),
        lambda: gpu.copy(x, offset, x, 0, array.nbytes),
        lambda: gpu.copy(x, 0, x, offset, array.nbytes),
    ):
        with pytest.raises(BackendError, match="does not fit"):
            copy()


def test_arrays_that_are_not_contiguous_are_refused(make):
    gpu = make()
    array = np.zeros((4, 4), "float32").T[:, 1:]
    for copy in (gpu.upload, gpu.download):
        with pytest.raises(BackendError, match="contiguous"):
            copy(gpu.allocate(64), 0, array)


def test_empty_arrays(make):
    gpu = make()
    x, empty = gpu.allocate(0), np.zeros((0, 3), "float32")
    gpu.upload(x, 0, empty)
    gpu.download(x, 0, empty)
    gpu.copy(x, 0, x, 0, 0)
    assert not [name for name in fake(gpu).calls if name.startswith("cuMemcpy")]


# failures


@pytest.mark.parametrize(
    "grid, sizes",
    [((2**31, 1, 1), (1, 1)), ((1, 65536, 1), (1, 1)), ((1, 1, 65536), (1, 1)), ((1, 1, 1), (2**31, 1)),
     ((1, 1, 1), (1, -(2**31) - 1))],
)  # fmt: skip
def test_what_is_too_large_for_a_launch(make, grid, sizes):
    gpu = make()
    x = gpu.allocate(16)
    call = Call(ADD, ((x, 0), (x, 0)), sizes, grid)
    for run in (gpu.launch, lambda call: gpu.record([call])):
        with pytest.raises(BackendError, match="too large") as caught:
            run(call)
        assert "smaller batch" in caught.value.hint


def test_a_call_that_does_not_fit_its_kernel(make):
    gpu = make()
    with pytest.raises(BackendError, match="does not fit its kernel"):
        gpu.launch(Call(ADD, ((gpu.allocate(16), 0),), (1, 1), (1, 1, 1)))


@pytest.mark.parametrize(
    "code, advice",
    [
        ("CUDA_ERROR_ILLEGAL_ADDRESS", "a fault of symcnn"),
        ("CUDA_ERROR_UNSUPPORTED_PTX_VERSION", "update the driver"),
        ("CUDA_ERROR_UNKNOWN", None),
    ],
)
def test_the_driver_says_no(make, code, advice):
    gpu = make()
    fake(gpu).failing["cuStreamSynchronize"] = code
    with pytest.raises(DriverError, match="the CUDA driver failed in cuStreamSynchronize") as caught:
        gpu.synchronize()
    assert caught.value.found == f"{code}: what NVIDIA says" and caught.value.code == code
    assert advice is None if caught.value.hint is None else advice in caught.value.hint


def test_every_code_with_a_hint_is_one_of_the_drivers():
    from symcnn.backends.cuda.bindings import _HINTS

    assert all(hasattr(real.CUresult, code) for code in _HINTS)


# threads and contexts


def test_the_context_of_the_caller_comes_back(make):
    gpu = make()
    fake(gpu).context = 4321  # another library's, on another GPU
    x = upload(gpu, np.ones(4, "float32"))
    gpu.launch(adding(x, x, 4))
    with pytest.raises(BackendError):
        gpu.upload(x, 99, np.ones(4, "float32"))
    assert fake(gpu).context == 4321 and not fake(gpu).contexts
    assert download(gpu, x, np.ones(4, "float32")).tolist() == [3] * 4


def test_threads_take_turns(make):
    gpu = make(5)
    zeros = np.zeros(6, "float32")
    y = upload(gpu, zeros)
    failures = []

    def work(k):
        try:
            for _ in range(5):
                x = upload(gpu, np.full(6, k, "float32"))
                gpu.copy(y, 4 * k, x, 0, 4)
                assert download(gpu, x, zeros).tolist() == [k] * 6
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(k,)) for k in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert download(gpu, y, zeros).tolist() == list(range(6))


def test_time_by_the_clock_of_the_gpu(make):
    gpu = make()
    x = upload(gpu, np.ones(4, "float32"))
    assert gpu.seconds(lambda: gpu.launch(adding(x, x, 4))) == 1.5e-3
