"""Inference of the networks of the ONNX model zoo, symcnn and onnxruntime in turns.

python -m benchmarks.onnx
python -m benchmarks.onnx resnet50 squeezenet --batches 1 --seconds 2
python -m benchmarks.onnx --record
"""

from __future__ import annotations

from benchmarks.options import chosen, limits, parser, ratio_cells, ratio_columns, save
from symcnn.bench import tasks, zoo
from symcnn.bench.arguments import zoo_network
from symcnn.bench.report import Table, as_json, milliseconds
from symcnn.bench.turns import take_turns


def main() -> None:
    arguments = parser(__doc__, seconds=4.0)
    arguments.set_defaults(peers=["onnxruntime"])
    known = f"of {', '.join(zoo.NAMES)} (default all)"
    arguments.add_argument("networks", nargs="*", type=zoo_network, default=list(zoo.NAMES), help=known)
    arguments.add_argument("--batches", nargs="*", type=int, default=(1, 16), help="images at a time (default 1 16)")
    options = arguments.parse_args()
    who = chosen(options)
    names = [c.name for c in who]
    measured = limits(options)
    table = Table(network=-14, batch=5, **dict.fromkeys(names, 15), **ratio_columns(who))
    table.head()
    rows = []

    def report(task, samples):
        cells = [milliseconds(samples[name]) for name in names]
        table.row(task["network"], str(task["batch"]), *cells, *ratio_cells(samples))
        rows.append({**task, "samples": {name: as_json(s) for name, s in samples.items()}})

    for network in options.networks:  # one after the other: their weights need not be in memory together
        todo = [tasks.onnx(network, batch) for batch in options.batches]
        take_turns(who, todo, options.seconds, options.threads, report=report)
    save(options, "onnx", rows, limits=measured)


if __name__ == "__main__":
    main()
