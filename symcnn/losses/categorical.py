"""Losses of a choice between classes: cross-entropy and relative entropy of a softmax."""

from __future__ import annotations

import symcnn as sc
from symcnn.errors import DTypeError, InputError, ShapeError
from symcnn.keywords import checked_keywords, checked_number
from symcnn.losses.arguments import (
    along_classes,
    as_variables,
    check_shapes,
    class_count,
    per_class,
    reduced,
    selected,
)


@checked_keywords
def cross_entropy(logits, labels, weights=None, ignore_index=None, label_smoothing=0.0, reduction="mean"):
    r"""Mean cross-entropy of softmax: :math:`\frac1n \sum_i \left(\log\sum_c e^{z_{ic}} - z_{i,t_i}\right)`.

    Parameters
    ----------
    logits : Variable
        (n, classes, ...): scores before softmax, the class on axis 1. With (n, classes, h, w) each pixel is an example.
    labels : Variable
        (n, ...): integer class indices, each in ``range(classes)``. Or (n, classes, ...): floats, the probability of
        each class, such as one-hot vectors; then the loss is :math:`-\frac1n \sum_i \sum_c t_{ic} \log p_{ic}`.
    weights : array_like or Variable, optional
        (classes,): the loss of each example is multiplied by the weight of its class, and the mean divides by the sum
        of these weights instead of n. With probabilities each term is multiplied, and the mean divides by n. Rare
        classes count as much as common ones with ``dataset.class_weights()``.
    ignore_index : int, optional
        Integer labels of this value have no part in loss, mean and gradient; it need not be a class (255, -1). Where
        nothing remains, the mean is 0.
    label_smoothing : float
        The share of the target that is spread evenly over all classes (Szegedy et al. 2016).
    reduction : {"mean", "sum", "none"}
        ``"none"`` keeps the loss of each example: (n, ...).

    Returns
    -------
    Variable
        A scalar, unless `reduction` is ``"none"``; finite for logits of any size.

    Raises
    ------
    DTypeError
        If the labels are neither integers nor floats of the shape of the logits.
    ShapeError
        If the labels do not fit the logits, or there is not one weight per class.
    InputError
        For a negative weight, a smoothing outside [0, 1), `ignore_index` with probabilities; at the call, if a label
        is out of range.

    Notes
    -----
    As PyTorch's ``cross_entropy``, but that a batch of which all is ignored has a mean there of NaN.

    Szegedy et al., *Rethinking the Inception architecture for computer vision*, CVPR 2016 (label smoothing).

    Examples
    --------
    >>> import symcnn as sc
    >>> z, t = sc.input("z", (None, 3)), sc.input("t", (None,), "int64")
    >>> f = sc.function([z, t], cross_entropy(z, t), device="reference")
    >>> float(f([[1000, 0, 0], [0, 1000, 0]], [0, 0]))
    500.0

    Two pixels, one of which nobody has labelled:

    >>> image, truth = sc.input("z", (None, 3, 1, 2)), sc.input("t", (None, 1, 2), "uint8")
    >>> f = sc.function([image, truth], cross_entropy(image, truth, ignore_index=255), device="reference")
    >>> round(float(f([[[[0, 9]], [[0, 9]], [[0, 1]]]], [[[2, 255]]])), 4)
    1.0986
    """
    logits, labels = as_variables("cross_entropy", logits, labels)
    checked_number("cross_entropy: label_smoothing", label_smoothing, 0, 1)
    weights = per_class("cross_entropy", weights, logits)
    if labels.ndim == logits.ndim:
        if ignore_index is not None:
            raise InputError(
                "cross_entropy: ignore_index is for integer labels",
                found=f"labels {labels.type} with logits {logits.type}",
                hint="an example whose probabilities are all 0 has no loss",
            )
        target = _distribution("cross_entropy", logits, labels)
        if label_smoothing:
            target = (1 - label_smoothing) * target + label_smoothing / class_count("cross_entropy", logits)
        return reduced(_expected(logits, target, weights), reduction)

    if labels.dtype.kind == "f":
        raise DTypeError(
            "cross_entropy: class labels are integers", found=f"labels {labels.type} with logits {logits.type}",
            expected="integers without the class axis, or floats with it, the probability of each class",
            hint="labels.astype('int64')",
        )  # fmt: skip
    labels, kept = selected("cross_entropy", labels, ignore_index)
    losses = sc.softmax_cross_entropy(logits, labels)
    share = None if weights is None else sc.take(weights, labels)
    if share is not None:
        losses = share * losses
    if label_smoothing:
        even = sc.constant(1 / class_count("cross_entropy", logits), logits.dtype)
        losses = (1 - label_smoothing) * losses + label_smoothing * _expected(logits, even, weights)
    if kept is not None:
        losses = sc.where(kept, losses, 0)
        share = kept.astype(logits.dtype) if share is None else sc.where(kept, share, 0)
    return reduced(losses, reduction, None if share is None else sc.sum(share))


@checked_keywords
def kullback_leibler(logits, target, reduction="mean"):
    r"""Mean relative entropy :math:`\frac1n \sum_i \sum_c t_{ic} \log \frac{t_{ic}}{p_{ic}}` with :math:`p = softmax(z)`.

    It is the soft `cross_entropy` less the entropy of the target, so that a perfect answer has loss 0: what a small
    network loses that is taught by the probabilities of a large one (Hinton et al. 2015).

    Parameters
    ----------
    logits : Variable
        (n, classes, ...): scores before softmax, the class on axis 1.
    target : Variable
        Of the same shape: probabilities, which add up to 1 over the classes. Zeros contribute nothing.
    reduction : {"mean", "sum", "none"}
        Over the examples; ``"none"`` keeps them: (n, ...).

    Returns
    -------
    Variable
        A scalar, unless `reduction` is ``"none"``.

    Raises
    ------
    ShapeError, DTypeError
        If the target does not have the shape of the logits, or is not float.

    Examples
    --------
    >>> import symcnn as sc
    >>> z, t = sc.input("z", (None, 2)), sc.input("t", (None, 2))
    >>> f = sc.function([z, t], kullback_leibler(z, t), device="reference")
    >>> float(f([[3, 3]], [[0.5, 0.5]])), round(float(f([[3, 3]], [[1, 0]])), 4)
    (0.0, 0.6931)
    """
    logits, target = as_variables("kullback_leibler", logits, target)
    target = _distribution("kullback_leibler", logits, target)
    entropy = -sc.sum(target * sc.log(sc.where(target > 0, target, 1)), axis=1)
    return reduced(_expected(logits, target, None) - entropy, reduction)


def _expected(logits, target, weights):
    """Of each example, the cross-entropy of its softmax with the distribution `target`."""
    terms = target * sc.log_softmax(logits, axis=1)
    return -sc.sum(terms if weights is None else along_classes(weights, logits.ndim) * terms, axis=1)


def _distribution(what, logits, target):
    """`target`, checked to be one probability per logit."""
    if target.dtype.kind in "iu":
        if target.shape[1] == 1 != logits.shape[1]:
            raise ShapeError(
                f"{what}: class labels have no class axis", expected="(n, ...)", found=target.shape, hint="labels[:, 0]"
            )
        raise DTypeError(
            f"{what}: integers of the shape of the logits are no class indices",
            expected="integer labels without the class axis, or floats with it",
            found=f"{target.type} with logits {logits.type}",
            hint="one-hot vectors are probabilities: make them float, labels.astype('float32'); or take argmax(axis=1)",
        )
    if logits.ndim < 2:
        raise ShapeError(f"{what}: logits have a class axis", expected="(n, classes, ...)", found=logits.shape)
    check_shapes(what, logits, target)
    return target.astype(logits.dtype)
