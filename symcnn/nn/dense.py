"""Dense layers: every output sees every input."""

from __future__ import annotations

import numpy as np

import symcnn as sc
from symcnn import init as initial
from symcnn.errors import ShapeError
from symcnn.nn.arguments import bias_parameter, check_positive, drawn, parameter
from symcnn.nn.inputs import flat_size
from symcnn.nn.module import Module
from symcnn.nn.outline import described
from symcnn.nn.summary import shape_text


class Dense(Module):
    """Fully connected: ``y = x @ weight + bias``.

    Parameters
    ----------
    in_features, out_features : int
    bias : bool, float, str or callable
        Whether there is one, which starts at zero; or its first value, or an initialiser of its own. A small positive
        bias keeps the units of a ReLU alive at first.
    init : str or callable
        Initialiser of the weight, a name of `symcnn.init` or ``f(shape, seed, dtype)``.
    seed : int, numpy.random.Generator or None
        See `symcnn.init.generator`.
    dtype : str

    Attributes
    ----------
    weight : Shared
        (in_features, out_features).
    bias : Shared or None
        (out_features,).

    Examples
    --------
    >>> import symcnn as sc
    >>> Dense(784, 10)(sc.input("x", (None, 784))).shape
    (None, 10)
    """

    def __init__(self, in_features, out_features, bias=True, init="glorot_uniform", seed=None, dtype="float32"):
        check_positive(self, in_features=in_features, out_features=out_features)
        self.in_features, self.out_features = in_features, out_features
        self.weight = parameter("weight", init, (in_features, out_features), seed, dtype)
        self.bias = bias_parameter(bias, out_features, seed, dtype)

    def forward(self, x, training):
        _check_features(self, x)
        y = x @ self.weight
        return y if self.bias is None else y + self.bias

    def __repr__(self):
        return described(self, self.in_features, self.out_features, bias=self.bias is not None)


class Maxout(Module):
    r"""The largest of several affine maps, for every output: :math:`\max_k (x w_k + b_k)`.

    A convex, piecewise linear activation that is learnt. None of its pieces is flat, so that units do not die.

    Parameters
    ----------
    in_features, out_features : int
    pieces : int
        Affine maps per output.
    bias, init, seed, dtype
        As in `Dense`; every piece is drawn as a dense layer of its own.

    Attributes
    ----------
    weight : Shared
        (in_features, out_features * pieces): the pieces of an output are neighbouring columns.
    bias : Shared or None
        (out_features * pieces,).

    Notes
    -----
    Goodfellow et al., *Maxout networks*, ICML 2013 (arXiv:1302.4389). After a convolution, ``Lambda(lambda x: sc.maxout(x,
    pieces))`` does the same with channels.

    Examples
    --------
    >>> import symcnn as sc
    >>> layer = Maxout(1, 1)
    >>> layer.weight.set_value([[1.0, -1.0]])
    >>> layer.predict([[3.0], [-2.0]], device="reference").tolist()  # max(x, -x)
    [[3.0], [2.0]]
    """

    def __init__(
        self, in_features, out_features, pieces=2, bias=True, init="glorot_uniform", seed=None, dtype="float32"
    ):
        check_positive(self, in_features=in_features, out_features=out_features, pieces=pieces)
        self.in_features, self.out_features, self.pieces = in_features, out_features, pieces
        rng = initial.generator(seed)
        maps = [drawn(init, (in_features, out_features), rng, dtype) for _ in range(pieces)]
        self.weight = sc.shared(np.stack(maps, axis=-1).reshape(in_features, -1), name="weight")
        self.bias = bias_parameter(bias, out_features * pieces, seed, dtype)

    def forward(self, x, training):
        _check_features(self, x)
        y = x @ self.weight
        return sc.maxout(y if self.bias is None else y + self.bias, self.pieces, axis=-1)

    def __repr__(self):
        return described(self, self.in_features, self.out_features, pieces=self.pieces, bias=self.bias is not None)


def _check_features(layer, x) -> None:
    """ShapeError unless the last axis of `x` is as long as the layer's input."""
    if x.ndim >= 2 and x.shape[-1] in (None, layer.in_features):
        return
    flat = flat_size(x.shape)
    if x.ndim > 2:
        hint = "put sc.nn.Flatten() before it" + (
            "" if flat in (None, layer.in_features) else f", and in_features={flat}"
        )
    else:
        hint = f"in_features={flat}" if x.ndim == 2 else None
    raise ShapeError(
        f"{type(layer).__name__} takes {layer.in_features} features", expected=f"(n, {layer.in_features})",
        found=shape_text(x.shape), hint=hint,
    )  # fmt: skip
