"""Networks of the lecture, one file each: plain functions that return a `symcnn.nn.Sequential`."""

from symcnn.models.lenet import lenet
from symcnn.models.mlp import mlp

__all__ = ["lenet", "mlp"]
