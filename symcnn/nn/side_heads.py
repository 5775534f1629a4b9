"""SideHeads: a chain of layers with classifiers at its side, which only training uses."""

from __future__ import annotations

from symcnn.errors import InputError
from symcnn.keywords import nearest
from symcnn.nn.module import Module
from symcnn.nn.sequential import Sequential, named_layers


class SideHeads(Sequential):
    """Layers in order; in training, also what each head says to the output of the layer it is attached to.

    Gradient from the heads reaches the layers before them by a shorter way. In evaluation the heads do nothing.

    Parameters
    ----------
    heads : dict
        ``{name: (layer, head)}``: the name of a head, that of the layer it follows, and the Module itself.
    in_shape : tuple of int, optional
        Shape of one example.
    **named : Module
        The layers.

    Raises
    ------
    InputError
        If a head follows no layer, or has the name of one.

    Notes
    -----
    The auxiliary classifiers of Szegedy et al., *Going deeper with convolutions*, CVPR 2015, as a container. Train it with
    ``sc.losses.with_auxiliary(loss, weight)``. Slices such as ``model[:-1]`` are chains without heads.

    Examples
    --------
    >>> import symcnn as sc
    >>> nn = sc.nn
    >>> model = SideHeads(
    ...     {"aux": ("act", nn.Dense(3, 2))}, hidden=nn.Dense(4, 3), act=nn.ReLU(), out=nn.Dense(3, 2), in_shape=(4,)
    ... )
    >>> x = sc.input("x", (None, 4))
    >>> model(x).shape, [output.shape for output in model(x, training=True)]
    ((None, 2), [(None, 2), (None, 2)])
    >>> model.parameters().keys()[2:4]
    ['out.weight', 'out.bias']
    """

    def __init__(self, heads, in_shape=None, **named: Module):
        for name, (layer, _) in heads.items():
            if layer not in named or name in named:
                raise InputError(
                    f"SideHeads: {name} has the name of a layer" if name in named else
                    f"SideHeads: {name} follows {layer!r}, which is no layer",
                    hint=None if name in named else nearest(str(layer), named),
                )  # fmt: skip
        self.heads = named_layers("SideHeads", (), {name: head for name, (_, head) in heads.items()})
        self._follows = {layer: name for name, (layer, _) in heads.items()}
        super().__init__(in_shape=in_shape, **named)

    def parts(self):
        return {**self.layers, **self.heads}

    def __getitem__(self, key):
        return self.heads[key] if isinstance(key, str) and key in self.heads else super().__getitem__(key)

    def forward(self, x, training):
        said = {}
        for name, layer in self.layers.items():
            x = layer(x, training)
            if training and name in self._follows:
                head = self._follows[name]
                said[head] = self.heads[head](x, training)
        return (x, *(said[head] for head in self.heads)) if training else x
