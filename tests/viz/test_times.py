"""Bars of times: as long as the times, slowest first."""

import re
from xml.etree import ElementTree

import pytest

from symcnn.errors import InputError
from symcnn.profile import KernelTime, Profile
from symcnn.viz.times import SHOWN, times

SVG = "{http://www.w3.org/2000/svg}"


def profile(*seconds):
    kernels = [
        KernelTime(k, f"op{k} <b>", "generated", 3, s, 1000, 2000, s / sum(seconds)) for k, s in enumerate(seconds)
    ]
    return Profile(tuple(kernels))


def test_bars_are_as_long_as_the_times_slowest_first():
    figure = times(profile(0.001, 0.004, 0.002))
    root = ElementTree.fromstring(figure.svg)
    widths = [float(r.get("width")) for r in root.iter(f"{SVG}rect") if r.get("class") == "bar"]
    assert widths == pytest.approx([widths[0], widths[0] / 2, widths[0] / 4], abs=0.1)
    names = [t.text for t in root.iter(f"{SVG}text") if t.text.startswith(("0:", "1:", "2:"))]
    assert names == ["1: op1 <b>", "2: op2 <b>", "0: op0 <b>"]
    assert figure.title == "7 ms in 3 kernels" and figure.text == str(profile(0.001, 0.004, 0.002))


def test_what_does_not_fit_is_summed():
    figure = times(profile(*[0.001] * (SHOWN + 3)))
    assert "and 3 more: 3 ms" in figure.svg and len(re.findall('class="bar"', figure.svg)) == SHOWN


def test_a_profile_without_kernels():
    assert times(Profile(())).title == "0 ms in 0 kernels"


def test_a_notebook_shows_the_bars():
    assert "<img" in profile(0.001)._repr_mimebundle_()["text/html"]
    assert repr(profile(0.001)).splitlines()[0].split()[:2] == ["#", "kernel"]


def test_anything_else_is_refused():
    with pytest.raises(InputError, match=r"f\.profile"):
        times("fast")
