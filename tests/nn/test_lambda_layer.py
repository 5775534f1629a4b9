"""Functions as layers."""

import numpy as np
import pytest

import symcnn as sc
from symcnn import nn


def test_a_function_is_a_layer():
    model, X = nn.Sequential(nn.Lambda(sc.exp), nn.Lambda(lambda x: x / 2)), np.array([[0.0, 1.0]])
    np.testing.assert_allclose(model.predict(X, device="reference"), np.exp(X) / 2, rtol=1e-6)
    assert repr(model[0]) == "Lambda(exp)" and not model.parameters()


@pytest.mark.parametrize(
    ("make", "match"), [(lambda: nn.Lambda(3), "is no function"), (lambda: nn.Lambda(nn.ReLU()), "layer already")]
)
def test_complaints(make, match):
    with pytest.raises(sc.errors.InputError, match=match):
        make()


def test_what_it_gives_is_an_expression():
    with pytest.raises(sc.errors.InputError, match="gave no Variable"):
        nn.Lambda(lambda x: 3)(sc.input("x", (None, 2)))
