"""Convolution, its gradients and transposed convolution."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from symcnn.errors import DTypeError, InputError, ShapeError
from symcnn.ir.graph import evaluate
from symcnn.ir.types import TensorType
from symcnn.ir.variable import Input, apply
from symcnn.ops.conv import Conv2d, Conv2dInputGrad, Conv2dWeightGrad, conv2d
from symcnn.ops.conv_transpose import Conv2dTranspose, conv2d_transpose
from symcnn.ops.window import Window2d
from tests.interpret import evaluate_graph
from tests.ops.checks import cases, check_derivatives, check_op


@pytest.mark.parametrize(("cls", "example"), cases(Conv2d, Conv2dInputGrad, Conv2dWeightGrad, Conv2dTranspose))
def test_examples(cls, example):
    check_op(cls, example)
