"""Training steps and forward passes of the five networks, symcnn and its peers in turns.

python -m benchmarks.networks
python -m benchmarks.networks lenet cs231n --seconds 4 --peers torch torch:compile
python -m benchmarks.networks --what train --threads 1 --json networks.json
"""

from __future__ import annotations

from benchmarks.options import add_networks, chosen, limits, parser, ratio_cells, ratio_columns, save
from symcnn.bench import tasks
from symcnn.bench.report import Table, as_json, milliseconds
from symcnn.bench.turns import take_turns

WHAT = ("train", "forward", "one")


def main() -> None:
    arguments = parser(__doc__, seconds=6.0)
    add_networks(arguments)
    arguments.add_argument(
        "--what",
        nargs="*",
        default=WHAT,
        choices=WHAT,
        help="training step, forward, forward of one example (default all)",
    )
    options = arguments.parse_args()
    who = chosen(options)
    names = [c.name for c in who]
    measured = limits(options)
    table = Table(network=-10, what=-8, batch=5, **dict.fromkeys(names, 15), **ratio_columns(who))
    table.head()
    rows = []

    def report(task, samples):
        cells = [milliseconds(samples[name]) for name in names]
        table.row(task["network"], task["what"], str(task["batch"]), *cells, *ratio_cells(samples))
        rows.append({**task, "samples": {name: as_json(s) for name, s in samples.items()}})

    for network in options.networks:
        todo = {
            "train": tasks.training(network),
            "forward": tasks.forward(network),
            "one": tasks.forward(network, batch=1),
        }
        take_turns(who, [todo[what] for what in options.what], options.seconds, options.threads, report=report)
    save(options, "networks", rows, limits=measured)


if __name__ == "__main__":
    main()
