"""The CPU backend: steps become launches, launches become a table that the executor walks."""

from __future__ import annotations

import inspect
import sys
from dataclasses import replace
from math import prod
from weakref import WeakKeyDictionary

import numpy as np

from symcnn.backends.base import Backend, KernelInfo, only_one
from symcnn.backends.cpu import compiler, executor
from symcnn.backends.cpu.codegen import Generated, generate
from symcnn.backends.cpu.launch import HEADER, Launch
from symcnn.backends.cpu.prepared import LARGEST, Prepared, prepared
from symcnn.backends.cpu.tuned import compiled_beforehand, tuned_choice, tuned_kernel
from symcnn.backends.nests.parts import Partials
from symcnn.backends.nests.sizes import integer, places_of_parts
from symcnn.config import config
from symcnn.ir.variable import Constant, Shared, Variable, bring_home
from symcnn.schedule.lower import Step
from symcnn.schedule.memory import ALIGNMENT
from symcnn.schedule.plan import NOWHERE, WORKSPACE, Plan, View

WIDEST = 8  # bytes of an accumulator
SERIAL_WORK = 32_768  # scalar operations below which a second thread costs more than it brings


def aligned_bytes(count: int) -> np.ndarray:
    """`count` bytes of memory that start on a cache line."""
    raw = np.empty(count + ALIGNMENT, np.uint8)
    start = -raw.ctypes.data % ALIGNMENT
    return raw[start : start + count]


class CpuBackend:
    def __init__(self):
        self._generated: WeakKeyDictionary[Step, Generated] = WeakKeyDictionary()

    def tuned(self, variable) -> bool:
        kernel = tuned_kernel(variable.op) if config.tuned else None
        return kernel is not None and kernel.accepts(variable.op, [x.type for x in variable.inputs], variable.type)

    def finishes_rows(self, variable) -> bool:
        return getattr(tuned_kernel(variable.op), "finishes_rows", False)

    def keeps_rows(self, variable) -> bool:
        kernel = tuned_kernel(variable.op)
        types = [x.type for x in variable.inputs]
        return hasattr(kernel, "keeps_rows") and kernel.keeps_rows(variable.op, types, variable.type)

    @property
    def compile_seconds(self) -> float:
        return compiler.seconds + executor.seconds

    def device_array(self, value):
        return None

    def upload(self, array):
        return array

    def prepare(self, program) -> None:
        self.kernels_of(program)

    def kernels_of(self, program) -> list:
        """Every kernel of `program` that is known before any shape is: generated ones, and what tuned ops may need."""
        found = []
        for step in program.steps:
            if step.nest is not None:
                found += [stage.source for stage in self.generated(program, step).stages]
            if step.tuned is not None:
                found += compiled_beforehand(step.tuned)
        return found

    def generated(self, program, step) -> Generated:
        if step not in self._generated:
            self._generated[step] = generate(step, program.in_place)
        return self._generated[step]

    def load(self, plan: Plan) -> CpuExecutable:
        return CpuExecutable(self, plan)

    def kernels(self, program, plan=None):
        return [self._info(program, step, plan) for step in program.steps]

    def _info(self, program, step, plan) -> KernelInfo:
        algorithm, parts = "generated", []
        if step.tuned is not None:
            entry, algorithm = tuned_choice(step.tuned, plan)
            parts.append(inspect.getsource(sys.modules[type(entry).__module__]))
        if step.nest is not None:
            parts.append("\n\n".join(stage.source for stage in self.generated(program, step).stages))
        source = "\n\n# epilogue: called on the rows that the kernel above has finished\n\n".join(parts)
        return KernelInfo.of(step, algorithm, source, plan)


class CpuExecutable:
    """A plan as a table of launches over one arena, at addresses that never change."""

    def __init__(self, backend: CpuBackend, plan: Plan):
        self.plan = plan
        self._memory: list = [None] * len(plan.buffers)  # keeps the arrays alive
        launches = [self._launches(backend, k, step) for k, step in enumerate(plan.steps)]
        self._step_of = np.array([k for k, step in enumerate(launches) for _ in step], int)
        flat = [launch for step in launches for launch in step]
        self.scratch_bytes = max((w + l.chunks * -(-l.scratch // ALIGNMENT) * ALIGNMENT for l, w in flat), default=0)
        self._arena = aligned_bytes(plan.memory.arena_bytes)
        self._scratch = aligned_bytes(self.scratch_bytes)
        places = [self._prepared(launch) for launch, _ in flat]
        self.scratch_bytes += sum(p.memory.nbytes for p in dict.fromkeys(places) if p is not None)
        kernels = [*backend.kernels_of(plan.program), *(l.kernel for l, _ in flat)]
        addresses = compiler.compile_kernels(kernels)
        self._epilogue_blocks: list[np.ndarray] = []
        self._patches: dict[int, list[tuple[np.ndarray, int, int]]] = {}
        epilogues = [self._epilogue(backend, step) for step in plan.steps]
        moved: dict[int, dict[int, int]] = {}  # of each step: what does not lie in the workspace, by its offset there
        for number, (launch, _), place in zip(self._step_of, flat, places, strict=True):
            if place is not None:
                moved.setdefault(number, {})[launch.operands[-1].offset] = place.memory.ctypes.data
        self._blocks = [
            self._block(launch, workspace, epilogues[number], moved.get(number))
            for number, (launch, workspace) in zip(self._step_of, flat, strict=True)
        ]
        rows = [
            (addresses[l.kernel], l.tasks, l.grain, b.ctypes.data) for (l, _), b in zip(flat, self._blocks, strict=True)
        ]
        self._preparations = [(p, _table([row])) for p, row in zip(places, rows, strict=True) if p is not None]
        repeated = np.array([p is None for p in places], bool)
        self._table = tuple(column[repeated] for column in _table(rows))
        self._step_of = self._step_of[repeated]
        self._inputs = [(k, b.variable) for k, b in enumerate(plan.buffers) if b.kind == "input"]
        self._outputs = [(k, plan.types[b.variable]) for k, b in enumerate(plan.buffers) if b.kind == "output"]
        self._returned = self._own_arrays()
        self._state, self._late = plan.state, plan.late_updates

    # ---- making the table

    def _launches(self, backend, number, step) -> list[tuple[Launch, int]]:
        """The launches of a step, each with the bytes of workspace before its scratch."""
        plan = self.plan
        if step.tuned is not None:
            target, kernel = step.tuned, tuned_kernel(step.tuned.op)
            output = plan.view(target)
            operands = tuple(None if k in target.op.shape_only else plan.view(x) for k, x in enumerate(target.inputs))
            size = -(-kernel.workspace(target.op, output, operands) // ALIGNMENT) * ALIGNMENT
            workspace = View(WORKSPACE, 0, (size,), (1,), np.dtype("uint8")) if size else None
            found = kernel.launches(target.op, output, operands, config.threads, workspace=workspace)
            copy = _words(backend.generated(plan.program, step)) * 8 if output.buffer == NOWHERE else 0
            return [(replace(l, scratch=l.scratch + copy), size) for l in found]
        flops = sum(v.op.flops(plan.types[v], *(plan.types[x] for x in v.inputs)) for v in step.computes)
        *early, last = backend.generated(plan.program, step).stages
        partials, size = places_of_parts(early[0].operands, plan.types) if early else ({}, 0)
        found = [self._generated(stage, partials, flops if stage is last else 0) for stage in (*early, last)]
        return [(launch, size) for launch in found if launch.tasks]

    def _prepared(self, launch: Launch) -> Prepared | None:
        """Where the result of a launch stays, if what it is made of stays; ``None`` if it is made anew by each call."""
        if not 0 < launch.prepares <= LARGEST or launch.operands[0].buffer < 0:
            return None
        leaf = self.plan.buffers[launch.operands[0].buffer].variable
        if not isinstance(leaf, (Constant, Shared)) or leaf in self.plan.program.updates:
            return None
        return prepared(launch, leaf, aligned_bytes)

    def _generated(self, generated: Generated, partials, flops: int) -> Launch:
        tasks = prod(self._integer(a.extent) for a in generated.tasks)
        work = prod(max(self._integer(e), 1) for e in generated.work)
        sizes = tuple(map(self._integer, generated.integers))
        operands = tuple(partials[v] if isinstance(v, Partials) else self.plan.view(v) for v in generated.operands)
        grain = _grain(tasks, work)
        width = grain if generated.row is None else self._integer(generated.row)
        scratch = generated.rows * -(-width * WIDEST // ALIGNMENT) * ALIGNMENT
        return Launch(generated.source, operands, sizes, tasks, grain, scratch, flops)

    def _epilogue(self, backend, step) -> tuple[int, int, int]:
        """Address of the epilogue of a step, address of its argument block, and the length of that if it is copied."""
        if step.tuned is None or step.nest is None:
            return 0, 0, 0
        generated = backend.generated(self.plan.program, step)
        operands = tuple(self.plan.view(v) for v in generated.operands)
        sizes = tuple(map(self._integer, generated.integers))
        block = self._block(Launch(generated.source, operands, sizes, tasks=0, grain=1), 0)
        self._epilogue_blocks.append(block)
        copied = self.plan.view(step.tuned).buffer == NOWHERE
        return compiler.compile_kernel(generated.source), block.ctypes.data, len(block) if copied else 0

    def _own_arrays(self) -> list[tuple[Variable, int | None]]:
        """The outputs, each with the buffer whose fresh array is returned as it is; ``None`` where a copy is due."""
        found, taken = [], set()
        for v in self.plan.program.outputs:
            number = self.plan.view(v).buffer
            buffer = self.plan.buffers[number]
            own = buffer.kind == "output" and buffer.variable is v and number not in taken
            taken.add(number)
            found.append((v, number if own else None))
        return found

    def _integer(self, expr) -> int:
        """A run-time argument, now that shapes are known."""
        return integer(expr, self.plan.types)

    def _block(
        self, launch: Launch, workspace: int, epilogue: tuple[int, int, int] = (0, 0, 0), moved=None
    ) -> np.ndarray:
        count = len(launch.operands)
        scratch = -(-launch.scratch // ALIGNMENT) * ALIGNMENT
        base = self._scratch.ctypes.data
        block = np.array([0] * count + [base + workspace, scratch, launch.grain, *epilogue, *launch.sizes], np.int64)
        for k, view in enumerate(launch.operands):
            if view.buffer == NOWHERE:
                continue
            if view.buffer < 0:
                block[k] = (moved or {}).get(view.offset, base + view.offset)
                continue
            address = self._address(view.buffer)
            if address is None:
                self._patches.setdefault(view.buffer, []).append((block, k, view.offset))
            else:
                block[k] = address + view.offset
        return block

    def _address(self, number: int) -> int | None:
        """Where a buffer lies for good; ``None`` if each call brings its own."""
        buffer = self.plan.buffers[number]
        if buffer.kind in ("input", "output"):
            return None
        if buffer.kind == "temporary":
            return self._arena.ctypes.data + buffer.offset
        owner = buffer.home if buffer.kind == "update" else buffer.variable
        self._memory[number] = owner.value if buffer.kind == "constant" else owner.storage
        return self._memory[number].ctypes.data

    # ---- running it

    def run(self, values, observe=None):
        with executor.lock:
            self._bring(values)
            self._prepare()
            if observe is None:
                executor.run(*self._table)
            else:
                for number in range(len(self.plan.steps)):
                    observe(number, lambda number=number: self._run_step(number))
            return self._results()

    def _bring(self, values):
        """This call's arrays: state that a device has, inputs, and fresh memory for the outputs."""
        bring_home(self._state)
        for number, variable in self._inputs:
            self._put(number, values[variable])
        for number, type in self._outputs:
            self._put(number, np.empty(type.shape, type.dtype))

    def _prepare(self):
        """Count what this call will change, even if it is stopped, and pack the weights that others have changed."""
        for shared in self.plan.program.updates:
            shared.changes += 1
        for place, row in self._preparations:
            if not place.is_current:
                executor.run(*row)
                place.is_made()

    def _put(self, number, array):
        """Use `array` as a buffer of this call."""
        self._memory[number] = array
        address = array.ctypes.data
        for block, k, offset in self._patches.get(number, ()):
            block[k] = address + offset

    def _run_step(self, number):
        chosen = self._step_of == number
        if chosen.any():
            executor.run(*(column[chosen] for column in self._table))

    def _results(self):
        found = [self._array(v).copy() if number is None else self._memory[number] for v, number in self._returned]
        news = [self._array(v).copy() if len(self._late) > 1 else self._array(v) for _, v in self._late]
        for (shared, _), new in zip(self._late, news, strict=True):
            shared.storage[...] = new
        return found

    def _array(self, variable) -> np.ndarray:
        """A NumPy view of the memory of `variable`."""
        view = self.plan.view(variable)
        buffer = self.plan.buffers[view.buffer]
        if buffer.kind == "temporary":
            size = self.plan.types[buffer.variable].nbytes
            memory = self._arena[buffer.offset : buffer.offset + size]
        else:
            if self._memory[view.buffer] is None:
                self._address(view.buffer)
            memory = self._memory[view.buffer].reshape(-1).view(np.uint8)
        if not prod(view.shape):
            return np.empty(view.shape, view.dtype)
        strides = tuple(s * view.dtype.itemsize for s in view.strides)
        return np.ndarray(view.shape, view.dtype, memory, view.offset, strides)

    def value(self, variable):
        return self._array(variable).copy()


def _table(rows) -> tuple[np.ndarray, ...]:
    """What the executor walks: kernel addresses, numbers of tasks, grains, addresses of argument blocks."""
    dtypes = (np.uintp, np.int64, np.int64, np.uintp)
    return tuple(np.array([row[k] for row in rows], dtype) for k, dtype in enumerate(dtypes))


def _words(generated: Generated) -> int:
    """Length of its argument block."""
    return len(generated.operands) + HEADER + len(generated.integers)


def _grain(tasks: int, work: int) -> int:
    """Tasks per chunk: all of them when the whole is small, else one chunk per thread; long chunks start on cache lines."""
    if tasks * work <= SERIAL_WORK or config.threads == 1:
        return tasks
    grain = -(-tasks // config.threads)
    return -(-grain // 16) * 16 if grain >= 64 else grain


BACKEND = CpuBackend()


def numbered(number: int) -> Backend:
    """The backend; there is no second one."""
    return only_one(BACKEND, "cpu", number)
