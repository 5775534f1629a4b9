"""Kill a training process at random moments, resume it each time, and compare with one that was never killed.

    python tests/train/kill_and_resume.py --kills 20 --network convnet

The test suite runs it with few kills; the weights, states and history must be the same to the bit.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

import symcnn as sc
from symcnn.data.transforms import Cutout, RandomFlip, RandomShift
from symcnn.train import Callback, Checkpoints, EarlyStopping

ROOT = Path(__file__).resolve().parents[2]


def dense():
    """A small network with all that has a state: dropout, slots, a count of steps, a schedule, the best weights."""
    rng = np.random.default_rng(0)
    X, labels = rng.normal(size=(60, 6)), rng.integers(0, 3, 60)
    model = sc.nn.Sequential(
        sc.nn.Dense(6, 16, seed=0), sc.nn.ReLU(), sc.nn.Dropout(0.3, seed=1), sc.nn.Dense(16, 3, seed=2)
    )
    options = {
        "batch_size": 8, "epochs": 16, "device": "reference", "optimizer": sc.optim.Adam(0.01),
        "schedule": sc.optim.Plateau(factor=0.5, patience=2, schedule=sc.optim.cosine_decay(16)),
    }  # fmt: skip
    return model, (X[:40], labels[:40]), (X[40:], labels[40:]), options


def convnet():
    """Like LeNet, smaller, with batch norm, dropout and augmentation, on the compiled kernels."""
    nn, data = sc.nn, sc.data
    train, _ = data.fashion_mnist()
    train, validation = train.take(slice(None, None, 8)).split(0.2)
    normalize = data.Normalize.fit(train.images)
    train = train.map(normalize).augment(RandomFlip(), RandomShift(0.1), Cutout(6))
    model = nn.Sequential(
        nn.Conv2d(1, 8, 5, seed=0), nn.BatchNorm(8), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(8, 16, 5, seed=1), nn.BatchNorm(16), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Dense(256, 64, seed=2), nn.ReLU(), nn.Dropout(0.5, seed=3), nn.Dense(64, 10, seed=4),
    )  # fmt: skip
    options = {
        "batch_size": 32, "epochs": 4, "optimizer": sc.optim.SGD(0.05, momentum=0.9, weight_decay=1e-4),
        "schedule": sc.optim.cosine_decay(4),
    }  # fmt: skip
    return model, train, validation.map(normalize), options


NETWORKS = {"dense": dense, "convnet": convnet}


class Tell(Callback):
    """A line per step, so that the process that kills knows how far this one is."""

    def on_start(self, run):
        print(f"start {run.steps_done}", flush=True)

    def on_step(self, run):
        print(run.steps_done, flush=True)


def train(network: str, folder: Path) -> None:
    """Train, or go on training, and leave ``final.safetensors`` and ``history.json``."""
    model, data, validation, options = NETWORKS[network]()
    callbacks = [Checkpoints(folder, every=3), EarlyStopping(patience=9), Tell()]
    history = sc.train.fit(
        model, data, validation, callbacks=callbacks, resume=folder, seed=3, progress=False, **options
    )
    del history["seconds"]
    history.save(folder / "history.json")
    model.save(folder / "final.safetensors")


def start(network: str, folder: Path) -> subprocess.Popen:
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, __file__, "--train", str(folder), "--network", network]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)


def train_with_kills(network: str, folder: Path, kills: int, steps: int, seed: int) -> list[int]:
    """Train in processes that are killed, until one ends; after how many steps each was."""
    rng, killed = random.Random(seed), []
    while True:
        process = start(network, folder)
        first = int(process.stdout.readline().removeprefix("start "))
        if len(killed) < kills:
            # Such that the kills spread over the run, and fall into steps, validations and the writing of checkpoints.
            rest = max(steps - first, 1) / (kills - len(killed) + 1)
            for _ in range(rng.randint(0, int(rest))):
                if not process.stdout.readline():
                    break
            time.sleep(rng.uniform(0, 0.005))
            process.send_signal(signal.SIGKILL)
        lines = process.stdout.read().split()
        process.stdout.close()
        if process.wait() == 0:
            return killed
        if process.returncode != -signal.SIGKILL:
            raise RuntimeError(f"training ended with {process.returncode}")
        killed.append(int(lines[-1]) if lines else first)


def kill_and_resume(network: str, kills: int, seed: int = 0) -> list[int]:
    """Raise an AssertionError if killing makes a difference; else after how many steps the processes were killed."""
    with tempfile.TemporaryDirectory() as name:
        unbroken, broken = Path(name, "unbroken"), Path(name, "broken")
        process = start(network, unbroken)
        output, _ = process.communicate()
        assert process.returncode == 0
        killed = train_with_kills(network, broken, kills, int(output.split()[-1]), seed)
        assert len(killed) == kills, f"only {len(killed)} of {kills} processes were killed before they ended"
        for file in ("final.safetensors", "history.json"):
            assert (unbroken / file).read_bytes() == (broken / file).read_bytes(), f"{file} differs after {killed}"
    return killed


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--network", choices=NETWORKS, default="dense")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--train", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.train:
        train(arguments.network, arguments.train)
    else:
        killed = kill_and_resume(arguments.network, arguments.kills, arguments.seed)
        print(f"killed after steps {killed}: the same weights, states and history")
