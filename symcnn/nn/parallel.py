"""Branches that see the same input: Parallel puts their outputs side by side, Sum adds them."""

from __future__ import annotations

from functools import reduce
from operator import add

import symcnn as sc
from symcnn.errors import InputError
from symcnn.nn.inputs import check_same_shape
from symcnn.nn.module import Module
from symcnn.nn.sequential import named_layers


class Parallel(Module):
    """Apply every branch to the input and concatenate what they give, along the channels.

    Parameters
    ----------
    *branches : Module
        Named by their position: "0", "1", ...
    axis : int
        Along which the outputs are put side by side; all other sizes must agree.
    **named : Module
        Branches named by their keyword, after the unnamed ones.

    Raises
    ------
    InputError
        If there is no branch, or one of them is no Module.

    Examples
    --------
    >>> import symcnn as sc
    >>> block = Parallel(fine=sc.nn.Conv2d(16, 8, 1), coarse=sc.nn.Conv2d(16, 24, 3, padding=1))
    >>> block(sc.input("x", (None, 16, 28, 28))).shape
    (None, 32, 28, 28)
    >>> block.parameters().keys()
    ['fine.weight', 'fine.bias', 'coarse.weight', 'coarse.bias']
    """

    def __init__(self, *branches: Module, axis=1, **named: Module):
        self.branches, self.axis = named_layers(type(self).__name__, branches, named), axis
        if not self.branches:
            raise InputError(f"{type(self).__name__} needs a branch")

    def parts(self):
        return self.branches

    def forward(self, x, training):
        return sc.concat([branch(x, training) for branch in self.branches.values()], self.axis)


class Sum(Module):
    """Apply every branch to the input and add what they give.

    Parameters
    ----------
    *branches : Module
        Named by their position: "0", "1", ...
    **named : Module
        Branches named by their keyword, after the unnamed ones.

    Raises
    ------
    InputError
        If there is no branch, or one of them is no Module.
    ShapeError
        If the outputs have different shapes; nothing is broadcast.

    Examples
    --------
    >>> import symcnn as sc
    >>> block = Sum(sc.nn.Conv2d(16, 8, 1), sc.nn.Conv2d(16, 8, 3, padding=1))
    >>> block(sc.input("x", (None, 16, 28, 28))).shape
    (None, 8, 28, 28)
    """

    def __init__(self, *branches: Module, **named: Module):
        self.branches = named_layers(type(self).__name__, branches, named)
        if not self.branches:
            raise InputError(f"{type(self).__name__} needs a branch")

    def parts(self):
        return self.branches

    def forward(self, x, training):
        outputs = [branch(x, training) for branch in self.branches.values()]
        check_same_shape(self, *outputs)
        return reduce(add, outputs)
