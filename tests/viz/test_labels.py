"""Numbers beside the arrows: short, and without a sign that says nothing."""

import numpy as np
import pytest

from symcnn.viz.labels import short


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.731, "0.73"), (-0.0, "0.00"), (np.float32(-0.0), "0.00"), (-0.2, "-0.20"), (0.0027, "2.7e-03"), (np.inf, "inf"), (True, "True"), (3, "3")],
)  # fmt: skip
def test_a_number_in_few_characters(value, text):
    assert short(value) == text
