"""Types of command-line arguments that ``symcnn bench`` and the programs in ``benchmarks`` share."""

from __future__ import annotations

import argparse
from math import isfinite

from symcnn.bench import zoo
from symcnn.bench.tasks import NETWORKS
from symcnn.keywords import nearest


def seconds(text: str) -> float:
    """A time that can be measured for: finite, not negative."""
    value = float(text)
    if not (isfinite(value) and value >= 0):
        raise argparse.ArgumentTypeError(f"{text} is not a number of seconds from 0 on")
    return value


def network(name: str) -> str:
    """The name of a benchmark network."""
    if name not in NETWORKS:
        raise argparse.ArgumentTypeError(f"no benchmark network is called {name!r}; {nearest(name, NETWORKS)}")
    return name


def zoo_network(name: str) -> str:
    """The name of a network of the ONNX model zoo."""
    if name not in zoo.NAMES:
        raise argparse.ArgumentTypeError(f"no zoo network is called {name!r}; {nearest(name, zoo.NAMES)}")
    return name
