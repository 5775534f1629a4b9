"""Results as tables for people and as JSON for programs."""

from __future__ import annotations

import json
from pathlib import Path

from symcnn.bench.machine import describe
from symcnn.bench.turns import Sample


class Table:
    """Rows printed as they come, in columns of fixed width.

    Parameters
    ----------
    **widths : int
        Of each column by its title (underscores become spaces); a negative width aligns to the left.

    Examples
    --------
    >>> table = Table(layer=-8, ms=6)
    >>> table.head()
    layer         ms
    ----------------
    >>> table.row("conv1", "1.25")
    conv1       1.25
    """

    def __init__(self, **widths: int):
        self.widths = {name.replace("_", " "): width for name, width in widths.items()}

    def head(self) -> None:
        """Print the titles."""
        line = self._line(self.widths)
        print(line)
        print("-" * len(line))

    def row(self, *cells: str) -> None:
        """Print one row."""
        print(self._line(cells), flush=True)

    def _line(self, cells) -> str:
        pairs = zip(cells, self.widths.values(), strict=True)
        return "  ".join(f"{cell:<{-w}}" if w < 0 else f"{cell:>{w}}" for cell, w in pairs).rstrip()


def milliseconds(sample) -> str:
    """Minimum and median: ``18.9 / 19.4``; a dash for what could not be timed."""
    return f"{_ms(sample.minimum)} / {_ms(sample.median)}" if isinstance(sample, Sample) else "-"


def _ms(seconds: float) -> str:
    ms = seconds * 1e3
    return f"{ms:.3g}" if ms < 1000 else f"{ms:.0f}"


def against_best(samples: dict) -> tuple[str, str]:
    """Our minimum and median over those of the fastest peer, ``0.47 / 0.48``, and its name; dashes if there is none."""
    ours = samples["symcnn"]
    peers = {name: s for name, s in samples.items() if name != "symcnn" and isinstance(s, Sample)}
    if not peers or not isinstance(ours, Sample):
        return "-", "-"
    least = ours.minimum / min(s.minimum for s in peers.values())
    middle = ours.median / min(s.median for s in peers.values())
    return f"{least:.2f} / {middle:.2f}", min(peers, key=lambda name: peers[name].median)


def as_json(sample) -> dict:
    """A sample in milliseconds, or the reason why there is none."""
    if not isinstance(sample, Sample):
        return {"failed": str(sample)}
    return {
        "min_ms": round(sample.minimum * 1e3, 4),
        "median_ms": round(sample.median * 1e3, 4),
        "repetitions": len(sample.times),
        "first_s": round(sample.first, 3),
    }


def save(path, command: str, rows: list[dict], **more) -> None:
    """Write results with the machine, the versions and the command that gave them."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    content = {"command": command, "machine": describe(), **more, "rows": rows}
    path.write_text(json.dumps(content, indent=1) + "\n")
