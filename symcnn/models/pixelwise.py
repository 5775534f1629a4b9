"""The network that gives every pixel its scores: a body that shrinks the image, and enlargements that lead back.

Read `fcn` for the networks that are made of these parts.
"""

from __future__ import annotations

from dataclasses import dataclass

import symcnn as sc
from symcnn.errors import InputError
from symcnn.keywords import nearest
from symcnn.nn import Module
from symcnn.nn.trace import record_output


class FCN(Module):
    """A body that shrinks the image, scores of some of its maps, and transposed convolutions that enlarge them.

    Made by `fcn32s`, `fcn16s`, `fcn8s` and `fcn_alexnet`.

    Parameters
    ----------
    body : dict
        Layers by name, applied in order.
    head : dict
        ``"score_fr"`` scores what the body puts out; ``"score_" + name`` what its layer `name` does, for every name of
        `skips`; the others are `Upscore` layers, in the order of their use.
    skips : tuple of str
        Names of layers of the body, the deepest first.
    in_shape : tuple
    """

    def __init__(self, body, head, skips, in_shape):
        self.body, self.head, self.skips, self.in_shape = dict(body), dict(head), tuple(skips), tuple(in_shape)
        for path, value in self.variables().items():
            value.name = path

    def parts(self):
        return {**self.body, **self.head}

    def __getitem__(self, name):
        """A layer by its name."""
        parts = self.parts()
        if name not in parts:
            raise KeyError(f"no layer {name!r}; {nearest(str(name), parts)}")
        return parts[name]

    @property
    def classes(self) -> int:
        return self.head["score_fr"].out_channels

    def forward(self, x, training):
        image, seen = x, {}
        for name, layer in self.body.items():
            x = seen[name] = layer(x, training)
        score = self.head["score_fr"](x, training)
        *between, last = (layer for layer in self.head.values() if isinstance(layer, Upscore))
        for skip, upscore in zip(self.skips, between, strict=True):
            finer = self.head[f"score_{skip}"](seen[skip], training)
            score = upscore(score, training, size_of=finer) + finer
        return last(score, training, size_of=image)


class Upscore(Module):
    """A transposed convolution of every class by itself, bilinear at first, to the size of another image.

    Parameters
    ----------
    classes : int
    stride : int
        How many times to enlarge.
    window : (int, int)
        Rows and columns of the transposed convolution.
    before : (int, int)
        Rows and columns of the enlarged image that the window of the first position overhangs.
    dtype : str

    Examples
    --------
    >>> import symcnn as sc
    >>> score, image = sc.input("score", (None, 21, 4, 5)), sc.input("image", (None, 3, 100, 131))
    >>> Upscore(21, 32, (64, 64), (16, 16))(score, size_of=image).shape
    (None, 21, 100, 131)
    """

    def __init__(self, classes, stride, window, before, dtype="float32"):
        self.classes, self.stride, self.window, self.before = classes, stride, tuple(window), tuple(before)
        self.weight = sc.shared(sc.init.bilinear((classes, 1, *self.window), dtype=dtype), name="weight")

    def __call__(self, x, training=False, size_of=None):
        """Scores (n, classes, h, w) enlarged to the rows and columns of the image `size_of`, (n, channels, H, W)."""
        if size_of is None:
            raise InputError("Upscore: the size is that of another image", hint="upscore(scores, size_of=image)")
        # As the gradient of a convolution by its images, which have the right size whether or not that is known yet. Their
        # values are not needed, so they are never computed.
        images = size_of[:, :1] * sc.ones((1, self.classes, 1, 1), x.dtype)
        padding = tuple((before, size - 1 - before) for size, before in zip(self.window, self.before, strict=True))
        shrunk = sc.conv2d(images, self.weight, stride=self.stride, padding=padding, groups=self.classes)
        output = sc.vjp(shrunk, images, x)
        record_output(self, output)
        return output

    def __repr__(self):
        return f"Upscore({self.classes}, stride={self.stride}, window={'x'.join(map(str, self.window))})"


@dataclass(frozen=True)
class Field:
    """Where the units of a map lie in the image: unit i at pixel ``stride * i + first``, along one axis."""

    stride: int = 1
    first: float = 0.0

    def after(self, window: int, stride: int) -> Field:
        """The field of a layer with this window and stride, padded by `padding`."""
        middle = (window - 1) / 2 - padding(window)[0]
        return Field(self.stride * stride, self.first + self.stride * middle)


def padding(window: int) -> tuple[int, int]:
    """Before and after, such that a stride s makes ceil(n / s) of n."""
    return (window - 1) // 2, window // 2
