"""Notebook 09, training: four patients with their secrets, curves of five more, and the checkers of both exercises."""

import numpy as np

import symcnn as sc
from symcnn import nn

from .compare import Wrong, require


def patient(name, train):
    """What one of four people has handed in: (model, training images, optimiser, epochs). What is wrong is to be found out."""
    lenet = sc.models.lenet(width=0.4, seed=0)
    some, momentum = train.take(slice(1000)), {"momentum": 0.9}
    return {
        "A": (lenet, some, sc.optim.SGD(0.0003, **momentum), 12),
        "B": (lenet, some, sc.optim.SGD(0.3, **momentum), 12),
        "C": (lenet, train.take(slice(200)), sc.optim.SGD(0.02, **momentum), 40),
        "D": (deep("sigmoid"), some, sc.optim.SGD(0.05, **momentum), 12),
    }[name]


def deep(activation, batch_norm=False):
    """Six 3x3 convolutions of eight channels with this activation, and a dense layer."""
    layers, channels = {}, 1
    for k in range(1, 7):
        layers[f"conv{k}"] = nn.Conv2d(channels, 8, 3, padding=1, seed=k)
        if batch_norm:
            layers[f"norm{k}"] = nn.BatchNorm(8)
        layers[f"{activation}{k}"] = nn.Activation(activation)
        if k in (1, 3):
            layers[f"pool{k}"] = nn.MaxPool2d(2)
        channels = 8
    head = {"pool": nn.AvgPool2d(7), "flatten": nn.Flatten(), "dense": nn.Dense(8, 10, seed=0)}
    return nn.Sequential(**layers, **head, in_shape=(1, 28, 28))


# fmt: off
# Recorded from real trainings of the small LeNet: the cross-entropy on ten classes, epoch by epoch.
CURVES = {
    "V": {
        "loss": [2.34, 2.31, 2.28, 2.25, 2.23, 2.21, 2.18, 2.16, 2.13, 2.10, 2.07, 2.03],
        "val_loss": [2.33, 2.29, 2.27, 2.24, 2.22, 2.20, 2.17, 2.15, 2.12, 2.09, 2.06, 2.02],
    },
    "W": {
        "loss": [2.29, 1.99, 1.28, 1.52, 1.07, 0.78, 0.80, 0.65, 0.59, 0.51, 0.42, 0.39,
                 0.35, 0.28, 0.23, 0.21, 0.16, 0.13, 0.12, 0.12, 0.12, 0.07, 0.07, 0.04],
        "val_loss": [2.14, 1.59, 1.82, 1.21, 1.06, 1.17, 1.00, 1.00, 0.82, 0.88, 0.77, 0.83,
                 0.85, 0.83, 0.83, 0.85, 1.01, 1.06, 1.27, 1.11, 1.20, 1.13, 1.25, 1.26],
    },
    "X": {
        "loss": [2.31, 2.29, 2.28, 2.26, 2.25, 2.24, 2.21, 2.18, 2.16, 2.14, 2.09, 2.04,
                 2.00, 1.97, 1.87, 1.78, 1.65, 1.62, 1.55, 1.37, 1.24, 1.15, 1.01, 0.93],
        "val_loss": [2.32, 2.32, 2.31, 2.33, 2.33, 2.32, 2.31, 2.39, 2.40, 2.42, 2.51, 2.48,
                 2.57, 2.64, 2.82, 2.64, 2.93, 2.97, 2.98, 3.37, 3.40, 3.69, 4.32, 4.23],
    },
    "Y": {
        "loss": [1.41, 0.72, 0.61, 0.56, 0.48, 0.44, 0.42, 0.39, 0.38, 0.36, 0.35, 0.34],
        "val_loss": [0.90, 0.72, 0.73, 0.60, 0.55, 0.58, 0.53, 0.53, 0.51, 0.53, 0.52, 0.52],
    },
    "Z": {
        "loss": [1.81, 1.16, 1.86, 3.10, 2.31, 2.31, 2.31, 2.30, 2.30, 2.31, 2.30, 2.30],
        "val_loss": [1.49, 1.48, 2.31, 2.32, 2.31, 2.30, 2.30, 2.31, 2.30, 2.30, 2.31, 2.31],
    },
}
# fmt: on
ILLNESSES = ("healthy", "overfitting", "rate too high", "rate too low", "wrong labels")


def exercise_2(diagnosis):
    """The illness of each of the five curves."""
    require(isinstance(diagnosis, dict), 'The answer should be a dictionary: {"V": "healthy", ...}.')
    require(diagnosis.keys() == CURVES.keys(), f"The answer should have a diagnosis for each of {', '.join(CURVES)}.")
    unknown = [illness for illness in diagnosis.values() if illness not in ILLNESSES]
    require(not unknown, f"{unknown[:1]} is none of {', '.join(ILLNESSES)}.")
    truth = dict(zip("VWXYZ", ("rate too low", "overfitting", "wrong labels", "healthy", "rate too high"), strict=True))
    right = sum(diagnosis[name] == illness for name, illness in truth.items())
    require(right == 5, f"{right} of 5. Compare each validation loss with ln 10, and ask what the training loss does.")
    return "Five of five."


def exercise_3(stop):
    """The epoch after which a training ends, and the one whose weights are kept, on many curves."""
    rng = np.random.default_rng(9)
    curves = [[3.0, 2.0, 1.0], [1.0, 2.0, 3.0, 4.0], [3.0, 1.0, 2.0, 1.5, 0.5, 0.4], [1.0, 1.0, 1.0, 1.0]]
    curves += [list(rng.normal(size=20).round(2)) for _ in range(20)]
    for losses in curves:
        for patience in (1, 2, 4):
            given = stop(list(losses), patience)
            require(isinstance(given, tuple | list) and len(given) == 2, "It should return two epochs, (last, best).")
            if tuple(given) != _stopped(losses, patience):
                start = ", ".join(f"{loss:g}" for loss in losses[:6])
                raise Wrong(
                    f"Of the losses {start}{', ...' * (len(losses) > 6)} with patience {patience} it says {given}."
                )
    return "Also where the loss stands still, and where it never stops falling."


def _stopped(losses, patience):
    for last in range(1, len(losses) + 1):
        best = int(np.argmin(losses[:last])) + 1
        if last - best == patience:
            return last, best
    return last, best
