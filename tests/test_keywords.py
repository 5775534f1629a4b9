"""Typos get a hint, and numbers that are none an error."""

import contextlib
import inspect

import numpy as np
import pytest

import symcnn as sc
from symcnn.errors import InputError
from symcnn.keywords import ELSEWHERE, checked_count, checked_keywords, checked_number, nearest, takes


def test_nearest():
    assert nearest("momentun", ["momentum", "rate"]) == "did you mean 'momentum'?"
    assert nearest("xyz", ["momentum", "rate"]) == "known: momentum, rate"


def test_known_keywords_pass_and_open_signatures_stay():
    assert checked_keywords(lambda a, b=2: (a, b))(1, b=3) == (1, 3)
    open_function = lambda **options: options  # noqa: E731
    assert checked_keywords(open_function) is open_function


@pytest.mark.parametrize("value", [0, -1, True, 2.0, "3", None])
def test_what_counts_nothing(value):
    with pytest.raises(InputError, match="steps is a whole number, at least 1"):
        checked_count("steps", value)
    assert [checked_count("steps", n, 0) for n in (0, np.int8(5), 2**70)] == [0, 5, 2**70]


def test_how_many_arguments():
    assert takes(lambda a, b=1: a, 1) and takes(lambda a, b=1: a, 2) and takes(print, 5) and takes(np.exp, 1)
    assert not takes(lambda a, *, b: a, 1) and not takes(lambda: 0, 1) and not takes(lambda a: a, 2)


def test_missing_arguments_stay_type_errors():
    @checked_keywords
    def f(a, *, b):
        return a

    with pytest.raises(TypeError):
        f(1)
    with pytest.raises(InputError, match="has no keyword 'c'"):
        f(1, c=2)


@pytest.mark.parametrize("value", [3, 0.5, np.float32(0.5), np.int64(3), 0])
def test_numbers_pass_as_floats(value):
    found = checked_number("rate", value, 0)
    assert type(found) is float and found == value


@pytest.mark.parametrize(
    "value", ["3", None, [3.0], True, 3j, np.ones(2), -1, 5, float("nan"), float("inf"), float("-inf")]
)
def test_what_is_no_number_or_lies_outside(value):
    with pytest.raises(InputError, match="the rate is") as error:
        checked_number("the rate", value, 0, 5)
    assert error.value.expected == "0 <= rate < 5"
    with pytest.raises(InputError):
        checked_number("the rate", 0, 0, 5, strict=True)
    with pytest.raises(InputError):
        checked_number("the rate", float("-inf"))


@pytest.mark.parametrize(
    ("make", "hint"),
    [
        (lambda: sc.nn.Conv2d(1, 2, kernel_size=3), "did you mean 'window'?"),
        (lambda: sc.nn.Conv2d(1, filters=2, window=3), "did you mean 'out_channels'?"),
        (lambda: sc.nn.Conv2d(1, 2, 3, padding_mode="reflect"), "sc.nn.Pad2d"),
        (lambda: sc.nn.Dense(3, units=2), "did you mean 'out_features'?"),
        (lambda: sc.nn.Dense(3, 2, activation="relu"), "sc.nn.ReLU"),
        (lambda: sc.nn.BatchNorm(num_features=3), "did you mean 'channels'?"),
        (lambda: sc.nn.BatchNorm(3, eps=1e-3), "did you mean 'epsilon'?"),
        (lambda: sc.nn.Dropout(p=0.5), "did you mean 'rate'?"),
        (lambda: sc.nn.Dropout(keep_prob=0.5), "1 - keep_prob"),
        (lambda: sc.nn.LeakyReLU(negative_slope=0.1), "did you mean 'slope'?"),
        (lambda: sc.nn.Softmax(dim=1), "did you mean 'axis'?"),
        (lambda: sc.nn.MaxPool2d(pool_size=2), "did you mean 'window'?"),
        (lambda: sc.optim.SGD(lr=0.1), "did you mean 'learning_rate'?"),
        (lambda: sc.mean(sc.input("x", (2, 3)), dim=1), "did you mean 'axis'?"),
        (lambda: sc.sum(sc.input("x", (2, 3)), keepdim=True), "did you mean 'keepdims'?"),
        (lambda: sc.models.lenet(num_classes=3), "did you mean 'classes'?"),
        (lambda: sc.train.fit(None, None, batch=3), "did you mean 'batch_size'?"),
        (lambda: sc.train.compile_step(None, criterion=3), "did you mean 'loss'?"),
        (lambda: sc.train.fit(None, None, validation_split=0.1), "train.split(0.1)"),
        (lambda: sc.train.fit(None, None, lr=0.1), "sc.optim.SGD"),
        (lambda: sc.train.fit(None, None, class_weight={0: 2.0}), "weights="),
        (lambda: sc.models.resnet18(pretrained=True), "load_matching"),
        (lambda: sc.data.transforms.RandomFlip(p=0.5), "did you mean 'probability'?"),
        (lambda: sc.nn.Dense(3, 2, init="kaiming_normal"), "did you mean 'he_normal'?"),
        (lambda: sc.train.Checkpoints(filepath="runs"), "did you mean 'folder'?"),
        (lambda: sc.train.EarlyStopping(restore_best_weights=True), "did you mean 'restore_best'?"),
        (lambda: sc.models.googlenet(aux_logits=False), "did you mean 'auxiliary'?"),
        (lambda: sc.train.fit(None, None, labels=3), "(images, labels)"),
    ],
)
def test_names_of_other_libraries_are_translated(make, hint):
    with pytest.raises(InputError) as error:
        make()
    assert hint in error.value.hint


def test_a_translation_is_a_name_that_something_has():
    """No entry of the table is out of date."""
    packages = (sc.nn, sc.losses, sc.optim, sc.init, sc.metrics, sc.regularize, sc.data, sc.data.transforms, sc.train)
    modules = (sc, sc.models, *packages)
    functions = [getattr(f, "__init__", f) if isinstance(f, type) else f for m in modules for f in vars(m).values()]
    known = set()
    for function in filter(callable, functions):
        with contextlib.suppress(ValueError, TypeError):
            known |= set(inspect.signature(function).parameters)
    assert not set(ELSEWHERE) - known - {name for package in packages for name in package.__all__}


@pytest.mark.parametrize(
    ("name", "hint"),
    [("Linear", "Dense"), ("BatchNorm2d", "BatchNorm"), ("Conv2D", "Conv2d"), ("MaxPooling2D", "MaxPool2d"),
     ("Dropout2d", "SpatialDropout"), ("ModuleList", "plain Python list")],
)  # fmt: skip
def test_layers_of_other_libraries(name, hint):
    with pytest.raises(AttributeError, match=hint):
        getattr(sc.nn, name)
    assert not hasattr(sc.nn, name)


@pytest.mark.parametrize(
    ("package", "name", "hint"),
    [("losses", "MSELoss", "squared_error"), ("losses", "CrossEntropyLoss", "cross_entropy"), ("optim", "RMSprop", "RMSProp"),
     ("optim", "ReduceLROnPlateau", "Plateau"), ("optim", "StepLR", "step_decay"), ("init", "xavier_uniform", "glorot_uniform"),
     ("metrics", "Accuracy", "accuracy"), ("train", "ModelCheckpoint", "Checkpoints"), ("data", "DataLoader", "Dataset"),
     ("train", "ReduceLROnPlateau", "sc.optim.Plateau"), ("nn", "CrossEntropyLoss", "sc.losses.cross_entropy"),
     ("regularize", "l2", "L2"), ("regularize", "L1L2", "penalties add up"), ("metrics", "jaccard", "iou")],
)  # fmt: skip
def test_functions_and_classes_of_other_libraries(package, name, hint):
    package = getattr(sc, package)
    with pytest.raises(AttributeError, match=f"has no {name!r}.*{hint}"):
        getattr(package, name)
    assert not hasattr(package, name)


def test_flips_of_other_libraries():
    with pytest.raises(AttributeError, match="did you mean 'RandomFlip'"):
        sc.data.transforms.RandomHorizontalFlip  # noqa: B018


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("view", "did you mean 'reshape'"),
        ("unsqueeze", r"x\[:, None\]"),
        ("backward", "sc.grad"),
        ("item", "sc.function"),
    ],
)
def test_what_an_expression_cannot_do(name, hint):
    x = sc.input("x", (None, 3))
    with pytest.raises(AttributeError, match=f"has no {name!r}.*{hint}"):
        getattr(x, name)
    assert not hasattr(x, name) and not hasattr(x, "anything")


def test_a_class_without_an_initialiser_of_its_own_is_named():
    with pytest.raises(InputError, match="Flatten has no keyword 'start_dim'"):
        sc.nn.Flatten(start_dim=1)
    with pytest.raises(InputError, match="ReLU has no keyword 'inplace'"):
        sc.nn.ReLU(inplace=True)
