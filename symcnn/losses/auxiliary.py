"""The loss of a network that answers several times, from its depth and from stages on the way."""

from __future__ import annotations

from itertools import repeat
from typing import TYPE_CHECKING

from symcnn.errors import InputError
from symcnn.keywords import checked_keywords, checked_number

if TYPE_CHECKING:
    from collections.abc import Callable


@checked_keywords
def with_auxiliary(loss: Callable, weight=0.3):
    r"""A loss for a network with auxiliary outputs: :math:`L(y_0, t) + \sum_k w_k L(y_k, t)`.

    Auxiliary classifiers bring the gradient to layers far from the last one; after training they are left out
    (GoogLeNet, Szegedy et al. 2015).

    Parameters
    ----------
    loss : callable
        ``loss(prediction, target) -> scalar Variable``.
    weight : float or sequence of float
        w for all auxiliary outputs, or one number for each of them.

    Returns
    -------
    callable
        A loss of a tuple (main output, auxiliary output, ...) and the target. A single output, as a network gives
        outside training, has the loss itself.

    Raises
    ------
    InputError
        If `loss` is not callable, a weight is no number, or there is not one weight per auxiliary output.

    Notes
    -----
    Szegedy et al., *Going deeper with convolutions*, CVPR 2015.

    Examples
    --------
    >>> import symcnn as sc
    >>> loss = with_auxiliary(sc.losses.squared_error, 0.3)
    >>> y, aux, t = (sc.input(name, (None,)) for name in ("y", "aux", "t"))
    >>> f = sc.function([y, aux, t], loss((y, aux), t), device="reference")
    >>> round(float(f([1], [2], [0])), 2)
    2.2
    """
    if not callable(loss):
        raise InputError("with_auxiliary: the loss is not callable", found=repr(loss), hint="sc.losses.cross_entropy")
    what = "with_auxiliary: the weight"
    each = [checked_number(what, w, 0) for w in weight] if isinstance(weight, (tuple, list)) else None
    weights = repeat(checked_number(what, weight, 0)) if each is None else each

    def of_all(outputs, target):
        if not isinstance(outputs, (tuple, list)):
            return loss(outputs, target)
        main, *others = outputs
        if each is not None and len(each) != len(others):
            raise InputError(
                "with_auxiliary: one weight per auxiliary output", expected=f"{len(others)} weights", found=each
            )
        total = loss(main, target)
        for w, output in zip(weights, others, strict=False):
            total = total + w * loss(output, target)
        return total

    return of_all
