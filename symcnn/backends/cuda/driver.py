"""An NVIDIA GPU through its driver: one stream of kernels, and beside it one that brings data.

The driver is called directly: Numba's own launches take 30 us, these 3, and a graph of them one call altogether.
"""

from __future__ import annotations

import ctypes
import threading
import warnings
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import wraps
from weakref import WeakKeyDictionary, finalize

import numpy as np

from symcnn.backends.cuda import compiler
from symcnn.backends.cuda.bindings import Driver, DriverError
from symcnn.backends.cuda.device import Call, Memory
from symcnn.backends.cuda.launch import ON_DEVICE, Kernel
from symcnn.backends.cuda.pool import Block, Lease, Pool, Usage
from symcnn.backends.cuda.uploads import Uploads
from symcnn.errors import BackendError

TF32 = (8, 0)  # the first compute capability whose tensor cores multiply it
MOST_BLOCKS = (2**31 - 1, 65535, 65535)  # of a grid along x, y and z, on every GPU


def _on_gpu(method):
    """A method that one thread at a time runs, with the GPU's context; the context of the caller comes back."""

    @wraps(method)
    def inside(self, *arguments):
        with self._lock:
            current = int(self._driver.cuCtxGetCurrent())
            if current == self._context:
                return method(self, *arguments)
            if not current:  # nobody else in this thread uses CUDA: it stays
                self._driver.cuCtxSetCurrent(self._context)
                return method(self, *arguments)
            self._driver.cuCtxPushCurrent(self._context)
            try:
                return method(self, *arguments)
            finally:
                self._driver.cuCtxPopCurrent()

    return inside


def name_of(driver: Driver, device) -> str:
    """The manufacturer's."""
    return driver.cuDeviceGetName(256, device).split(b"\0")[0].decode()


def capability_of(driver: Driver, device) -> compiler.Capability:
    attribute = driver.CUdevice_attribute
    major = driver.cuDeviceGetAttribute(attribute.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR, device)
    minor = driver.cuDeviceGetAttribute(attribute.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR, device)
    return int(major), int(minor)


class Gpu:
    """A `Device` that is one.

    Parameters
    ----------
    number : int
    driver : Driver
        Initialised.

    Attributes
    ----------
    name : str
        The manufacturer's: "NVIDIA H200".
    number : int
    capability : (int, int)
        What code it runs: (9, 0).
    stream : int
        Handle of the stream on which everything happens.
    """

    def __init__(self, number: int, driver: Driver):
        self._driver, self._lock, self.number = driver, threading.RLock(), number
        device = driver.cuDeviceGet(number)
        self.name, self.capability = name_of(driver, device), capability_of(driver, device)
        self.geometry = replace(ON_DEVICE, tensor_cores=self.capability >= TF32)
        # The context that every library in this process shares, so that their memory can be exchanged.
        self._context = int(driver.cuDevicePrimaryCtxRetain(device))
        self._functions: dict[Kernel, object] = {}
        self._unused: deque = deque()  # graphs that nobody will run again
        self._packed: WeakKeyDictionary[Call, _Packed] = WeakKeyDictionary()
        self._pool = Pool(driver, f"{self.name} (cuda:{number})", self.synchronize)
        self._start()

    @_on_gpu
    def _start(self):
        flags = self._driver.CUstream_flags
        self._compute = self._driver.cuStreamCreate(flags.CU_STREAM_DEFAULT.value)
        # Nothing runs on this one. It does not take part in the order of other libraries' default stream, which they must
        # not touch while a stream that does is recorded.
        self._recorder = self._driver.cuStreamCreate(flags.CU_STREAM_NON_BLOCKING.value)
        self._uploads = Uploads(self._driver, self._compute)
        self.stream = int(self._compute)

    @property
    def compile_seconds(self) -> float:
        return compiler.seconds

    def __repr__(self):
        return f"<cuda:{self.number}, {self.name}>"

    # ---- kernels

    def compile(self, kernels: Iterable[Kernel]) -> None:
        new = [kernel for kernel in dict.fromkeys(kernels) if kernel not in self._functions]
        if new:
            self._load(compiler.images(new, self.capability))  # meanwhile other threads may use the GPU

    @_on_gpu
    def _load(self, images: dict[Kernel, tuple[str, bytes]]) -> None:
        for kernel, (symbol, code) in images.items():
            if kernel in self._functions:
                continue
            module = self._driver.cuModuleLoadData(code + b"\0")  # PTX, if it is that, is text as C has it
            function = self._driver.cuModuleGetFunction(module, symbol.encode())
            # Code is brought to the GPU when it is first looked at, and while a graph is recorded that could fail.
            self._driver.cuFuncGetAttribute(
                self._driver.CUfunction_attribute.CU_FUNC_ATTRIBUTE_LOCAL_SIZE_BYTES, function
            )
            self._functions[kernel] = function

    @_on_gpu
    def launch(self, call: Call) -> None:
        if not all(call.grid):
            return
        packed = self._packed.get(call)
        if packed is None:
            self.compile([call.kernel])
            packed = self._packed[call] = _Packed(call, self._functions[call.kernel])
        self._uploads.before(packed.blocks)
        self._launch(packed, self._compute)
        _use(packed.blocks, self._uploads.after())

    def _launch(self, packed: _Packed, stream) -> None:
        x, y, z = packed.grid
        self._driver.cuLaunchKernel(packed.function, x, y, z, packed.threads, 1, 1, 0, stream, packed.address, 0)

    @_on_gpu
    def record(self, calls: Sequence[Call]) -> Callable[[], None]:
        calls = [call for call in calls if all(call.grid)]
        self.compile(call.kernel for call in calls)
        return _Recording(self, [_Packed(call, self._functions[call.kernel]) for call in calls])

    @_on_gpu
    def _capture(self, launches: list[_Packed]):
        """A graph of `launches`; ``None``, and a warning, if that cannot be had."""
        driver, graph = self._driver, None
        while self._unused:
            driver.cuGraphExecDestroy(self._unused.popleft())
        try:
            # Nothing is forbidden meanwhile: what this thread collects as garbage may call the driver.
            driver.cuStreamBeginCapture(self._recorder, driver.CUstreamCaptureMode.CU_STREAM_CAPTURE_MODE_RELAXED)
            try:
                for packed in launches:
                    self._launch(packed, self._recorder)
            finally:
                graph = driver.cuStreamEndCapture(self._recorder)
            return driver.cuGraphInstantiate(graph, 0)
        except DriverError as error:
            warnings.warn(
                f"symcnn cannot record a CUDA graph ({error.found}): kernels are launched one by one, which takes longer",
                RuntimeWarning,
                stacklevel=2,
            )
            return None
        finally:
            if graph is not None:
                driver.cuGraphDestroy(graph)

    @_on_gpu
    def _replay(self, recording: _Recording) -> None:
        self._uploads.before(recording.blocks)
        if recording.graph is None:
            for packed in recording.launches:
                self._launch(packed, self._compute)
        else:
            self._driver.cuGraphLaunch(recording.graph, self._compute)
        recording.usage.number = self._uploads.after()
        self._uploads.mark()

    # ---- memory

    @_on_gpu
    def allocate(self, nbytes: int) -> Memory:
        return self._pool.allocate(nbytes)

    @_on_gpu
    def release(self) -> None:
        """Give memory that nobody uses back to the driver, for other programs."""
        self._pool.release()

    @_on_gpu
    def upload(self, target: Memory, offset: int, array: np.ndarray) -> None:
        _check_bounds(target, offset, array.nbytes)
        self._uploads.send(_block(target), target.address + offset, _host_address(array), array.nbytes)

    @_on_gpu
    def download(self, source: Memory, offset: int, array: np.ndarray) -> None:
        _check_bounds(source, offset, array.nbytes)
        self._prepare(source)
        if array.nbytes:
            address = _host_address(array)
            self._driver.cuMemcpyDtoHAsync(address, source.address + offset, array.nbytes, self._compute)
        self._driver.cuStreamSynchronize(self._compute)

    @_on_gpu
    def copy(self, target: Memory, at: int, source: Memory, start: int, nbytes: int) -> None:
        _check_bounds(target, at, nbytes)
        _check_bounds(source, start, nbytes)
        self._prepare(target, source)
        if nbytes:
            self._driver.cuMemcpyDtoDAsync(target.address + at, source.address + start, nbytes, self._compute)

    def _prepare(self, *memories: Memory) -> None:
        """The compute stream is about to use these."""
        blocks = frozenset(block for block in map(_block, memories) if block is not None)
        self._uploads.before(blocks)
        _use(blocks, self._uploads.after())

    @_on_gpu
    def synchronize(self) -> None:
        self._uploads.synchronize()
        self._driver.cuStreamSynchronize(self._compute)

    @_on_gpu
    def seconds(self, run: Callable[[], object]) -> float:
        """How long the GPU takes for what `run` asks of it, by its own clock."""
        driver = self._driver
        start, end = (driver.cuEventCreate(driver.CUevent_flags.CU_EVENT_DEFAULT.value) for _ in range(2))
        try:
            driver.cuEventRecord(start, self._compute)
            run()
            driver.cuEventRecord(end, self._compute)
            driver.cuEventSynchronize(end)
            return driver.cuEventElapsedTime(start, end) / 1e3
        finally:
            driver.cuEventDestroy(start)
            driver.cuEventDestroy(end)

    # ---- exchange with other libraries

    @_on_gpu
    def number_of(self, address: int) -> int:
        """Which GPU an address is of, whoever allocated it."""
        attribute = self._driver.CUpointer_attribute.CU_POINTER_ATTRIBUTE_DEVICE_ORDINAL
        return int(self._driver.cuPointerGetAttribute(attribute, address))

    @_on_gpu
    def settle(self, memory: Memory) -> None:
        """Whoever waits for the stream from now on also waits for the uploads to `memory`."""
        self._prepare(memory)

    @_on_gpu
    def let_wait(self, stream: int, memory: Memory) -> None:
        """What another library asks of `stream` from now on comes after what was asked of `memory` here."""
        self._prepare(memory)
        self._join(self._compute, stream)

    @_on_gpu
    def wait_for(self, stream: int) -> None:
        """What is asked for from now on comes after what another library has asked of `stream`."""
        self._join(stream, self._compute)

    def _join(self, first, then) -> None:
        if int(first) == int(then):
            return
        event = self._driver.cuEventCreate(self._driver.CUevent_flags.CU_EVENT_DISABLE_TIMING.value)
        try:
            self._driver.cuEventRecord(event, first)
            self._driver.cuStreamWaitEvent(then, event, 0)
        finally:
            self._driver.cuEventDestroy(event)  # that happens when nobody waits any more


class _Packed:
    """A call as the driver takes it: each argument in 8 bytes, and where they are.

    Attributes
    ----------
    address : int
        Of a pointer to each argument.
    blocks : frozenset of Block
    """

    def __init__(self, call: Call, function):
        kernel, n = call.kernel, len(call.pointers) + len(call.sizes)
        self.function, self.grid, self.threads = function, call.grid, kernel.threads
        if (len(call.pointers), len(call.sizes)) != (len(kernel.operands), kernel.integers):
            raise BackendError(
                "a launch does not fit its kernel",
                expected=f"{len(kernel.operands)} pointers and {kernel.integers} integers",
                found=f"{len(call.pointers)} and {len(call.sizes)}",
            )
        if any(count > most for count, most in zip(call.grid, MOST_BLOCKS, strict=True)) or any(
            not -(2**31) <= size < 2**31 for size in call.sizes
        ):
            raise BackendError(
                "a tensor is too large for the kernels of a GPU",
                expected=f"sizes below 2**31 and a grid of at most {' x '.join(map(str, MOST_BLOCKS))} blocks",
                found=f"sizes {call.sizes}, a grid of {' x '.join(map(str, call.grid))}",
                hint="a smaller batch, or device='cpu'",
            )
        self._memories = [memory for memory, _ in call.pointers]  # alive as long as this
        addresses = [memory.address + offset for memory, offset in call.pointers]
        # Little-endian: an integer of 32 bits is the first half of its place.
        self._values = (ctypes.c_uint64 * max(n, 1))(*addresses, *(size & 0xFFFFFFFF for size in call.sizes))
        start = ctypes.addressof(self._values)
        self._pointers = (ctypes.c_void_p * max(n, 1))(*(start + 8 * k for k in range(n)))
        self.address = ctypes.addressof(self._pointers)
        self.blocks = frozenset(block for block in map(_block, self._memories) if block is not None)


class _Recording:
    """Launches as one graph of the driver's, or one after the other if there can be none."""

    def __init__(self, gpu: Gpu, launches: list[_Packed]):
        self._gpu, self.launches, self.usage = gpu, launches, Usage(self)
        self.blocks = frozenset().union(*(packed.blocks for packed in launches))
        for block in self.blocks:
            block.is_used_by(self.usage)
        self.graph = gpu._capture(launches) if launches else None
        if self.graph is not None:
            finalize(self, gpu._unused.append, self.graph).atexit = False

    def __call__(self) -> None:
        if self.launches:
            self._gpu._replay(self)


def _block(memory: Memory) -> Block | None:
    owner = memory.owner
    while isinstance(owner, Memory):  # a part of some other
        owner = owner.owner
    return owner.block if isinstance(owner, Lease) else None


def _use(blocks: Iterable[Block], number: int) -> None:
    for block in blocks:
        block.used = number


def _host_address(array: np.ndarray) -> int:
    if not array.flags.c_contiguous:
        raise BackendError("only a contiguous array can be copied from or to a GPU", found=f"strides {array.strides}")
    return array.ctypes.data


def _check_bounds(memory: Memory, offset: int, nbytes: int) -> None:
    if not 0 <= offset <= memory.nbytes - nbytes:
        raise BackendError(
            "a copy does not fit the memory of the GPU",
            expected=f"{memory.nbytes} bytes",
            found=f"{nbytes} bytes at {offset}",
        )
