"""Activation functions: f and its derivative, with the zone where a unit hardly learns any more."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from html import escape
from math import ceil
from typing import Any

import numpy as np

import symcnn as sc
from symcnn.errors import InputError, ShapeError
from symcnn.keywords import checked_keywords, checked_number, nearest
from symcnn.viz.cells import number
from symcnn.viz.figure import Figure, Live, asset
from symcnn.viz.palette import still_style
from symcnn.viz.ticks import round_ticks, short, x_ticks

# name -> (f, f') in the words of a lecture
FORMULAS = {
    "sigmoid": ("1 / (1 + exp(−x))", "f(x) (1 − f(x))"),
    "tanh": ("(exp(2x) − 1) / (exp(2x) + 1)", "1 − f(x)²"),
    "relu": ("max(0, x)", "1 if x > 0, else 0"),
    "leaky_relu": ("max(0.01 x, x)", "1 if x > 0, else 0.01"),
    "elu": ("x if x > 0, else exp(x) − 1", "1 if x > 0, else exp(x)"),
    "selu": ("1.05 x if x > 0, else 1.76 (exp(x) − 1)", "1.05 if x > 0, else 1.76 exp(x)"),
    "gelu": ("x Φ(x), Φ: the normal distribution", "Φ(x) + x φ(x)"),
    "silu": ("x / (1 + exp(−x))", "σ(x) (1 + x − f(x)), σ: the sigmoid"),
    "softplus": ("log(1 + exp(x))", "1 / (1 + exp(−x))"),
    "hard_sigmoid": ("0.2 x + 0.5, cut off at 0 and 1", "0.2 if |x| < 2.5, else 0"),
}
SATURATED = 0.05  # below this share of its largest size, a derivative counts as none
SAMPLES = 241
MOST = 12  # functions in one figure
WIDTH, HEIGHT = 400, 350  # of one panel
LEFT, RIGHT, TOP, BOTTOM = 46, 388, 108, 298  # its frame


@checked_keywords
def activation(function="sigmoid", low=-6, high=6) -> Figure:
    r"""Draw an activation function and its derivative, or several beside each other.

    Both are computed by symcnn: ``f(x)`` as the function builds it, ``f'(x)`` by `grad`. The zone where
    :math:`|f'|` is below 5 % of its maximum in [low, high] is shaded: there a unit is saturated, and hardly any gradient
    comes through it. In the live view a marker moves by slider and arrow keys, with the tangent and the numbers.

    Parameters
    ----------
    function : str, callable, or list of them
        A name, such as "relu", or a function of a Variable that works element by element, such as
        ``lambda x: sc.maximum(2 * x + 1, -x)`` (a maxout of two lines) or ``sc.nn.LeakyReLU(0.2)``. At most 12.
    low, high : float
        Where to draw them.

    Returns
    -------
    Figure

    Raises
    ------
    InputError
        If a name is unknown, or the range is empty.
    ShapeError
        If a function does not work element by element.
    GradientError
        If a function has no derivative.

    Examples
    --------
    >>> print(activation(["sigmoid", "relu"]))
    sigmoid: f(x) = 1 / (1 + exp(−x)), f'(x) = f(x) (1 − f(x)), saturated below −4.36 and above 4.36
    relu: f(x) = max(0, x), f'(x) = 1 if x > 0, else 0, saturated below 0
    """
    low, high = checked_number("low", low), checked_number("high", high)
    if not low < high:
        raise InputError("the range is empty", expected="low < high", found=f"low = {low:g}, high = {high:g}")
    functions = list(function) if isinstance(function, (list, tuple)) else [function]
    if not 1 <= len(functions) <= MOST:
        raise InputError(f"a figure has room for 1 to {MOST} functions", found=len(functions))
    curves = [_curve(f, low, high) for f in functions]
    names = ", ".join(c.name for c in curves)
    columns = 1 if len(curves) == 1 else 2 if len(curves) in (2, 4) else 3
    width, height = columns * WIDTH, ceil(len(curves) / columns) * HEIGHT
    panels = "".join(
        f'<g class="panel" transform="translate({k % columns * WIDTH} {k // columns * HEIGHT})">{c.panel()}</g>'
        for k, c in enumerate(curves)
    )
    title = f"{names} and {'its derivative' if len(curves) == 1 else 'their derivatives'}"
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="activation" role="img" aria-label="{escape(title)}" '
        f'viewBox="0 0 {width} {height}" width="{max(width, 800)}"><title>{escape(title)}</title>'
        f"<style>{still_style(asset('activation.css'))}</style>"
        '<defs><pattern id="hatch" width="9" height="9" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
        f'<path class="hatch" d="M0 0v9"/></pattern></defs>{panels}</svg>'
    )
    data = {
        "x": curves[0].x.round(6).tolist(), "frame": [LEFT, RIGHT, TOP, BOTTOM],
        "curves": [{"f": _json(c.f), "slope": _json(c.slope), "ticks": c.ticks()} for c in curves],
    }  # fmt: skip
    return Figure(title, svg, "\n".join(map(str, curves)), Live("activationView", data, ("player", "activation")))


@dataclass(frozen=True, eq=False)
class _Curve:
    """A function and its derivative, sampled."""

    name: str
    formulas: tuple[str, str]
    x: np.ndarray
    f: np.ndarray
    slope: np.ndarray

    def zones(self) -> list[tuple[float, float]]:
        """Where it is saturated: from, to."""
        size = np.abs(self.slope)
        limit = SATURATED * size[np.isfinite(size)].max()
        flat = (size < limit) | (size == 0)  # never where it is not finite
        edges = np.flatnonzero(np.diff(np.concatenate(([0], flat.astype(int), [0]))))
        runs = ((a, b) for a, b in edges.reshape(-1, 2) if b - a > 1)  # one point, as in |x|, is no zone
        return [(self._crossing(a - 1, limit), self._crossing(b - 1, limit)) for a, b in runs]

    def _crossing(self, k: int, limit: float) -> float:
        """Where the size of the derivative crosses `limit` between samples k and k + 1; at the end, the end."""
        k = int(k)
        if k < 0 or k + 1 == len(self.x):
            return float(self.x[max(k, 0)])
        here, there = np.abs(self.slope[k : k + 2])
        share = (limit - here) / (there - here) if np.isfinite(there - here) else 1.0
        return float(self.x[k] + share * (self.x[k + 1] - self.x[k]))

    def __str__(self):
        parts = []
        for a, b in self.zones():
            if (a, b) == (self.x[0], self.x[-1]):
                parts.append("everywhere")
            elif a == self.x[0]:
                parts.append(f"below {number(b)}")
            elif b == self.x[-1]:
                parts.append(f"above {number(a)}")
            else:
                parts.append(f"from {number(a)} to {number(b)}")
        formulas = [f"{f}(x) = {text}" for f, text in zip(("f", "f'"), self.formulas, strict=True) if text]
        zones = f"saturated {' and '.join(parts)}" if parts else "nowhere saturated"
        return f"{self.name}: {', '.join([*formulas, zones])}"

    def ticks(self) -> list[float]:
        """Round numbers that cover all values."""
        values = np.concatenate([self.f, self.slope, [0.0]])
        finite = values[np.isfinite(values)]
        return round_ticks(float(finite.min()), float(finite.max()))

    def at(self, x, y) -> tuple[float, float]:
        """The place of a point in the panel."""
        bottom, *_, top = self.ticks()
        across = (x - self.x[0]) / (self.x[-1] - self.x[0])
        return LEFT + (RIGHT - LEFT) * across, BOTTOM - (BOTTOM - TOP) * (y - bottom) / (top - bottom)

    def panel(self) -> str:
        """Formulas, legend, zones, axes and both curves."""
        low = self.ticks()[0]
        parts = [f'<text class="title" x="{LEFT}" y="26">{escape(self.name)}</text>']
        for k, (sign, text) in enumerate(zip(("f(x)", "f'(x)"), self.formulas, strict=True)):
            y = 50 + 22 * k
            shown = f"{sign} = {text}" if text else f"{sign}{', its derivative' * k}"
            parts.append(
                f'<path class="line{k}" d="M{LEFT} {y - 5}h30"/><text x="{LEFT + 38}" y="{y}">{escape(shown)}</text>'
            )
        for a, b in self.zones():
            (x, _), (end, _) = self.at(a, low), self.at(b, low)
            parts.append(
                f'<rect class="zone" x="{x:.1f}" y="{TOP}" width="{end - x:.1f}" height="{BOTTOM - TOP}"/>'
                f'<rect class="stripes" x="{x:.1f}" y="{TOP}" width="{end - x:.1f}" height="{BOTTOM - TOP}" fill="url(#hatch)"/>'
            )
        for tick in self.ticks():
            _, y = self.at(0, tick)
            parts.append(
                f'<path class="{"axis" if tick == 0 else "grid"}" d="M{LEFT} {y:.1f}H{RIGHT}"/>'
                f'<text class="tick" x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{_short(tick)}</text>'
            )
        for tick in x_ticks(float(self.x[0]), float(self.x[-1])):
            x, _ = self.at(tick, 0)
            parts.append(
                f'<path class="{"axis" if tick == 0 else "grid"}" d="M{x:.1f} {TOP}V{BOTTOM}"/>'
                f'<text class="tick" x="{x:.1f}" y="{BOTTOM + 18}" text-anchor="middle">{_short(tick)}</text>'
            )
        parts += [f'<path class="line{k}" d="{self._path(y)}"/>' for k, y in enumerate((self.f, self.slope))]
        parts += [self._zone_label(a, b) for a, b in self.zones()]
        parts.append(f'<text class="tick" x="{(LEFT + RIGHT) / 2}" y="{BOTTOM + 38}" text-anchor="middle">x</text>')
        return "".join(parts)

    def _zone_label(self, a, b) -> str:
        """A word in the zone, where it has room."""
        (x, y), (end, _) = self.at(a, self.ticks()[-1]), self.at(b, 0)
        middle = (x + end) / 2
        if end - x > 84:
            return f'<text class="zoned" x="{middle:.1f}" y="{y + 20:.1f}" text-anchor="middle">saturated</text>'
        if end - x > 18:  # upright
            return f'<text class="zoned" transform="translate({middle + 5:.1f} {(TOP + BOTTOM) / 2}) rotate(-90)" text-anchor="middle">saturated</text>'
        return ""

    def _path(self, values) -> str:
        """A line through all points, with a gap where a value is not finite."""
        parts, pen = [], "M"
        for x, y in zip(self.x, values, strict=True):
            if not np.isfinite(y):
                pen = "M"
                continue
            parts.append("{}{:.1f} {:.1f}".format(pen, *self.at(x, y)))
            pen = "L"
        return "".join(parts)


def _curve(function, low, high) -> _Curve:
    """Sample a function and its derivative; the function is given by name or as it is."""
    name, formulas = (function, FORMULAS.get(function)) if isinstance(function, str) else (_name(function), ("", ""))
    if formulas is None:
        raise InputError(f"no activation is called {function!r}", hint=nearest(function.lower(), FORMULAS))
    if isinstance(function, str):
        function = getattr(sc, function)
    elif not callable(function):
        raise InputError("an activation is a name or a function of a Variable", found=repr(function)[:80])
    x = sc.input("x", (SAMPLES,), "float64")
    y: Any = function(x)
    if getattr(y, "shape", None) != x.shape:
        found = getattr(y, "shape", repr(y)[:60])
        raise ShapeError(f"{name} does not work element by element", expected=x.shape, found=found)
    points = np.linspace(low, high, SAMPLES)
    others = points.copy()
    others[::2] = low
    compiled = sc.function([x], [y, sc.grad(y.sum(), x)], device="reference")
    with np.errstate(all="ignore"):  # log(x) is nan below 0, and drawn as a gap
        f, slope = compiled(points)
        again, _ = compiled(others)
    if not np.allclose(f[1::2], again[1::2], equal_nan=True):
        raise ShapeError(f"{name} does not work element by element", hint="softmax, say, looks at all elements at once")
    if not (np.isfinite(f).any() and np.isfinite(slope).any()):
        raise InputError(f"{name} is nowhere finite", found=f"low = {low:g}, high = {high:g}")
    return _Curve(name, formulas, points, f, slope)


def _name(function: Callable) -> str:
    """What to call a function that is given as it is."""
    inner = function.func if isinstance(function, partial) else function
    name = getattr(inner, "__name__", "") or " ".join(repr(inner).split())
    return "f" if name == "<lambda>" else name[:40]


def _short(tick: float) -> str:
    return short(tick).replace("-", "−")


def _json(values) -> list[float | None]:
    """Numbers with five digits; ``None`` for what JSON cannot say."""
    return [float(f"{v:.5g}") if np.isfinite(v) else None for v in values]
