"""Fused elementwise chains and momentum updates: GB/s against a measured copy.

python -m benchmarks.elementwise
python -m benchmarks.elementwise --sizes 1000000 --peers torch:compile
"""

from __future__ import annotations

from benchmarks.options import chosen, limits, parser, ratio_cells, ratio_columns, save
from symcnn.bench import tasks
from symcnn.bench.report import Table, as_json, milliseconds
from symcnn.bench.turns import Sample, take_turns


def main() -> None:
    arguments = parser(__doc__, seconds=1.0)
    arguments.add_argument(
        "--sizes", nargs="*", type=int, default=[100_000, 10_000_000], help="of the arrays (default 100000 10000000)"
    )
    options = arguments.parse_args()
    who = chosen(options)
    names = [c.name for c in who]
    measured = limits(options)
    table = Table(what=-28, size=10, **dict.fromkeys(names, 15), **{"GB/s": 6}, of_copy=7, **ratio_columns(who))
    table.head()
    rows = []

    def report(task, samples):
        what = task.get("chain", "momentum update")
        moved = 4 * task["size"] * arrays(task)
        ours = samples["symcnn"]
        rate = moved / ours.minimum / 1e9 if isinstance(ours, Sample) else float("nan")
        cells = [milliseconds(samples[name]) for name in names]
        share = f"{rate / measured['copy_gbs']:.0%}"
        table.row(what, f"{task['size']:,}", *cells, f"{rate:.1f}", share, *ratio_cells(samples))
        figures = {name: as_json(s) for name, s in samples.items()}
        rows.append({"what": what, "size": task["size"], "bytes": moved, "samples": figures})

    todo = [tasks.chain(name, size) for size in options.sizes for name in tasks.CHAINS]
    todo += [tasks.update(size) for size in options.sizes]
    take_turns(who, todo, options.seconds, options.threads, report=report)
    save(options, "elementwise", rows, limits=measured)


def arrays(task) -> int:
    """How many arrays a task reads or writes: an update reads three and writes two."""
    return 5 if task["what"] == "update" else tasks.CHAINS[task["chain"]].operands + 1


if __name__ == "__main__":
    main()
