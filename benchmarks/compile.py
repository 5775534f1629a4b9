"""From definition to first result of a training step, in fresh processes, imports included; and a new batch size.

Cold: nothing was ever compiled on this machine. Warm: another process compiled the same step before.

    python -m benchmarks.compile
    python -m benchmarks.compile lenet --peers torch torch:compile --repeat 5
"""

from __future__ import annotations

import tempfile

from benchmarks.options import add_networks, chosen, parser, save
from symcnn.bench import tasks
from symcnn.bench.report import Table
from symcnn.bench.turns import Failed, Worker

# Where contenders keep what they compiled.
CACHES = ("SYMCNN_CACHE_DIR", "TORCHINDUCTOR_CACHE_DIR", "JAX_COMPILATION_CACHE_DIR")


def main() -> None:
    arguments = parser(__doc__, seconds=0.5)
    add_networks(arguments, default=("lenet", "googlenet"))
    arguments.add_argument(
        "--repeat", type=int, default=3, help="warm processes; the best counts (default %(default)s)"
    )
    options = arguments.parse_args()
    who = chosen(options)
    table = Table(network=-10, contender=-14, cold_s=8, warm_s=8, new_batch_ms=12)
    table.head()
    rows = []
    for network in options.networks:
        for contender in who:
            row = {"network": network, "contender": contender.name, **one(contender, network, options)}
            table.row(network, contender.name, *(_text(row.get(key)) for key in ("cold_s", "warm_s", "new_batch_ms")))
            rows.append(row)
    save(options, "compile", rows)


def one(contender, network: str, options) -> dict:
    """Seconds of the first process and of the best later one, and milliseconds that a new batch size costs."""
    task = tasks.training(network)
    with tempfile.TemporaryDirectory() as folder:
        first, extra = [], []
        try:
            for _ in range(1 + options.repeat):
                with Worker(contender, options.threads, dict.fromkeys(CACHES, folder)) as worker:
                    first.append(worker.prepare(task))
                    extra.append(new_batch(worker, network, options.seconds))
        except Failed as error:
            return {"failed": str(error)}
    found = {"cold_s": first[0], "warm_s": min(first[1:], default=first[0]), "new_batch_ms": 1e3 * min(extra)}
    return {name: round(value, 3) for name, value in found.items()}


def new_batch(worker, network: str, seconds: float) -> float:
    """What the first step of another batch size takes longer than the later ones."""
    task = tasks.training(network, batch=tasks.NETWORKS[network].batch * 3 // 4)
    first = worker.prepare(task)
    return first - min(worker.run(task, seconds))


def _text(value) -> str:
    return "-" if value is None else f"{value:.2f}"


if __name__ == "__main__":
    main()
