"""Losses are added up; one that a device is still computing is waited for when it is asked for, or a step later."""

from math import inf, isnan, nan

import numpy as np
import pytest

from symcnn.train.running_loss import RunningLoss


class Coming:
    """A loss on a device: reading it is waiting for it."""

    def __init__(self, value):
        self.value, self.read = value, False

    def __array__(self, *args, **kwargs):
        self.read = True
        return np.array(self.value, "float32")


@pytest.mark.parametrize("kind", [float, np.float32, np.array, Coming])
def test_the_mean_is_over_examples(kind):
    losses = RunningLoss()
    assert isnan(losses.latest) and isnan(losses.mean) and isnan(losses.known_mean)
    for value, examples in ((1.0, 2), (4.0, 1)):
        losses.add(kind(value), examples)
    assert (losses.total, losses.mean, losses.latest, losses.examples) == (6, 2, 4, 3)
    losses.start()
    assert (losses.total, losses.latest, losses.examples) == (0, 4, 0) and isnan(losses.mean)
    losses.start(total=6.0, examples=3)
    losses.add(kind(2.0), 1)
    assert losses.mean == 2


def test_what_is_here_is_known_at_once():
    losses = RunningLoss()
    losses.add(np.array(3.0), 2)
    assert losses.known_mean == 3 and losses.all_finite
    losses.add(nan, 2)
    assert not losses.all_finite


def test_what_is_on_a_device_is_known_when_the_next_step_is_begun_or_when_it_is_asked_for():
    losses, steps = RunningLoss(), [Coming(k) for k in (1.0, 3.0, 5.0)]
    losses.add(steps[0], 2)
    assert not steps[0].read and isnan(losses.known_mean)
    losses.add(steps[1], 2)
    assert steps[0].read and not steps[1].read and losses.known_mean == 1
    assert losses.latest == 3 and losses.known_mean == 2
    losses.add(steps[2], 2)
    assert losses.known_mean == 2 and losses.mean == 3 and steps[2].read


@pytest.mark.parametrize("value", [nan, inf])
def test_what_is_not_finite_is_remembered_over_epochs(value):
    losses = RunningLoss()
    losses.add(Coming(value), 1)
    assert losses.all_finite, "it is not known yet"
    losses.start()
    losses.add(Coming(1.0), 1)
    losses.wait()
    assert not losses.all_finite and losses.mean == 1
