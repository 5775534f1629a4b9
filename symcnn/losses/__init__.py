"""Losses: from what the network says and what is true to one number, the mean over the examples.

Each is a plain composition of public ops, so it differentiates and compiles like any expression. A training step calls
``loss(prediction, target)``; options are bound with `functools.partial`, and any function of two Variables that returns
a scalar is a loss too:

>>> from functools import partial
>>> import symcnn as sc
>>> loss = partial(sc.losses.cross_entropy, ignore_index=255, label_smoothing=0.1)
>>> step = sc.train.compile_step(sc.models.mlp([4, 3]), loss=loss, device="reference")
>>> round(step([[1, 0, 0, 0], [0, 1, 0, 0]], [2, 255]), 1) > 0
True
"""

from symcnn.keywords import meant
from symcnn.losses.auxiliary import with_auxiliary
from symcnn.losses.binary import binary_cross_entropy
from symcnn.losses.categorical import cross_entropy, kullback_leibler
from symcnn.losses.margin import hinge
from symcnn.losses.overlap import dice, iou
from symcnn.losses.regression import absolute_error, huber, squared_error

__all__ = [
    "absolute_error",
    "binary_cross_entropy",
    "cross_entropy",
    "dice",
    "hinge",
    "huber",
    "iou",
    "kullback_leibler",
    "squared_error",
    "with_auxiliary",
]


def __getattr__(name: str):
    raise AttributeError(f"symcnn.losses has no {name!r}; {meant(name, __all__)}")
