"""Optimisers and schedules: how training moves the parameters, and how fast.

Read `optimizer` for what an optimiser is, `sgd` for the plain one, `adaptive` and `adam` for those that scale each
weight's step by its past gradients, `clipping` for what may happen to gradients first, and `schedules` and `plateau`
for learning rates that change over time.
"""

from symcnn.keywords import meant
from symcnn.optim.adam import Adam, Adamax, AdamW
from symcnn.optim.adaptive import AdaDelta, AdaGrad, RMSProp
from symcnn.optim.clipping import clip_by_norm, clip_by_value, global_norm
from symcnn.optim.optimizer import Optimizer
from symcnn.optim.plateau import Plateau
from symcnn.optim.schedules import (
    cosine_decay,
    exponential_decay,
    multistep_decay,
    polynomial_decay,
    step_decay,
    warmup,
)
from symcnn.optim.sgd import SGD

__all__ = [
    "SGD",
    "AdaDelta",
    "AdaGrad",
    "Adam",
    "AdamW",
    "Adamax",
    "Optimizer",
    "Plateau",
    "RMSProp",
    "clip_by_norm",
    "clip_by_value",
    "cosine_decay",
    "exponential_decay",
    "global_norm",
    "multistep_decay",
    "polynomial_decay",
    "step_decay",
    "warmup",
]


def __getattr__(name: str):
    raise AttributeError(f"symcnn.optim has no {name!r}; {meant(name, __all__)}")
