"""The compiled step: it learns, takes any batch size, and complains about bad batches."""

import numpy as np
import pytest

import symcnn as sc

rng = np.random.default_rng(0)


def step_of(model, **options):
    return sc.train.compile_step(model, device="reference", **options)


def test_one_step_by_hand():
    model = sc.models.mlp([3, 2])
    weight = model.parameters()["dense1.weight"].get_value().astype(float)
    X, labels = rng.normal(size=(4, 3)), np.array([0, 1, 1, 0])
    shifted = np.exp(X @ weight)
    p = shifted / shifted.sum(axis=1, keepdims=True)
    loss = step_of(model, optimizer=sc.optim.SGD(0.1))(X, labels)
    assert loss == pytest.approx(-np.log(p[np.arange(4), labels]).mean(), rel=1e-5)
    expected = weight - 0.1 * X.T @ (p - np.eye(2)[labels]) / 4
    np.testing.assert_allclose(model.parameters()["dense1.weight"].get_value(), expected, rtol=1e-4, atol=1e-6)


def test_any_batch_size_with_one_function():
    step = step_of(sc.models.mlp([3, 4, 2]))
    for n in (5, 1, 8, 5):
        assert np.isfinite(step(rng.normal(size=(n, 3)), rng.integers(0, 2, n)))
    assert step.compile(np.zeros((1, 3)), np.zeros(1, int)) is step.function


def test_compile_trains_nothing():
    model = sc.models.mlp([3, 2])
    before = [p.get_value() for p in model.parameters()]
    step_of(model).compile(np.ones((2, 3)), np.array([0, 1]))
    assert all((p.get_value() == b).all() for p, b in zip(model.parameters(), before, strict=True))


@pytest.mark.parametrize("dtype", ["uint8", "int8", "int32", "int64", "uint64"])
def test_label_dtypes(dtype):
    assert np.isfinite(step_of(sc.models.mlp([3, 2]))(np.ones((2, 3)), np.array([0, 1], dtype)))


def test_regression():
    model = sc.models.mlp([2, 16, 1], activation="tanh")
    step = step_of(model, loss=sc.losses.squared_error, optimizer=sc.optim.SGD(0.1, momentum=0.9))
    X = rng.uniform(-1, 1, (64, 2))
    losses = [step(X, np.sin(X.sum(axis=1, keepdims=True))) for _ in range(150)]
    assert losses[-1] < 0.005 < losses[0]


@pytest.mark.parametrize("device", ["reference", "cpu"])
def test_ten_steps_of_lenet_like_torch(device):
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(0)  # of its own: a near tie of two maxima may fall either way, and there is none here
    model = sc.models.lenet(seed=0)
    theirs = torch.nn.Sequential(
        torch.nn.Conv2d(1, 20, 5), torch.nn.MaxPool2d(2), torch.nn.ReLU(),
        torch.nn.Conv2d(20, 50, 5), torch.nn.MaxPool2d(2), torch.nn.ReLU(), torch.nn.Flatten(),
        torch.nn.Linear(800, 500), torch.nn.ReLU(), torch.nn.Linear(500, 10),
    )  # fmt: skip
    ours = [p.get_value() for p in model.parameters()]
    for target, value in zip(theirs.parameters(), ours, strict=True):
        target.data = torch.tensor(value.T.copy() if value.ndim == 2 else value)
    optimizer = torch.optim.SGD(theirs.parameters(), 0.02, 0.9, weight_decay=1e-3)
    step = sc.train.compile_step(model, optimizer=sc.optim.SGD(0.02, momentum=0.9, weight_decay=1e-3), device=device)
    for _ in range(10):
        X, labels = rng.normal(size=(16, 1, 28, 28)).astype("float32"), rng.integers(0, 10, 16)
        expected = torch.nn.functional.cross_entropy(theirs(torch.tensor(X)), torch.tensor(labels))
        optimizer.zero_grad()
        expected.backward()
        optimizer.step()
        assert step(X, labels) == pytest.approx(expected.item(), rel=1e-4)
    for target, value in zip(theirs.parameters(), model.parameters(), strict=True):
        found = value.get_value().T if value.ndim == 2 else value.get_value()
        np.testing.assert_allclose(found, target.detach().numpy(), atol=1e-4)


def test_lenet_overfits_a_handful_of_images():
    train, _ = sc.data.fashion_mnist()
    few = train.take(np.arange(0, 6000, 600))
    images = sc.data.Normalize.fit(few.images)(few.images)
    step = step_of(sc.models.lenet(), optimizer=sc.optim.SGD(0.02, momentum=0.9))
    losses = [step(images, few.labels) for _ in range(35)]
    assert losses[-1] < 0.1 < losses[0]


def test_dropout_advances_with_the_step_and_repeats_with_the_seed():
    def run():
        model = sc.nn.Sequential(sc.nn.Dense(4, 32, seed=0), sc.nn.Dropout(0.5, seed=1), sc.nn.Dense(32, 2, seed=2))
        step = step_of(model, optimizer=sc.optim.SGD(0.0))
        X, labels = np.ones((6, 4)), np.array([0, 1] * 3)
        return [step(X, labels) for _ in range(3)]

    first = run()
    assert len(set(first)) == 3 and first == run()


@pytest.mark.parametrize(
    ("X", "labels", "match"),
    [
        (np.zeros((4, 5)), np.zeros(4, int), "other inputs"),
        (np.zeros((4, 3)), np.zeros(5, int), "one label per image"),
        (np.zeros((4, 3)), np.array(["a"] * 4), "integers or floats"),
        (np.zeros((4, 3)), np.array([0, 0, 0, 2**64 - 1], "uint64"), "int64"),
        (np.zeros((4, 3)), np.array([0, 0, 0, 7]), "out of range"),
        (np.zeros((4, 3)), np.zeros(4), "integer"),
    ],
)
def test_bad_batches(X, labels, match):
    model = sc.models.mlp([3, 2])
    before = [p.get_value() for p in model.parameters()]
    with pytest.raises(sc.errors.SymcnnError, match=match):
        step_of(model)(X, labels)
    assert all((p.get_value() == b).all() for p, b in zip(model.parameters(), before, strict=True))


def test_other_complaints():
    with pytest.raises(sc.errors.ShapeError, match="one number per batch"):
        step_of(sc.models.mlp([3, 2]), loss=sc.softmax_cross_entropy)(np.zeros((2, 3)), np.zeros(2, int))
    with pytest.raises(sc.errors.InputError, match="no parameters"):
        step_of(sc.nn.Flatten())(np.zeros((2, 3)), np.zeros(2, int))
    with pytest.raises(sc.errors.InputError, match="did you mean 'optimizer'"):
        sc.train.compile_step(sc.models.mlp([3, 2]), optimiser=sc.optim.SGD(0.1))


@pytest.mark.parametrize(
    "options, hint",
    [
        ({"loss": "cross_entropy"}, "sc.losses.cross_entropy"),
        ({"optimizer": "sgd"}, "sc.optim.SGD(0.01)"),
        ({"optimizer": sc.optim.SGD}, "sc.optim.SGD(0.01)"),
    ],
)
def test_what_is_no_loss_or_optimizer_is_refused_at_once(options, hint):
    with pytest.raises(sc.InputError) as error:
        step_of(sc.models.mlp([3, 2]), **options)
    assert error.value.expected.endswith(hint)


def test_penalty_and_constraint():
    def penalty(parameters):
        return 0.5 * sum(sc.sum(p * p) for p in parameters)

    def constraint(path, parameter, value):
        return sc.clip(value, -0.1, 0.1) if path.endswith("weight") else value

    X, labels = rng.normal(size=(4, 3)), np.array([0, 1, 1, 0])
    plain, bound = sc.models.mlp([3, 2]), sc.models.mlp([3, 2])
    before = plain.parameters()["dense1.weight"].get_value()
    sgd = sc.optim.SGD(0.1)
    loss = step_of(plain, optimizer=sgd)(X, labels)
    assert step_of(bound, optimizer=sc.optim.SGD(0.1), penalty=penalty)(X, labels) == pytest.approx(loss)
    expected = plain.parameters()["dense1.weight"].get_value() - 0.1 * before
    np.testing.assert_allclose(bound.parameters()["dense1.weight"].get_value(), expected, rtol=1e-5, atol=1e-7)
    step_of(bound, constraint=constraint)(X, labels)
    assert abs(bound.parameters()["dense1.weight"].get_value()).max() <= np.float32(0.1)


def test_a_model_with_several_outputs():
    class TwoHeads(sc.nn.Module):
        def __init__(self):
            self.main, self.side = sc.nn.Dense(3, 2, seed=0), sc.nn.Dense(3, 2, seed=1)

        def forward(self, x, training):
            return (self.main(x), self.side(x)) if training else self.main(x)

    def loss(outputs, labels):
        main, side = outputs
        return sc.losses.cross_entropy(main, labels) + 0.3 * sc.losses.cross_entropy(side, labels)

    model = TwoHeads()
    X, labels = rng.normal(size=(4, 3)), np.array([0, 1, 1, 0])
    losses = [step_of(model, loss=loss)(X, labels) for _ in range(3)]
    assert losses[2] < losses[0]
    assert model.predict(X, device="reference").shape == (4, 2)


def test_looking_inside():
    step = sc.train.compile_step(sc.models.mlp([3, 2]), optimizer=sc.optim.SGD(0.5), device="reference")
    assert (
        repr(step)
        == "<Step: Sequential of 8 parameters, cross_entropy, SGD at rate 0.5, on reference: not compiled yet>"
    )
    for look in (lambda: step.memory_plan, lambda: step.kernels, lambda: step.stages, step.explain):
        with pytest.raises(sc.InputError, match="not compiled yet") as error:
            look()
        assert error.value.hint.startswith("step.compile(X, labels)")
    batch = np.ones((2, 3)), np.array([0, 1])
    function = step.compile(*batch)
    assert step.memory_plan is function.memory_plan and len(step.kernels) == len(function.kernels)
    assert str(step.explain()) == str(function.explain()) and list(step.stages) == list(function.stages)
    assert repr(step).endswith("kernels>") and "not compiled" not in repr(step)


def test_a_profile_needs_no_call_before():
    step = sc.train.compile_step(sc.models.mlp([3, 2]), device="reference")
    assert str(step.profile(np.ones((2, 3)), np.array([0, 1]), repeat=2)) and step.function is not None
