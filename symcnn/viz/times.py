"""Where the time of a call goes, as bars: one for each kernel, slowest first."""

from __future__ import annotations

from html import escape

from symcnn.errors import InputError
from symcnn.keywords import checked_keywords
from symcnn.profile import KernelTime, Profile
from symcnn.viz.figure import Figure, Live, asset
from symcnn.viz.palette import still_style

SHOWN = 20  # bars of the still picture
ROW, NAME, BAR, WIDTH = 22, 330, 240, 860
LONGEST = 44  # characters of a name
COLUMNS = {"ms": 640, "share": 700, "GFLOP/s": 780, "GB/s": 850}  # of numbers, and where they end


@checked_keywords
def times(profile: Profile) -> Figure:
    """Bars of what `Function.profile` measured.

    Parameters
    ----------
    profile : Profile

    Returns
    -------
    Figure

    Raises
    ------
    InputError
        For anything else.

    Examples
    --------
    >>> import symcnn as sc
    >>> x = sc.input("x", (1000,))
    >>> figure = times(sc.function([x], sc.exp(x), device="reference").profile([0.0] * 1000))
    >>> figure.text.splitlines()[0].split()
    ['#', 'kernel', 'algorithm', 'calls', 'ms/call', 'share', 'GFLOP/s', 'GB/s']
    """
    if not isinstance(profile, Profile):
        raise InputError(
            "times draws a profile",
            expected="what f.profile(...) gives",
            found=type(profile).__name__,
            hint="f.profile takes the arguments of a call and runs f on them",
        )
    title = f"{profile.seconds * 1e3:.3g} ms in {_count(len(profile.kernels))}"
    return Figure(title, _still(title, profile), str(profile), Live("times", times_of(profile), ("kernels", "times")))


def times_of(profile: Profile) -> dict:
    """The rows as data for `assets/times.js`, in execution order."""
    return {
        "calls": max((k.calls for k in profile.kernels), default=0),
        "rows": [[k.index, k.name, k.algorithm, k.seconds * 1e3, k.share, k.gflops, k.gbytes] for k in profile.kernels],
    }


def _still(title: str, profile: Profile) -> str:
    slowest = sorted(profile.kernels, key=lambda k: -k.seconds)
    shown, rest = slowest[:SHOWN], slowest[SHOWN:]
    longest = max((k.seconds for k in shown), default=0) or 1
    parts = [f'<text class="head" x="{x}" y="16" text-anchor="end">{name}</text>' for name, x in COLUMNS.items()]
    parts += [_bar(k, ROW * (line + 1), longest) for line, k in enumerate(shown)]
    height = ROW * (len(shown) + 1) + 8
    if rest:
        left = sum(k.seconds for k in rest)
        parts.append(f'<text class="head" x="0" y="{height + 8}">and {len(rest)} more: {left * 1e3:.3g} ms</text>')
        height += ROW
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="times" role="img" aria-label="{escape(title)}" '
        f'viewBox="-16 -8 {WIDTH + 32} {height + 16}" width="{WIDTH + 32}"><title>{escape(title)}</title>'
        f"<style>{still_style(asset('times.css'))}</style>"
        f'<rect class="ground" x="-16" y="-8" width="100%" height="100%"/>{"".join(parts)}</svg>'
    )


def _bar(k: KernelTime, y: float, longest: float) -> str:
    name = f"{k.index}: {k.name}"
    name = name if len(name) <= LONGEST else f"{name[: LONGEST - 2]}.."
    numbers = (f"{k.seconds * 1e3:.3f}", f"{100 * k.share:.1f} %", f"{k.gflops:.1f}", f"{k.gbytes:.1f}")
    places = zip(COLUMNS.values(), numbers, strict=True)
    texts = "".join(f'<text class="n" x="{x}" y="{y + 14}" text-anchor="end">{text}</text>' for x, text in places)
    return (
        f'<text x="0" y="{y + 14}">{escape(name)}</text>'
        f'<rect class="bar" x="{NAME}" y="{y + 3}" width="{max(BAR * k.seconds / longest, 1):.1f}" height="14" rx="3"/>{texts}'
    )


def _count(number: int) -> str:
    return f"{number} kernel{'s' if number != 1 else ''}"
