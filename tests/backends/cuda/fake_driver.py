"""The functions of ``cuda.bindings.driver`` that symcnn calls, on a computer without a GPU.

Device memory is host memory that begins with garbage. What is asked of a stream waits in a queue; when the host waits, and
at random moments, the queues move on, in any order that streams and events allow: whoever forgot to put two things in
order will see them in the wrong one. Kernels are Python, run by Numba's simulator.
"""

from __future__ import annotations

import ctypes
import json
import random
import warnings
from collections import deque

import numpy as np
from cuda.bindings import driver as real
from numba.cuda.simulator.kernel import FakeCUDAKernel

from symcnn.backends.cuda import simulated

OK = real.CUresult.CUDA_SUCCESS
ALIGNMENT = 256  # of memory from the driver


class Handle(int):
    """As the bindings have them: `int` gives the number."""


class Event:
    recorded = done = 0  # how often


class Stream:
    def __init__(self):
        self.queue = deque()
        self.capture = None


class Function:
    def __init__(self, image: bytes):
        text = json.loads(image.rstrip(b"\0"))
        self.operands, self.integers = text["operands"], text["integers"]
        namespace = dict(simulated.NAMES)
        exec(text["source"], namespace)
        self.run = FakeCUDAKernel(namespace["kernel"], False)


def image(kernel) -> bytes:
    """What stands for the machine code of a kernel here."""
    return json.dumps({"source": kernel.source, "operands": kernel.operands, "integers": kernel.integers}).encode()


class FakeDriver:
    """In place of the module.

    Parameters
    ----------
    seed : int, optional
        Of the order in which the queues move; without one they move only when the host waits, and no farther than it must.
    memory : int
        Bytes of the GPU.

    Attributes
    ----------
    calls : list of str
        Names of the functions called.
    failing : dict
        Name of a function -> code that it returns, in place of doing something.
    observe : callable, optional
        Called with the name of each function and its arguments.
    """

    def __init__(self, seed=None, memory=2**30, gpus=1):
        self.random, self.memory, self.gpus = seed if seed is None else random.Random(seed), memory, gpus
        self.calls, self.failing, self.capability = [], {}, (9, 0)
        self.context, self.observe = None, None
        self._objects = {}
        self._device, self._pinned = {}, {}
        self.contexts = []  # pushed

    # what the module holds besides functions

    CUresult = real.CUresult
    CUstream_flags, CUevent_flags, CUstreamCaptureMode = (
        real.CUstream_flags,
        real.CUevent_flags,
        real.CUstreamCaptureMode,
    )
    CUdevice_attribute, CUfunction_attribute = real.CUdevice_attribute, real.CUfunction_attribute
    CUpointer_attribute = real.CUpointer_attribute

    def __getattribute__(self, name):
        if not (name.startswith("cu") and name[2:3].isupper()):
            return super().__getattribute__(name)
        method = super().__getattribute__(f"_{name}")

        def function(*arguments):
            self.calls.append(name)
            if self.observe is not None:
                self.observe(name, arguments)
            code = self.failing.get(name)
            if code is not None:
                return getattr(real.CUresult, code), None
            result = method(*arguments)
            if self.random is not None:
                for _ in range(self.random.randrange(4)):
                    self._move(self.random.choice(self._streams()) if self._streams() else None)
            if isinstance(result, real.CUresult):
                return (result, None)
            return (OK, *(result if isinstance(result, tuple) else () if result is None else (result,)))

        return function

    def _new(self, thing) -> Handle:
        handle = Handle(id(thing))
        self._objects[handle] = thing
        return handle

    def _streams(self):
        return [x for x in self._objects.values() if isinstance(x, Stream) and x.queue]

    # errors, devices, contexts

    def _cuGetErrorString(self, error):
        return b"what NVIDIA says"

    def _cuInit(self, flags):
        assert flags == 0

    def _cuDeviceGetCount(self):
        return self.gpus

    def _cuDeviceGet(self, ordinal):
        return Handle(ordinal)

    def _cuDeviceGetName(self, length, device):
        return b"Fake H200".ljust(length, b"\0")

    def _cuDeviceGetAttribute(self, attribute, device):
        major = real.CUdevice_attribute.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR
        return self.capability[0 if attribute == major else 1]

    def _cuDevicePrimaryCtxRetain(self, device):
        return Handle(1000 + device)

    def _cuCtxGetCurrent(self):
        return Handle(self.context or 0)

    def _cuCtxSetCurrent(self, context):
        self.context = context

    def _cuCtxPushCurrent(self, context):
        self.contexts.append(self.context)
        self.context = context

    def _cuCtxPopCurrent(self):
        context, self.context = self.context, self.contexts.pop()
        return Handle(context)

    def _in_context(self):
        assert self.context == 1000, "the driver was called without the context of the GPU"

    # memory

    def _cuMemAlloc(self, nbytes):
        self._in_context()
        assert nbytes > 0
        if sum(len(a) for a in self._device.values()) + nbytes > self.memory:
            return real.CUresult.CUDA_ERROR_OUT_OF_MEMORY
        whole = np.resize(np.random.default_rng(7).integers(0, 256, 4096, "uint8"), nbytes + ALIGNMENT)
        start = -whole.ctypes.data % ALIGNMENT
        array = whole[start : start + nbytes]
        self._device[array.ctypes.data] = array
        return Handle(array.ctypes.data)

    def _cuMemFree(self, address):
        self._in_context()
        assert not self._streams(), "memory was freed while the GPU was at work"
        del self._device[int(address)]

    def _cuMemGetInfo(self):
        return self.memory - sum(len(a) for a in self._device.values()), self.memory

    def _cuMemHostAlloc(self, nbytes, flags):
        self._in_context()
        array = np.full(nbytes, 0xAB, np.uint8)
        self._pinned[array.ctypes.data] = array
        return array.ctypes.data

    def _cuMemFreeHost(self, address):
        del self._pinned[address]

    def _within(self, memories, address, nbytes):
        found = [
            start for start, array in memories.items() if start <= address and address + nbytes <= start + len(array)
        ]
        assert found, "an address that is nobody's"
        return address

    def _cuMemcpyHtoDAsync(self, target, source, nbytes, stream):
        self._in_context()
        inside = self._within
        assert inside(self._pinned, source, nbytes), "the driver would wait for a copy from other memory"
        self._enqueue(
            stream,
            lambda: ctypes.memmove(inside(self._device, target, nbytes), inside(self._pinned, source, nbytes), nbytes),
        )

    def _cuMemcpyDtoHAsync(self, target, source, nbytes, stream):
        self._in_context()
        self._enqueue(stream, lambda: ctypes.memmove(target, self._within(self._device, source, nbytes), nbytes))

    def _cuMemcpyDtoDAsync(self, target, source, nbytes, stream):
        self._in_context()
        inside = self._within
        self._enqueue(
            stream,
            lambda: ctypes.memmove(inside(self._device, target, nbytes), inside(self._device, source, nbytes), nbytes),
        )

    def _cuPointerGetAttribute(self, attribute, address):
        assert attribute == real.CUpointer_attribute.CU_POINTER_ATTRIBUTE_DEVICE_ORDINAL
        found = any(start <= address < start + len(array) for start, array in self._device.items())
        return 0 if found else real.CUresult.CUDA_ERROR_INVALID_VALUE

    # streams and events

    def _cuStreamCreate(self, flags):
        self._in_context()
        return self._new(Stream())

    def _stream(self, handle) -> Stream:
        return self._objects.setdefault(Handle(handle), Stream())  # of another library

    def _enqueue(self, handle, action):
        stream = self._stream(handle)
        assert stream.capture is None, "only launches can be recorded"
        stream.queue.append(("run", action))

    def _cuStreamSynchronize(self, handle):
        self._in_context()
        stream = self._stream(handle)
        self._until(lambda: not stream.queue, stream)

    def _cuStreamWaitEvent(self, handle, event, flags):
        assert flags == 0
        event = self._objects[event]
        self._stream(handle).queue.append(("wait", event, event.recorded))

    def _cuEventCreate(self, flags):
        self._in_context()
        return self._new(Event())

    def _cuEventRecord(self, event, handle):
        event = self._objects[event]
        event.recorded += 1
        self._stream(handle).queue.append(("record", event, event.recorded))

    def _cuEventSynchronize(self, event):
        event = self._objects[event]
        wanted = event.recorded
        holder = [s for s in self._streams() if any(op[0] == "record" and op[1] is event for op in s.queue)]
        self._until(lambda: event.done >= wanted, *holder)

    def _cuEventDestroy(self, event):
        assert event in self._objects

    def _cuEventElapsedTime(self, start, end):
        assert self._objects[start].done and self._objects[end].done
        return 1.5

    def _until(self, done, *wanted):
        """Move the queues until `done()`: those first that are `wanted`, the others where these cannot go on."""
        while not done():
            if not any(self._move(stream) for stream in wanted):
                assert any(self._move(stream) for stream in self._streams()), "the streams wait for each other"

    def _move(self, stream) -> bool:
        if stream is None or not stream.queue:
            return False
        kind, *rest = stream.queue[0]
        if kind == "wait" and rest[0].done < rest[1]:
            return False
        stream.queue.popleft()
        if kind == "run":
            rest[0]()
        elif kind == "record":
            rest[0].done = max(rest[0].done, rest[1])
        return True

    # kernels and graphs

    def _cuModuleLoadData(self, data):
        self._in_context()
        assert data.endswith(b"\0")
        return self._new(data)

    def _cuModuleGetFunction(self, module, name):
        assert isinstance(name, bytes)
        return self._new(Function(self._objects[module]))

    def _cuFuncGetAttribute(self, attribute, function):
        assert function in self._objects
        return 0

    def _cuLaunchKernel(self, function, gx, gy, gz, bx, by, bz, shared, handle, parameters, extra):
        self._in_context()
        assert (by, bz, shared, extra) == (1, 1, 0, 0)
        function, stream = self._objects[function], self._stream(handle)
        count = len(function.operands) + function.integers
        where = (ctypes.c_void_p * count).from_address(parameters)
        pointers = [ctypes.c_uint64.from_address(x).value for x in where[: len(function.operands)]]
        sizes = [ctypes.c_int32.from_address(x).value for x in where[len(function.operands) :]]

        def run():
            operands = [self._from(p, dtype) for p, dtype in zip(pointers, function.operands, strict=True)]
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", RuntimeWarning)  # an infinity is no mistake in a kernel
                function.run[(gx, gy, gz), bx](*operands, *map(np.int32, sizes))

        if stream.capture is None:
            stream.queue.append(("run", run))
        else:
            stream.capture.append(run)

    def _from(self, address, dtype):
        """All elements from `address` to the end of its memory."""
        for start, array in self._device.items():
            if start <= address < start + len(array):
                rest = array[address - start :]
                size = np.dtype(dtype).itemsize
                return rest[: len(rest) // size * size].view(dtype)
        raise AssertionError("a kernel was given an address that is nobody's")

    def _cuStreamBeginCapture(self, handle, mode):
        stream = self._stream(handle)
        assert not stream.queue and stream.capture is None
        stream.capture = []

    def _cuStreamEndCapture(self, handle):
        stream = self._stream(handle)
        graph, stream.capture = stream.capture, None
        return self._new(graph)

    def _cuGraphInstantiate(self, graph, flags):
        assert flags == 0
        return self._new(list(self._objects[graph]))

    def _cuGraphDestroy(self, graph):
        del self._objects[graph]

    def _cuGraphExecDestroy(self, graph):
        del self._objects[graph]

    def _cuGraphLaunch(self, graph, handle):
        self._in_context()
        nodes = list(self._objects[graph])
        self._stream(handle).queue.append(("run", lambda: [run() for run in nodes]))
