"""Training steps of the networks beside PyTorch's, in turns; larger batches; and where the time of a step goes."""

from __future__ import annotations

from statistics import median

from benchmarks.gpu_own import batch_of, compiled_step, device, free, seconds_of
from benchmarks.gpu_report import Deadline, Target
from benchmarks.gpu_tasks import TARGETS, VARIANTS, task
from benchmarks.gpu_worker import Failed, Worker

OWN = "symcnn"
MODULES = {OWN: "benchmarks.gpu_own", "torch": "benchmarks.gpu_torch"}
TURNS = 3
COMPILED = ("compile", "compile_graphs")
GRAPHS_TOO = ("lenet", "cs231n")  # networks for which launching is most of the work
PREPARING = 0.5  # of the time of the networks, to get ready
LEAST = 10.0  # seconds that everybody has for that
AGAIN = 30.0  # seconds to get ready once more


class Contenders:
    """Processes of symcnn and of PyTorch's variants; a context manager.

    PyTorch compiles for long: each network has a process for that. `begin` lets everybody prepare all networks beside
    whatever is done meanwhile.
    """

    def __init__(self, networks, simulate: bool = False, compile_too: bool = True):
        self.environment = {"SYMCNN_SIMULATE_CUDA": "1"} if simulate else {}
        self.networks, self.compile_too = networks, compile_too
        self._waiting = networks
        self._workers: dict[tuple, Worker] = {}
        self._pending: set[tuple[str, str]] = set()
        self._ready: set[tuple[str, str, int]] = set()

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        for worker in self._workers.values():
            worker.close()

    def variants(self, name: str) -> tuple[str, ...]:
        """Who takes part in the steps of a network."""
        compiled = COMPILED if name in GRAPHS_TOO else COMPILED[:1]
        return (OWN, "eager", "channels_last", *(compiled if self.compile_too else ()))

    def begin(self) -> None:
        """Let everybody prepare the steps of all networks, if they have not begun yet."""
        names, self._waiting = self._waiting, ()
        for name in names:
            for variant in self.variants(name):
                self._worker(variant, name).send({"prepare": task(name)})
                self._pending.add((variant, name))

    def prepare(self, variant: str, what: dict, seconds: float) -> float:
        """Seconds that it took to build the step of `what`."""
        worker, pending = self._worker(variant, what["network"]), (variant, what["network"])
        if what == task(what["network"]) and pending in self._pending:
            self._pending.remove(pending)
            answer = worker.answer(seconds)
        else:
            answer = worker.ask({"prepare": what}, seconds)
        self._ready.add((variant, *what.values()))
        return answer["seconds"]

    def time(self, variant: str, what: dict, seconds: float, whole: bool = False) -> list[float]:
        """Seconds of a step, in blocks."""
        if (variant, *what.values()) not in self._ready:  # its process ended over another network
            self.prepare(variant, what, AGAIN)
        request = {"time": what, "seconds": seconds, "whole": whole}
        return self._worker(variant, what["network"]).ask(request, 30 + 4 * seconds)["times"]

    def drop(self, variant: str, what: dict) -> None:
        """Let a variant forget a step; a process that compiled it, or does not answer, ends."""
        self._ready.discard((variant, *what.values()))
        worker = self._workers.get(self._key(variant, what["network"]))
        try:
            if worker is not None and variant not in COMPILED:
                worker.ask({"drop": what}, 30)
                return
        except Failed:
            pass
        self.end(variant, what["network"])

    def end(self, variant: str, name: str) -> None:
        """End a process; if it is needed again, there will be another."""
        key = self._key(variant, name)
        worker = self._workers.pop(key, None)
        if worker is not None:
            worker.close()
        self._pending = {p for p in self._pending if self._key(*p) != key}
        self._ready = {r for r in self._ready if self._key(*r[:2]) != key}

    def _worker(self, variant: str, name: str) -> Worker:
        key = self._key(variant, name)
        if key not in self._workers:
            self._workers[key] = Worker(MODULES.get(variant, MODULES["torch"]), variant, self.environment)
        return self._workers[key]

    def _key(self, variant: str, name: str) -> tuple[str, str]:
        """Of a process: those that compile have one for each network."""
        return variant, name if variant in COMPILED else ""


def networks(section: dict, deadline: Deadline, contenders: Contenders, seconds: float) -> list[Target]:
    """A training step of each network by all contenders in turns."""
    section["variants"] = VARIANTS
    # All is prepared before the first is timed, or who still compiles would disturb the others.
    preparing = Deadline(deadline.left * PREPARING)
    rows = [_prepared(contenders, task(name), contenders.variants(name), preparing) for name in contenders.networks]
    section["rows"] = rows
    for number, row in enumerate(rows):
        _take_turns(contenders, row, Deadline(deadline.left / (len(rows) - number)), seconds, whole=True)
        _print(row)
    section["wrong"] = sum(OWN in row["failed"] for row in rows)
    return _targets(rows)


def _prepared(contenders: Contenders, what: dict, variants, deadline: Deadline) -> dict:
    """A row with those who are ready, and why others are not."""
    row = {**what, "samples": {}, "failed": {}}
    for variant in variants:
        try:
            row["samples"][variant] = {"first_s": contenders.prepare(variant, what, max(LEAST, deadline.left))}
        except Failed as error:
            _give_up(contenders, variant, row, error)
    return row


def _take_turns(contenders: Contenders, row: dict, deadline: Deadline, seconds: float, whole: bool = False) -> None:
    """Time all that are ready; `whole` steps from the host's memory to the host's memory, too."""
    what = {name: row[name] for name in ("network", "batch")}
    times: dict[str, list[float]] = {variant: [] for variant in row["samples"]}
    for turn in range(TURNS):
        for variant in list(row["samples"]):
            if turn and deadline.over:
                break
            try:
                times[variant] += contenders.time(variant, what, seconds / TURNS)
            except Failed as error:
                _give_up(contenders, variant, row, error)
    for variant, sample in list(row["samples"].items()):
        found = times[variant]
        sample.update(median_ms=round(median(found) * 1e3, 4), min_ms=round(min(found) * 1e3, 4), blocks=len(found))
        if whole and variant != "compile_graphs":
            try:
                found = contenders.time(variant, what, seconds / TURNS, whole=True)
                sample["whole_step_ms"] = round(median(found) * 1e3, 4)
            except Failed as error:
                _give_up(contenders, variant, row, error)
        contenders.drop(variant, what)


def _give_up(contenders, variant, row, error) -> None:
    """Note why, and end the process: after a fault, nothing more works on a GPU."""
    row["failed"][variant] = str(error)
    row["samples"].pop(variant, None)
    contenders.end(variant, row["network"])


def _print(row) -> None:
    cells = [f"{v} {s['median_ms']:.3g}" for v, s in row["samples"].items() if "median_ms" in s]
    print(f"{row['network']:<10} batch {row['batch']:<6} {'  '.join(cells)} ms", flush=True)
    for variant, reason in row["failed"].items():
        print(f"  {variant}: {reason}"[:200])


def _targets(rows) -> list[Target]:
    found = []
    for row in rows:
        for variant, wanted in TARGETS.get(row["network"], {}).items():
            ours, theirs = (row["samples"].get(v, {}).get("median_ms") for v in (OWN, variant))
            ratio = ours / theirs if ours and theirs else None
            found.append(Target(f"{row['network']} b{row['batch']} step, of PyTorch {variant}", wanted, ratio))
    return found


def batches(section: dict, deadline: Deadline, contenders: Contenders, seconds: float, most: int = 1 << 20) -> None:
    """Batches that double until memory, 32-bit positions or the time are used up."""
    rows = section["rows"] = []
    open_ended = dict.fromkeys(contenders.networks, 2)
    while open_ended and not deadline.over:
        for name, factor in list(open_ended.items()):
            if deadline.over:
                break
            what = task(name, task(name)["batch"] * factor)
            row = _prepared(contenders, what, (OWN, "channels_last"), deadline)
            _take_turns(contenders, row, deadline, seconds)
            rows.append(row)
            _print(row)
            if OWN in row["failed"] or factor * 2 > most:
                del open_ended[name]
            else:
                open_ended[name] = factor * 2
    section["stopped"] = {name: f"at {factor} times the batch, out of time" for name, factor in open_ended.items()}


def kernels(section: dict, deadline: Deadline, names, limits: dict, repeat: int = 20) -> None:
    """Time of each kernel of a step, many times in a row without the host in between; its share of peak and bandwidth."""
    peak = max(limits.get("tf32_tflops", 0.0), limits.get("float32_tflops", 0.0)) * 1e12
    copy = limits.get("copy_gbs", 0.0) * 1e9
    tables = section["networks"] = {}
    for name in names:
        if deadline.over and tables:
            break
        step = compiled_step(name)
        X, labels = batch_of(name, task(name)["batch"])
        step(X, labels)
        rows = sorted(_kernel_rows(step.function, repeat, peak, copy), key=lambda row: -row["us"])
        tables[name] = {"us": round(sum(row["us"] for row in rows), 1), "kernels": rows}
        del step
        free()  # larger batches will need it
        print(f"\n{name}: {len(rows)} kernels, {tables[name]['us']:.0f} us")
        for row in rows[:8]:
            shares = f"{row['of_peak'] or 0:>5.0%} of peak {row['of_copy'] or 0:>5.0%} of a copy"
            print(f"  {row['us']:9.1f} us {row['share']:>6.1%} {shares}  {row['algorithm']:<12} {row['name'][:60]}")


def _kernel_rows(function, repeat: int, peak: float, copy: float) -> list[dict]:
    here, binding = device(), function._current()
    plan, executable = binding.plan, binding.executable
    rows = []
    for number, (step, info) in enumerate(zip(plan.steps, function.kernels, strict=True)):
        calls = [executable._call(launch) for launch in executable._steps[number]]
        replay = here.record(calls * repeat)
        replay()
        here.synchronize()
        taken = seconds_of(replay) / repeat
        flops = sum(v.op.flops(plan.types[v], *(plan.types[x] for x in v.inputs)) for v in step.computes)
        moved = sum(plan.types[v].nbytes for v in (*step.reads, *step.writes))
        rows.append(
            {
                "step": number, "name": info.name, "algorithm": info.algorithm, "us": round(taken * 1e6, 2),
                "flops": flops, "bytes": moved,
                "of_peak": flops / taken / peak if peak else None, "of_copy": moved / taken / copy if copy else None,
            }
        )  # fmt: skip
    total = sum(row["us"] for row in rows) or 1.0
    return [{**row, "share": row["us"] / total} for row in rows]
