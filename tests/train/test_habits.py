"""What people of other libraries give to fit, compile_step and evaluate."""

import numpy as np
import pytest

import symcnn as sc
from symcnn.errors import FileError, InputError, SymcnnError

X, LABELS = np.ones((4, 3), "float32"), np.array([0, 1, 0, 1])


def fit(*data, model=None, **options):
    model = sc.models.mlp([3, 2]) if model is None else model
    return sc.train.fit(model, *data or ((X, LABELS),), epochs=1, device="reference", progress=False, **options)


@pytest.mark.parametrize(
    ("act", "hint"),
    [
        (lambda: fit(loss="mse"), "did you mean 'squared_error'?"),
        (lambda: fit(loss="sparse_categorical_crossentropy"), "did you mean 'cross_entropy'?"),
        (lambda: fit(optimizer="adam"), "did you mean 'Adam'?"),
        (lambda: fit(optimizer=sc.optim.Adam), "an optimizer is Adam()"),
        (lambda: fit(schedule="cosine"), "did you mean 'cosine_decay'?"),
        (lambda: fit((X, LABELS), (X, LABELS), metrics=["accuracy"]), "measured anyway"),
        (lambda: fit((X, LABELS), (X, LABELS), metrics=["f1_score"]), "did you mean 'f1'?"),
        (lambda: fit(X, LABELS), "(images, labels)"),
        (lambda: fit((X, LABELS), 0.1), "train.split(0.1)"),
        (lambda: fit(model=sc.models.lenet), "lenet(...)"),
        (lambda: sc.train.evaluate(sc.models.mlp([3, 2]), (X, LABELS), loss="mae"), "did you mean 'absolute_error'?"),
        (lambda: sc.train.evaluate(sc.models.mlp([3, 2]), X, LABELS), "(images, labels)"),
        (lambda: fit((X, LABELS.astype("float32"))), "labels.astype('int64')"),
        (lambda: fit((X, LABELS[:, None])), "labels[:, 0]"),
        (lambda: fit(loss=sc.losses.squared_error), "np.eye(classes)[labels]"),
        (lambda: fit(model=sc.models.mlp([3, 1]), loss=sc.losses.binary_cross_entropy), "labels[:, None]"),
    ],
)
def test_the_hint_says_what_was_meant(act, hint):
    with pytest.raises(SymcnnError) as error:
        act()
    assert hint in error.value.hint


@pytest.mark.parametrize("schedule", [sc.optim.cosine_decay, sc.optim.warmup, sc.optim.Plateau])
def test_a_maker_of_schedules_is_none(schedule):
    with pytest.raises(InputError, match=f"{schedule.__name__} makes schedules"):
        fit(schedule=schedule)


def test_what_was_compiled_for_another_model():
    other = sc.models.mlp([3, 2])
    with pytest.raises(InputError, match="the step is of another model"):
        fit(step=sc.train.compile_step(other, device="reference"))
    with pytest.raises(InputError, match="the evaluation is of another model"):
        fit((X, LABELS), (X, LABELS), evaluation=sc.train.compile_evaluation(other, device="reference"))


def test_a_penalty_is_an_object():
    with pytest.raises(InputError, match="the penalty is not callable") as error:
        sc.train.compile_step(sc.models.mlp([3, 2]), penalty=sc.regularize.L2)
    assert error.value.hint == "this is the class; a penalty is L2(...)"


@pytest.mark.parametrize(
    ("act", "says"),
    [
        (lambda: fit(loss=lambda outputs: sc.mean(outputs)), "the loss does not take two"),
        (lambda: fit(penalty=lambda: 0), "the penalty has other arguments"),
        (lambda: fit(constraint=lambda value: value), "the constraint has other arguments"),
        (lambda: fit(metrics=sc.metrics.mean_iou), "metrics are measured in the validation"),
        (lambda: sc.losses.cross_entropy(label_smoothing=0.1), "options alone"),
        (lambda: sc.metrics.f1(average="macro"), "options alone"),
        (lambda: sc.optim.SGD(sc.optim.cosine_decay(3)), "learning_rate is a number"),
    ],
)
def test_functions_of_another_form(act, says):
    with pytest.raises(InputError, match=says):
        act()


def test_options_alone_are_for_later():
    with pytest.raises(InputError) as error:
        sc.losses.cross_entropy(label_smoothing=0.1, reduction="sum")
    assert "functools.partial(cross_entropy, label_smoothing=0.1, reduction='sum')" in error.value.hint


def test_resume_is_a_folder():
    with pytest.raises(InputError, match="resume names the folder"):
        fit(resume=True)


def test_a_history_without_validation_says_so():
    history = fit()
    with pytest.raises(KeyError, match="no 'val_loss' in the history; it is measured on a validation set"):
        history["val_loss"]
    assert history.get("val_loss") is None and "val_loss" not in history


def test_a_checkpoint_given_as_weights(tmp_path):
    model = sc.models.mlp([3, 2])
    fit(model=model, callbacks=[sc.train.Checkpoints(tmp_path)])
    path, other = next(tmp_path.glob("*.safetensors")), sc.models.mlp([3, 2], seed=7)
    with pytest.raises(FileError, match="is a checkpoint") as error:
        other.load(path)
    assert "removeprefix('model/')" in error.value.hint
    sc.nn.load_matching(other, path, rename=lambda name: name.removeprefix("model/"))
    np.testing.assert_array_equal(other.predict(X, device="reference"), model.predict(X, device="reference"))


def test_a_data_set_is_not_indexed():
    data = sc.data.Dataset(X, LABELS)
    for rows in (0, slice(2)):
        with pytest.raises(InputError, match="not indexed"):
            data[rows]
    with pytest.raises(InputError, match="split"):
        data.split("0.1")


def test_training_and_test_set_at_once():
    data = sc.data.Dataset(X, LABELS)
    with pytest.raises(InputError, match="the images are a data set") as error:
        fit((data, data))
    assert "(train, test)" in error.value.hint


def test_normalize_takes_numbers_for_one_channel():
    images = np.ones((2, 1, 3, 3))
    np.testing.assert_array_equal(sc.data.Normalize(0.5, 0.5)(images), images)


@pytest.mark.parametrize("end", [sc.nn.Softmax(), sc.nn.Activation("softmax")])
def test_softmax_twice(end):
    model = sc.nn.Sequential(sc.nn.Dense(3, 2), end)
    batch = np.ones((2, 3)), np.array([0, 1])
    with pytest.warns(UserWarning, match="leave the Softmax"):
        sc.train.compile_step(model, device="reference")(*batch)
    sc.train.compile_step(sc.nn.Sequential(sc.nn.Dense(3, 2)), device="reference")(*batch)


def test_the_rate_by_another_name():
    optimizer = sc.optim.SGD(0.1)
    with pytest.raises(sc.InputError, match="did you mean 'learning_rate'"):
        optimizer.lr = 0.01
