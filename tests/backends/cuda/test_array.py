"""Arrays on a device: to the host and back, and between libraries without a copy, alive for as long as anybody has them."""

import ctypes
import gc
import subprocess
import sys
import weakref

import numpy as np
import pytest

from symcnn.arrays import gpu_of
from symcnn.backends.cuda import dlpack
from symcnn.backends.cuda.array import KEPT, DeviceArray, as_device_array, to_device
from symcnn.backends.cuda.device import Memory
from symcnn.backends.cuda.simulator import Simulator
from symcnn.errors import DTypeError, InputError
from symcnn.ir.types import DTYPES
from tests.backends.cuda.test_driver import SEEDS, adding, fake, make  # noqa: F401


@pytest.fixture(params=["gpu", "simulator"])
def device(request, make):  # noqa: F811
    return make() if request.param == "gpu" else Simulator()


@pytest.fixture
def gpu(make):  # noqa: F811
    return make()


class Foreign:
    """An array of another library on the same GPU, by one protocol or the other."""

    def __init__(self, gpu, array, strides=None):
        self.array, self.gpu = array, gpu
        self.memory = gpu.allocate(array.nbytes)
        gpu.upload(self.memory, 0, array)
        gpu.synchronize()
        self.strides, self.streams = strides, []


class ByInterface(Foreign):
    stream, mask, typestr = None, None, None

    @property
    def __cuda_array_interface__(self):
        return {
            "shape": self.array.shape, "typestr": self.typestr or self.array.dtype.str, "data": (self.memory.address, False),
            "version": 3, "strides": self.strides, "stream": self.stream, "mask": self.mask,
        }  # fmt: skip


class ByDLPack(Foreign):
    number = 0

    def __dlpack_device__(self):
        return dlpack.CUDA, self.number

    def __dlpack__(self, *, stream=None):
        self.streams.append(stream)
        tensor = dlpack.Tensor(self.memory.address, self.array.shape, None, self.array.dtype, (2, 0), self)
        capsule = dlpack.exported(tensor)
        for axis, step in enumerate(self.strides or ()):
            dlpack._Managed.from_address(address_in(capsule)).tensor.strides[axis] = step // self.array.itemsize
        return capsule


def address_in(capsule):
    return dlpack._pointer(id(capsule), b"dltensor")


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("shape", [(), (3,), (2, 0, 3), (2, 3, 4)])
def test_there_and_back(device, dtype, shape):
    array = np.random.default_rng(0).integers(0, 2, shape).astype(dtype)
    there = to_device(array, device)
    assert (there.shape, there.dtype, there.ndim, there.size) == (shape, dtype, len(shape), array.size)
    assert there.nbytes == array.nbytes
    for back in (there.numpy(), np.asarray(there), np.array(there)):
        assert back.dtype == dtype and back.shape == shape and np.array_equal(back, array)
    assert np.asarray(there, "float64").dtype == np.float64
    with pytest.raises(ValueError, match="without a copy"):
        np.array(there, copy=False)


def test_what_is_uploaded_may_change_at_once(device):
    array = np.arange(6)[::-1]
    there = to_device(array, device)
    array[:] = 9
    assert there.numpy().tolist() == there.host.tolist() == [5, 4, 3, 2, 1, 0]


def test_the_host_remembers_small_integers_alone(device):
    assert to_device([1, 2], device).host.tolist() == [1, 2]
    assert to_device(np.zeros(KEPT, "uint8"), device).host is not None
    assert to_device(np.zeros(KEPT + 1, "uint8"), device).host is None
    assert to_device([1.0], device).host is None and to_device([True], device).host is None


def test_numbers(device):
    loss = to_device(np.float32(1.25), device)
    assert (float(loss), int(loss), bool(loss), loss.item()) == (1.25, 1, True, 1.25)
    assert f"{loss:.3f}" == "1.250" and f"{to_device(7, device):03d}" == "007"
    several = to_device([1.0, 2.0], device)
    assert len(several) == 2
    for convert in (float, int, bool):
        with pytest.raises(TypeError, match=r"shape \(2,\)"):
            convert(several)
    with pytest.raises(TypeError, match="no length"):
        len(loss)
    with pytest.raises(TypeError):
        iter(several)


def test_repr(gpu):
    assert repr(to_device(np.zeros((2, 3)), gpu)) == "<DeviceArray: (2, 3) float64 on cuda:0>"
    assert f"{to_device(1, gpu)}" == "<DeviceArray: () int64 on cuda:0>"
    assert repr(to_device([1, 2], Simulator())) == "<DeviceArray: (2,) int64 on simulator>"


def test_a_dtype_that_is_none_of_ours(device):
    with pytest.raises(DTypeError, match="float16"):
        to_device(np.zeros(3, "float16"), device)


# other libraries


def test_numpy_shares_the_memory_of_the_simulator():
    there = to_device(np.arange(6, dtype="float32").reshape(2, 3), Simulator())
    there = DeviceArray((2,), "float32", there.memory, 4, there.device)
    shared = np.from_dlpack(there)
    assert shared.tolist() == [1, 2]
    there.device.upload(there.memory, 4, np.float32([7, 8]))
    assert shared.tolist() == [7, 8]
    copied = np.from_dlpack(there, copy=True)
    there.device.upload(there.memory, 4, np.float32([0, 0]))
    assert copied.tolist() == [7, 8]
    assert not hasattr(there, "__cuda_array_interface__") and gpu_of(there) is None


@pytest.mark.parametrize("dtype", [d for d in DTYPES if d.name != "uint16"], ids=str)
def test_pytorch_shares_the_memory_of_the_simulator(dtype):
    torch = pytest.importorskip("torch")
    array = np.arange(6).reshape(1, 2, 3).astype(dtype)
    there = to_device(array, Simulator())
    shared = torch.from_dlpack(there)
    assert np.array_equal(shared.numpy(), array) and shared.data_ptr() == there.memory.address


def test_memory_lives_as_long_as_another_library_has_it():
    there = to_device(np.arange(3.0), Simulator())
    owner = weakref.ref(there.memory.owner)
    taken, untouched = np.from_dlpack(there), there.__dlpack__()
    count = len(dlpack._exported)
    del there
    gc.collect()
    assert owner() is not None and taken.tolist() == [0, 1, 2]
    del taken
    gc.collect()
    assert len(dlpack._exported) == count - 1 and owner() is not None
    del untouched
    gc.collect()
    assert owner() is None and len(dlpack._exported) == count - 2


def test_who_has_a_tensor_when_python_ends_crashes_nothing():
    code = """
import sys
import numpy as np
from symcnn.backends.cuda.array import to_device
from symcnn.backends.cuda.simulator import SIMULATOR
arrays = [to_device(np.arange(3.0), SIMULATOR) for _ in range(2)]
sys.kept = np.from_dlpack(arrays[0]), arrays[1].__dlpack__()  # put away last
"""
    run = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True)
    assert (run.returncode, run.stderr) == (0, "")


def test_a_capsule_gives_its_tensor_once(gpu):
    there = to_device([1, 2], gpu)
    capsule = there.__dlpack__()
    assert dlpack.imported(capsule).device == (2, 0)
    with pytest.raises(ValueError, match="incorrect name"):
        dlpack.imported(capsule)


def test_the_structure_in_a_capsule(gpu):
    memory = gpu.allocate(100)
    there = DeviceArray((2, 3), "int16", memory, 8, gpu)
    assert there.__dlpack_device__() == (2, 0) and gpu_of(there) == "cuda:0"
    words = (ctypes.c_uint64 * 6).from_address(address_in(capsule := there.__dlpack__()))
    assert words[0] == memory.address + 8 and words[1] == 2  # device 2, number 0
    assert words[2] == 2 | 0 << 32 | 16 << 40 | 1 << 48  # ndim; code, bits, lanes
    assert list((ctypes.c_int64 * 2).from_address(words[3])) == [2, 3]
    assert list((ctypes.c_int64 * 2).from_address(words[4])) == [3, 1]
    assert words[5] == 0
    with pytest.raises(BufferError, match="not on"):
        there.__dlpack__(dl_device=(1, 0))
    assert capsule


@pytest.mark.parametrize("protocol", ["dlpack", "interface"])
@pytest.mark.parametrize("seed", SEEDS)
def test_another_library_sees_what_was_asked_for_before(make, seed, protocol):  # noqa: F811
    gpu, theirs, seen = make(seed), 77, []
    x, y = (to_device(np.full(4, k, "float32"), gpu) for k in (1, 2))
    gpu.launch(adding(x.memory, y.memory, 4))
    if protocol == "dlpack":
        capsule = y.__dlpack__(stream=theirs)
        address = dlpack.imported(capsule).address
    else:
        # as the interface says: whoever reads lets his stream wait for ours
        interface = y.__cuda_array_interface__
        event = gpu._driver.cuEventCreate(2)
        gpu._driver.cuEventRecord(event, interface["stream"])
        gpu._driver.cuStreamWaitEvent(theirs, event, 0)
        address = interface["data"][0]
    fake(gpu)._enqueue(theirs, lambda: seen.append(fake(gpu)._from(address, "float32")[:4].tolist()))
    fake(gpu)._until(lambda: seen, fake(gpu)._stream(theirs))
    assert seen == [[5] * 4]


def test_streams_of_dlpack(gpu):
    there, calls = to_device([1, 2], gpu), fake(gpu).calls
    for stream, waits in ((-1, 0), (None, 1), (1, 1), (2, 1), (77, 1)):
        del calls[:]
        there.__dlpack__(stream=stream, max_version=(1, 0))
        # the first that waits also waits for the upload
        assert sum(name == "cuEventRecord" for name in calls) == waits


def test_the_interface(gpu):
    memory = gpu.allocate(100)
    assert DeviceArray((2, 3), "bool", memory, 8, gpu).__cuda_array_interface__ == {
        "shape": (2, 3), "typestr": "|b1", "data": (memory.address + 8, False), "version": 3, "strides": None,
        "stream": gpu.stream,
    }  # fmt: skip
    assert DeviceArray((2, 0), "float32", memory, 8, gpu).__cuda_array_interface__["data"] == (0, False)


@pytest.mark.parametrize("kind", [ByInterface, ByDLPack])
@pytest.mark.parametrize("dtype", ["float32", "int64", "bool", "uint8"])
def test_an_array_of_another_library(gpu, kind, dtype):
    array = np.arange(6).reshape(2, 3).astype(dtype)
    foreign = kind(gpu, array)
    taken = as_device_array(foreign, gpu)
    assert taken.memory.address == foreign.memory.address and taken.memory.nbytes == array.nbytes
    assert taken.dtype == array.dtype and np.array_equal(taken.numpy(), array) and taken.host is None
    assert foreign.streams == ([gpu.stream] if kind is ByDLPack else [])
    gone = weakref.ref(foreign)
    del foreign
    gc.collect()
    assert gone() is not None
    del taken
    gc.collect()
    assert gone() is None


@pytest.mark.parametrize("seed", SEEDS)
def test_kernels_wait_for_the_stream_of_the_other_library(make, seed):  # noqa: F811
    gpu = make(seed)
    foreign = ByInterface(gpu, np.zeros(4, "float32"))
    foreign.stream = 55
    fake(gpu)._enqueue(55, lambda: fake(gpu)._from(foreign.memory.address, "float32").fill(3))
    taken = as_device_array(foreign, gpu)
    taken.wait(gpu)
    y = to_device(np.zeros(4, "float32"), gpu)
    gpu.launch(adding(taken.memory, y.memory, 4))
    assert y.numpy().tolist() == [3] * 4
    fake(gpu)._enqueue(55, lambda: fake(gpu)._from(foreign.memory.address, "float32").fill(8))
    assert taken.numpy().tolist() == [8] * 4


@pytest.mark.parametrize("kind", [ByInterface, ByDLPack])
def test_arrays_that_are_not_contiguous(gpu, kind):
    array = np.zeros((2, 3), "float32")
    assert as_device_array(kind(gpu, array, strides=(12, 4)), gpu) is not None
    assert as_device_array(kind(gpu, array[:1], strides=(400, 4)), gpu) is not None
    for strides in ((4, 8), (24, 4), (-12, 4)):
        with pytest.raises(InputError, match="do not lie one after the other") as caught:
            as_device_array(kind(gpu, array, strides=strides), gpu)
        assert "contiguous()" in caught.value.hint and kind.__name__ in caught.value.what


def test_what_cannot_be_taken(gpu):
    foreign = ByInterface(gpu, np.zeros(3, "float32"))
    for dtype in ("<f2", ">f4", "<c8"):
        foreign.typestr = dtype
        with pytest.raises(InputError, match="dtype that is not supported"):
            as_device_array(foreign, gpu)
    foreign.typestr, foreign.mask = None, foreign
    with pytest.raises(InputError, match="mask"):
        as_device_array(foreign, gpu)

    class WithGradient(ByDLPack):
        requires_grad = True

        def __dlpack__(self, *, stream=None):
            raise BufferError("Can't export tensors that require gradient\nand so on")

    with pytest.raises(InputError, match="cannot be used on cuda:0") as caught:
        as_device_array(WithGradient(gpu, np.zeros(3)), gpu)
    assert caught.value.found == "Can't export tensors that require gradient" and "detach" in caught.value.hint


def test_a_dtype_that_numpy_does_not_have(gpu):
    class BFloat(ByDLPack):
        def __dlpack__(self, *, stream=None):
            capsule = super().__dlpack__(stream=stream)
            dlpack._Managed.from_address(address_in(capsule)).tensor.code = 4
            return capsule

    gc.collect()
    before = len(dlpack._exported)
    with pytest.raises(InputError, match="cannot be used") as caught:
        as_device_array(BFloat(gpu, np.zeros(3, "int16")), gpu)
    assert "number 4 with 16 bits" in caught.value.found
    del caught
    gc.collect()
    assert len(dlpack._exported) == before


def test_what_lies_elsewhere_is_left_to_others(gpu, make):  # noqa: F811
    there = to_device([1], gpu)
    assert as_device_array(there, gpu) is there
    assert as_device_array(there, make()) is None
    assert as_device_array(to_device([1], Simulator()), gpu) is None
    for value in (np.zeros(3), [1, 2], 1.0, None, "text"):
        assert as_device_array(value, gpu) is None and as_device_array(value, Simulator()) is None
    elsewhere = ByDLPack(gpu, np.zeros(3))
    elsewhere.number = 1
    assert as_device_array(elsewhere, gpu) is None

    class OnTheHost:
        def __dlpack_device__(self):
            return 1, 0

        def __dlpack__(self):
            raise AssertionError("nobody asks")

    assert as_device_array(OnTheHost(), gpu) is None

    class SometimesThere:
        @property
        def __cuda_array_interface__(self):
            raise AttributeError("not this one")

    assert as_device_array(SometimesThere(), gpu) is None
    foreign = ByInterface(gpu, np.zeros(3, "float32"))
    gpu.number = 1
    assert as_device_array(foreign, gpu) is None


def test_an_array_of_pytorch_on_the_host_is_left_to_others(gpu):
    torch = pytest.importorskip("torch")
    assert as_device_array(torch.zeros(3), gpu) is None


def test_empty_arrays_of_others(gpu):
    class Empty(ByInterface):
        @property
        def __cuda_array_interface__(self):
            return {"shape": (0, 3), "typestr": "<f4", "data": (0, False), "version": 3}

    taken = as_device_array(Empty(gpu, np.zeros(3, "float32")), gpu)
    assert taken.shape == (0, 3) and taken.memory.nbytes == 0 and taken.numpy().shape == (0, 3)


def test_memory_taken_may_be_a_part(gpu):
    array = np.arange(8, dtype="float32")
    whole = to_device(array, gpu)
    part = DeviceArray((2, 2), "float32", Memory(whole.memory.address + 8, 16, whole.memory), 0, gpu)
    assert part.numpy().tolist() == [[2, 3], [4, 5]]
    copy = dlpack.imported(part.__dlpack__(copy=True))
    gpu.upload(whole.memory, 0, array * 0)
    again = DeviceArray((2, 2), "float32", Memory(copy.address, 16, copy.owner), 0, gpu)
    assert again.numpy().tolist() == [[2, 3], [4, 5]]
