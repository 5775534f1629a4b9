"""Drawings and reports. Nothing else in symcnn imports this package."""

import sys
from importlib import import_module
from types import ModuleType
from typing import Any

# Public name -> the module that defines it. A view is imported when it is first asked for.
_VIEWS = {
    "Figure": "figure",
    "draw": "draw",
    "failure": "failure",
    "story": "story",
    "explanation": "story",
    "times": "times",
    "architecture": "architecture",
    "convolution": "convolution",
    "pooling": "pooling",
    "receptive_field": "receptive_field",
    "activation": "activation",
    "activations": "activations",
    "filters": "filters",
    "saliency": "saliency",
    "training_report": "training_report",
    "LiveReport": "live_report",
    "plot_history": "plots",
    "plot_norms": "plots",
    "plot_confusion": "plots",
    "to_networkx": "graph",
}

__all__ = sorted(_VIEWS)


def __getattr__(name: str) -> Any:
    if name in _VIEWS:
        return getattr(import_module(f"symcnn.viz.{_VIEWS[name]}"), name)
    raise AttributeError(f"module 'symcnn.viz' has no attribute {name!r}; it has {', '.join(__all__)}")


def __dir__() -> list[str]:
    return __all__


class _Package(ModuleType):
    """A view may have the name of its module. Importing the module must not put it in the place of the view."""

    def __setattr__(self, name, value):
        if name not in _VIEWS or not isinstance(value, ModuleType):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package
