"""The simulator as a device: kernels do what they say, and what they may not do is an error."""

import traceback

import numpy as np
import pytest

from symcnn.backends.cuda.device import Call, Memory
from symcnn.backends.cuda.launch import Kernel
from symcnn.backends.cuda.simulator import Simulator

ADD = Kernel(
    """def kernel(x0, x1, n0):
    i = int32(cuda.blockIdx.x * 4 + cuda.threadIdx.x)
    if i < n0:
        x1[i] = x0[i] + float32(1.0)
""",
    ("float32", "float32"), 1, 4,
)  # fmt: skip
REVERSE = Kernel(
    """def kernel(x0):
    thread = int32(cuda.threadIdx.x)
    s1 = cuda.shared.array(4, float32)
    s2 = cuda.shared.array(4, float32)
    s1[thread] = x0[thread]
    s2[thread] = float32(100.0)
    cuda.syncthreads()
    x0[thread] = s1[3 - thread] + s2[thread]
""",
    ("float32",), 0, 4,
)  # fmt: skip


def kernel(line, operands=("float32",)):
    return Kernel(f"def kernel({', '.join(f'x{k}' for k in range(len(operands)))}):\n    {line}\n", operands, 0, 1)


def memory_of(device, array) -> Memory:
    memory = device.allocate(array.nbytes)
    device.upload(memory, 0, array)
    return memory


def read(device, memory, offset, shape, dtype="float32"):
    array = np.empty(shape, dtype)
    device.download(memory, offset, array)
    return array


@pytest.fixture
def device():
    return Simulator()


def test_bytes_go_where_they_are_sent(device):
    a = memory_of(device, np.arange(6, dtype="float32"))
    device.upload(a, 8, np.array([[7, 8]], "float32"))
    b = device.allocate(24)
    device.copy(b, 4, a, 0, 20)
    assert read(device, b, 4, (5,)).tolist() == [0, 1, 7, 8, 4]
    device.copy(a, 0, a, 4, 20)  # onto itself
    assert read(device, a, 0, (6,)).tolist() == [1, 7, 8, 4, 5, 5]
    assert read(device, a, 4, ()) == 7
    assert device.allocate(0).nbytes == 0
    device.upload(a, 24, np.zeros((0, 3), "float32"))


def test_what_was_uploaded_may_be_changed(device):
    x = np.ones(3, "float32")
    memory = memory_of(device, x)
    x[:] = 2
    assert read(device, memory, 0, (3,)).tolist() == [1, 1, 1]


def test_recordings_run_again_and_again(device):
    a, b = memory_of(device, np.zeros(9, "float32")), device.allocate(36)
    there, back = (Call(ADD, ((x, 4), (y, 4)), (8,), (2, 1, 1)) for x, y in ((a, b), (b, a)))
    run = device.record([there, back])
    for _ in range(3):
        run()
    device.synchronize()
    assert read(device, a, 0, (9,)).tolist() == [0] + [6] * 8
    assert device.record([])() is None


def test_threads_share_memory_and_wait_for_each_other(device):
    memory = memory_of(device, np.arange(4, dtype="float32"))
    device.launch(Call(REVERSE, ((memory, 0),), (), (1, 1, 1)))
    assert read(device, memory, 0, (4,)).tolist() == [103, 102, 101, 100]


@pytest.mark.parametrize("index", [4, -2])
def test_indices_outside_of_the_memory(device, index):
    memory = memory_of(device, np.arange(4, dtype="float32"))
    for line in (f"x0[0] = x0[{index}]", f"x0[{index}] = float32(1)"):
        with pytest.raises(IndexError, match=str(index)):
            device.launch(Call(kernel(line), ((memory, 4),), (), (1, 1, 1)))


def test_indices_may_be_negative_within_the_memory(device):
    memory = memory_of(device, np.arange(4, dtype="float32"))
    device.launch(Call(kernel("x0[-2] = x0[-1] * float32(2)"), ((memory, 8),), (), (1, 1, 1)))
    assert read(device, memory, 0, (4,)).tolist() == [2, 1, 2, 3]


def test_numbers_of_every_type_at_any_place(device):
    for dtype in ("uint8", "int8", "int16", "int32", "int64", "float32", "float64"):
        whole = np.zeros(4, dtype)
        memory = memory_of(device, whole)
        device.launch(Call(kernel("x0[0] = x0[1] + 3", (dtype,)), ((memory, whole.itemsize),), (), (1, 1, 1)))
        assert read(device, memory, 0, (4,), dtype).tolist() == [0, 3, 0, 0]


def test_infinities_are_no_mistakes(device):
    memory = memory_of(device, np.zeros(2, "float32"))
    device.launch(Call(kernel("x0[0] = float32(1) / x0[1]"), ((memory, 0),), (), (1, 1, 1)))
    assert read(device, memory, 0, (2,)).tolist() == [np.inf, 0]


def test_a_traceback_shows_the_line_of_the_kernel(device):
    memory = memory_of(device, np.zeros(1, "float32"))
    with pytest.raises(IndexError) as caught:
        device.launch(Call(kernel("x0[0] = x0[7]"), ((memory, 0),), (), (1, 1, 1)))
    assert "x0[0] = x0[7]" in "".join(traceback.format_exception(caught.value))
