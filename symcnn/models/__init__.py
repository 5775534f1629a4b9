"""Networks of the lecture, one file each: plain functions that return a `symcnn.nn.Sequential`."""

from symcnn.models.alexnet import alexnet
from symcnn.models.cs231n import cs231n_convnet
from symcnn.models.googlenet import googlenet
from symcnn.models.lenet import lenet
from symcnn.models.mlp import mlp

__all__ = ["alexnet", "cs231n_convnet", "googlenet", "lenet", "mlp"]
