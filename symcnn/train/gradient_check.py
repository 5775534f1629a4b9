"""Gradient check of a network: for each of its parameters, what `grad` says against what the loss does."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

import symcnn as sc
from symcnn.check import in_double, value_of
from symcnn.ir.graph import evaluate
from symcnn.keywords import checked_count, checked_keywords, checked_number
from symcnn.train.step import checked_batch, compile_step, symbolic_batch

COLUMNS = ("parameter", "entry", "analytic", "numeric", "relative error", "verdict")


@dataclass(frozen=True)
class GradientEntry:
    """One number of one parameter, and the slope of the loss along it.

    Attributes
    ----------
    parameter : str
        Its path.
    entry : tuple of int
        Where in the parameter.
    analytic, numeric : float
        By `grad`, and by central finite differences.
    error : float
        Relative: their difference as a share of the larger one.
    verdict : {"agrees", "kink", "differs"}
        ``"kink"``: the loss has another slope on either side, as where a ReLU turns on, and `grad` gives that of one side.
    """

    parameter: str
    entry: tuple[int, ...]
    analytic: float
    numeric: float
    error: float
    verdict: str

    def cells(self) -> tuple[str, ...]:
        """The texts of a row of a table with `COLUMNS`."""
        where = ", ".join(map(str, self.entry))
        numbers = f"{self.analytic:.6g}", f"{self.numeric:.6g}", f"{self.error:.0e}"
        return (self.parameter, f"[{where}]", *numbers, self.verdict)


@dataclass(frozen=True)
class GradientCheck:
    """What `check_gradients` found; prints as a table with the worst entry of each parameter.

    Attributes
    ----------
    entries : tuple of GradientEntry
        All that were looked at, parameter by parameter.
    tolerance : float
        The largest relative error that agrees.
    """

    entries: tuple[GradientEntry, ...]
    tolerance: float

    @property
    def passed(self) -> bool:
        """Whether no entry differs."""
        return all(entry.verdict != "differs" for entry in self.entries)

    def worst(self) -> list[GradientEntry]:
        """The entry of each parameter that says most against its gradient."""
        worst: dict[str, GradientEntry] = {}
        for entry in self.entries:
            known = worst.setdefault(entry.parameter, entry)
            if _gravity(entry) > _gravity(known):
                worst[entry.parameter] = entry
        return list(worst.values())

    def __str__(self):
        rows = [COLUMNS, *(entry.cells() for entry in self.worst())]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = ["  ".join(text.ljust(w) for text, w in zip(row, widths, strict=True)).rstrip() for row in rows]
        return "\n".join([lines[0], "-" * len(lines[0]), *lines[1:]])

    __repr__ = __str__


def _gravity(entry) -> tuple[int, float]:
    return ("agrees", "kink", "differs").index(entry.verdict), entry.error


@checked_keywords
def check_gradients(
    model, X, labels, loss=None, *, entries: int = 4, epsilon: float = 1e-5, tolerance: float = 1e-5, seed: int = 0
) -> GradientCheck:
    r"""Compare the gradient of the loss with :math:`\frac{L(w + \epsilon) - L(w - \epsilon)}{2 \epsilon}`, entry by entry.

    Everything is computed in float64 by the NumPy reference, with the network in training mode and the masks of dropout
    held fixed. Two evaluations per entry: a few examples and a small network are enough, and quick. `symcnn.check_grad`
    checks an expression as a whole along one random direction.

    Parameters
    ----------
    model : Module
    X, labels : array_like
        A small batch, such as 4 images.
    loss : callable, optional
        `symcnn.losses.cross_entropy` by default.
    entries : int
        How many to look at in each trainable parameter: the one with the largest gradient, others at random.
    epsilon : float
        Step.
    tolerance : float
        Largest relative error that agrees.
    seed : int

    Returns
    -------
    GradientCheck

    Raises
    ------
    InputError, ShapeError
        If the batch does not fit the model, or `entries` is not at least 1.

    Examples
    --------
    >>> model = sc.models.mlp([3, 4, 2], seed=0)
    >>> check = check_gradients(model, np.eye(3), np.array([0, 1, 1]))
    >>> check.passed
    True
    >>> print(check)
    parameter      entry   analytic     numeric      relative error  verdict
    ------------------------------------------------------------------------
    dense1.weight  [2, 3]  -0.109839    -0.109839    ...             agrees
    dense1.bias    [2]     -0.00370895  -0.00370895  ...             agrees
    dense2.weight  [2, 1]  -0.0370511   -0.0370511   ...             agrees
    dense2.bias    [0]     0.145747     0.145747     ...             agrees
    """
    checked_count("check_gradients: entries", entries)
    epsilon = checked_number("check_gradients: epsilon", epsilon, 0, 1, strict=True)
    rng = np.random.default_rng(seed)
    step = compile_step(model, loss)
    X, labels = checked_batch(model, X, labels)
    x, t = symbolic_batch(X, labels, model.in_shape)
    graph = step.graph(x, t)
    cost, leaf = in_double(graph.cost)
    point = {new: value_of(old, {x: X, t: labels}, rng) for old, new in leaf.items()}
    wanted = {path: leaf[parameter] for path, parameter in graph.trainable.items()}
    value, *gradients = evaluate([cost, *sc.grad(cost, list(wanted.values()))], point)
    # Below this slope, what float64 rounds away in the differences would pass for an error.
    floor = 1e6 * np.finfo("float64").eps * max(abs(float(value)), 1.0) / epsilon
    found = []
    for (path, parameter), gradient in zip(wanted.items(), gradients, strict=True):
        for index in _chosen(gradient, entries, rng):
            slopes = _slopes(cost, point, parameter, index, epsilon, float(value))
            found.append(_entry(path, index, float(gradient[index]), slopes, floor, tolerance))
    return GradientCheck(tuple(found), tolerance)


def _chosen(gradient, count, rng) -> list[tuple[int, ...]]:
    """Where the gradient is largest, and other places at random, none twice."""
    largest = int(np.abs(gradient).argmax())
    others = [int(k) for k in rng.permutation(gradient.size)[:count] if k != largest]
    places = [largest, *others][:count]
    return [tuple(map(int, np.unravel_index(k, gradient.shape))) for k in places]


def _slopes(cost, point, parameter, index, epsilon, here) -> tuple[float, float]:
    """The slope of `cost` to the left and to the right of the point, along one entry of `parameter`."""
    losses = []
    for sign in (-1, 1):
        moved = point[parameter].copy()
        moved[index] += sign * epsilon
        losses.append(float(evaluate([cost], {**point, parameter: moved})[0]))
    return (here - losses[0]) / epsilon, (losses[1] - here) / epsilon


def _entry(path, index, analytic, slopes, floor, tolerance) -> GradientEntry:
    left, right = slopes
    numeric = (left + right) / 2
    error = abs(analytic - numeric) / max(abs(analytic), abs(numeric), floor)
    # At a kink `analytic` is the slope of one side; of a smooth loss it lies half-way between both.
    one_sided = min(abs(analytic - left), abs(analytic - right)) < 0.1 * abs(left - right)
    verdict = "agrees" if error <= tolerance else "kink" if one_sided else "differs"
    return GradientEntry(path, index, analytic, numeric, error, verdict)
