"""Activation functions as layers: by name, or as a class each."""

from __future__ import annotations

import inspect

import symcnn as sc
from symcnn import init as initial
from symcnn.errors import InputError
from symcnn.keywords import checked_number, nearest
from symcnn.nn.arguments import check_positive, parameter
from symcnn.nn.inputs import check_channels
from symcnn.nn.module import Module
from symcnn.nn.outline import described

ACTIVATIONS = (
    "relu", "leaky_relu", "elu", "selu", "softplus", "sigmoid", "hard_sigmoid", "tanh", "gelu", "silu",
    "softmax", "log_softmax",
)  # fmt: skip


class Activation(Module):
    """An activation function by name.

    Parameters
    ----------
    name : str
        One of relu, leaky_relu, elu, selu, softplus, sigmoid, hard_sigmoid, tanh, gelu, silu, softmax, log_softmax.
    **options
        Keywords of that function, such as ``slope`` of ``sc.leaky_relu``.

    Raises
    ------
    InputError
        If the name or an option is unknown.

    Examples
    --------
    >>> Activation("leaky_relu", slope=0.1).predict([[-5.0, 5.0]], device="reference")
    array([[-0.5,  5. ]], dtype=float32)
    >>> Activation("relo")
    Traceback (most recent call last):
    symcnn.errors.InputError: no activation is called 'relo'
      where:    ...
      hint:     did you mean 'relu'?
    """

    def __init__(self, name, **options):
        if name not in ACTIVATIONS:
            hint = "sc.nn.Lambda(f) makes a layer of a function" if callable(name) else nearest(str(name), ACTIVATIONS)
            raise InputError(f"no activation is called {name!r}", hint=hint)
        known = list(inspect.signature(getattr(sc, name)).parameters)[1:]
        for option in options:
            if option not in known:
                raise InputError(f"{name} has no option {option!r}", hint=nearest(option, known))
        self.name, self.options = name, options

    def forward(self, x, training):
        return getattr(sc, self.name)(x, **self.options)

    def __repr__(self):
        leading = (repr(self.name),) if type(self) is Activation else ()
        return described(self, *leading, **self.options)


class ReLU(Activation):
    """``max(x, 0)``.

    Examples
    --------
    >>> import symcnn as sc
    >>> ReLU()(sc.input("x", (None, 5))).shape
    (None, 5)
    """

    def __init__(self):
        super().__init__("relu")


class LeakyReLU(Activation):
    """``x`` where positive, else ``slope * x``: no unit is ever without a gradient.

    Parameters
    ----------
    slope : float

    Examples
    --------
    >>> LeakyReLU(0.1).predict([[-5.0, 5.0]], device="reference")
    array([[-0.5,  5. ]], dtype=float32)
    """

    def __init__(self, slope=0.01):
        checked_number("LeakyReLU: slope", slope)
        super().__init__("leaky_relu", slope=slope)


class ELU(Activation):
    r"""``x`` where positive, else :math:`\alpha (e^x - 1)`, so that means stay near 0.

    Parameters
    ----------
    alpha : float

    Notes
    -----
    Clevert, Unterthiner and Hochreiter, *Fast and accurate deep network learning by ELUs*, ICLR 2016 (arXiv:1511.07289).
    """

    def __init__(self, alpha=1.0):
        checked_number("ELU: alpha", alpha)
        super().__init__("elu", alpha=alpha)


class SELU(Activation):
    """A scaled `ELU`, which keeps mean 0 and variance 1 from layer to layer if weights start by ``lecun_normal``.

    Notes
    -----
    Klambauer et al., *Self-normalizing neural networks*, NIPS 2017 (arXiv:1706.02515).
    """

    def __init__(self):
        super().__init__("selu")


class GELU(Activation):
    r""":math:`x \Phi(x)`, with the distribution function of the normal.

    Parameters
    ----------
    approximate : None or "tanh"
        "tanh" for the usual approximation by a hyperbolic tangent.

    Notes
    -----
    Hendrycks and Gimpel, *Gaussian error linear units* (arXiv:1606.08415).
    """

    def __init__(self, approximate=None):
        if approximate not in (None, "tanh"):
            raise InputError("GELU: unknown approximation", expected="None or 'tanh'", found=repr(approximate))
        super().__init__("gelu", approximate=approximate)


class SiLU(Activation):
    """``x * sigmoid(x)``, also called swish (Ramachandran et al., arXiv:1710.05941)."""

    def __init__(self):
        super().__init__("silu")


class Softplus(Activation):
    r""":math:`\log(1 + e^x)`, a smooth ReLU."""

    def __init__(self):
        super().__init__("softplus")


class Sigmoid(Activation):
    r""":math:`1 / (1 + e^{-x})`, from 0 to 1. It saturates on both sides: inside a network, ReLU trains faster."""

    def __init__(self):
        super().__init__("sigmoid")


class HardSigmoid(Activation):
    """``clip(alpha * x + beta, 0, 1)``: a sigmoid of straight lines, with ONNX's defaults.

    Parameters
    ----------
    alpha, beta : float
    """

    def __init__(self, alpha=0.2, beta=0.5):
        checked_number("HardSigmoid: alpha", alpha)
        checked_number("HardSigmoid: beta", beta)
        super().__init__("hard_sigmoid", alpha=alpha, beta=beta)


class Tanh(Activation):
    """The hyperbolic tangent, from -1 to 1. It saturates on both sides."""

    def __init__(self):
        super().__init__("tanh")


class Softmax(Activation):
    r""":math:`e^{x_i} / \sum_j e^{x_j}` along `axis`.

    `losses.cross_entropy` takes scores before softmax: a network that is trained with it ends without.

    Parameters
    ----------
    axis : int
        1 for the classes of every pixel.

    Examples
    --------
    >>> Softmax().predict([[1000.0, 1000.0]], device="reference")
    array([[0.5, 0.5]], dtype=float32)
    """

    def __init__(self, axis=-1):
        super().__init__("softmax", axis=axis)


class LogSoftmax(Activation):
    """The logarithm of `Softmax`, computed stably.

    Parameters
    ----------
    axis : int
    """

    def __init__(self, axis=-1):
        super().__init__("log_softmax", axis=axis)


class PReLU(Module):
    """``x`` where positive, else ``slope * x``, with a slope that is learnt.

    Parameters
    ----------
    channels : int
        So many slopes, one per channel; 1 for one in common.
    init : float
        Their first value.
    dtype : str

    Attributes
    ----------
    slope : Shared
        (channels,).

    Notes
    -----
    He, Zhang, Ren and Sun, *Delving deep into rectifiers*, ICCV 2015 (arXiv:1502.01852), who advise against weight decay
    of the slopes: it would turn them into ReLU.

    Examples
    --------
    >>> import symcnn as sc
    >>> layer = PReLU(8)
    >>> layer(sc.input("x", (None, 8, 5, 5))).shape, layer.slope.shape
    ((None, 8, 5, 5), (8,))
    """

    def __init__(self, channels=1, init=0.25, dtype="float32"):
        check_positive(self, channels=channels)
        checked_number("PReLU: init", init)
        self.channels, self.init = channels, init
        self.slope = parameter("slope", initial.constant(init), (channels,), None, dtype)

    def forward(self, x, training):
        slope = self.slope
        if self.channels > 1:
            check_channels(self, x, self.channels)
            slope = slope.reshape((1, -1) + (1,) * (x.ndim - 2))
        return sc.where(x > 0, x, slope * x)

    def __repr__(self):
        return described(self, self.channels, init=self.init)
