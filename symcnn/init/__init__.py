"""Initial values of weights.

An initialiser is called with a shape and gives the values; called with options alone it gives the same initialiser with
these options. Layers take it as it is, with options, or by its name::

    Dense(784, 10, init="he_normal")
    Dense(784, 10, init=init.normal(std=0.01))

Read `base` for what an initialiser is and where its random numbers come from, `plain` for constants and
distributions of a given width, `scaled` for those that keep the variance of signals from layer to layer, and
`structured` for matrices and images of a certain form.
"""

from symcnn.init.base import Initializer, draw, generator, initializer, seed
from symcnn.init.plain import constant, normal, ones, truncated_normal, uniform, zeros
from symcnn.init.scaled import (
    fans,
    glorot_normal,
    glorot_uniform,
    he_normal,
    he_uniform,
    lecun_normal,
    lecun_uniform,
)
from symcnn.init.structured import bilinear, identity, orthogonal
from symcnn.keywords import meant

__all__ = [
    "Initializer",
    "bilinear",
    "constant",
    "draw",
    "fans",
    "generator",
    "glorot_normal",
    "glorot_uniform",
    "he_normal",
    "he_uniform",
    "identity",
    "initializer",
    "lecun_normal",
    "lecun_uniform",
    "normal",
    "ones",
    "orthogonal",
    "seed",
    "truncated_normal",
    "uniform",
    "zeros",
]


def __getattr__(name: str):
    raise AttributeError(f"symcnn.init has no {name!r}; {meant(name, __all__)}")
