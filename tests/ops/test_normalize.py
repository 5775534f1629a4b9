"""Normalisation."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from symcnn.ops.normalize import ChannelWindowSum
from tests.ops.checks import cases, check_derivatives, check_op


@pytest.mark.parametrize(("cls", "example"), cases(ChannelWindowSum))
def test_examples(cls, example):
    check_op(cls, example)
