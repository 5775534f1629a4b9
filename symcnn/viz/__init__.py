"""Drawings and reports. Nothing else in symcnn imports this package."""

from importlib import import_module
from typing import Any

# Public name -> the module that defines it. A view is imported when it is first asked for.
_VIEWS = {
    "Figure": "figure",
    "draw": "draw",
    "story": "story",
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
    "to_networkx": "graph",
}

__all__ = sorted(_VIEWS)


def __getattr__(name: str) -> Any:
    if name in _VIEWS:
        return getattr(import_module(f"symcnn.viz.{_VIEWS[name]}"), name)
    raise AttributeError(f"module 'symcnn.viz' has no attribute {name!r}; it has {', '.join(__all__)}")


def __dir__() -> list[str]:
    return __all__
