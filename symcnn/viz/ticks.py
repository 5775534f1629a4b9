"""Ticks: the round numbers of an axis."""

from __future__ import annotations

from math import ceil, floor, log10


def round_ticks(low: float, high: float, about: int = 5) -> list[float]:
    """Round numbers that cover [low, high], about so many.

    Examples
    --------
    >>> round_ticks(0.13, 0.88)
    [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]
    """
    span = (high - low) or abs(high) or 1.0
    magnitude = 10.0 ** floor(log10(span / about))
    step = next(m * magnitude for m in (1, 2, 5, 10) if span / (m * magnitude) <= about)
    first, last = floor(low / step + 1e-9), -floor(-high / step + 1e-9)
    last = max(last, first + 1)
    return [float(f"{k * step:.10g}") for k in range(first, last + 1)]


def log_ticks(low: float, high: float, about: int = 6) -> list[float]:
    """Powers of ten that cover [low, high]; of a narrow range also twice and five times these.

    Examples
    --------
    >>> log_ticks(0.002, 0.3)
    [0.001, 0.01, 0.1, 1.0]
    >>> log_ticks(0.9, 3.0)
    [0.5, 1.0, 2.0, 5.0]
    """
    first, last = floor(log10(low) + 1e-9), ceil(log10(high) - 1e-9)
    if high > 30 * low:
        step = ceil((last - first) / about)
        return [float(f"1e{k}") for k in range(first, last + step, step)]
    fine = [float(f"{m}e{k}") for k in range(first, last + 2) for m in (1, 2, 5)]
    start = max(k for k, tick in enumerate(fine) if tick <= low * (1 + 1e-9))
    end = next(k for k, tick in enumerate(fine) if tick >= high * (1 - 1e-9) and k > start)
    return fine[start : end + 1]


def x_ticks(low: float, high: float) -> list[float]:
    """Whole numbers within [low, high], or round ones if there are no two whole numbers in it."""
    inside = [t for t in round_ticks(low, high, about=8) if low <= t <= high]
    whole = [t for t in inside if t == int(t)]
    return whole if len(whole) > 1 else inside


def short(number: float) -> str:
    """A tick as text.

    Examples
    --------
    >>> [short(tick) for tick in (0.25, 0.001, 2e-05, 20_000.0, 3e6)]
    ['0.25', '0.001', '2e-5', '20k', '3e6']
    """
    size = abs(number)
    if size >= 1e6 or 0 < size < 1e-3:
        exponent = floor(log10(size))
        return f"{number / 10.0**exponent:.3g}e{exponent}"
    return f"{number / 1000:g}k" if size >= 10_000 else f"{number:g}"
