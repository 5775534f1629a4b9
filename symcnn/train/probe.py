"""Probe: one compiled function that measures every layer on one batch, and trains nothing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import nan, sqrt
from typing import Any

import symcnn as sc
from symcnn.nn.ownership import Application, applications
from symcnn.train.diagnosis import Finding, diagnose
from symcnn.train.step import checked_batch, symbolic_batch

FLAT = 0.05  # a sigmoid or tanh is saturated where its slope is below this share of its largest slope


@dataclass(frozen=True)
class Measurement:
    """What a `Probe` found.

    Attributes
    ----------
    loss : float
    examples : int
        In the batch.
    layers : list of dict
        One per layer, in the order of application; plain numbers and texts, see `Probe`.
    """

    loss: float
    examples: int
    layers: list[dict[str, Any]]

    def findings(self) -> list[Finding]:
        """What looks wrong, and what to do about it."""
        return diagnose(self.layers, self.examples)


class Probe:
    """Weights, gradients, updates and activations of each layer, on a batch.

    The function is built, planned and compiled at the first call. It uses the step's loss, penalty, constraint and
    optimiser, with the slots as they are, and changes none of them; dropout draws the mask of the step's next call. So
    the gradients and updates are those that the next step would make of this batch.

    Every layer is a dict:

    ``layer``, ``kind``
        Its path and what it is.
    ``weight_norm``, ``gradient_norm``
        :math:`|w|` and :math:`|g|` over all its own parameters together; ``nan`` if it has none, the gradient also if
        they are frozen.
    ``update_ratio``
        :math:`|\\Delta w| / |w|`, with the step :math:`\\Delta w` that the optimiser would make.
    ``size``
        How many numbers its own trainable parameters are.
    ``mean``, ``std``, ``norm``
        Of its activations over the batch; the norm is that of one example, in the root mean square over the examples.
    ``dead``
        Share of its ReLU units that are zero for all examples, a channel at all pixels; ``nan`` if it has no ReLU.
    ``saturated``
        Share of the values of its sigmoids and tanhs where the slope is below 5 % of the largest; ``nan`` without.

    Examples
    --------
    >>> import numpy as np, symcnn as sc
    >>> model = sc.nn.Sequential(dense=sc.nn.Dense(3, 4, seed=0), act=sc.nn.ReLU(), out=sc.nn.Dense(4, 2, seed=1))
    >>> model.parameters()["dense.bias"].set_value([-100.0, -100.0, 9.0, 9.0])
    >>> step = sc.train.compile_step(model, device="reference")
    >>> found = Probe(step)(np.ones((5, 3)), np.array([0, 1, 0, 1, 0]))
    >>> found.layers[1]["layer"], found.layers[1]["dead"]
    ('act', 0.5)
    """

    def __init__(self, step):
        self.step = step
        self.function: sc.Function | None = None
        self._layers: list[_Layer] = []
        self._frozen_at: list[str] = []

    def __call__(self, X, labels) -> Measurement:
        """Measure on one batch."""
        X, labels = checked_batch(self.step.model, X, labels)
        if self.function is None or self._frozen_at != self.step.model.trainable().keys():
            self._build(X, labels)
        assert self.function is not None
        self.function.calls = 0 if self.step.function is None else self.step.function.calls
        found = self.function(X, labels)
        return Measurement(float(found["loss"]), len(X), [layer.row(found, len(X)) for layer in self._layers])

    def _build(self, X, labels):
        x, t = symbolic_batch(X, labels, self.step.model.in_shape)
        graph = self.step.graph(x, t)
        self._frozen_at = graph.trainable.keys()
        gradients = dict(zip(graph.trainable, graph.gradients, strict=True))
        self._layers, seen = [], set()
        for application in applications(self.step.model, graph.trace):
            own = [p for p in application.parameters if p not in seen]
            layer = _Layer(application, own, gradients, graph.updates)
            seen.update(own)
            if application.is_layer or own or layer.units or layer.slopes:
                self._layers.append(layer)
        outputs = {"loss": graph.cost}
        for layer in self._layers:
            outputs |= layer.outputs()
        self.function = sc.function([x, t], outputs, device=self.step.device, name="probe")


class _Layer:
    """What is measured of one application of a module."""

    def __init__(self, application: Application, own, gradients, updates):
        self.application = application
        self.own, self.trained = own, [p for p in own if p in gradients]
        self.gradients = [gradients[p] for p in self.trained]
        self.moves = [updates[p] - p for p in self.trained]
        self.units = [v for v in application.own if _is_relu(v) and v.ndim >= 2]
        self.slopes = [s for s in map(_relative_slope, application.own) if s is not None]

    def outputs(self) -> dict:
        output = self.application.outputs[0]
        measured = {"mean": sc.mean(output), "std": sc.std(output), "count": sc.count(output)}
        if self.own:
            measured["weight"] = _squares(self.own)
        if self.trained:
            measured |= {"gradient": _squares(self.gradients), "move": _squares(self.moves)}
        for k, v in enumerate(self.units):
            others = tuple(axis for axis in range(v.ndim) if axis != 1)
            measured[f"dead{k}"] = sc.mean((sc.max(v, axis=others) <= 0).astype(v.dtype))
        for k, slope in enumerate(self.slopes):
            measured[f"saturated{k}"] = sc.mean((slope < FLAT).astype(slope.dtype))
        return {self._key(name): value for name, value in measured.items()}

    def row(self, found, examples: int) -> dict[str, Any]:
        """The numbers of this layer among all that the function returned."""

        def value(name):
            return float(found.get(self._key(name), nan))

        weight, move = sqrt(value("weight")), sqrt(value("move"))
        mean, std, per_example = value("mean"), value("std"), value("count") / examples
        return {
            "layer": self.application.name or type(self.application.module).__name__,
            "kind": _kind(self.application.module),
            "weight_norm": weight,
            "gradient_norm": sqrt(value("gradient")),
            "update_ratio": move / weight if weight else nan,
            "size": sum(p.size for p in self.trained),
            "mean": mean,
            "std": std,
            "norm": sqrt(per_example * (mean * mean + std * std)),
            "dead": _average((v.shape[1] or 1, value(f"dead{k}")) for k, v in enumerate(self.units)),
            "saturated": _average((1, value(f"saturated{k}")) for k in range(len(self.slopes))),
        }

    def _key(self, name) -> str:
        return f"{self.application.name}/{name}"


def _kind(module) -> str:
    return type(module).__name__ if module.parts() else repr(module)


def _squares(variables):
    """The sum of all squares."""
    total = sc.sum(sc.square(variables[0]))
    for v in variables[1:]:
        total = total + sc.sum(sc.square(v))
    return total


def _is_relu(v) -> bool:
    """Whether `v` is ``relu(x)``, also written as ``maximum(x, 0)``."""
    if v.op.name == "maximum":
        return any(isinstance(x, sc.Constant) and not x.value.any() for x in v.inputs)
    return v.op.name == "relu"


def _relative_slope(v):
    """The slope of a sigmoid or tanh at each element, as a share of its largest; ``None`` for other ops."""
    if v.op.name == "sigmoid":
        return 4 * v * (1 - v)
    return 1 - v * v if v.op.name == "tanh" else None


def _average(weighted: Iterable[tuple[int, float]]) -> float:
    weighted = list(weighted)
    return sum(w * x for w, x in weighted) / sum(w for w, _ in weighted) if weighted else nan
