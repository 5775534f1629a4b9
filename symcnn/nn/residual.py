"""Residual: a way around layers, so that they learn what to add."""

from __future__ import annotations

from symcnn.errors import InputError
from symcnn.nn.inputs import check_same_shape
from symcnn.nn.module import Module


class Residual(Module):
    """``x + body(x)``, or ``shortcut(x) + body(x)`` where the body changes the shape.

    Parameters
    ----------
    body : Module
    shortcut : Module, optional
        A projection of x to the shape that the body gives, such as ``Conv2d(64, 128, 1, stride=2)``.

    Raises
    ------
    ShapeError
        If the two shapes differ; nothing is broadcast.

    Notes
    -----
    He, Zhang, Ren and Sun, *Deep residual learning*, CVPR 2016 (arXiv:1512.03385).

    Examples
    --------
    >>> import symcnn as sc
    >>> block = Residual(sc.nn.Dense(4, 4), shortcut=sc.nn.ReLU())
    >>> block.parameters().keys()
    ['body.weight', 'body.bias']
    """

    def __init__(self, body, shortcut=None):
        for name, part in {"body": body, "shortcut": shortcut}.items():
            if not isinstance(part, Module) and not (name == "shortcut" and part is None):
                raise InputError(f"Residual: {name} is no layer", expected="a Module", found=repr(part))
        self.body, self.shortcut = body, shortcut

    def forward(self, x, training):
        around = x if self.shortcut is None else self.shortcut(x, training)
        change = self.body(x, training)
        check_same_shape(self, around, change, hint="a shortcut projects x, such as Conv2d(64, 128, 1, stride=2)")
        return around + change
