"""Arguments are checked where they are given: unknown keywords, with the name that was meant as a hint, and numbers."""

from __future__ import annotations

import inspect
from difflib import get_close_matches
from functools import wraps
from math import inf
from numbers import Integral, Real

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
    "probability": "p prob",
    "std": "stddev sigma",
    "slope": "negative_slope leakiness",
    "epsilon": "eps",
    "affine": "center elementwise_affine",
    "shape": "normalized_shape target_shape",
    "in_shape": "input_shape input_size",
    "auxiliary": "aux_logits aux_heads",
    "scale": "scale_factor size",
    "size": "image_size target_size",
    "mode": "padding_mode interpolation",
    "margin": "cropping",
    "pieces": "num_pieces k",
    "learning_rate": "lr eta step_size",
    "beta1": "betas beta_1",
    "beta2": "beta_2",
    "rho": "decay alpha",
    "weights": "class_weights weight",
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
    "folder": "root directory filepath dirpath log_dir",
    "fraction": "test_size val_size validation_split",
    "seed": "random_state random_seed",
    "restore_best": "restore_best_weights",
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
    "cross_entropy": "CrossEntropyLoss CategoricalCrossentropy SparseCategoricalCrossentropy categorical_crossentropy "
    "sparse_categorical_crossentropy softmax_cross_entropy crossentropy ce NLLLoss nll_loss",
    "binary_cross_entropy": "BCEWithLogitsLoss BCELoss BinaryCrossentropy binary_crossentropy bce",
    "squared_error": "MSELoss mse_loss MeanSquaredError mean_squared_error mse",
    "absolute_error": "L1Loss l1_loss MeanAbsoluteError mean_absolute_error mae",
    "huber": "HuberLoss SmoothL1Loss smooth_l1_loss smooth_l1",
    "kullback_leibler": "KLDivLoss KLDivergence kl_divergence kl_div",
    "SGD": "sgd momentum nesterov",
    "Adam": "adam",
    "RMSProp": "rmsprop",
    "step_decay": "StepLR step",
    "multistep_decay": "MultiStepLR PiecewiseConstantDecay",
    "exponential_decay": "ExponentialLR ExponentialDecay",
    "cosine_decay": "CosineAnnealingLR CosineDecay cosine",
    "polynomial_decay": "PolynomialLR PolynomialDecay",
    "Plateau": "ReduceLROnPlateau",
    "glorot_uniform": "xavier_uniform xavier_uniform_ xavier glorot GlorotUniform",
    "glorot_normal": "xavier_normal xavier_normal_ GlorotNormal",
    "he_uniform": "kaiming_uniform kaiming_uniform_ HeUniform",
    "he_normal": "kaiming_normal kaiming_normal_ kaiming he HeNormal",
    "accuracy": "Accuracy CategoricalAccuracy SparseCategoricalAccuracy accuracy_score acc",
    "top_k_accuracy": "TopKCategoricalAccuracy top_k_categorical_accuracy",
    "f1": "f1_score F1Score",
    "iou": "jaccard iou_score",
    "mean_iou": "MeanIoU mIoU miou JaccardIndex jaccard_score",
    "L1": "l1 lasso",
    "L2": "l2 weight_decay ridge",
    "MaxNorm": "max_norm maxnorm",
    "UnitNorm": "unit_norm",
    "NonNegative": "NonNeg nonneg non_negative",
    "Checkpoints": "ModelCheckpoint",
    "CSVLog": "CSVLogger",
    "TensorBoardLog": "TensorBoard SummaryWriter",
    "NaNGuard": "TerminateOnNaN",
    "Dataset": "DataLoader TensorDataset",
    "image_folder": "ImageFolder image_dataset_from_directory flow_from_directory",
    "RandomFlip": "RandomHorizontalFlip RandomVerticalFlip",
    "RandomShift": "RandomAffine RandomTranslation",
    "Cutout": "RandomErasing",
}
# What is done in another way here, where the function has no such keyword.
ADVICE = {
    "keep_prob": "rate is the probability of leaving out: 1 - keep_prob",
    "padding_mode": "put sc.nn.Pad2d(padding, mode) before it",
    "activation": "put an activation such as sc.nn.ReLU() after it",
    "nonlinearity": "put an activation such as sc.nn.ReLU() after it",
    "kernel_regularizer": "a penalty is for all weights: penalty=sc.regularize.L2(1e-4), of fit or compile_step",
    "validation_split": "training, validation = train.split(0.1) sets a tenth aside, for fit(model, training, validation)",
    "shuffle": "fit always shuffles, in an order drawn from its seed",
    "lr": "the rate is the optimizer's: optimizer=sc.optim.SGD(0.01)",
    "learning_rate": "the rate is the optimizer's: optimizer=sc.optim.SGD(0.01)",
    "class_weight": "weights are the loss's: loss=functools.partial(sc.losses.cross_entropy, weights=...)",
    "sample_weight": "data.balanced() draws rare classes more often; weights of classes are an argument of the loss",
    "regularizer": "a penalty is for all weights: penalty=sc.regularize.L2(1e-4), of fit or compile_step",
    "penalty": "a penalty is for all weights: penalty=sc.regularize.L2(1e-4), of fit or compile_step",
    "pretrained": "no weights come with symcnn: model.load(path), or sc.nn.load_matching(model, path)",
    "save_best_only": "sc.train.EarlyStopping restores the best weights",
    "restore_best_weights": "sc.train.EarlyStopping restores the best weights",
    "input_shape": "sizes are explicit: in_channels or in_features",
    "ModuleList": "a plain Python list of layers will do",
    "ModuleDict": "a plain Python dict of layers will do",
    "Parameter": "an attribute that is a sc.shared(array) is a parameter",
    "Identity": "sc.nn.Sequential() without layers changes nothing",
    "L1L2": "penalties add up: sc.regularize.L1(1e-5) + sc.regularize.L2(1e-4)",
    "labels": "images and labels are one argument: (images, labels)",
    "ToTensor": "images are NumPy arrays; sc.data.Normalize.fit(train) scales them",
    "Resize": "sc.data.image_folder(folder, size=32) scales images when it reads them",
    "Compose": "dataset.augment(*transforms) takes several",
    "Tensor": "sc.input is an input of a graph, sc.shared an array that stays; data are NumPy arrays",
    "ReduceLROnPlateau": "fit(..., schedule=sc.optim.Plateau())",
    "LearningRateScheduler": "fit(..., schedule=f) asks f(epoch) for the factor of the rate before every step",
    "LambdaCallback": "fit(..., on_epoch=f) calls f(epoch, history)",
    "CrossEntropyLoss": "losses are functions: sc.losses.cross_entropy",
    "track_running_stats": "freeze() makes a batch norm use its running averages",
}
# What other libraries' arrays can do, and how an expression says it.
_NO_VALUE = (
    "an expression has no value of its own: sc.function([inputs], it) computes it, x.get_value() is for a Shared"
)
_ARRAY_METHODS = {
    "view": "reshape",
    "permute": "transpose",
    "t": "T",
    "unsqueeze": "x[:, None] adds an axis",
    "expand_dims": "x[:, None] adds an axis",
    "dim": "ndim",
    "type_as": "astype",
    "float": "x.astype('float32')",
    "long": "x.astype('int64')",
    "numpy": _NO_VALUE,
    "item": _NO_VALUE,
    "eval": _NO_VALUE,
    "tolist": _NO_VALUE,
    "detach": "gradients go where sc.grad is told to go",
    "backward": "gradients are expressions: sc.grad(loss, parameters)",
    "grad": "gradients are expressions: sc.grad(loss, parameters)",
}


def array_method(name: str) -> str:
    """A hint for an attribute that expressions do not have; empty if there is none."""
    advice = _ARRAY_METHODS.get(name)
    return "" if advice is None else f"; {advice}" if " " in advice or "." in advice else f"; did you mean {advice!r}?"


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
    first = next((name for name, p in parameters.items() if p.default is p.empty), None)

    @wraps(function)
    def checked(*args, **kwargs):
        for name in kwargs:
            if name not in parameters:
                is_init = function.__name__ == "__init__"  # perhaps one that a class without its own inherits
                shown = type(args[0]).__name__ if is_init else function.__qualname__
                raise InputError(f"{shown} has no keyword {name!r}", hint=meant(name, known))
        if kwargs and not args and first is not None and first not in kwargs:
            # As if it made a function with these options: cross_entropy(label_smoothing=0.1), f1(average="macro").
            given = ", ".join(f"{name}={value!r:.40}" for name, value in kwargs.items())
            raise InputError(
                f"{function.__qualname__} is given options alone, and no {first}",
                hint=f"with options for later calls it is functools.partial({function.__qualname__}, {given})",
            )
        return function(*args, **kwargs)

    return checked


def takes(function, arguments: int) -> bool:
    """Whether `function` may be called with so many arguments, without names; functions in C that do not say may.

    Examples
    --------
    >>> takes(lambda epoch, history: None, 2), takes(lambda epoch: None, 2)
    (True, False)
    """
    try:
        inspect.signature(function).bind(*[None] * arguments)
    except TypeError:
        return False
    except ValueError:
        return True
    return True


def checked_count(what: str, value, low: int = 1) -> int:
    """`value` as an int, at least `low`.

    Raises
    ------
    InputError
        If `value` is no whole number, or less.

    Examples
    --------
    >>> checked_count("epochs", 0)
    Traceback (most recent call last):
    symcnn.errors.InputError: epochs is a whole number, at least 1
      where:    ...
      found:    0
    """
    if not isinstance(value, Integral) or isinstance(value, bool) or value < low:
        raise InputError(f"{what} is a whole number, at least {low}", found=repr(value))
    return int(value)


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
