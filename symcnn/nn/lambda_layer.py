"""Lambda: any function of expressions as a layer."""

from __future__ import annotations

import symcnn as sc
from symcnn.errors import InputError
from symcnn.nn.module import Module
from symcnn.nn.outline import described


class Lambda(Module):
    """A function as a layer.

    Parameters
    ----------
    function : callable
        From the input to the output, both expressions. What it does is the same in training and evaluation, and it
        has no parameters: a subclass of `Module` can have both.

    Raises
    ------
    InputError
        If it is not callable, is a layer already, or gives no Variable.

    Examples
    --------
    >>> import symcnn as sc
    >>> model = sc.nn.Sequential(sc.nn.Dense(3, 4), Lambda(sc.exp), Lambda(lambda x: x / 2))
    >>> model(sc.input("x", (None, 3))).shape
    (None, 4)
    """

    def __init__(self, function):
        if isinstance(function, Module):
            raise InputError("Lambda: this is a layer already", found=repr(function))
        if not callable(function):
            raise InputError("Lambda: this is no function", found=repr(function), hint="Lambda(lambda x: 2 * x)")
        self.function = function

    def forward(self, x, training):
        output = self.function(x)
        if not isinstance(output, sc.Variable):
            raise InputError(f"{self!r} gave no Variable", found=repr(output))
        return output

    def __repr__(self):
        return described(self, getattr(self.function, "__name__", type(self.function).__name__))
