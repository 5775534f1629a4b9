"""Every optimiser and option against torch.optim over ten steps; rates per path and rates that change; what is kept."""

import numpy as np
import pytest

import symcnn as sc
from symcnn.errors import InputError
from symcnn.optim import SGD, AdaDelta, AdaGrad, Adam, Adamax, AdamW, Optimizer, RMSProp

EVERY = [SGD, AdaGrad, RMSProp, AdaDelta, Adam, AdamW, Adamax]

# (ours, the name of theirs, our options, theirs)
CASES = [
    (SGD, "SGD", {"learning_rate": 0.05}, {"lr": 0.05}),
    (SGD, "SGD", {"learning_rate": 0.05, "momentum": 0.9}, {"lr": 0.05, "momentum": 0.9}),
    (SGD, "SGD", {"learning_rate": 0.05, "momentum": 0.9, "nesterov": True}, {"lr": 0.05, "momentum": 0.9, "nesterov": True}),
    (SGD, "SGD", {"learning_rate": 0.05, "weight_decay": 0.1}, {"lr": 0.05, "weight_decay": 0.1}),
    (
        SGD, "SGD",
        {"learning_rate": 0.05, "momentum": 0.8, "nesterov": True, "weight_decay": 0.01},
        {"lr": 0.05, "momentum": 0.8, "nesterov": True, "weight_decay": 0.01},
    ),
    (AdaGrad, "Adagrad", {}, {}),
    (
        AdaGrad, "Adagrad",
        {"learning_rate": 0.1, "epsilon": 0.01, "start": 0.2, "weight_decay": 0.1},
        {"lr": 0.1, "eps": 0.01, "initial_accumulator_value": 0.2, "weight_decay": 0.1},
    ),
    (RMSProp, "RMSprop", {}, {}),
    (
        RMSProp, "RMSprop",
        {"learning_rate": 0.02, "rho": 0.8, "epsilon": 0.01, "weight_decay": 0.1},
        {"lr": 0.02, "alpha": 0.8, "eps": 0.01, "weight_decay": 0.1},
    ),
    (RMSProp, "RMSprop", {"momentum": 0.9}, {"momentum": 0.9}),
    (RMSProp, "RMSprop", {"rho": 0.9, "centered": True}, {"alpha": 0.9, "centered": True}),
    (
        RMSProp, "RMSprop",
        {"rho": 0.9, "centered": True, "momentum": 0.5, "weight_decay": 0.1},
        {"alpha": 0.9, "centered": True, "momentum": 0.5, "weight_decay": 0.1},
    ),
    (AdaDelta, "Adadelta", {}, {}),
    (
        AdaDelta, "Adadelta",
        {"learning_rate": 0.5, "rho": 0.8, "epsilon": 1e-3, "weight_decay": 0.1},
        {"lr": 0.5, "rho": 0.8, "eps": 1e-3, "weight_decay": 0.1},
    ),
    (Adam, "Adam", {}, {}),
    (
        Adam, "Adam",
        {"learning_rate": 0.05, "beta1": 0.8, "beta2": 0.95, "epsilon": 0.01, "weight_decay": 0.1},
        {"lr": 0.05, "betas": (0.8, 0.95), "eps": 0.01, "weight_decay": 0.1},
    ),
    (Adam, "Adam", {"learning_rate": 0.05, "beta2": 0.5, "amsgrad": True}, {"lr": 0.05, "betas": (0.9, 0.5), "amsgrad": True}),
    (AdamW, "AdamW", {}, {}),
    (
        AdamW, "AdamW",
        {"learning_rate": 0.05, "weight_decay": 0.2, "amsgrad": True, "beta2": 0.5},
        {"lr": 0.05, "weight_decay": 0.2, "amsgrad": True, "betas": (0.9, 0.5)},
    ),
    (Adamax, "Adamax", {}, {}),
    (
        Adamax, "Adamax",
        {"learning_rate": 0.05, "beta1": 0.8, "beta2": 0.95, "epsilon": 0.01, "weight_decay": 0.1},
        {"lr": 0.05, "betas": (0.8, 0.95), "eps": 0.01, "weight_decay": 0.1},
    ),
]  # fmt: skip
IDS = [f"{ours.__name__}-{'-'.join(options) or 'plain'}" for ours, _, options, _ in CASES]
# Rounding of every operation, over ten steps.
ROUNDING = {"float64": 1e-12, "float32": 2e-5}


class Pair:
    """One small network with tanh, in symcnn and in PyTorch, from the same weights."""

    def __init__(self, torch, dtype, device="reference"):
        rng = np.random.default_rng(0)
        shapes = {"hidden.weight": (4, 5), "hidden.bias": (5,), "out.weight": (5, 3), "out.bias": (3,)}
        start = {name: rng.normal(size=shape).astype(dtype) for name, shape in shapes.items()}
        X, T = rng.normal(size=(6, 4)).astype(dtype), rng.normal(size=(6, 3)).astype(dtype)
        self.torch, self.device = torch, device
        self.theirs = {name: torch.tensor(value, requires_grad=True) for name, value in start.items()}
        self.their_loss = lambda: self._loss(torch.tensor(X), torch.tensor(T), self.theirs, torch.tanh)
        self.ours = {name: sc.shared(value, name=name) for name, value in start.items()}
        self.loss = self._loss(sc.constant(X), sc.constant(T), self.ours, sc.tanh)

    @staticmethod
    def _loss(X, T, w, tanh):
        y = tanh(X @ w["hidden.weight"] + w["hidden.bias"]) @ w["out.weight"] + w["out.bias"]
        return ((y - T) ** 2).sum() / 18

    def step(self, optimizer):
        parameters = list(self.ours.values())
        updates = optimizer.updates(self.ours, sc.grad(self.loss, parameters))
        return sc.function([], self.loss, updates=updates, device=self.device)

    def their_step(self, optimizer, prepare=lambda: None):
        optimizer.zero_grad()
        self.their_loss().backward()
        prepare()
        optimizer.step()

    def compare(self, rtol):
        for name, ours in self.ours.items():
            expected = self.theirs[name].detach().numpy()
            assert ours.dtype == expected.dtype
            np.testing.assert_allclose(ours.get_value(), expected, rtol=rtol, atol=rtol)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize(("ours", "theirs", "options", "their_options"), CASES, ids=IDS)
def test_ten_steps_like_torch(torch, ours, theirs, options, their_options, dtype):
    pair = Pair(torch, dtype)
    reference = getattr(torch.optim, theirs)(
        pair.theirs.values(), **({"lr": 0.01} if theirs == "SGD" else {}) | their_options
    )
    step = pair.step(ours(**options))
    for _ in range(10):
        pair.their_step(reference)
        step()
        pair.compare(ROUNDING[dtype])


@pytest.mark.parametrize("optimizer", EVERY)
def test_compiled_kernels_agree(torch, optimizer):
    pair = Pair(torch, "float32", device="cpu")
    reference = Pair(torch, "float32")
    step, expected = pair.step(optimizer(weight_decay=0.1)), reference.step(optimizer(weight_decay=0.1))
    for _ in range(3):
        step()
        expected()
    for name, ours in pair.ours.items():
        np.testing.assert_allclose(ours.get_value(), reference.ours[name].get_value(), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("optimizer", EVERY)
def test_an_update_is_one_kernel_or_rides_on_another(optimizer):
    layer = sc.nn.Dense(20, 30)
    x, t = sc.input("x", (None, 20)), sc.input("t", (None, 30))
    loss = sc.losses.squared_error(layer(x), t)
    gradients = sc.grad(loss, list(layer.parameters()))
    updates = optimizer(weight_decay=0.1).updates(layer.parameters(), gradients)
    batch = np.ones((4, 20), "float32"), np.ones((4, 30), "float32")
    step, plain = sc.function([x, t], loss, updates=updates), sc.function([x, t], [loss, *gradients])
    step(*batch)
    plain(*batch)
    # The corrections of Adam are numbers, made once per step.
    assert len(step.kernels) == len(plain.kernels) + optimizer.counts_steps


@pytest.mark.parametrize("optimizer", EVERY)
def test_clipping_by_norm_like_torch(torch, optimizer):
    pair = Pair(torch, "float64")
    name = {"AdaGrad": "Adagrad", "RMSProp": "RMSprop", "AdaDelta": "Adadelta"}.get(
        optimizer.__name__, optimizer.__name__
    )
    reference = getattr(torch.optim, name)(pair.theirs.values(), lr=0.1)
    step = pair.step(optimizer(0.1, clip_norm=2.0))
    for _ in range(10):
        pair.their_step(reference, lambda: torch.nn.utils.clip_grad_norm_(pair.theirs.values(), 2.0))
        step()
        pair.compare(1e-12)


def test_clipping_by_value_and_then_by_norm_like_torch(torch):
    pair = Pair(torch, "float64")
    reference = torch.optim.SGD(pair.theirs.values(), lr=0.1, momentum=0.9, weight_decay=0.1)

    def clip():
        torch.nn.utils.clip_grad_value_(pair.theirs.values(), 0.5)
        torch.nn.utils.clip_grad_norm_(pair.theirs.values(), 1.0)

    step = pair.step(SGD(0.1, momentum=0.9, weight_decay=0.1, clip_value=0.5, clip_norm=1.0))
    for _ in range(10):
        pair.their_step(reference, clip)
        step()
        pair.compare(1e-12)


@pytest.mark.parametrize("optimizer", [SGD, Adam, AdamW])
def test_rates_by_path_like_the_groups_of_torch(torch, optimizer):
    pair = Pair(torch, "float64")
    factors = {"hidden.weight": 0.1, "hidden.bias": 0.5, "out.weight": 1.0, "out.bias": 0.5}
    groups = [{"params": [pair.theirs[name]], "lr": 0.2 * factor} for name, factor in factors.items()]
    reference = getattr(torch.optim, optimizer.__name__)(groups, lr=0.2, weight_decay=0.1)
    step = pair.step(optimizer(0.2, weight_decay=0.1, rates={"hidden": 0.1, "*.bias": 0.5}))
    for _ in range(10):
        pair.their_step(reference)
        step()
        pair.compare(1e-12)


def test_rates_of_zero_and_patterns_that_match_nothing():
    model = sc.models.mlp([2, 3, 2])
    parameters = model.parameters()
    gradients = sc.grad(sc.sum(model(sc.input("x", (None, 2)))), list(parameters))
    updates = SGD(0.1, momentum=0.9, rates={"dense1": 0, "dense1.bias": 0.5}).updates(parameters, gradients)
    still = [path for path, parameter in parameters.items() if updates[parameter] is parameter]
    assert still == ["dense1.weight"]
    with pytest.raises(InputError, match="did you mean 'dense1'"):
        SGD(0.1, rates={"dens1": 0.5}).updates(parameters, gradients)


def test_patterns_of_frozen_parameters_are_no_mistakes():
    model = sc.models.mlp([2, 3, 2])
    step = sc.train.compile_step(model, optimizer=SGD(0.1, rates={"dense1": 0.5}), device="reference")
    X, labels = np.ones((2, 2)), np.array([0, 1])
    model.freeze("dense1")
    step(X, labels)
    model.unfreeze("dense1")
    step(X, labels)


@pytest.mark.parametrize("optimizer", EVERY)
def test_the_rate_changes_without_compiling(optimizer):
    w = sc.shared(np.ones(3), name="w")
    ours = optimizer(0.1)
    step = sc.function([], [], updates=ours.updates([w], [sc.grad(sc.sum(w), w)]), device="reference")
    step()
    before = w.get_value()
    ours.learning_rate = 0.0
    step()
    np.testing.assert_array_equal(w.get_value(), before)
    ours.learning_rate = 0.5
    step()
    assert ours.learning_rate == 0.5 and (w.get_value() < before).all()


def test_all_updates_of_a_step_see_old_values():
    a, b = sc.shared(np.array(2.0), name="a"), sc.shared(np.array(3.0), name="b")
    for device in ("reference", "cpu"):
        a.set_value(np.array(2.0))
        b.set_value(np.array(3.0))
        sgd = SGD(0.1, momentum=0.5)
        step = sc.function([], [], updates=sgd.updates([a, b], sc.grad(a * b, [a, b])), device=device)
        step()
        assert (a.get_value(), b.get_value()) == pytest.approx((2 - 0.1 * 3, 3 - 0.1 * 2))
        step()
        assert a.get_value() == pytest.approx(1.7 - 0.1 * (0.5 * 3 + 2.8))


def test_updates_keep_dtypes_and_share_slots():
    single, double = sc.shared(np.ones(2, "float32"), name="a"), sc.shared(np.ones(2), name="b")
    for optimizer in EVERY:
        ours = optimizer(0.1, clip_norm=1.0, clip_value=0.5, weight_decay=0.1)
        gradients = sc.grad(sc.sum(single) + sc.sum(double), [single, double])
        first, again = (ours.updates([single, double], gradients) for _ in range(2))
        assert first.keys() == again.keys() and {single, double} <= first.keys()
        assert all(shared.dtype == new.dtype and shared.shape == new.shape for shared, new in first.items())


def test_variables_are_all_that_is_remembered():
    model = sc.models.mlp([2, 3, 2])
    X, labels = np.random.default_rng(0).normal(size=(8, 2)), np.arange(8) % 2
    start = {p: p.get_value() for p in model.parameters()}

    def run(adam, restore=None):
        for parameter, value in start.items():
            parameter.set_value(value)
        step = sc.train.compile_step(model, optimizer=adam, device="reference")
        step.compile(X, labels)
        for name, value in (restore or {}).items():
            adam.variables()[name].set_value(value)
        step(X, labels)
        return {name: v.get_value() for name, v in adam.variables().items()}, step

    first = Adam(0.1)
    kept, step = run(first)
    assert {"learning_rate", "step", "mean/dense1.weight", "square/dense2.bias"} <= kept.keys() and len(
        kept
    ) == 2 + 2 * 4
    middle = {p: p.get_value() for p in model.parameters()}
    step(X, labels)
    expected = [p.get_value() for p in model.parameters()]
    start = middle
    found, _ = run(Adam(0.5), kept)
    assert found["step"] == 2 and found["learning_rate"] == 0.1
    for parameter, value in zip(model.parameters(), expected, strict=True):
        np.testing.assert_array_equal(parameter.get_value(), value)


def test_parameters_without_paths_are_known_by_name_or_position():
    w, again, nameless = sc.shared(np.ones(1), name="w"), sc.shared(np.ones(2), name="w"), sc.shared(np.ones(3))
    sgd = SGD(0.1, momentum=0.9)
    parameters = [w, again, nameless]
    sgd.updates(parameters, sc.grad(sc.sum(w) + sc.sum(again) + sc.sum(nameless), parameters))
    assert list(sgd.variables()) == ["learning_rate", "velocity/w", "velocity/w.1", "velocity/parameter"]


def test_a_parameter_that_takes_anothers_path_takes_its_place():
    sgd = SGD(0.1, momentum=0.9)
    for size in (1, 2):
        w = sc.shared(np.ones(size), name="w")
        sgd.updates([w], [sc.grad(sc.sum(w), w)])
    assert sgd.variables()["velocity/w"].shape == (2,)


def test_a_shared_weight_counts_once_in_the_norm():
    w = sc.shared(np.array([3.0, 4.0]), name="w")
    gradient = sc.grad(0.5 * sc.sum(w * w), w)
    updates = SGD(1.0, clip_norm=1.0).updates({"a.weight": w, "b.weight": w}, [gradient, gradient])
    sc.function([], [], updates=updates, device="reference")()
    np.testing.assert_allclose(w.get_value(), [2.4, 3.2], rtol=1e-6)


@pytest.mark.parametrize(
    ("optimizer", "options"),
    [
        (SGD, {"momentum": 1.0}),
        (SGD, {"momentum": -0.1}),
        (SGD, {"momentum": "0.9"}),
        (SGD, {"nesterov": True}),
        (SGD, {"weight_decay": -1}),
        (AdaGrad, {"start": -1}),
        (AdaGrad, {"epsilon": None}),
        (RMSProp, {"rho": 1.0}),
        (AdaDelta, {"epsilon": 0}),
        (Adam, {"beta1": (0.9, 0.999)}),
        (Adam, {"beta2": 1}),
        (AdamW, {"weight_decay": float("nan")}),
        (Adamax, {"epsilon": -1e-8}),
        (Adam, {"clip_norm": 0}),
        (Adam, {"clip_value": -1}),
        (Adam, {"clip_value": True}),
        (Adam, {"rates": 0.1}),
        (Adam, {"rates": {"conv": -1}}),
        (Adam, {"rates": {3: 1}}),
    ],
)
def test_values_that_cannot_be(optimizer, options):
    with pytest.raises(InputError):
        optimizer(0.1, **options)


@pytest.mark.parametrize("rate", [-0.1, float("nan"), float("inf"), "0.1", None, [0.1], True])
@pytest.mark.parametrize("optimizer", EVERY)
def test_rates_that_cannot_be(optimizer, rate):
    with pytest.raises(InputError, match="learning_rate"):
        optimizer(rate)
    ours = optimizer(np.float32(0.5))
    with pytest.raises(InputError, match="learning_rate"):
        ours.learning_rate = rate
    assert ours.learning_rate == 0.5


def test_reprs():
    assert repr(SGD(0.02, momentum=0.9)) == "SGD(0.02, momentum=0.9)"
    assert repr(AdamW(weight_decay=0.1, rates={"conv*": 0.5})) == "AdamW(0.001, weight_decay=0.1, rates={'conv*': 0.5})"


def test_typos():
    with pytest.raises(InputError, match="did you mean 'momentum'"):
        SGD(0.1, momentun=0.9)
    with pytest.raises(InputError, match="did you mean 'clip_norm'"):
        Adam(clipnorm=1.0)
    for theirs, ours in {
        "lr": "learning_rate",
        "betas": "beta1",
        "eps": "epsilon",
        "max_grad_norm": "clip_norm",
    }.items():
        with pytest.raises(InputError, match=f"did you mean '{ours}'"):
            Adam(**{theirs: 1})
    with pytest.raises(InputError, match="did you mean 'rho'"):
        RMSProp(alpha=0.9)


def test_one_gradient_per_parameter():
    with pytest.raises(InputError, match="one gradient per parameter"):
        SGD(0.1).updates([sc.shared(np.ones(2))], [])


def test_an_optimizer_without_direction():
    w = sc.shared(np.ones(2), name="w")
    with pytest.raises(NotImplementedError, match="defines no direction"):
        Optimizer(0.1).updates([w], [sc.grad(sc.sum(w), w)])
