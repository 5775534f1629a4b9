"""Upsampling and its adjoint."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from symcnn.ops.resize import Upsample2d, Upsample2dGrad, upsample2d
from tests.ops.checks import cases, check_derivatives, check_op


@pytest.mark.parametrize(("cls", "example"), cases(Upsample2d, Upsample2dGrad))
def test_examples(cls, example):
    check_op(cls, example)
