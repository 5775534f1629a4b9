"""Metrics of a classifier, of images or of their pixels, from its predictions and the truth. NumPy in, NumPy out.

What can be counted class by class comes from a confusion matrix, which adds up over the batches of an evaluation:

>>> import numpy as np
>>> from symcnn import metrics
>>> counts = metrics.ConfusionMatrix(2)
>>> for scores, labels in ([[[2, 1], [0, 1]], [0, 1]], [[[5, 3], [1, 0]], [0, 1]]):
...     counts.update(np.array(scores, "float32"), labels)
>>> metrics.recall(counts), round(metrics.mean_iou(counts), 3)
(array([1. , 0.5]), 0.583)
"""

from symcnn.keywords import meant
from symcnn.metrics.classes import accuracy, predicted_classes, top_k_accuracy
from symcnn.metrics.confusion import ConfusionMatrix, confusion_matrix
from symcnn.metrics.rates import f1, iou, mean_iou, precision, recall
from symcnn.metrics.report import classification_report

__all__ = [
    "ConfusionMatrix",
    "accuracy",
    "classification_report",
    "confusion_matrix",
    "f1",
    "iou",
    "mean_iou",
    "precision",
    "predicted_classes",
    "recall",
    "top_k_accuracy",
]


def __getattr__(name: str):
    raise AttributeError(f"symcnn.metrics has no {name!r}; {meant(name, __all__)}")
