"""Monitor: norms, update ratios, dead and saturated units of every layer, watched while training goes on."""

from __future__ import annotations

from math import isfinite
from textwrap import fill
from typing import Any

import numpy as np

from symcnn.errors import InputError
from symcnn.keywords import checked_count, nearest
from symcnn.stages import Text
from symcnn.train.callback import Callback
from symcnn.train.diagnosis import Finding, diagnose
from symcnn.train.probe import Probe

COLUMNS = {
    "layer": "layer",
    "weight_norm": "|w|",
    "gradient_norm": "|g|",
    "update_ratio": "|dw|/|w|",
    "mean": "mean",
    "std": "std",
    "dead": "dead",
    "saturated": "saturated",
}


class Monitor(Callback):
    """Measure every layer on the current batch, after the first step and after every so many.

    The measuring is a compiled function of its own, so the training step stays as fast as it is; one measurement costs
    about as much as one step, the first some seconds of compiling. What is measured says `symcnn.train.probe.Probe`.

    Parameters
    ----------
    every : int
        Steps from one measurement to the next.

    Attributes
    ----------
    records : list of dict
        One per layer and measurement, plain numbers and texts: ``step``, ``epoch`` (with a fraction), ``examples`` in the
        batch, its ``loss``, and ``layer``, ``kind``, ``weight_norm``, ``gradient_norm``, ``update_ratio``, ``size``,
        ``mean``, ``std``, ``norm``, ``dead``, ``saturated``; what a layer does not have is ``nan``.

    Raises
    ------
    InputError
        If `every` is not at least 1.

    Examples
    --------
    >>> import symcnn as sc
    >>> X = np.random.default_rng(0).normal(size=(64, 4))
    >>> monitor = Monitor(every=5)
    >>> history = sc.train.fit(sc.models.mlp([4, 8, 2], seed=0), (X, (X[:, 0] > 0).astype(int)), epochs=5, batch_size=16,
    ...                        callbacks=[monitor], device="reference", progress=False)
    >>> steps, ratios = monitor.series("dense1", "update_ratio")
    >>> steps.tolist()
    [1, 5, 10, 15, 20]
    >>> print(monitor.report())
    step 20, epoch 5.0, 16 examples, loss 0.444
    layer    |w|    |g|  |dw|/|w|    mean    std  dead  saturated
    -------------------------------------------------------------
    dense1  2.36  0.481    0.0130  0.0139  0.899
    act1                            0.358  0.554    0%
    dense2  1.97  0.242    0.0139  -0.633  0.861
    <BLANKLINE>
    Nothing looks wrong.
    """

    def __init__(self, every: int = 100):
        self.every = checked_count("Monitor: every", every)
        self.records: list[dict[str, Any]] = []
        self._probe: Probe | None = None

    def on_step(self, run):
        if (run.steps_done == 1 or run.steps_done % self.every == 0) and isfinite(run.loss):
            self._measure(run)

    def _measure(self, run):
        if self._probe is None or self._probe.step is not run.step:
            self._probe = Probe(run.step)
        found = self._probe(run.images, run.labels)
        head = {
            "step": run.steps_done,
            "epoch": run.epoch + run.batch / run.batches,
            "examples": found.examples,
            "loss": found.loss,
        }
        self.records += [head | layer for layer in found.layers]

    @property
    def layers(self) -> list[str]:
        """The paths of what is measured, in the order of application."""
        return list(dict.fromkeys(record["layer"] for record in self.records))

    def series(self, layer: str, name: str) -> tuple[np.ndarray, np.ndarray]:
        """(steps, values) of one number of one layer over the training.

        Raises
        ------
        InputError
            If there is no such layer or number.
        """
        chosen = [record for record in self.records if record["layer"] == layer]
        if not chosen:
            raise InputError(f"Monitor: no layer {layer!r}", hint=nearest(layer, self.layers))
        if name not in chosen[0]:
            raise InputError(f"Monitor: no number {name!r}", hint=nearest(name, chosen[0]))
        return np.array([r["step"] for r in chosen]), np.array([r[name] for r in chosen])

    def latest(self) -> list[dict[str, Any]]:
        """The records of the last measurement."""
        return [r for r in self.records if r["step"] == self.records[-1]["step"]]

    def findings(self) -> list[Finding]:
        """What looked wrong in the last measurement."""
        latest = self.latest()
        return diagnose(latest, latest[0]["examples"]) if latest else []

    def report(self) -> Text:
        """The last measurement as a table, with advice on what looks wrong in it."""
        latest = self.latest()
        if not latest:
            return Text("Nothing measured yet.")
        first = latest[0]
        title = (
            f"step {first['step']}, epoch {first['epoch']:.1f}, {first['examples']} examples, loss {first['loss']:.3g}"
        )
        advice = [fill(f"- {f}", 100, subsequent_indent="  ") for f in self.findings()] or ["Nothing looks wrong."]
        return Text("\n".join([title, *_table(latest), "", *advice]))

    def state(self):
        names = self.records[0] if self.records else {}
        return {"records": {name: [record[name] for record in self.records] for name in names}}

    def restore(self, state):
        columns = state["records"]
        rows = zip(*columns.values(), strict=True)
        self.records = [dict(zip(columns, row, strict=True)) for row in rows]


def _table(rows) -> list[str]:
    cells = [list(COLUMNS.values()), *([_cell(name, row[name]) for name in COLUMNS] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = [
        "  ".join([line[0].ljust(widths[0]), *(text.rjust(w) for text, w in zip(line[1:], widths[1:], strict=True))])
        for line in cells
    ]
    return [lines[0], "-" * len(lines[0]), *(line.rstrip() for line in lines[1:])]


def _cell(name, value) -> str:
    if isinstance(value, str):
        return value
    if value != value:
        return ""
    return f"{value:.0%}" if name in ("dead", "saturated") else f"{value:#.3g}"
