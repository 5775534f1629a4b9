"""The multi-layer perceptron: dense layers with an activation between them."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from symcnn.errors import InputError
from symcnn.keywords import checked_keywords
from symcnn.nn import Activation, Dense, Flatten, Module, Sequential


@checked_keywords
def mlp(sizes, activation: str = "relu", seed=0, dtype="float32") -> Sequential:
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

    Returns
    -------
    Sequential

    Raises
    ------
    InputError
        If there are fewer than two sizes.

    Examples
    --------
    >>> mlp([784, 100, 10]).parameters().count
    79510
    """
    sizes = list(sizes)
    if len(sizes) < 2:
        raise InputError("mlp needs the size of its input and of its output", found=sizes, hint="mlp([784, 100, 10])")
    rng = np.random.default_rng(seed)
    in_shape = (sizes[0],) if np.ndim(sizes[0]) == 0 else tuple(sizes[0])
    layers: dict[str, Module] = {} if len(in_shape) == 1 else {"flatten": Flatten()}
    widths = [int(np.prod(in_shape)), *sizes[1:]]
    for number, (n_in, n_out) in enumerate(pairwise(widths), start=1):
        if number > 1:
            layers[f"act{number - 1}"] = Activation(activation)
        layers[f"dense{number}"] = Dense(n_in, n_out, seed=rng, dtype=dtype)
    return Sequential(**layers, in_shape=in_shape)
