"""``symcnn bench``: this machine's limits, and one training step of small networks beside the peers, in a minute."""

from __future__ import annotations

from symcnn.bench import machine, tasks
from symcnn.bench.report import Table, against_best, milliseconds
from symcnn.bench.turns import Failed, contenders, missing, take_turns
from symcnn.config import config

PEERS = ("torch", "jax")


def bench(networks=("mlp", "lenet", "cs231n"), batch: int | None = None, seconds: float = 1.5, peers=PEERS) -> None:
    """Print the table of ``symcnn bench``.

    Parameters
    ----------
    networks : sequence of str
        Of `symcnn.bench.tasks.NETWORKS`.
    batch : int, optional
        Examples per step; by default each network's own.
    seconds : float
        Of measuring per network and contender.
    peers : sequence of str
        Those that are installed take part.
    """
    machine.warn_if_busy()
    found = machine.describe()
    threads = config.threads
    print(f"{found['processor']}, {threads} of {found['processors']} processors, vectors of {found['vectors']}")
    print(", ".join(f"{name} {version}" for name, version in {"python": found["python"], **found["versions"]}.items()))
    peak, counted = machine.fma_peak() / 1e9, machine.plural(threads, "thread")
    print(f"\npeak      {peak:8.1f} GFLOP/s  fused multiply-adds in float32, {counted}")
    print(f"copying   {machine.copy_bandwidth() / 1e9:8.1f} GB/s     read and written\n")

    who = contenders(peers)
    for name in missing(peers):
        print(f"{name}: not installed")
    print("One training step (forward, backward, momentum update), minimum / median in ms:\n")
    names = [c.name for c in who]
    table = Table(network=-8, batch=5, **dict.fromkeys(names, 15), **({"ratio": 13} if len(who) > 1 else {}))
    table.head()
    failures = []

    def report(task, samples):
        row = [task["network"], str(task["batch"]), *(milliseconds(samples[name]) for name in names)]
        table.row(*row, *([against_best(samples)[0]] if len(who) > 1 else []))
        failures.extend(s for s in samples.values() if isinstance(s, Failed))

    take_turns(who, [tasks.training(name, batch) for name in networks], seconds, report=report)
    if len(who) > 1:
        print("\nratio: symcnn's time over that of the fastest peer; they ran in turns, each in its own process")
    else:
        print(f"\nInstall a peer to compare with: {' or '.join(PEERS)}")
    for failure in failures:
        print(failure)
