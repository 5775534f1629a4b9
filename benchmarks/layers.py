"""Every distinct convolution of the five networks: forward, input gradient, weight gradient; GFLOP/s and share of peak.

The arithmetic counted is that of direct convolution, so Winograd's can exceed the peak.

    python -m benchmarks.layers
    python -m benchmarks.layers cs231n --directions forward --seconds 0.5
"""

from __future__ import annotations

from benchmarks.options import add_networks, chosen, limits, parser, ratio_cells, ratio_columns, save
from symcnn.bench import tasks
from symcnn.bench.own import convolutions
from symcnn.bench.report import Table, as_json, milliseconds
from symcnn.bench.turns import Sample, take_turns


def main() -> None:
    arguments = parser(__doc__, seconds=0.4)
    add_networks(arguments)
    arguments.add_argument(
        "--directions", nargs="*", default=tasks.DIRECTIONS, choices=tasks.DIRECTIONS, help="(default all)"
    )
    options = arguments.parse_args()
    who = chosen(options)
    names = [c.name for c in who]
    measured = limits(options)
    widths = dict.fromkeys(names, 15)
    table = Table(layer=-34, direction=-15, **widths, **{"GFLOP/s": 7}, of_peak=7, **ratio_columns(who))
    table.head()
    rows = []

    def report(task, samples):
        layer = tasks.Convolution(**task["layer"])
        ours = samples["symcnn"]
        gflops = layer.flops / ours.minimum / 1e9 if isinstance(ours, Sample) else float("nan")
        cells = [milliseconds(samples[name]) for name in names]
        share = f"{gflops / measured['fma_gflops']:.0%}"
        table.row(str(layer), task["direction"], *cells, f"{gflops:.0f}", share, *ratio_cells(samples))
        figures = {name: as_json(s) for name, s in samples.items()}
        rows.append({"layer": str(layer), "direction": task["direction"], "flops": layer.flops, "samples": figures})

    seen = set()
    for network in options.networks:
        layers = [layer for layer in convolutions(network) if layer not in seen]
        seen.update(layers)
        todo = [tasks.convolution(layer, direction) for layer in layers for direction in options.directions]
        take_turns(who, todo, options.seconds, options.threads, report=report)
    save(options, "layers", rows, limits=measured)


if __name__ == "__main__":
    main()
