"""The kernels that a GPU runs in a training step of the benchmark networks, and what is wrong with their PTX.

``python -m tests.backends.cuda.networks`` checks those as well that other sizes would take, for more GPUs, and prints a
table.
"""

from __future__ import annotations

import argparse
import time
from functools import cache

import symcnn as sc
from symcnn.backends.cuda.backend import CudaBackend
from symcnn.backends.cuda.launch import ON_DEVICE, Kernel
from symcnn.backends.cuda.simulator import Simulator
from symcnn.bench import own
from symcnn.bench.tasks import MOMENTUM, NETWORKS, RATE
from symcnn.ops.random import CALL
from symcnn.rewrite.pipeline import simplify
from symcnn.schedule.lower import Program, lower
from symcnn.schedule.plan import Plan, bind
from tests.backends.cuda.ptx import INSTALLED, lint, ptx_of, ptxas

CAPABILITIES = ((9, 0), (8, 0))
MORE_CAPABILITIES = (*CAPABILITIES, (8, 9), (10, 0))


class _OnPaper(Simulator):
    """A device that gets kernels of full size, and need not run them."""

    geometry = ON_DEVICE


@cache
def backend() -> CudaBackend:
    return CudaBackend(_OnPaper())


@cache
def planned(network: str) -> tuple[Program, Plan]:
    """A training step with momentum, for a batch of the usual size that the kernels do not know."""
    of = NETWORKS[network]
    step = sc.train.compile_step(own.model(network), optimizer=sc.optim.SGD(RATE, momentum=MOMENTUM))
    x, labels = sc.input("x", (None, *of.in_shape)), sc.input("labels", (None,), "int64")
    graph = step.graph(x, labels)
    roots = simplify([graph.cost, *graph.updates.values()])[-1].outputs
    updates = dict(zip(graph.updates, roots[1:], strict=True))
    here = backend()
    program = lower(roots[:1], updates, here.tuned, here.finishes_rows, here.keeps_rows)
    return program, bind(program, {x: (of.batch, *of.in_shape), labels: (of.batch,), CALL: ()})


def launched(network: str) -> list[Kernel]:
    """The kernels that a step takes, each once."""
    program, plan = planned(network)
    return list(dict.fromkeys(l.kernel for s in program.steps for l in backend().launches(plan, s)))


def possible(network: str) -> list[Kernel]:
    """Those that it might take, whatever the batch and the order of operands in memory."""
    program, _ = planned(network)
    return list(dict.fromkeys(k for step in program.steps for k in backend().kernels_of(step)))


@cache
def faults(kernel: Kernel, capabilities=CAPABILITIES) -> tuple[str, ...]:
    """What is wrong with a kernel as machine code for GPUs of these compute capabilities."""
    found = []
    for cc, text in ptx_of(kernel, capabilities).items():
        found += [f"{cc}: {complaint}" for complaint in lint(text, kernel)]
        if INSTALLED:
            counted = ptxas(text, cc)
            found += [f"{cc}: {counted[what]} bytes of {what}" for what in ("spills", "stack") if counted[what]]
    return tuple(found)


def without_tensor_cores(network: str) -> list[str]:
    """The convolutions of a step, and their gradients, that multiply on the ordinary cores of a GPU."""
    program, plan = planned(network)
    convolutions = [s for s in program.steps if s.tuned is not None and "conv2d" in s.tuned.op.label()]
    assert convolutions or network == "mlp", "the convolutions have other names"
    return [
        f"{s.tuned.op.label()}: {plan.types[s.tuned]}"
        for s in convolutions
        if not any("mma.sync" in ptx_of(l.kernel, CAPABILITIES)[CAPABILITIES[0]] for l in backend().launches(plan, s))
    ]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.backends.cuda.networks", description=__doc__)
    parser.add_argument("networks", nargs="*", default=list(NETWORKS), help="(default all)")
    wrong = 0
    for network in parser.parse_args().networks:
        start, kernels = time.perf_counter(), possible(network)
        bad = {k: found for k in kernels if (found := faults(k, MORE_CAPABILITIES))}
        wrong += len(bad)
        taken = len(launched(network))
        seconds = time.perf_counter() - start
        print(
            f"{network:<10} {len(kernels):4} kernels, {taken:4} taken, {len(bad):3} with faults, {seconds:6.1f} s",
            flush=True,
        )
        for kernel, found in bad.items():
            print(*found, kernel.source, sep="\n")
    raise SystemExit(bool(wrong))


if __name__ == "__main__":
    main()
