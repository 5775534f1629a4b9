"""Diagnosis: what the norms and shares of each layer mean, and what a lecture on CNNs advises."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite, sqrt
from typing import Any

DEAD = 0.25  # share of units from which dead ones are worth a word
SATURATED = 0.5  # share of values
HIGH_RATIO, LOW_RATIO = 2e-2, 1e-5  # updates as a share of the weights; about 1e-3 is healthy
VANISHED = 1e-3  # the typical gradient of a weight in an early layer, as a share of that in the last
FAINT, LOUD = 1e-3, 1e3  # standard deviation of activations

DEAD_ADVICE = (
    "lower the learning rate, use leaky ReLU or maxout, or start with a small positive bias (such as 0.01 to 0.1)"
)
SATURATED_ADVICE = (
    "use ReLU instead of {what} inside the network, or begin with weights of smaller variance (init='glorot_uniform')"
)


@dataclass(frozen=True)
class Finding:
    """Something that looks wrong.

    Attributes
    ----------
    layer : str
        Its path; ``""`` for the network.
    sign : str
        ``"dead"``, ``"saturated"``, ``"high ratio"``, ``"low ratio"``, ``"vanishing"``, ``"exploding"``, ``"no gradient"``,
        ``"faint"``, ``"loud"`` or ``"not finite"``; of curves those of `symcnn.train.diagnose_history`.
    value : float
        The number that shows it.
    text : str
        What it is, and what to do.
    """

    layer: str
    sign: str
    value: float
    text: str

    def __str__(self):
        return f"{self.layer}: {self.text}" if self.layer else self.text


def diagnose(layers: list[dict[str, Any]], examples: int) -> list[Finding]:
    """Findings on the layers of a `Measurement` on a batch of so many examples, the gravest kinds first.

    Examples
    --------
    >>> nan = float("nan")
    >>> act = dict(layer="act1", kind="ReLU()", weight_norm=nan, gradient_norm=nan, update_ratio=nan, size=0, mean=0.1,
    ...            std=0.2, norm=1.0, dead=0.6, saturated=nan)
    >>> print(*diagnose([act], 64))
    act1: 60% of the units are dead (zero for all 64 examples): lower the learning rate, use leaky ReLU or maxout, ...
    """
    broken = [
        row for row in layers if any(row[name] != row[name] or not isfinite(row[name]) for name in _measured(row))
    ]
    if broken:
        return [_not_finite(broken[0])]
    return [*_units(layers, examples), *_gradients(layers), *_ratios(layers), *_activations(layers)]


def _measured(row) -> list[str]:
    """What was to be measured of this layer; the rest is nan because the layer has none."""
    return ["mean", *(["gradient_norm", "weight_norm"] if row["size"] else [])]


def _not_finite(row) -> Finding:
    text = (
        "the first layer with NaN or infinity: the learning rate is too high, or a value lies outside the domain of "
        'an op (log, sqrt, a division); mode="debug" of compile_step names it'
    )
    return Finding(row["layer"], "not finite", float("nan"), text)


def _units(layers, examples) -> list[Finding]:
    found = []
    for row in layers:
        if row["dead"] > DEAD:
            text = f"{row['dead']:.0%} of the units are dead (zero for all {examples} examples): {DEAD_ADVICE}"
            found.append(Finding(row["layer"], "dead", row["dead"], text))
    for row in layers[:-1]:  # at the output a sigmoid is in its place
        if row["saturated"] > SATURATED:
            advice = SATURATED_ADVICE.format(what="sigmoid or tanh")
            text = f"{row['saturated']:.0%} of the activations are saturated, with next to no slope: {advice}"
            found.append(Finding(row["layer"], "saturated", row["saturated"], text))
    return found


def _gradients(layers) -> list[Finding]:
    trained = [row for row in layers if row["size"]]
    silent = [row for row in trained if row["gradient_norm"] == 0]
    if silent:
        names = _some(silent)
        text = (
            "no gradient arrives: the units behind may all be dead, the initial weights all zero, or the loss may not "
            "depend on this layer"
        )
        return [Finding(names, "no gradient", 0.0, text)]
    if len(trained) < 2:
        return []
    typical = [row["gradient_norm"] / sqrt(row["size"]) for row in trained]
    share = typical[0] / typical[-1]
    if share < VANISHED:
        text = (
            f"its gradients vanish, {share:.0e} of those of {trained[-1]['layer']}: initialise with proper variance "
            "(init='he_normal' before ReLU), normalise (batch norm), use ReLU inside or residual blocks"
        )
        return [Finding(trained[0]["layer"], "vanishing", share, text)]
    if share > 1 / VANISHED:
        text = (
            f"its gradients explode, {share:.0e} times those of {trained[-1]['layer']}: initialise with smaller "
            "variance, normalise (batch norm), or clip the gradients (clip_norm=1 of the optimiser)"
        )
        return [Finding(trained[0]["layer"], "exploding", share, text)]
    return []


def _ratios(layers) -> list[Finding]:
    found = []
    high = [row for row in layers if row["update_ratio"] > HIGH_RATIO]
    if high:
        value = max(row["update_ratio"] for row in high)
        text = f"a step changes the weights by up to {value:.0e} of their norm, healthy is about 1e-3: lower the learning rate"
        found.append(Finding(_some(high), "high ratio", value, text))
    low = [row for row in layers if 0 < row["update_ratio"] < LOW_RATIO]
    if low:
        value = min(row["update_ratio"] for row in low)
        text = f"a step changes the weights by only {value:.0e} of their norm, healthy is about 1e-3: raise the learning rate"
        found.append(Finding(_some(low), "low ratio", value, text))
    return found


def _activations(layers) -> list[Finding]:
    """The first layer whose outputs fade away or blow up; those behind it follow."""
    for row in layers[:-1]:  # probabilities at the output may be small
        if row["std"] < FAINT:
            text = (
                f"its outputs hardly differ (standard deviation {row['std']:.0e}): initialise with proper variance "
                "(init='he_normal' before ReLU), check the inputs"
            )
            return [Finding(row["layer"], "faint", row["std"], text)]
        if row["std"] > LOUD:
            text = (
                f"its outputs are huge (standard deviation {row['std']:.0e}): normalise the inputs, initialise with "
                "smaller variance"
            )
            return [Finding(row["layer"], "loud", row["std"], text)]
    return []


def _some(rows) -> str:
    names = [row["layer"] for row in rows]
    return ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")
