"""Sequential: layers one after the other."""

from __future__ import annotations

import symcnn as sc
from symcnn.errors import InputError
from symcnn.keywords import nearest
from symcnn.nn.module import Module


class Sequential(Module):
    """Apply layers in order.

    Parameters
    ----------
    *layers : Module
        Named by their position: "0", "1", ...
    in_shape : tuple of int, optional
        Shape of one example; lets ``summary()`` and compile-time checks work before any data is seen.
    **named : Module
        Layers named by their keyword, after the unnamed ones.

    Examples
    --------
    >>> import symcnn as sc
    >>> model = Sequential(hidden=sc.nn.Dense(4, 3), act=sc.nn.ReLU(), out=sc.nn.Dense(3, 2), in_shape=(4,))
    >>> model.parameters().keys()
    ['hidden.weight', 'hidden.bias', 'out.weight', 'out.bias']
    >>> model[:-1]
    Sequential(hidden=Dense(4, 3), act=ReLU())
    >>> model["out"]
    Dense(3, 2)
    >>> print(model.summary())
    layer   kind         output  parameters  FLOPs  forward  backward
    -----------------------------------------------------------------
    hidden  Dense(4, 3)  (n, 3)          15     27     12 B      72 B
    act     ReLU()       (n, 3)           0      3     12 B      12 B
    out     Dense(3, 2)  (n, 2)           8     14      8 B      40 B
    -----------------------------------------------------------------
    total                                23     44     32 B     124 B
    FLOPs: 1 example, forward, a multiply-add is 2. Memory: 1 example, outputs and gradients.
    """

    def __init__(self, *layers: Module, in_shape=None, **named: Module):
        self.layers = named_layers("Sequential", layers, named)
        self.in_shape = None if in_shape is None else tuple(in_shape)
        for path, variable in self.variables().items():
            variable.name = path

    def parts(self):
        return self.layers

    def forward(self, x, training):
        for layer in self.layers.values():
            x = layer(x, training)
        return x

    def __len__(self):
        return len(self.layers)

    def __iter__(self):
        return iter(self.layers.values())

    def __getitem__(self, key):
        """A layer by position or name, or the chain of a slice, which shares its layers with this one."""
        if isinstance(key, slice):
            kept = list(self.layers.items())[key]
            starts_here = kept and kept[0][0] == next(iter(self.layers))
            return _renamed(kept, self.in_shape if starts_here else None)
        if isinstance(key, str):
            if key not in self.layers:
                raise KeyError(f"no layer {key!r}; {nearest(key, self.layers)}")
            return self.layers[key]
        return list(self.layers.values())[key]


def named_layers(what: str, layers, named) -> dict[str, Module]:
    """Layers by name: those without one are called by their position."""
    found = {**{str(i): layer for i, layer in enumerate(layers)}, **named}
    for name, layer in found.items():
        if not isinstance(layer, Module):
            hint = None
            if isinstance(layer, (list, tuple)):
                hint = f"{what}(*layers): layers are arguments of their own"
            elif isinstance(layer, type) and issubclass(layer, Module):
                hint = f"this is the class; a layer is {layer.__name__}()"
            elif callable(layer):
                hint = "sc.nn.Lambda(f) makes a layer of a function"
            raise InputError(f"{what}: {name} is no layer", expected="a Module", found=repr(layer), hint=hint)
    return found


def _renamed(items, in_shape) -> Sequential:
    """A Sequential whose layers keep the names of `items`, numbers included."""
    chain = Sequential(in_shape=in_shape)
    chain.layers = dict(items)
    return chain


def out_shape(layers: Module, in_shape) -> tuple[int, ...]:
    """Shape of one output of `layers` for one example of `in_shape`; nothing is computed."""
    return layers(sc.input("x", (None, *in_shape), layers.dtype)).shape[1:]
