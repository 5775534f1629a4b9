"""What people of other libraries ask of a model, and who does it here: the hints of an AttributeError."""

from __future__ import annotations

_MOVES = "there are no devices to move to: device= is an argument of fit, compile_step and predict"
_MODE = "nothing is switched: a step trains, predict and evaluate do not; forward(x, training) is told which it is"
_GRADIENTS = "gradients are expressions: sc.grad(loss, model.parameters()); a training step has them inside"
_LAYERS = "layers are arguments: sc.nn.Sequential(sc.nn.Conv2d(1, 8, 3), sc.nn.ReLU(), ...)"
_ATTRIBUTE = "an attribute that is a Module, a sc.shared(array) or a sc.nn.State counts; nothing is registered"
_FREEZE = "model.freeze('conv*') and model.unfreeze('conv*')"

ELSEWHERE = {
    "fit": "sc.train.fit(model, (images, labels), epochs=10)",
    "fit_generator": "sc.train.fit(model, dataset), which reads batch by batch",
    "train_on_batch": "step = sc.train.compile_step(model); step(images, labels)",
    "compile": "loss and optimizer are arguments of sc.train.fit, or of sc.train.compile_step",
    "evaluate": "sc.train.evaluate(model, (images, labels))",
    "train": _MODE,
    "eval": _MODE,
    "training": _MODE,
    "to": _MOVES,
    "cuda": _MOVES,
    "cpu": _MOVES,
    "zero_grad": _GRADIENTS,
    "backward": _GRADIENTS,
    "add": _LAYERS,
    "append": _LAYERS,
    "add_module": _ATTRIBUTE,
    "register_module": _ATTRIBUTE,
    "register_parameter": _ATTRIBUTE,
    "register_buffer": _ATTRIBUTE,
    "add_weight": _ATTRIBUTE,
    "requires_grad_": _FREEZE,
    "state_dict": "model.variables() has all arrays by path; model.save(path) writes them",
    "load_state_dict": "model.load(path), or sc.nn.load_matching(model, path) for those that fit",
    "save_weights": "model.save(path)",
    "load_weights": "model.load(path), or sc.nn.load_matching(model, path) for those that fit",
    "get_weights": "model.variables().items() has (path, Shared); the array is shared.get_value()",
    "set_weights": "model.variables()[path].set_value(array)",
    "named_parameters": "model.parameters().items()",
    "named_modules": "model.modules().items()",
    "named_children": "model.parts().items()",
    "children": "model.parts().values()",
    "buffers": "model.states()",
    "weights": "model.variables()",
    "trainable_weights": "model.trainable()",
    "trainable_variables": "model.trainable()",
    "count_params": "model.parameters().count",
    "layers": "model.parts()",
    "apply": "initial values are arguments of layers, init=",
    "predict_classes": "model.predict(X).argmax(axis=1)",
    "predict_proba": "the outputs are logits: sc.softmax within the graph, or a sc.nn.Softmax() at the end",
    "call": "forward(x, training)",
}


def absent(module, name: str) -> AttributeError:
    """The error for an attribute that `module` does not have.

    Examples
    --------
    >>> import symcnn as sc
    >>> absent(sc.nn.ReLU(), "train_on_batch")
    AttributeError("ReLU has no 'train_on_batch'; step = sc.train.compile_step(model); step(images, labels)")
    """
    hint = ELSEWHERE.get(name)
    # Python's own "did you mean" looks among the attributes of `obj`, and only when the error is shown.
    return AttributeError(
        f"{type(module).__name__} has no {name!r}" + (f"; {hint}" if hint else ""), name=name, obj=module
    )
