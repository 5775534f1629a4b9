"""Numbers beside the arrows: short, and without a sign that says nothing."""

import re

import numpy as np
import pytest

import symcnn as sc
from symcnn.viz.labels import short


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.731, "0.73"), (-0.0, "0.00"), (np.float32(-0.0), "0.00"), (-0.2, "-0.20"), (0.0027, "2.7e-03"), (np.inf, "inf"), (True, "True"), (3, "3")],
)  # fmt: skip
def test_a_number_in_few_characters(value, text):
    assert short(value) == text


def test_what_adds_up_at_a_fork_stands_at_each_of_its_arrows():
    x, y = sc.input("x", ()), sc.input("y", ())
    picture = sc.draw(x * x * y + x, values={"x": 3, "y": 2}).svg
    parts = re.findall(r'class="gradient part"[^>]* x="(\S+)" y="(\S+)">(.*?)<', picture)
    assert sorted(text for *_, text in parts) == ["d 1.00", "d 6.00", "d 6.00"]
    assert len({place[:2] for place in parts}) == 3
