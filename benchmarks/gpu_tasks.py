"""What is timed on a GPU: the five networks at the batches of the targets, and a tiny one for the simulator."""

from __future__ import annotations

from symcnn.bench.tasks import NETWORKS, Network

BATCH = {"lenet": 128, "cs231n": 64, "alexnet": 128, "googlenet": 64, "mlp": 128}
TINY = "tiny"  # one convolution on images of 6 x 6 pixels

# Network -> {PyTorch variant: our time over its, at most}.
TARGETS = {
    "lenet": {"eager": 0.5, "compile": 1.0},
    "cs231n": {"eager": 0.5, "compile": 1.0},
    "alexnet": {"channels_last": 1.0},
    "googlenet": {"channels_last": 1.0},
}
CHAIN_SHARE = 0.85  # of the bandwidth of a copy, by fused elementwise chains
VARIANTS = {
    "eager": "eager, NCHW, tf32 for convolutions only, as it comes",
    "channels_last": "eager, channels_last, tf32",
    "compile": "torch.compile, channels_last, tf32",
    "compile_graphs": "torch.compile(mode='reduce-overhead'), channels_last, tf32",
}


def network(name: str) -> Network:
    """Its batch, the shape of an example, and how many classes there are."""
    if name == TINY:
        return Network(2, (1, 6, 6), 3)
    return Network(BATCH[name], NETWORKS[name].in_shape, NETWORKS[name].classes)


def task(name: str, batch: int | None = None) -> dict:
    """A training step, as workers understand it."""
    return {"network": name, "batch": batch or network(name).batch}
