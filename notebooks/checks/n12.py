"""Notebook 12, transfer learning: the nearest class mean, and rates that fall towards the picture."""

import numpy as np

import symcnn as sc
from symcnn import nn

from .compare import Wrong, require, same


def exercise_2(nearest_mean):
    """Labels of new vectors, where the nearest example and the nearest mean say different things."""
    rng = np.random.default_rng(12)
    centres = 3 * rng.normal(size=(3, 5))
    labels = rng.permutation(np.repeat([0, 1, 2], [4, 9, 30]))
    features = centres[labels] + rng.normal(size=(43, 5)) * 3
    new = centres[rng.integers(0, 3, 200)] + rng.normal(size=(200, 5)) * 3
    given = nearest_mean(features.copy(), labels.copy(), new.copy())
    require(given is not None and given is not ..., "It returns nothing yet.")
    means = np.array([features[labels == k].mean(axis=0) for k in range(3)])
    distances = np.linalg.norm(new[:, None] - means, axis=2)
    same(given, distances.argmin(axis=1), "Some labels are not those of the nearest mean.", tolerance=1e-9)
    return "Not a single step of training."


STAGES = {"1": 1 / 8, "2": 1 / 4, "3": 1 / 2}


def exercise_3(rates):
    """Factors of the learning rate: measured on a step of a network with layers of these names."""
    try:
        moves, plain = _moves(rates), _moves({})
    except sc.SymcnnError as error:
        raise Wrong(str(error)) from None
    for path, move in moves.items():
        wanted = 1.0 if path.startswith("dense") else STAGES[path[4]] if path.startswith("conv") else 0.0
        same(move / plain[path], wanted, f"{path} learns at another rate.")
    return "So it is often done for large networks."


def _moves(rates):
    """How far one step of SGD moves each parameter of a small network that is built like the notebook's."""
    layers, channels = {}, 1
    for stage in "123":
        for half in "ab":
            layers[f"conv{stage}{half}"] = nn.Conv2d(channels, 3, 3, padding=1, bias=False, seed=int(stage))
            layers[f"norm{stage}{half}"] = nn.BatchNorm(3)
            layers[f"relu{stage}{half}"] = nn.ReLU()
            channels = 3
    model = nn.Sequential(**layers, flatten=nn.Flatten(), dense=nn.Dense(75, 2, seed=0), in_shape=(1, 5, 5))
    before = {path: p.get_value() for path, p in model.parameters().items()}
    rng = np.random.default_rng(0)
    step = sc.train.compile_step(model, optimizer=sc.optim.SGD(0.1, rates=rates), device="reference")
    step(rng.normal(size=(8, 1, 5, 5)), rng.integers(0, 2, 8))
    return {path: np.abs(p.get_value() - before[path]).sum() for path, p in model.parameters().items()}
