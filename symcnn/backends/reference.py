"""The reference backend: NumPy, op by op. Slow, obviously right, and the judge of the others."""

from __future__ import annotations

import threading

import numpy as np

from symcnn.backends.base import Backend, KernelInfo, only_one
from symcnn.ir.graph import evaluate
from symcnn.schedule.plan import Plan

_lock = threading.RLock()  # functions may share parameters: one call at a time reads and updates them


class ReferenceExecutable:
    """Evaluates the graph itself; the plan tells only what to return."""

    scratch_bytes = 0

    def __init__(self, plan: Plan):
        self.plan = plan
        self.known: dict = {}

    def run(self, values, observe=None):
        with _lock:
            return self._run(values, observe)

    def _run(self, values, observe):
        program = self.plan.program
        roots = [*program.outputs, *program.updates.values()]
        if observe is None:
            found = evaluate(roots, values)
        else:
            self.known = dict(values)
            for number, step in enumerate(program.steps):
                observe(number, lambda step=step: self._step(step))
            found = evaluate(roots, self.known)
        found = [np.array(a) for a in found]  # all results exist before any update is visible
        for shared, value in zip(program.updates, found[len(program.outputs) :], strict=True):
            shared.storage[...] = value
            shared.changes += 1
        return found[: len(program.outputs)]

    def _step(self, step):
        self.known.update(zip(step.writes, evaluate(step.writes, self.known), strict=True))

    def value(self, variable):
        return evaluate([variable], self.known)[0].copy()


class ReferenceBackend:
    compile_seconds = 0.0

    def tuned(self, variable) -> bool:
        return False

    def finishes_rows(self, variable) -> bool:
        return False

    def keeps_rows(self, variable) -> bool:
        return False

    def device_array(self, value):
        return None

    def upload(self, array):
        return array

    def prepare(self, program) -> None:
        pass

    def load(self, plan: Plan) -> ReferenceExecutable:
        return ReferenceExecutable(plan)

    def kernels(self, program, plan=None):
        def source(step):
            names = (f"{type(v.op).__module__}.{type(v.op).__name__}.reference" for v in step.computes)
            return "# NumPy, op by op\n" + "\n".join(f"# {name}" for name in names)

        return [KernelInfo.of(step, "NumPy", source(step), plan) for step in program.steps]


BACKEND = ReferenceBackend()


def numbered(number: int) -> Backend:
    """The backend; there is no second one."""
    return only_one(BACKEND, "reference", number)
