"""The state of a run: all that decides how it goes on, so that a resumed run ends with the same bits.

Weights and states of the model, the optimiser's rate and slots, the number of the step (which is the state of all
random numbers), the position in the data, the history, and what schedule and callbacks remember. The order of the
examples and their augmentation follow from seed, epoch and batch alone, so they need no state.
"""

from __future__ import annotations

from functools import partial
from time import perf_counter
from typing import Any

import numpy as np

from symcnn.data.lazy import name_of
from symcnn.errors import FileError
from symcnn.keywords import nearest
from symcnn.nn.freeze import frozen_paths
from symcnn.train.callback import Callback, Run
from symcnn.train.history import History

_ARRAY = "array of the checkpoint"  # stands in the JSON, with the name, where a state has an array


def snapshot(run: Run) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Arrays by name, and everything else as JSON can hold it."""
    arrays = {f"model/{path}": v.get_value() for path, v in run.model.variables().items()}
    arrays |= {f"optimizer/{name}": v.get_value() for name, v in run.step.optimizer.variables().items()}
    remembered = {"schedule": run.rate.state(), "callbacks": {n: c.state() for n, c in _named(run.callbacks).items()}}
    position = {"epoch": run.epoch, "batch": run.batch, "total_loss": run.losses.total, "examples": run.losses.examples}
    if run.epoch_is_over:
        position = {"epoch": run.epoch + 1, "batch": 0, "total_loss": 0.0, "examples": 0}
    return arrays, {
        "must agree": _must_agree(run),
        "steps_done": run.steps_done,
        "calls": run.step.function.calls if run.step.function else 0,
        "position": position,
        "seconds": perf_counter() - run.epoch_start,
        "history": dict(run.history),
        "remembered": _without_arrays(remembered, "remembered", arrays),
    }


def restore(run: Run, path, arrays: dict[str, np.ndarray], state: dict[str, Any]) -> None:
    """Put `run` where it was; if the checkpoint is of another run, nothing is changed.

    Raises
    ------
    FileError
        If a setting differs that the result depends on; it says which.
    """
    try:
        _check(path, _must_agree(run), state["must agree"])
        _check_kinds(state)
        # Slots exist once there is a function: any batch will do, since nothing is trained.
        function = run.step.compile(*next(iter(run.train.batches(run.batch_size))))
        variables = {f"model/{path}": v for path, v in run.model.variables().items()}
        variables |= {f"optimizer/{name}": v for name, v in run.step.optimizer.variables().items()}
        _check(path, _types(variables), _types({k: a for k, a in arrays.items() if not k.startswith("remembered/")}))
        remembered = _with_arrays(state["remembered"], arrays)
        states = remembered["callbacks"]
        for name, callback in _named(run.callbacks).items():
            if name not in states and type(callback).state is not Callback.state:
                raise FileError(
                    f"{path} was written without {name}", hint="give fit the callbacks that it had, or start a new run"
                )
        for name, variable in variables.items():
            variable.set_value(arrays[name])
        function.calls = state["calls"]
        run.steps_done = state["steps_done"]
        run.epoch, run.batch = state["position"]["epoch"], state["position"]["batch"]
        run.losses.start(state["position"]["total_loss"], state["position"]["examples"])
        run.epoch_start = perf_counter() - state["seconds"]
        run.history.update(History(state["history"]))
        run.rate.restore(remembered["schedule"])
        for name, callback in _named(run.callbacks).items():
            if name in states:
                callback.restore(states[name])
    except (KeyError, TypeError, AttributeError) as error:
        raise FileError(f"{path} holds another kind of state than this version of symcnn", found=repr(error)) from None
    run.resumed = True


def _must_agree(run: Run) -> dict[str, Any]:
    """What a run and the checkpoint that it resumes have in common, in words that an error can show."""
    model, step, optimizer = run.model, run.step, run.step.optimizer
    settings = {
        name: v
        for name, v in vars(optimizer).items()
        if isinstance(v, (bool, int, float, str, dict)) and name[0] != "_"
    }
    return {
        **{f"layer {path}": repr(layer) for path, layer in model.modules().items() if not layer.parts()},
        "which arrays are frozen": ", ".join(sorted(frozen_paths(model))) or "none",
        "the number of training examples": len(run.train),
        "what is done to the batches": ", ".join(map(name_of, run.train.steps)) or "nothing",
        "the loss": _words(step.loss),
        "the penalty": _words(step.penalty),
        "the constraint": _words(step.constraint),
        "the schedule": _words(run.rate.schedule),
        "the batch size": run.batch_size,
        "the seed": run.seed,
        "the learning rate": run.rate.base,
        "the optimizer": " ".join([type(optimizer).__name__, *(f"{k}={v}" for k, v in sorted(settings.items()))]),
    }


def _words(rule) -> str:
    """A function or rule by its name and options, as far as these are the same words in every process."""
    if isinstance(rule, partial):
        options = (f"{name}={_words(value)}" for name, value in sorted(rule.keywords.items()))
        return f"{_words(rule.func)}({', '.join([*map(_words, rule.args), *options])})"
    # What is callable prints with its address in memory, but for the rules of symcnn.regularize.
    return name_of(rule) if callable(rule) and not hasattr(rule, "check") else repr(rule)


def _types(arrays) -> dict[str, str]:
    return {name.replace("/", " ", 1): f"{array.dtype} {tuple(array.shape)}" for name, array in arrays.items()}


def _check(path, here: dict, there: dict) -> None:
    for name in [*here, *there]:
        if name not in here or name not in there:
            other = nearest(name, there if name in here else here)
            raise FileError(
                f"{path} is a checkpoint of another run", expected=f"{name}: {here.get(name, 'none')}",
                found=f"{name}: {there.get(name, 'none')}", hint=other if "mean" in other else None,
            )  # fmt: skip
        if here[name] != there[name]:
            raise FileError(
                f"{path} is a checkpoint of another run: {name} differs", expected=here[name], found=there[name],
                hint="resume with what the run began with, or start a new run in another folder",
            )  # fmt: skip


def _check_kinds(state: dict[str, Any]) -> None:
    """TypeError if a count or number is something else: the file has a digest, but anybody can make one."""
    position, history = state["position"], state["history"]
    counts = [state["steps_done"], state["calls"], *(position[name] for name in ("epoch", "batch", "examples"))]
    numbers = [position["total_loss"], state["seconds"], *(value for values in history.values() for value in values)]
    for value in (*counts, *numbers):
        if not isinstance(value, (int, float)) or isinstance(value, bool):
            raise TypeError(f"{value!r:.40} is no number")
    for count in counts:
        if not isinstance(count, int) or not 0 <= count < 2**63:
            raise TypeError(f"{count!r} is no count")
    if not all(isinstance(values, list) for values in history.values()):
        raise TypeError("the history consists of lists")


def _named(callbacks) -> dict[str, Callback]:
    """Callbacks by the names of their classes, numbered where there are several of one."""
    found: dict[str, Callback] = {}
    for callback in callbacks:
        name = type(callback).__name__
        count = sum(type(c).__name__ == name for c in found.values())
        found[f"{name} {count + 1}" if count else name] = callback
    return found


def _without_arrays(state, name: str, arrays: dict[str, np.ndarray]):
    """`state` with the name of each array in its place; the arrays are added to `arrays`."""
    if isinstance(state, np.ndarray):
        arrays[name] = state
        return {_ARRAY: name}
    if isinstance(state, dict):
        return {key: _without_arrays(value, f"{name}/{key}", arrays) for key, value in state.items()}
    return state


def _with_arrays(state, arrays: dict[str, np.ndarray]) -> Any:
    """The opposite of `_without_arrays`."""
    if not isinstance(state, dict):
        return state
    if state.keys() == {_ARRAY}:
        return arrays[state[_ARRAY]]
    return {key: _with_arrays(value, arrays) for key, value in state.items()}
