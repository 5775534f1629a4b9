"""Arguments are checked where they are given: unknown keywords, with the name that was meant as a hint, and numbers."""

from __future__ import annotations

import inspect
from difflib import get_close_matches
from functools import wraps
from math import inf
from numbers import Real

from symcnn.errors import InputError

# What other libraries call things, by the names that they have here.
ELSEWHERE = {
    "window": "kernel_size pool_size filter_size ksize kernel",
    "in_channels": "in_planes nin channels",
    "out_channels": "filters num_filters planes nout",
    "in_features": "in_dim input_dim n_in num_inputs",
    "out_features": "units out_dim num_units num_outputs n_out",
    "channels": "num_features num_channels num_parameters in_channels features",
    "groups": "num_groups",
    "multiplier": "depth_multiplier depthwise_multiplier",
    "dilation": "dilation_rate",
    "stride": "subsample",
    "bias": "use_bias",
    "init": "kernel_initializer weight_init initializer w_init W",
    "rate": "p prob drop_prob drop_rate",
    "std": "stddev sigma",
    "slope": "negative_slope leakiness",
    "epsilon": "eps",
    "affine": "center elementwise_affine",
    "shape": "normalized_shape target_shape",
    "in_shape": "input_shape input_size",
    "scale": "scale_factor size",
    "mode": "padding_mode interpolation",
    "margin": "cropping",
    "pieces": "num_pieces k",
    "learning_rate": "lr eta step_size",
    "beta1": "betas beta_1",
    "beta2": "beta_2",
    "rho": "decay alpha",
    "weight_decay": "decay l2",
    "clip_norm": "max_norm max_grad_norm global_clipnorm",
    "every": "step_size",
    "factor": "gamma decay_rate",
    "floor": "eta_min min_lr end_factor",
    "start": "start_factor initial_accumulator_value",
    "strength": "l1 l2 alpha weight_decay",
    "bound": "max_value maxnorm max_norm",
    "axis": "dim axes",
    "keepdims": "keepdim keep_dims",
    "batch_size": "batch bs minibatch",
    "epochs": "nb_epoch max_epochs num_epochs T_max total_iters decay_steps milestones",
    "progress": "verbose",
    "validation": "validation_data val valid eval_set",
    "loss": "criterion objective cost loss_fn",
    "optimizer": "opt optim optimiser",
    "schedule": "scheduler lr_scheduler",
    "classes": "num_classes n_classes nb_classes num_labels",
    "activation": "nonlinearity act",
    "layout": "data_format",
    "dtype": "precision",
    "Dense": "Linear FullyConnected InnerProduct",
    "Parallel": "Concat Concatenate",
    "Sum": "Add",
    "Pad2d": "ZeroPad2d ZeroPadding2D ReflectionPad2d ReplicationPad2d",
    "Crop2d": "Cropping2D",
    "SpatialDropout": "Dropout2d SpatialDropout2D",
    "LocalResponseNorm": "LRN",
    "GlobalAvgPool2d": "AdaptiveAvgPool2d",
    "GlobalMaxPool2d": "AdaptiveMaxPool2d",
}
# What is done in another way here, where the function has no such keyword.
ADVICE = {
    "keep_prob": "rate is the probability of leaving out: 1 - keep_prob",
    "padding_mode": "put sc.nn.Pad2d(padding, mode) before it",
    "activation": "put an activation such as sc.nn.ReLU() after it",
    "nonlinearity": "put an activation such as sc.nn.ReLU() after it",
    "kernel_regularizer": "penalties are arguments of sc.train.compile_step",
    "input_shape": "sizes are explicit: in_channels or in_features",
    "ModuleList": "a plain Python list of layers will do",
    "ModuleDict": "a plain Python dict of layers will do",
    "Parameter": "an attribute that is a sc.shared(array) is a parameter",
    "Identity": "sc.nn.Sequential() without layers changes nothing",
    "track_running_stats": "freeze() makes a batch norm use its running averages",
}


def nearest(name: str, known) -> str:
    """A hint for a mistyped `name`: the nearest of `known`, or all of them."""
    known = [str(k) for k in known]
    close = get_close_matches(name, known, n=1)
    return f"did you mean {close[0]!r}?" if close else f"known: {', '.join(known) or 'none'}"


def meant(keyword: str, known) -> str:
    """A hint for a `keyword` that is mistyped or from another library.

    Examples
    --------
    >>> meant("kernel_size", ["window", "stride"])
    "did you mean 'window'?"
    """
    translated = [ours for ours, theirs in ELSEWHERE.items() if ours in known and keyword in theirs.split()]
    if translated:
        return f"did you mean {translated[0]!r}?"
    return ADVICE.get(keyword) or nearest(keyword, known)


def checked_keywords(function):
    """Decorate `function` so that an unknown keyword raises an InputError that suggests a known one.

    Examples
    --------
    >>> @checked_keywords
    ... def convolve(x, *, stride=1):
    ...     return stride
    >>> convolve(0, strde=2)
    Traceback (most recent call last):
    symcnn.errors.InputError: convolve has no keyword 'strde'
      where:    ...
      hint:     did you mean 'stride'?
    """
    parameters = inspect.signature(function).parameters
    if any(p.kind is p.VAR_KEYWORD for p in parameters.values()):
        return function
    known = [name for name in parameters if name != "self"]
    shown = function.__qualname__.removesuffix(".__init__")

    @wraps(function)
    def checked(*args, **kwargs):
        for name in kwargs:
            if name not in parameters:
                raise InputError(f"{shown} has no keyword {name!r}", hint=meant(name, known))
        return function(*args, **kwargs)

    return checked


def checked_number(what: str, value, low: float = -inf, high: float = inf, *, strict: bool = False) -> float:
    """`value` as a finite float in ``low <= value < high``; `strict`: in ``low < value < high``.

    Raises
    ------
    InputError
        If `value` is no number, or lies elsewhere.

    Examples
    --------
    >>> checked_number("momentum", 0.9, 0, 1)
    0.9
    >>> checked_number("momentum", "0.9", 0, 1)
    Traceback (most recent call last):
    symcnn.errors.InputError: momentum is no number
      where:    ...
      expected: 0 <= momentum < 1
      found:    '0.9'
    """
    name = what.rpartition(" ")[2]
    below = "" if low == -inf else f"{low:g} {'<' if strict else '<='} "
    expected = f"{below}{name} < {high:g}" if below or high < inf else "a finite number"
    if not isinstance(value, Real) or isinstance(value, bool):
        raise InputError(f"{what} is no number", expected=expected, found=repr(value))
    number = float(value)
    if not (low < number < high if strict else low <= number < high) or number == -inf:
        raise InputError(f"{what} is out of range", expected=expected, found=value)
    return number
