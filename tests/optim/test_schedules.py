"""Schedules against torch.optim.lr_scheduler at whole epochs, and what lies between these."""

import numpy as np
import pytest

import symcnn as sc
from symcnn.errors import InputError
from symcnn.optim import (
    Plateau,
    cosine_decay,
    exponential_decay,
    multistep_decay,
    polynomial_decay,
    step_decay,
    warmup,
)


def their_factors(torch, epochs, make):
    """Factor of the rate in each epoch, by a scheduler of PyTorch."""
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    scheduler = make(torch.optim.lr_scheduler, optimizer)
    found = []
    for _ in range(epochs):
        found.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return found


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (step_decay(3, 0.5), lambda s, o: s.StepLR(o, 3, 0.5)),
        (multistep_decay([2, 5], 0.3), lambda s, o: s.MultiStepLR(o, [2, 5], 0.3)),
        (exponential_decay(0.8), lambda s, o: s.ExponentialLR(o, 0.8)),
        (cosine_decay(7), lambda s, o: s.CosineAnnealingLR(o, 7)),
        (cosine_decay(7, floor=0.2), lambda s, o: s.CosineAnnealingLR(o, 7, eta_min=0.2)),
        (polynomial_decay(7), lambda s, o: s.PolynomialLR(o, 7)),
        (polynomial_decay(6, 2.5), lambda s, o: s.PolynomialLR(o, 6, 2.5)),
        (polynomial_decay(5, floor=0.1), lambda s, o: s.LinearLR(o, 1.0, 0.1, 5)),
        (warmup(4, start=0.25), lambda s, o: s.LinearLR(o, 0.25, 1.0, 4)),
        (
            warmup(2, cosine_decay(5), start=0.5),
            lambda s, o: s.SequentialLR(o, [s.LinearLR(o, 0.5, 1.0, 2), s.CosineAnnealingLR(o, 5)], [2]),
        ),
    ],
)
@pytest.mark.filterwarnings("ignore:The epoch parameter in")  # PyTorch warns of its own SequentialLR
def test_whole_epochs_like_torch(torch, ours, theirs):
    assert [ours(epoch) for epoch in range(7)] == pytest.approx(their_factors(torch, 7, theirs), abs=1e-12)


def test_between_epochs():
    assert step_decay(2)(1.99) == 1
    assert step_decay(0.5, 0.5)(0.75) == 0.5
    assert exponential_decay(0.25)(0.5) == 0.5
    assert polynomial_decay(4)(1.5) == 0.625
    assert warmup(2, start=0.0)(0.5) == 0.25
    assert cosine_decay(1)(0.5) == pytest.approx(0.5)


def test_the_end_is_kept():
    assert cosine_decay(3, floor=0.1)(10) == pytest.approx(0.1)
    assert polynomial_decay(3)(10) == 0


@pytest.mark.parametrize("mode", ["min", "max"])
@pytest.mark.parametrize("options", [{}, {"cooldown": 2}, {"threshold": 0.2}, {"floor": 0.2}, {"patience": 0}])
def test_plateau_like_torch(torch, mode, options):
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    options = {"factor": 0.5, "patience": 1, "mode": mode, **options}
    theirs = {"min_lr" if name == "floor" else name: value for name, value in options.items()}
    reference, ours = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, **theirs), Plateau(**options)
    seen = []
    for value in [1.0, 0.9, 0.9, 0.95, 0.85, 0.8, 0.8, 0.8, 0.81, float("nan"), 0.9, 1.2, 1.2, 1.2, 1.1, 0.4, 0.4, 0.4]:
        reference.step(value)
        ours.observe(value)
        seen.append(ours(0))
        assert ours(0) == optimizer.param_groups[0]["lr"]
    assert len(set(seen)) > 2


def test_plateau_goes_on_from_its_state():
    first, second = Plateau(0.5, patience=1), Plateau(0.5, patience=1)
    values = [1.0, 1.0, 1.0, 0.5, 0.5, 0.5]
    for value in values[:2]:
        first.observe(value)
    second.restore(first.state())
    for value in values[2:]:
        first.observe(value)
        second.observe(value)
        assert first.state() == second.state()
    for wrong in ({}, {**first.state(), "best": "0.5"}, {**first.state(), "scale": -1}, None):
        with pytest.raises(InputError):
            second.restore(wrong)
    assert first.state() == second.state()


def test_plateau_with_another_schedule():
    plateau = Plateau(0.5, patience=0, schedule=warmup(2, start=0.5))
    plateau.observe(1.0)
    plateau.observe(1.0)
    assert (plateau(0), plateau(2)) == (0.25, 0.5)


def test_plateau_in_fit():
    X, labels = np.random.default_rng(0).normal(size=(8, 2)), np.arange(8) % 2
    data = X, labels

    def rates(**options):
        history = sc.train.fit(
            sc.models.mlp([2, 2]), data, data, epochs=4, batch_size=8, optimizer=sc.optim.SGD(1e-30), device="reference",
            schedule=Plateau(0.5, patience=0, **options), progress=False,
        )  # fmt: skip
        return history["learning_rate"]

    for options in ({}, {"monitor": "val_accuracy"}):
        assert rates(**options) == pytest.approx([1e-30, 1e-30, 5e-31, 2.5e-31])
    with pytest.raises(InputError, match="did you mean 'val_accuracy'"):
        rates(monitor="val_acuracy")


def test_a_plateau_of_another_run_is_forgotten():
    data, plateau = (np.eye(2), np.arange(2)), Plateau(0.5, patience=0, threshold=0.9)
    runs = [
        sc.train.fit(
            sc.models.mlp([2, 2], seed=0), data, epochs=3, schedule=plateau, device="reference", progress=False
        )
        for _ in range(2)
    ]
    assert runs[0]["learning_rate"] == runs[1]["learning_rate"] == pytest.approx([0.01, 0.01, 0.005])


def test_what_is_better():
    modes = [Plateau(monitor=name).mode for name in (None, "val_loss", "error", "val_accuracy")]
    assert modes == ["min", "min", "min", "max"]


@pytest.mark.parametrize(
    "make",
    [
        lambda: step_decay(0),
        lambda: step_decay("3"),
        lambda: step_decay(3, -1),
        lambda: multistep_decay(3),
        lambda: multistep_decay(["3"]),
        lambda: exponential_decay(0),
        lambda: cosine_decay(0),
        lambda: cosine_decay(3, floor=-1),
        lambda: cosine_decay(None),
        lambda: polynomial_decay(3, power=0),
        lambda: warmup(-1),
        lambda: warmup(1, then=0.5),
        lambda: warmup(1, then=Plateau()),
        lambda: Plateau(factor=1.0),
        lambda: Plateau(patience="3"),
        lambda: Plateau(mode="lowest"),
        lambda: Plateau(monitor=1),
        lambda: Plateau(schedule=0.1),
        lambda: cosine_decay(epoch=3),
        lambda: Plateau(patienc=3),
    ],
)
def test_values_that_cannot_be(make):
    with pytest.raises(InputError):
        make()


def test_words_of_other_libraries():
    for make, ours in (
        (lambda: step_decay(step_size=3), "every"),
        (lambda: exponential_decay(gamma=0.9), "factor"),
        (lambda: cosine_decay(T_max=3), "epochs"),
        (lambda: cosine_decay(3, eta_min=0), "floor"),
    ):
        with pytest.raises(InputError, match=f"did you mean '{ours}'"):
            make()
