"""The training step: loss, gradients and updates as one compiled function."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np

import symcnn as sc
from symcnn.arrays import as_numpy
from symcnn.backends.base import backend
from symcnn.errors import DTypeError, InputError, ShapeError
from symcnn.ir.variable import in_scope
from symcnn.keywords import checked_keywords, meant, takes
from symcnn.nn import Activation, Module, Parameters, Trace, freeze


class Step:
    """A compiled training step; made by `compile_step`.

    Attributes
    ----------
    model, loss, optimizer, device, mode, penalty, constraint
        As given.
    function : symcnn.Function or None
        The compiled function, with its ``stages``, ``kernels`` and ``memory_plan``; ``None`` before the first
        call or `compile`.
    """

    def __init__(self, model, loss, optimizer, device="cpu", mode="fast", penalty=None, constraint=None):
        self.model, self.loss, self.optimizer = model, loss, optimizer
        self.device, self.mode = device, mode
        self.penalty, self.constraint = penalty, constraint
        self.function: sc.Function | None = None
        self._frozen: set[str] = set()  # paths of what the function leaves as it is
        self._freezes = 0  # how often had been frozen when it was built

    def __call__(self, X, labels) -> float:
        """Train on one batch.

        Parameters
        ----------
        X : array_like
            (n, ...): uint8, or cast to the dtype of the parameters. Or an array on the step's device, as it is.
        labels : array_like
            (n, ...): what the loss compares with.

        Returns
        -------
        float
            The loss before the update, without the penalty: what the loss of another data set compares with.

        Raises
        ------
        ShapeError
            If images and labels are not equally many, or do not fit the model.
        """
        X, labels = checked_batch(self.model, X, labels, self.device)
        return float(np.asarray(self._built(X, labels)(X, labels)))

    def upload(self, X, labels) -> tuple:
        """The batch as the step takes it, on its device: a GPU is sent the next one while it computes."""
        X, labels = checked_batch(self.model, X, labels, self.device)
        upload = backend(self.device).upload
        return upload(X), upload(labels)

    def begin(self, X, labels):
        """Train on a batch that was uploaded; the loss as an array, on a GPU one that it is still computing."""
        return self._built(X, labels)(X, labels)

    def compile(self, X, labels):
        """Build and plan the function for batches like (X, labels), train nothing, and return it."""
        X, labels = checked_batch(self.model, X, labels, self.device)
        return self._built(X, labels).bind(x=X.shape, labels=labels.shape)

    # ---- looking inside

    @property
    def memory_plan(self):
        """Bytes of a step, as `symcnn.Function.memory_plan` knows them for the latest batch size."""
        return self._compiled().memory_plan

    @property
    def kernels(self):
        """The kernels of a step, as `symcnn.Function.kernels` lists them."""
        return self._compiled().kernels

    @property
    def stages(self):
        """The step at every stage of the compiler; see `symcnn.Function.stages`."""
        return self._compiled().stages

    def explain(self):
        """What each stage of the compiler did; see `symcnn.Function.explain`."""
        return self._compiled().explain()

    def profile(self, X, labels, repeat: int = 10):
        """The time of each kernel over `repeat` steps on this batch, which train; see `symcnn.Function.profile`."""
        X, labels = checked_batch(self.model, X, labels, self.device)
        return self._built(X, labels).profile(X, labels, repeat=repeat)

    def _compiled(self):
        if self.function is None:
            raise InputError(
                "this step is not compiled yet, so there is nothing to look at",
                hint="step.compile(X, labels) compiles it for batches like that and trains nothing",
            )
        return self.function

    def __repr__(self):
        loss = getattr(getattr(self.loss, "func", self.loss), "__name__", type(self.loss).__name__)
        trains = f"{type(self.model).__name__} of {self.model.parameters().count:,} parameters"
        optimizer = f"{type(self.optimizer).__name__} at rate {self.optimizer.learning_rate:g}"
        compiled = "not compiled yet" if self.function is None else f"{len(self.function.program.steps)} kernels"
        return f"<Step: {trains}, {loss}, {optimizer}, on {self.device}: {compiled}>"

    def _built(self, X, labels):
        """The function, built from the types of the first batch, and again when others of the arrays are frozen."""
        if self._freezes != freeze.changes():
            self._freezes = freeze.changes()
            if self.function is not None and freeze.frozen_paths(self.model) != self._frozen:
                calls, self.function = self.function.calls, self._build(X, labels)
                self.function.calls = calls
        if self.function is None:
            self.function = self._build(X, labels)
        return self.function

    def _build(self, X, labels):
        x, t = symbolic_batch(X, labels, self.model.in_shape)
        graph = self.graph(x, t)
        self._frozen = freeze.frozen_paths(self.model)
        return sc.function([x, t], graph.cost, updates=graph.updates, device=self.device, mode=self.mode)

    def _warn_of_softmax(self, trace, output):
        """The classic that raises nothing: probabilities given to a loss that expects logits learn, but slowly."""
        ends = [module for module, made in trace.outputs if made is output and isinstance(module, Activation)]
        if getattr(self.loss, "func", self.loss) is sc.losses.cross_entropy and any(m.name == "softmax" for m in ends):
            warnings.warn(
                "cross_entropy takes scores before softmax, and this network ends with one: leave the Softmax() out",
                stacklevel=2,
            )

    def graph(self, x, t) -> StepGraph:
        """What a step consists of, as expressions of the images `x` and the labels `t`; nothing is compiled.

        The optimiser's slots are those of this step: an expression of theirs has the values that training gave them.
        """
        with Trace() as trace:
            output = self.model(x, training=True)
        self._warn_of_softmax(trace, output)
        with in_scope("loss"):
            cost = self.loss(output, t)
        if not isinstance(cost, sc.Variable) or cost.ndim != 0:
            found = cost.shape if isinstance(cost, sc.Variable) else repr(cost)
            raise ShapeError("the loss must be one number per batch", found=found, hint="reduce it with sc.mean")
        trainable = self.model.trainable()
        if not trainable:
            raise InputError(
                "the model has no parameters to train", found=f"{type(self.model).__name__}: "
                f"{len(self.model.parameters())} parameters, all frozen" if self.model.parameters() else repr(self.model),
            )  # fmt: skip
        for rule in (self.optimizer, self.penalty, self.constraint):
            if (check := getattr(rule, "check", None)) is not None:  # that its patterns of paths match anything
                check(self.model.parameters().keys())
        with in_scope("penalty"):
            penalty = None if self.penalty is None else self.penalty(trainable)
        gradients = sc.grad(cost if penalty is None else cost + penalty, list(trainable))
        with in_scope("optimizer"):
            updates = self.optimizer.updates(trainable, gradients)
        if self.constraint is not None:
            for path, parameter in trainable.items():
                updates[parameter] = self.constraint(path, parameter, updates[parameter])
        return StepGraph(cost, trainable, gradients, {**updates, **trace.updates}, trace)


@dataclass(frozen=True, eq=False)
class StepGraph:
    """The expressions of one step.

    Attributes
    ----------
    cost : Variable
        The loss, without the penalty.
    trainable : Parameters
    gradients : list of Variable
        Of the loss with its penalty; one per parameter.
    updates : dict
        ``{Shared: its next value}``: parameters, slots of the optimiser, states of the model.
    trace : Trace
        What each module put out.
    """

    cost: sc.Variable
    trainable: Parameters
    gradients: list[sc.Variable]
    updates: dict
    trace: Trace


@checked_keywords
def compile_step(
    model, loss=None, optimizer=None, device: str = "cpu", mode: str = "fast", penalty=None, constraint=None
) -> Step:
    """A training step of `model`: call it with a batch, it updates the parameters and returns the loss.

    Parameters
    ----------
    model : Module
    loss : callable, optional
        ``loss(logits, labels) -> scalar Variable``; `symcnn.losses.cross_entropy` by default. Of a model that puts out
        several things in training, it is given all of them as a tuple.
    optimizer : Optimizer, optional
        ``SGD(0.01, momentum=0.9)`` by default.
    device : str
        "cpu", "cuda" or "reference"; see `symcnn.function`. On a GPU, parameters and the optimiser's memory stay there.
    mode : str
        "fast", or "debug" to check every kernel and stop at the first NaN.
    penalty : callable, optional
        ``penalty(parameters) -> scalar Variable``, added to the loss that is differentiated; see `symcnn.regularize`.
    constraint : callable, optional
        ``constraint(path, parameter, value) -> value``: what becomes of the new value of each parameter.

    Returns
    -------
    Step
        Built at its first call, when the types of images and labels are known. Other batch sizes compile nothing; a
        step whose model was frozen or released since is built anew.

    Raises
    ------
    InputError
        For a loss, penalty or constraint that is not callable, or an optimizer that is none.

    Examples
    --------
    >>> import symcnn as sc
    >>> model = sc.models.mlp([2, 8, 2])
    >>> step = compile_step(model, optimizer=sc.optim.SGD(0.5), device="reference")
    >>> X, labels = np.array([[0.0, 1.0], [1.0, 0.0]]), np.array([0, 1])
    >>> losses = [step(X, labels) for _ in range(20)]
    >>> losses[-1] < 0.1 < losses[0]
    True
    """
    loss = sc.losses.cross_entropy if loss is None else loss
    optimizer = sc.optim.SGD(0.01, momentum=0.9) if optimizer is None else optimizer
    check_model("compile_step", model)
    check_loss("compile_step", loss)
    if isinstance(optimizer, type) or not hasattr(optimizer, "updates"):
        raise InputError(
            "compile_step: this is no optimizer", expected="an object such as sc.optim.SGD(0.01)", found=repr(optimizer),
            hint=f"this is the class; an optimizer is {optimizer.__name__}()" if isinstance(optimizer, type)
            else meant(optimizer, sc.optim.__all__) if isinstance(optimizer, str) else None,
        )  # fmt: skip
    for name, given, arguments in (
        ("penalty", penalty, ("parameters",)),
        ("constraint", constraint, ("path", "parameter", "value")),
    ):
        if given is not None and (isinstance(given, type) or not callable(given)):
            hint = f"this is the class; a {name} is {given.__name__}(...)" if isinstance(given, type) else None
            raise InputError(f"compile_step: the {name} is not callable", found=repr(given), hint=hint)
        if given is not None and not takes(given, len(arguments)):
            form = f"{name}({', '.join(arguments)})"
            raise InputError(f"compile_step: the {name} has other arguments", expected=form, found=repr(given))
    return Step(model, loss, optimizer, device, mode, penalty, constraint)


def check_model(what: str, model) -> None:
    """InputError unless `model` is a Module."""
    if isinstance(model, Module):
        return
    named = getattr(model, "__name__", None)
    raise InputError(
        f"{what}: this is no network", expected="a Module, such as sc.models.lenet()", found=type(model).__name__,
        hint=f"{named} makes one when it is called: {named}(...)" if named and callable(model) else None,
    )  # fmt: skip


def check_loss(what: str, loss) -> None:
    """InputError unless `loss` can be called with outputs and labels."""
    if not callable(loss):
        raise InputError(
            f"{what}: the loss is not callable", expected="a function such as sc.losses.cross_entropy", found=repr(loss),
            hint=meant(loss, sc.losses.__all__) if isinstance(loss, str)
            else "images and labels are one argument: (images, labels)" if hasattr(loss, "shape") else None,
        )  # fmt: skip
    if not takes(loss, 2):
        raise InputError(
            f"{what}: the loss does not take two arguments", expected="loss(outputs, labels) -> one number"
        )


def symbolic_batch(X, labels, in_shape=None):
    """Symbolic inputs for batches like these; how many examples stays unknown.

    So do the sizes that `in_shape`, that of the model, leaves open, in images and in labels of their pixels.
    """
    image, target = X.shape[1:], labels.shape[1:]
    if in_shape is not None and None in in_shape:
        image = tuple(in_shape)
        if target[-2:] == X.shape[-2:]:
            target = (*target[:-2], *image[-2:])
    return sc.input("x", (None, *image), X.dtype), sc.input("labels", (None, *target), labels.dtype)


def checked_batch(model, X, labels, device: str = "reference"):
    """Images as the model takes them; labels as int64, or floats in the dtype of the model.

    What lives on the `device` stays there, and is as it is.
    """
    X, targets = model.as_input(X, device), backend(device).device_array(labels)
    labels = np.asarray(as_numpy(labels)) if targets is None else targets
    if labels.ndim == 0 or labels.shape[0] != X.shape[0]:
        found = f"labels of shape {labels.shape}"
        raise ShapeError("one label per image", expected=f"{X.shape[0]} labels", found=found)
    if targets is not None:
        return X, targets
    if labels.dtype.kind in "iu":
        if labels.dtype == np.uint64 and labels.size and labels.max() > np.iinfo("int64").max:
            raise InputError("a label does not fit int64", found=labels.max())
        return X, labels.astype("int64", copy=False)
    if labels.dtype.kind not in "fb":
        raise DTypeError("labels are integers or floats", found=labels.dtype)
    return X, labels.astype(model.dtype, copy=False)
