"""Cross-entropy of independent yes-or-no answers: one per example, per class or per pixel."""

from __future__ import annotations

from numbers import Real

import symcnn as sc
from symcnn.keywords import checked_keywords, checked_number
from symcnn.losses.arguments import along_classes, per_class, reduced, same_shape


@checked_keywords
def binary_cross_entropy(logits, target, from_logits=True, weights=None, pos_weight=None, reduction="mean"):
    r"""Mean of :math:`-t\log p - (1 - t)\log(1 - p)` with :math:`p = \sigma(z)`.

    Parameters
    ----------
    logits : Variable
        Scores z before the sigmoid, or probabilities p if not `from_logits`.
    target : Variable
        Of the same shape, between 0 and 1.
    from_logits : bool
        From logits, the loss is the stable :math:`softplus(z) - t z`. From probabilities, logarithms are
        bounded by -100, so that p = 0 and p = 1 give a finite loss.
    weights : array_like or Variable, optional
        (classes,): factors of the losses of each class, for `logits` (n, classes, ...). The mean still divides by the
        number of elements.
    pos_weight : float, array_like or Variable, optional
        A factor of the first term, for all or (classes,): above 1, a missed yes costs more than a false one. Where yes
        is rare, the number of noes per yes balances the two.
    reduction : {"mean", "sum", "none"}
        Over all elements; ``"none"`` keeps them.

    Returns
    -------
    Variable
        A scalar, unless `reduction` is ``"none"``.

    Raises
    ------
    ShapeError
        If the shapes differ, or there is not one weight per class.
    InputError
        If a weight is negative.

    Examples
    --------
    >>> import symcnn as sc
    >>> z, t = sc.input("z", (None,)), sc.input("t", (None,))
    >>> f = sc.function([z, t], binary_cross_entropy(z, t), device="reference")
    >>> float(f([1000, -1000], [1, 1]))
    500.0
    """
    logits, target = same_shape("binary_cross_entropy", logits, target)
    if from_logits and pos_weight is None:
        losses = sc.softplus(logits) - target * logits
    else:
        if from_logits:
            yes, no = -sc.softplus(-logits), -sc.softplus(logits)
        else:
            yes, no = sc.maximum(sc.log(logits), -100.0), sc.maximum(sc.log(1.0 - logits), -100.0)
        if pos_weight is not None:
            yes = _factor("binary_cross_entropy: pos_weight", pos_weight, logits) * yes
        losses = -target * yes - (1.0 - target) * no
    if weights is not None:
        losses = along_classes(per_class("binary_cross_entropy", weights, logits), logits.ndim) * losses
    return reduced(losses, reduction)


def _factor(what, weight, logits):
    """One number for all, or one per class."""
    if isinstance(weight, Real):
        return sc.constant(checked_number(what, weight, 0), logits.dtype)
    return along_classes(per_class(what, weight, logits), logits.ndim)
