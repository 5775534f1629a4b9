"""What people of other libraries give to fit, compile_step and evaluate."""

import numpy as np
import pytest

import symcnn as sc
from symcnn.errors import InputError, SymcnnError

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
