"""Which of ONNX's cases are out of scope, and why. All others must pass."""

import re

import pytest

pytest.importorskip("onnx")
import onnx

from tests.interop.onnx.backend import model_of

OPERATORS = {
    "a sequence, a map or an optional value": (
        "ConcatFromSequence", "OptionalGetElement", "OptionalHasElement", "SequenceAt", "SequenceConstruct", "SequenceEmpty",
        "SequenceErase", "SequenceInsert", "SequenceLength", "SequenceMap", "SplitToSequence",
    ),
    "control flow": ("If", "Loop", "Scan"),
    "strings": ("RegexFullMatch", "StringConcat", "StringNormalizer", "StringSplit", "TfIdfVectorizer"),
    "quantisation": (
        "ConvInteger", "DequantizeLinear", "DynamicQuantizeLinear", "MatMulInteger", "QLinearConv", "QLinearMatMul", "QuantizeLinear",
    ),
    "recurrent networks": ("GRU", "LSTM", "RNN", "CausalConvWithState", "LinearAttention"),
    "attention": ("Attention", "ai.onnx.preview.FlexAttention", "RotaryEmbedding", "TensorScatter"),
    "signals": ("BlackmanWindow", "DFT", "HammingWindow", "HannWindow", "MelWeightMatrix", "STFT"),
    "detection and warping": ("AffineGrid", "DeformConv", "GridSample", "NonMaxSuppression", "RoiAlign"),
    "training, which symcnn does itself": (
        "NegativeLogLikelihoodLoss", "SoftmaxCrossEntropyLoss", "ai.onnx.preview.training.Adagrad", "ai.onnx.preview.training.Adam",
        "ai.onnx.preview.training.Gradient", "ai.onnx.preview.training.Momentum",
    ),
    "random numbers, which no two libraries draw alike": ("Bernoulli", "RandomUniformLike"),
    "the shape of the result depends on data": ("Unique",),
    "not of convolutional networks": ("BitCast", "CenterCropPad", "Col2Im", "CumProd", "Det", "ImageDecoder", "MaxUnpool"),
}  # fmt: skip

CASES = {
    "three spatial axes": r"Pool3d|Conv3d|pool_3d|conv_3d|convtranspose_3d",
    "random numbers, which no two libraries draw alike": r"^test_training_dropout(_default)?(_mask)?$",
}

# Element types that symcnn computes in.
ELEMENTS = {"FLOAT", "DOUBLE", "BOOL", *(f"{sign}INT{bits}" for sign in ("", "U") for bits in (8, 16, 32, 64))}


def reason(case) -> str | None:
    """Why a case is out of scope; ``None`` if it must pass."""
    for why, pattern in CASES.items():
        if re.search(pattern, case.name):
            return why
    model = model_of(case)
    used = {n.op_type if n.domain in ("", "ai.onnx") else f"{n.domain}.{n.op_type}" for n in model.graph.node}
    for why, operators in OPERATORS.items():
        if used & set(operators):
            return why
    values = [*model.graph.input, *model.graph.output]
    if any(not v.type.HasField("tensor_type") for v in values):
        return "a sequence, a map or an optional value"
    codes = {v.type.tensor_type.elem_type for v in values}
    codes |= {t.data_type for t in model.graph.initializer}
    codes |= {a.t.data_type for n in model.graph.node for a in n.attribute if a.HasField("t")}
    codes |= {a.i for n in model.graph.node if n.op_type == "Cast" for a in n.attribute if a.name == "to"}
    other = sorted(onnx.TensorProto.DataType.Name(code) for code in codes)
    other = [name for name in other if name not in ELEMENTS]
    return f"elements of {', '.join(other)}" if other else None
