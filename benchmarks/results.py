"""Make RESULTS.md of the figures in ``benchmarks/results``: ``python -m benchmarks.results``."""

from __future__ import annotations

import json

from benchmarks.options import RESULTS
from symcnn.bench.machine import BUSY

HEAD = """# Benchmark results

Made by `python -m benchmarks.results` from the figures in `results/`, which the programs write when called with
`--record`. Contenders run in processes of their own and take turns; a cell is minimum / median in milliseconds; the
ratio is that of symcnn to the fastest peer, of minima / of medians, the latter in bold (below 1: symcnn is faster).

A share of peak above 100% is Winograd, which needs fewer operations than the direct sum that is counted, up to four
times fewer. The peak is measured before the rest: where others used the machine ("load before"), it may be too low and
the shares too high.
"""


def main() -> None:
    parts = [HEAD]
    for name, title, table in SECTIONS:
        path = RESULTS / f"{name}.json"
        if path.exists():
            content = json.loads(path.read_text())
            parts += [f"## {title}\n", machine(content), table(content)]
    (RESULTS.parent / "RESULTS.md").write_text("\n".join(parts))


def machine(content: dict) -> str:
    """One paragraph: where and how the figures were taken."""
    of = content["machine"]
    versions = ", ".join(f"{name} {version}" for name, version in {"Python": of["python"], **of["versions"]}.items())
    limits = content.get("limits")
    measured = ""
    if limits:
        measured = (
            f" Peak {limits['fma_gflops']} GFLOP/s, copying {limits['copy_gbs']} GB/s; load before {limits['load']}."
        )
    return (
        f"`{content['command']}`: {of['processor']}, {content['threads']} of {of['processors']} processors, vectors of "
        f"{of['vectors']}; {of['system']}, {versions}.{measured}\n"
    )


def networks(content: dict) -> str:
    what = {"train": "training step", "forward": "forward"}
    return _timed(content["rows"], "Network, batch", lambda r: f"{r['network']} {what[r['what']]}, {r['batch']}")


def layers(content: dict) -> str:
    peak = content["limits"]["fma_gflops"] * 1e9

    def speed(row):
        seconds = row["samples"]["symcnn"].get("min_ms", float("nan")) / 1e3
        return [f"{row['flops'] / seconds / 1e9:.0f}", f"{row['flops'] / seconds / peak:.0%}"]

    return _timed(
        content["rows"], "Convolution", lambda r: f"{r['layer']}, {r['direction']}", ["GFLOP/s", "of peak"], speed
    )


def elementwise(content: dict) -> str:
    copy = content["limits"]["copy_gbs"] * 1e9

    def label(row):
        what = row["what"].replace("|", "\\|")  # which would end the cell
        return f"`{what}`, {row['size']:,}"

    def speed(row):
        seconds = row["samples"]["symcnn"].get("min_ms", float("nan")) / 1e3
        return [f"{row['bytes'] / seconds / 1e9:.1f}", f"{row['bytes'] / seconds / copy:.0%}"]

    return _timed(content["rows"], "Expression, elements", label, ["GB/s", "of a copy"], speed)


def compiling(content: dict) -> str:
    keys = {"cold_s": "empty cache, s", "warm_s": "warm cache, s", "new_batch_ms": "new batch size, ms"}
    rows = [[r["network"], r["contender"], *(_cell(r.get(key)) for key in keys)] for r in content["rows"]]
    return _markdown(["Network", "", *keys.values()], rows)


def memory(content: dict) -> str:
    keys = {"peak_mb": "peak of the process, MB", "planned_mb": "planned, MB"}
    rows = [
        [f"{r['network']}, {r['batch']}", r["contender"], *(_cell(r.get(key)) for key in keys)] for r in content["rows"]
    ]
    return _markdown(["Network, batch", "", *keys.values()], rows)


def onnx(content: dict) -> str:
    table = _timed(content["rows"], "Network, batch", lambda r: f"{r['network']}, {r['batch']}")
    busy = (content["limits"]["load"] or 0) > BUSY * content["machine"]["processors"]
    return "Others used the machine meanwhile, so only the ratios say something.\n\n" + table if busy else table


SECTIONS = (
    ("networks", "Networks", networks),
    ("layers", "Convolutions", layers),
    ("elementwise", "Elementwise chains and updates", elementwise),
    ("compile", "From definition to first result", compiling),
    ("memory", "Memory", memory),
    ("onnx", "Networks of the ONNX model zoo", onnx),
)


def _timed(rows, title, label, titles=(), more=lambda row: []) -> str:
    """Rows of samples: a column for each contender, then `more`, then the ratio to the fastest peer."""
    names = list(dict.fromkeys(name for row in rows for name in row["samples"]))
    cells = []
    for row in rows:
        samples = [row["samples"].get(name, {}) for name in names]
        times = [f"{_cell(s.get('min_ms'))} / {_cell(s.get('median_ms'))}" if s.get("min_ms") else "-" for s in samples]
        cells.append([label(row), *times, *more(row), _ratio(row["samples"])])
    return _markdown([title, *names, *titles, "ratio"], cells)


def _ratio(samples) -> str:
    peers = [s for name, s in samples.items() if name != "symcnn" and "median_ms" in s]
    ours = samples["symcnn"]
    if not peers or "median_ms" not in ours:
        return "-"
    least, middle = (ours[key] / min(s[key] for s in peers) for key in ("min_ms", "median_ms"))
    return f"{least:.2f} / **{middle:.2f}**"


def _cell(value) -> str:
    return "-" if value is None else f"{value:.3g}" if value < 1000 else f"{value:,.0f}"


def _markdown(titles, rows) -> str:
    lines = [titles, ["---", *["---:"] * (len(titles) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


if __name__ == "__main__":
    main()
