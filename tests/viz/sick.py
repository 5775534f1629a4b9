"""Trainings that go wrong on purpose, small and always the same: each has one illness of the lecture."""

from __future__ import annotations

from functools import cache

import numpy as np

import symcnn as sc
from symcnn import nn

SIZE = 20  # features of an example


def examples(count, seed, noise=0.0):
    """Points in two classes; a share `noise` of the labels is drawn by lot."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(count, SIZE)).astype("float32")
    labels = (X[:, 0] + 0.5 * X[:, 1] > 0).astype("int64")
    lots = rng.random(count) < noise
    return X, np.where(lots, rng.integers(0, 2, count), labels)


def network(hidden=32, bias=0.0):
    return nn.Sequential(
        dense1=nn.Dense(SIZE, hidden, seed=0, bias=bias), relu=nn.ReLU(),
        dense2=nn.Dense(hidden, hidden, seed=1), relu2=nn.ReLU(), out=nn.Dense(hidden, 2, seed=2),
    )  # fmt: skip


def trained(model, train, rate, epochs=20):
    """(history, monitor) of a training."""
    monitor = sc.train.Monitor(every=10)
    history = sc.train.fit(
        model, train, examples(200, seed=1), epochs=epochs, batch_size=20, optimizer=sc.optim.SGD(rate, momentum=0.9),
        callbacks=monitor, device="reference", progress=False,
    )  # fmt: skip
    return history, monitor


@cache
def healthy():
    return trained(network(), examples(400, seed=0), 0.005)


@cache
def rate_too_high():
    return trained(network(), examples(400, seed=0, noise=0.2), 0.25)


@cache
def rate_too_low():
    return trained(network(), examples(400, seed=0), 1e-6)


@cache
def overfitting():
    return trained(network(hidden=64), examples(40, seed=0, noise=0.6), 0.05, epochs=60)


@cache
def dead_units():
    """A bias far below zero, as after one step that was too long: hardly a unit of the first layer ever turns on."""
    return trained(network(bias=-6.0), examples(400, seed=0), 0.005)
