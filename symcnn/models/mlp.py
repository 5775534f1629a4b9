"""The multi-layer perceptron: dense layers with an activation between them."""

from __future__ import annotations

from itertools import pairwise
from math import prod

import numpy as np

from symcnn.errors import InputError
from symcnn.keywords import checked_keywords
from symcnn.models.maker import Maker, checked_count
from symcnn.nn import Activation, Flatten, Module, Sequential


@checked_keywords
def mlp(
    sizes, activation: str = "relu", seed=0, dtype="float32", width: float = 1.0, init=None, dropout: float = 0.0
) -> Sequential:
    """A multi-layer perceptron that maps (n, sizes[0]) to logits (n, sizes[-1]).

    Parameters
    ----------
    sizes : sequence of int
        Width of the input, of each hidden layer, and of the output. A first entry that is a shape, such as
        (1, 28, 28), is flattened.
    activation : str
        Between the layers; see `symcnn.nn.Activation`.
    seed : int or numpy.random.Generator
        Of the initial weights.
    dtype : str
        Of the parameters.
    width : float
        Factor of all hidden widths.
    init : str or callable, optional
        Of all weights; by default Glorot's.
    dropout : float
        Rate after each activation; 0 leaves these layers out.

    Returns
    -------
    Sequential

    Raises
    ------
    InputError
        If there are fewer than two sizes, or one of them is no positive integer.

    Examples
    --------
    >>> mlp([784, 100, 10]).parameters().count
    79510
    """
    if not hasattr(sizes, "__len__") or len(sizes) < 2:
        raise InputError("mlp needs the size of its input and of its output", found=sizes, hint="mlp([784, 100, 10])")
    in_shape = (sizes[0],) if np.ndim(sizes[0]) == 0 else tuple(sizes[0])
    checked_count("mlp", **{f"sizes[{k}]": n for k, n in enumerate((*in_shape, *sizes[1:]))})
    make = Maker("mlp", width, init, seed, dtype)
    layers: dict[str, Module] = {} if len(in_shape) == 1 else {"flatten": Flatten()}
    widths = [prod(in_shape), *map(make.channels, sizes[1:-1]), sizes[-1]]
    for number, (n_in, n_out) in enumerate(pairwise(widths), start=1):
        if number > 1:
            layers[f"act{number - 1}"] = Activation(activation)
            if dropout:
                layers[f"drop{number - 1}"] = make.dropout(dropout)
        layers[f"dense{number}"] = make.dense(n_in, n_out)
    return Sequential(**layers, in_shape=in_shape)
