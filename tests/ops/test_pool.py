"""Pooling and its gradients."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from symcnn.ops.avg_pool import AvgPool2d, AvgPool2dGrad
from symcnn.ops.pool import MaxPool2d, MaxPool2dArgmax, MaxPool2dGrad, MaxPool2dTake
from tests.ops.checks import cases, check_derivatives, check_op

FAMILY = MaxPool2d, MaxPool2dArgmax, MaxPool2dGrad, MaxPool2dTake, AvgPool2d, AvgPool2dGrad


@pytest.mark.parametrize(("cls", "example"), cases(*FAMILY))
def test_examples(cls, example):
    check_op(cls, example)
