"""What all losses ask of their arguments, and how they reduce the losses of single elements to one number."""

from __future__ import annotations

import numpy as np

import symcnn as sc
from symcnn.errors import DTypeError, InputError, ShapeError
from symcnn.keywords import nearest


def as_variables(what, prediction, target):
    """Prediction and target as Variables; the prediction is one output of a network, and is float."""
    if isinstance(prediction, (tuple, list)) and any(isinstance(p, sc.Variable) for p in prediction):
        raise InputError(
            f"{what}: the network has several outputs, the loss takes one",
            found=f"{len(prediction)} outputs",
            hint=f"give auxiliary outputs a part in it: loss=sc.losses.with_auxiliary(sc.losses.{what}, 0.3)",
        )
    prediction, target = (v if isinstance(v, sc.Variable) else sc.constant(v) for v in (prediction, target))
    if not prediction.type.is_float:
        raise DTypeError(f"{what}: predictions are floats", found=prediction.type, hint="prediction.astype('float32')")
    return prediction, target


def same_shape(what, prediction, target):
    """Both as Variables of one shape, the target as floats. Broadcasting (n, 1) against (n,) would silently average
    n x n differences."""
    prediction, target = as_variables(what, prediction, target)
    check_shapes(what, prediction, target)
    return prediction, target if target.type.is_float else target.astype(prediction.dtype)


def check_shapes(what, prediction, target):
    known = zip(prediction.shape, target.shape, strict=False)
    if prediction.ndim != target.ndim or any(None not in (a, b) and a != b for a, b in known):
        raise ShapeError(
            f"{what}: prediction and target differ in shape",
            expected=f"{prediction.shape}, the shape of the prediction",
            found=target.shape,
            hint=_fitting(prediction, target),
        )


def _fitting(prediction, target) -> str:
    if target.ndim == 1 and prediction.ndim == 2 and prediction.shape[1] == 1:
        return "labels[:, None] makes a column of them; they are not broadcast"
    if target.ndim == 1 and prediction.ndim == 2 and not target.type.is_float:
        return "class labels become one-hot vectors with np.eye(classes)[labels]"
    return "reshape one of them; they are not broadcast"


def class_count(what, logits):
    """How many classes there are: the size of axis 1, which must be known."""
    if logits.ndim < 2:
        raise ShapeError(f"{what}: logits have a class axis", expected="(n, classes, ...)", found=logits.shape)
    if logits.shape[1] is None:
        raise ShapeError(
            f"{what}: the number of classes must be known",
            found=logits.shape,
            hint="declare it, as in sc.input('z', (None, 10))",
        )
    return logits.shape[1]


def per_class(what, weights, prediction):
    """Weights of the classes, on axis 1 of the prediction, as a Variable of shape (classes,); ``None`` stays."""
    if weights is None:
        return None
    classes = prediction.shape[1] if prediction.ndim > 1 else None
    if not isinstance(weights, sc.Variable):
        if isinstance(weights, (str, dict)):
            raise InputError(
                f"{what}: weights are numbers, one per class", expected="a list or an array", found=repr(weights),
                hint="dataset.class_weights() are those under which all classes count the same",
            )  # fmt: skip
        weights = sc.constant(weights, prediction.dtype)
        if not np.all(np.isfinite(weights.value) & (weights.value >= 0)):
            raise InputError(f"{what}: weights are finite and not negative", found=weights.value.tolist())
    if (
        weights.ndim != 1
        or prediction.ndim < 2
        or (None not in (classes, weights.shape[0]) and weights.shape[0] != classes)
    ):
        raise ShapeError(
            f"{what}: there is one weight per class",
            expected=f"({'classes' if classes is None else classes},), for axis 1 of {prediction.shape}",
            found=weights.shape,
        )  # fmt: skip
    return weights.astype(prediction.dtype)


def along_classes(weights, ndim):
    """Weights (classes,) as (classes, 1, ...), which broadcast along axis 1 of `ndim` axes."""
    return sc.expand_dims(weights, tuple(range(1, ndim - 1)))


REDUCTIONS = ("mean", "sum", "none")


def reduced(losses, reduction, count=None):
    """The mean, the sum, or all of them. The mean divides by `count` if given, and is 0 where that is 0."""
    if reduction not in REDUCTIONS:
        raise InputError(
            f"there is no reduction {reduction!r}", expected=", ".join(REDUCTIONS), hint=nearest(reduction, REDUCTIONS)
        )
    if reduction == "none":
        return losses
    if reduction == "sum":
        return sc.sum(losses)
    return sc.mean(losses) if count is None else sc.sum(losses) / sc.where(sc.equal(count, 0), 1, count)


def selected(what, labels, ignore_index):
    """Integer labels with 0 in place of those that are ignored, and which are not; all of them if nothing is."""
    if ignore_index is None:
        return labels, None
    if isinstance(ignore_index, (bool, sc.Variable)) or not hasattr(ignore_index, "__index__"):
        raise DTypeError(f"{what}: ignore_index is one integer", found=repr(ignore_index))
    if labels.dtype.kind not in "iu":
        raise DTypeError(
            f"{what}: ignore_index is for integer labels",
            found=labels.type,
            hint="a target with zeros for all classes has no part in the sum",
        )
    labels = labels.astype("int64")  # in which any ignore_index fits: labels may be uint8 and it be -1
    kept = sc.not_equal(labels, ignore_index.__index__())
    return sc.where(kept, labels, 0), kept
