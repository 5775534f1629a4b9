"""Peak resident memory of a process that trains a network: all of it, and the part that the memory plan announced.

python -m benchmarks.memory
python -m benchmarks.memory alexnet --peers torch torch:nchw
"""

from __future__ import annotations

from benchmarks.options import add_networks, chosen, parser, save
from symcnn.bench import tasks
from symcnn.bench.report import Table
from symcnn.bench.turns import Failed, Worker


def main() -> None:
    arguments = parser(__doc__, seconds=2.0)
    add_networks(arguments)
    options = arguments.parse_args()
    who = chosen(options)
    table = Table(network=-10, batch=5, contender=-14, peak_MB=9, planned_MB=11)
    table.head()
    rows = []
    for network in options.networks:
        task = tasks.training(network)
        for contender in who:
            with Worker(contender, options.threads) as worker:
                try:
                    worker.prepare(task)
                    worker.run(task, options.seconds)
                    found = {f"{name}_mb": round(size / 1e6) for name, size in worker.memory(task).items()}
                except Failed as error:
                    found = {"failed": str(error)}
            sizes = [f"{found[key]:,}" if key in found else "-" for key in ("peak_mb", "planned_mb")]
            table.row(network, str(task["batch"]), contender.name, *sizes)
            rows.append({"network": network, "batch": task["batch"], "contender": contender.name, **found})
    save(options, "memory", rows)


if __name__ == "__main__":
    main()
