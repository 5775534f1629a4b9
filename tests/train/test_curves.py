"""What a history says about the training: the four illnesses by their curves, and none of the healthy."""

import numpy as np
import pytest

from symcnn.train import History, diagnose_history

EPOCH = np.arange(12)
HEALTHY = 0.3 + 2 * np.exp(-EPOCH / 2)


def signs(loss, validation=None):
    history = History(loss=list(loss))
    if validation is not None:
        history["val_loss"] = list(validation)
    return [finding.sign for finding in diagnose_history(history)]


def test_a_healthy_curve_is_left_in_peace():
    assert signs(HEALTHY) == signs(HEALTHY, HEALTHY + 0.05) == []


@pytest.mark.parametrize(
    ("loss", "validation", "sign"),
    [
        ([1.0, float("nan")], None, "not finite"),
        ([1.0, 3.0], None, "diverging"),
        (HEALTHY, 0.5 + 2 * np.exp(-EPOCH / 2) + 0.05 * EPOCH, "overfitting"),
        (0.7 + 0.1 * (-1.0) ** EPOCH, None, "restless"),
        (np.full(12, 2.302), None, "flat"),
        (2.3 - 0.05 * EPOCH, None, "slow"),
    ],
)
def test_each_illness_has_its_sign(loss, validation, sign):
    assert signs(loss, validation) == [sign]


def test_a_validation_loss_that_rises_with_the_training_loss_is_no_overfitting():
    assert "overfitting" not in signs([2, 0.5, 1, 1.2, 1.3, 1.4], [2, 0.5, 1, 1.2, 1.3, 1.4])


def test_a_validation_loss_that_never_fell_is_no_overfitting():
    assert "overfitting" not in signs(HEALTHY, 2 + 0.3 * EPOCH)


def test_a_little_noise_is_no_restlessness():
    noise = np.random.default_rng(0).normal(size=(100, 12))
    assert all(signs(HEALTHY + 0.02 * row) == [] for row in noise)


def test_a_loss_may_be_negative():
    assert signs(HEALTHY - 3) == signs(-1 - EPOCH[:6] ** 0.2, -1 - EPOCH[:6] ** 0.2) == []
    assert signs(-1 - EPOCH / 10) == ["slow"]


def test_few_epochs_and_none_say_little():
    assert signs([2.3, 2.2, 2.1]) == signs([2.3]) == signs([]) == []
    assert diagnose_history({}) == []


def test_advice_names_the_epoch_and_the_way_out():
    (found,) = diagnose_history({"loss": [2, 1, 0.5, 0.2, 0.1], "val_loss": [2, 1.1, 1.3, 1.5, 1.7]})
    assert "since epoch 2" in found.text and "EarlyStopping" in found.text
    assert found.value == pytest.approx(0.6) and str(found) == found.text
