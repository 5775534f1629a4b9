"""What all losses refuse, and that the error says what to do."""

from functools import partial

import numpy as np
import pytest

import symcnn as sc

ELEMENTWISE = [
    sc.losses.squared_error,
    sc.losses.absolute_error,
    sc.losses.huber,
    sc.losses.binary_cross_entropy,
    sc.losses.hinge,
]
OF_CLASSES = [sc.losses.cross_entropy, sc.losses.kullback_leibler, sc.losses.dice, sc.losses.iou]


def named(loss):
    return loss.__name__


def logits(*shape, dtype=None):
    return sc.input("z", shape, dtype)


@pytest.mark.parametrize("loss", ELEMENTWISE, ids=named)
@pytest.mark.parametrize("shape", [(None,), (None, 4), (None, 1, 3)])
def test_shapes_are_not_broadcast(loss, shape):
    with pytest.raises(sc.ShapeError, match="differ in shape"):
        loss(logits(None, 3), sc.input("t", shape))


@pytest.mark.parametrize("loss", [*ELEMENTWISE, *OF_CLASSES], ids=named)
def test_predictions_are_floats(loss):
    with pytest.raises(sc.DTypeError, match="predictions are floats"):
        loss(logits(None, 3, dtype="int64"), sc.input("t", (None, 3)))


@pytest.mark.parametrize("loss", [*ELEMENTWISE, *OF_CLASSES], ids=named)
def test_several_outputs_need_a_loss_for_them(loss):
    with pytest.raises(sc.InputError, match="several outputs") as error:
        loss((logits(None, 3), logits(None, 3)), sc.input("t", (None, 3)))
    assert "with_auxiliary" in error.value.hint


@pytest.mark.parametrize("loss", [*ELEMENTWISE, *OF_CLASSES[:2]], ids=named)
def test_reductions(loss):
    with pytest.raises(sc.InputError, match="no reduction 'maen'") as error:
        loss(logits(None, 3), sc.input("t", (None, 3)), reduction="maen")
    assert "'mean'" in error.value.hint


@pytest.mark.parametrize("loss", [*ELEMENTWISE, *OF_CLASSES], ids=named)
def test_misspelt_options(loss):
    with pytest.raises(sc.InputError, match="no keyword"):
        partial(loss, ignor_index=255)(logits(None, 3), sc.input("t", (None, 3)))


@pytest.mark.parametrize("loss", OF_CLASSES, ids=named)
def test_a_class_axis_is_needed(loss):
    with pytest.raises(sc.ShapeError, match="class"):
        loss(logits(None), sc.input("t", (None,)))


@pytest.mark.parametrize("loss", [sc.losses.dice, sc.losses.iou, partial(sc.losses.cross_entropy, label_smoothing=0.1)])
def test_the_number_of_classes_must_be_known(loss):
    with pytest.raises(sc.ShapeError, match="number of classes must be known"):
        loss(logits(None, None), sc.input("t", (None,), "int64"))


@pytest.mark.parametrize("loss", OF_CLASSES, ids=named)
def test_one_hot_integers(loss):
    if loss in (sc.losses.dice, sc.losses.iou):  # which tell classes from masks by the dtype
        return
    with pytest.raises(sc.DTypeError, match="no class indices") as error:
        loss(logits(None, 3), sc.input("t", (None, 3), "int64"))
    assert "astype('float32')" in error.value.hint


@pytest.mark.parametrize("loss", [sc.losses.cross_entropy, sc.losses.dice, sc.losses.iou], ids=named)
def test_ignore_index(loss):
    with pytest.raises(sc.SymcnnError, match="integer labels"):
        loss(logits(None, 3), sc.input("t", (None, 3)), ignore_index=0)
    for wrong in (1.5, True, "void"):
        with pytest.raises(sc.DTypeError, match="one integer"):
            loss(logits(None, 3), sc.input("t", (None,), "int64"), ignore_index=wrong)


@pytest.mark.parametrize(
    ("loss", "name"),
    [(sc.losses.cross_entropy, "weights"), (sc.losses.binary_cross_entropy, "weights"), (sc.losses.binary_cross_entropy, "pos_weight")],
)  # fmt: skip
def test_weights_of_classes(loss, name):
    z, t = logits(None, 3), sc.input("t", (None, 3))
    for wrong in ([1, 2], np.ones((1, 3))):
        with pytest.raises(sc.ShapeError, match="one weight per class"):
            loss(z, t, **{name: wrong})
    for wrong in ([1, -1, 1], [1, np.nan, 1]):
        with pytest.raises(sc.InputError, match="not negative"):
            loss(z, t, **{name: wrong})
    for wrong in ({0: 1.0, 1: 2.0, 2: 1.0}, "balanced"):
        with pytest.raises(sc.InputError, match="numbers, one per class") as error:
            loss(z, t, **{name: wrong})
        assert "class_weights()" in error.value.hint


@pytest.mark.parametrize("wrong", [-0.1, 1.5, "much", None])
def test_label_smoothing(wrong):
    with pytest.raises(sc.InputError, match="label_smoothing"):
        sc.losses.cross_entropy(logits(None, 3), sc.input("t", (None,), "int64"), label_smoothing=wrong)


def test_options_reach_a_training_step():
    model = sc.models.mlp([3, 4])
    X, labels = np.eye(3, dtype="float32"), np.array([0, 3, 255])
    loss = partial(sc.losses.cross_entropy, ignore_index=255)
    step = sc.train.compile_step(model, loss=loss, device="reference")
    kept = sc.train.evaluate(model, (X[:2], labels[:2]), device="reference")["loss"]
    assert step(X, labels) == pytest.approx(kept, rel=1e-6)
