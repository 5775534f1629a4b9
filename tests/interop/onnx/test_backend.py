"""ONNX's own cases: every operator in scope, in every form for which it has data."""

import pytest

pytest.importorskip("onnx", reason="needs the package onnx")

from symcnn.interop.onnx import OPERATORS
from tests.interop.onnx import scope
from tests.interop.onnx.backend import Compiled, Reference, cases, families, run

SAMPLE = {
    "conv": "conv_with_strides_padding", "maxpool": "maxpool_2d_ceil", "averagepool": "averagepool_2d_pads_count_include_pad",
    "batch_normalization": "batchnorm_epsilon", "layernormalization": "layer_normalization_4d_axis1", "gemm": "gemm_all_attributes",
    "matmul": "matmul_4d", "softmax": "softmax_axis_1", "topk": "top_k", "gatherelements": "gather_elements_1", "gathernd": "gathernd_example_int32",
    "scatternd": "scatternd_add", "onehot": "onehot_with_axis", "pad": "wrap_pad", "slice": "slice_neg_steps", "cumsum": "cumsum_2d_axis_0",
    "depthtospace": "depthtospace_crd_mode_example", "reversesequence": "reversesequence_time", "pow": "pow_types_float32_int64",
    "mod": "mod_int64_fmod", "asinh": "asinh", "round": "round", "einsum": "einsum_batch_matmul", "where": "where_long_example",
    "resize": "resize_upsample_scales_linear", "reduce_log_sum_exp": "reduce_log_sum_exp_keepdims_random", "hardswish": "hardswish",
}  # fmt: skip


@pytest.mark.parametrize("family", families())
def test_cases_of_onnx(family, subtests):
    reasons = [scope.reason(case) for case in cases(family)]
    assert reasons
    if all(reasons):
        pytest.skip(f"out of scope: {', '.join(sorted(set(reasons)))}")
    for case, reason in zip(cases(family), reasons, strict=True):
        if reason is None:
            with subtests.test(case.name):
                run(Reference, case)


@pytest.mark.parametrize("family", SAMPLE)
def test_a_sample_by_compiled_kernels(family):
    (case,) = (case for case in cases(family) if case.name == f"test_{SAMPLE[family]}")
    run(Compiled, case)


def test_what_is_translated_is_not_called_out_of_scope():
    assert not set(OPERATORS) & {op for ops in scope.OPERATORS.values() for op in ops}
