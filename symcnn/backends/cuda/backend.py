"""The CUDA backend: steps become kernels and launches, on a GPU or in the simulator."""

from __future__ import annotations

from dataclasses import replace
from math import prod
from weakref import WeakKeyDictionary

import numpy as np

from symcnn.backends.base import KernelInfo
from symcnn.backends.cuda.array import as_device_array, to_device
from symcnn.backends.cuda.codegen import FOUR, Generated, generate
from symcnn.backends.cuda.device import Device
from symcnn.backends.cuda.executor import MOST_ELEMENTS, CudaExecutable, too_many
from symcnn.backends.cuda.finish import Finish
from symcnn.backends.cuda.gpus import gpu
from symcnn.backends.cuda.launch import Geometry, Kernel, Launch
from symcnn.backends.cuda.resident import Residents
from symcnn.backends.cuda.tuned import tuned_kernel
from symcnn.backends.nests.parts import Partials
from symcnn.backends.nests.sizes import integer, places_of_parts
from symcnn.config import config
from symcnn.ir.types import TensorType
from symcnn.ir.variable import Variable
from symcnn.schedule.lower import Program, Step
from symcnn.schedule.plan import NOWHERE, WORKSPACE, Plan, View

LARGE = 64  # examples of a batch that is not known
VECTOR = 16  # bytes that one instruction moves, from a multiple of as many


class CudaBackend:
    """Plans on one device.

    Parameters
    ----------
    device : Device

    Attributes
    ----------
    device
    residents : Residents
        What the device holds for all functions.
    """

    def __init__(self, device: Device):
        self.device = device
        self.residents = Residents(device)
        self._kernels: WeakKeyDictionary[Step, Generated] = WeakKeyDictionary()
        self._finishes: WeakKeyDictionary[Step, Finish] = WeakKeyDictionary()
        self._geometries: WeakKeyDictionary[Step, Geometry] = WeakKeyDictionary()

    def _geometry(self, step: Step) -> Geometry:
        """That of the device, its tensor cores only if they were allowed when the function was built."""
        if step not in self._geometries:
            given = self.device.geometry
            self._geometries[step] = replace(given, tensor_cores=given.tensor_cores and config.tf32)
        return self._geometries[step]

    @property
    def compile_seconds(self) -> float:
        return self.device.compile_seconds

    def tuned(self, variable) -> bool:
        kernel = tuned_kernel(variable.op) if config.tuned else None
        return kernel is not None and kernel.accepts(variable.op, [x.type for x in variable.inputs], variable.type)

    def finishes_rows(self, variable) -> bool:
        return True

    def keeps_rows(self, variable) -> bool:
        return True

    def device_array(self, value):
        return as_device_array(value, self.device)

    def upload(self, array):
        return to_device(array, self.device)

    def prepare(self, program: Program) -> None:
        self.device.compile(kernel for step in program.steps for kernel in self.kernels_of(step))

    def load(self, plan: Plan) -> CudaExecutable:
        return CudaExecutable(self, plan)

    # ---- kernels

    def kernels_of(self, step: Step) -> list[Kernel]:
        """Every kernel that `step` may need, whatever the sizes that are open."""
        if step.tuned is None:
            return [stage.kernel for stage in self._generated(step).stages]
        v = step.tuned
        types, finish = [x.type for x in v.inputs], self._finish(step)
        return tuned_kernel(v.op).kernels(v.op, types, v.type, finish, self._geometry(step))

    def _generated(self, step: Step) -> Generated:
        if step not in self._kernels:
            self._kernels[step] = generate(step, self._geometry(step))
        return self._kernels[step]

    def _finish(self, step: Step) -> Finish:
        if step not in self._finishes:
            self._finishes[step] = Finish(step)
        return self._finishes[step]

    # ---- launches

    def launches(self, plan: Plan, step: Step) -> list[Launch]:
        """The launches of a step for the shapes of `plan`."""
        return self._generated_launches(plan, step) if step.tuned is None else self._tuned_launches(plan, step)

    def _tuned_launches(self, plan, step) -> list[Launch]:
        v, entry = step.tuned, tuned_kernel(step.tuned.op)
        output, operands = _views(v, plan)
        geometry = self._geometry(step)
        size = entry.workspace(v.op, output, operands, geometry)
        workspace = View(WORKSPACE, 0, (size,), (1,), np.dtype("uint8")) if size else None
        types = [x.type for x in v.inputs]
        finish = self._finish(step).bound(plan)
        return entry.launches(v.op, types, v.type, output, operands, finish, geometry, workspace)

    def _generated_launches(self, plan, step) -> list[Launch]:
        *early, last = self._generated(step).stages
        for length in [length for stage in (*early, last) for length in stage.lengths]:
            count = integer(length, plan.types)
            if count > MOST_ELEMENTS:
                raise too_many(step.computes[-1], f"{count:,} that are reduced to one")
        partials, _ = places_of_parts(early[0].operands, plan.types) if early else ({}, 0)
        return [self._launch(plan, stage, partials) for stage in (*early, last)]

    def _launch(self, plan, stage: Generated, partials) -> Launch:
        operands = tuple(partials[v] if isinstance(v, Partials) else plan.view(v) for v in stage.operands)
        sizes = tuple(integer(e, plan.types) for e in stage.integers)
        points = integer(stage.points, plan.types)
        if stage.in_fours:
            aligned = all(view.offset % VECTOR == 0 for view in operands)
            sizes = (*sizes, points // FOUR * FOUR if aligned else 0)
        blocks = -(-points // stage.per_block)
        return Launch(stage.kernel, operands, sizes, (min(blocks, stage.most_blocks), 1, 1))

    # ---- for people

    def kernels(self, program: Program, plan: Plan | None = None) -> list[KernelInfo]:
        return [self._info(step, plan) for step in program.steps]

    def _info(self, step: Step, plan) -> KernelInfo:
        algorithm = "generated"
        if step.tuned is not None:
            v, entry = step.tuned, tuned_kernel(step.tuned.op)
            algorithm = entry.algorithm_for(v.op, *_views(v, plan))
        kernels = self.kernels_of(step) if plan is None else [l.kernel for l in self.launches(plan, step)]
        sources = dict.fromkeys(kernel.source for kernel in kernels)
        return KernelInfo.of(step, algorithm, "\n\n".join(sources), plan)


def _views(v: Variable, plan: Plan | None) -> tuple[View, tuple[View | None, ...]]:
    """Result and operands of a tuned kernel; without a plan, as they would be for a large batch."""
    output = None if plan is None else plan.view(v)
    if output is None or output.buffer == NOWHERE:
        output = _contiguous(v.type if plan is None else plan.types[v])
    read = [None if k in v.op.shape_only else x for k, x in enumerate(v.inputs)]  # others may have no memory
    view = (lambda x: _contiguous(x.type)) if plan is None else plan.view
    return output, tuple(None if x is None else view(x) for x in read)


def _contiguous(type: TensorType) -> View:
    shape = tuple(LARGE if size is None else size for size in type.shape)
    return View(NOWHERE, 0, shape, tuple(prod(shape[k + 1 :]) for k in range(len(shape))), type.dtype)


_opened: dict[int, CudaBackend] = {}  # by the identity of the device, which lives as long as the process


def numbered(number: int) -> CudaBackend:
    """The backend of GPU number `number`, or of the simulator if that is asked for."""
    device: Device = _simulator() if config.simulate_cuda else gpu(number)
    return _opened.setdefault(id(device), CudaBackend(device))  # in one move: other threads may ask, too


def _simulator() -> Device:
    from symcnn.backends.cuda.simulator import SIMULATOR  # which nobody needs who has a GPU

    return SIMULATOR
