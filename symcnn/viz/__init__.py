"""Drawings and reports. Nothing else in symcnn imports this package."""

from symcnn.viz.activation import activation
from symcnn.viz.activations import activations
from symcnn.viz.architecture import architecture
from symcnn.viz.convolution import convolution
from symcnn.viz.draw import GraphFigure, draw
from symcnn.viz.failure import failure
from symcnn.viz.figure import Figure
from symcnn.viz.filters import filters
from symcnn.viz.graph import to_networkx
from symcnn.viz.live_report import LiveReport
from symcnn.viz.plots import plot_confusion, plot_history, plot_norms
from symcnn.viz.pooling import pooling
from symcnn.viz.receptive_field import receptive_field
from symcnn.viz.saliency import saliency
from symcnn.viz.story import explanation, story
from symcnn.viz.times import times
from symcnn.viz.training_report import training_report

__all__ = [
    "Figure",
    "GraphFigure",
    "LiveReport",
    "activation",
    "activations",
    "architecture",
    "convolution",
    "draw",
    "explanation",
    "failure",
    "filters",
    "plot_confusion",
    "plot_history",
    "plot_norms",
    "pooling",
    "receptive_field",
    "saliency",
    "story",
    "times",
    "to_networkx",
    "training_report",
]
