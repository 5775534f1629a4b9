"""BatchNorm against PyTorch over steps of training, its running averages, and batches that say little."""

import numpy as np
import pytest

import symcnn as sc
from symcnn import nn
from tests.torch.compare import TOLERANCE, relative_error

rng = np.random.default_rng(0)


def compiled(layer, shape, dtype="float32", device="reference"):
    """(value, gradient by x of its projection on the second argument) in training; each call updates the averages."""
    x, direction = sc.input("x", (None, *shape[1:]), dtype), sc.input("direction", (None, *shape[1:]), dtype)
    with nn.Trace() as trace:
        y = layer(x, training=True)
    gradients = sc.grad(sc.sum(y * direction), [x, *layer.parameters()])
    return sc.function([x, direction], [y, *gradients], updates=trace.updates, device=device)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    ("shape", "options"),
    [
        ((4, 3, 5, 6), {}),
        ((6, 3), {"momentum": 0.3, "epsilon": 1e-3}),
        ((3, 3, 7), {"affine": False}),
        ((2, 3, 2, 3, 2), {"momentum": 1.0}),
        ((4, 3, 1, 2), {"momentum": 0.0}),
    ],
)
def test_training_and_evaluation_agree_with_torch(torch, shape, options, dtype):
    layer = nn.BatchNorm(3, **options, dtype=dtype)
    kind = {2: torch.nn.BatchNorm1d, 3: torch.nn.BatchNorm1d, 4: torch.nn.BatchNorm2d, 5: torch.nn.BatchNorm3d}
    renamed = {"eps" if name == "epsilon" else name: value for name, value in options.items()}
    theirs = kind[len(shape)](3, **renamed, dtype=getattr(torch, dtype))
    if options.get("affine", True):
        gamma, beta = rng.normal(size=3).astype(dtype), rng.normal(size=3).astype(dtype)
        layer.gamma.set_value(gamma)
        layer.beta.set_value(beta)
        theirs.load_state_dict({"weight": torch.tensor(gamma), "bias": torch.tensor(beta)}, strict=False)
    train = compiled(layer, shape, dtype)
    for _ in range(4):
        X, direction = (3 * rng.normal(size=shape) + 1).astype(dtype), rng.normal(size=shape).astype(dtype)
        given = torch.tensor(X, requires_grad=True)
        theirs.zero_grad()
        value = theirs(given)
        value.backward(torch.tensor(direction))
        expected = [value.detach(), given.grad, *(p.grad for p in theirs.parameters())]
        for ours, other in zip(train(X, direction), expected, strict=True):
            assert relative_error(ours, other) < TOLERANCE[dtype]
    assert relative_error(layer.mean.get_value(), theirs.running_mean) < TOLERANCE[dtype]
    assert relative_error(layer.variance.get_value(), theirs.running_var) < TOLERANCE[dtype]
    theirs.eval()
    found = layer.predict(X, device="reference")
    assert found.dtype == dtype
    assert relative_error(found, theirs(torch.tensor(X)).detach()) < TOLERANCE[dtype]


def test_a_convolutional_network_learns_on_the_cpu_backend_as_in_torch(torch):
    model = nn.Sequential(
        conv=nn.Conv2d(1, 4, 3, bias=False, seed=0), norm=nn.BatchNorm(4), act=nn.ReLU(), flat=nn.Flatten(),
        dense=nn.Dense(4 * 6 * 6, 2, seed=1),
    )  # fmt: skip
    theirs = torch.nn.Sequential(
        torch.nn.Conv2d(1, 4, 3, bias=False), torch.nn.BatchNorm2d(4), torch.nn.ReLU(), torch.nn.Flatten(),
        torch.nn.Linear(4 * 6 * 6, 2),
    )  # fmt: skip
    with torch.no_grad():
        theirs[0].weight.copy_(torch.tensor(model["conv"].weight.get_value()))
        theirs[4].weight.copy_(torch.tensor(model["dense"].weight.get_value().T))
        theirs[4].bias.zero_()
    optimizer = torch.optim.SGD(theirs.parameters(), lr=0.1)
    step = sc.train.compile_step(model, optimizer=sc.optim.SGD(0.1))
    labels = np.arange(12) % 2
    X = (rng.normal(size=(12, 1, 8, 8)) + labels[:, None, None, None]).astype("float32")
    losses = []
    for _ in range(8):
        losses.append(step(X, labels))
        optimizer.zero_grad()
        loss = torch.nn.functional.cross_entropy(theirs(torch.tensor(X)), torch.tensor(labels))
        loss.backward()
        optimizer.step()
        assert losses[-1] == pytest.approx(loss.item(), rel=2e-4)
    assert losses[-1] < 0.1 < losses[0]
    assert relative_error(model["norm"].mean.get_value(), theirs[1].running_mean) < 2e-4  # after eight steps apart
    assert relative_error(model["norm"].variance.get_value(), theirs[1].running_var) < 2e-4
    assert relative_error(model.predict(X), theirs.eval()(torch.tensor(X)).detach()) < 2e-4


def test_nothing_changes_outside_a_step():
    layer, X = nn.BatchNorm(2), rng.normal(size=(5, 2)).astype("float32")
    x = sc.input("x", (None, 2))
    sc.function([x], layer(x, training=True), device="reference")(X)
    layer.predict(X, device="reference")
    assert (layer.mean.get_value() == 0).all() and (layer.variance.get_value() == 1).all()


def test_frozen_it_normalises_by_its_running_averages_which_stay():
    layer, X = nn.BatchNorm(2), rng.normal(size=(5, 2)).astype("float32")
    layer.mean.set_value([1, 2])
    x = sc.input("x", (None, 2))
    with nn.Trace() as trace:
        y = layer.freeze()(x, training=True)
    assert not trace.updates and y is layer(x, training=False)
    np.testing.assert_allclose(sc.function([x], y, device="reference")(X), (X - [1, 2]) / np.sqrt(1 + 1e-5), rtol=1e-5)


@pytest.mark.parametrize("device", ["reference", "cpu"])
def test_an_empty_batch_leaves_the_averages(device):
    layer = nn.BatchNorm(2)
    train, empty = compiled(layer, (0, 2, 3, 3), device=device), np.zeros((0, 2, 3, 3), "float32")
    assert train(empty, empty)[0].shape == empty.shape
    np.testing.assert_array_equal(layer.mean.get_value(), [0, 0])
    np.testing.assert_array_equal(layer.variance.get_value(), [1, 1])


def test_one_value_per_channel_has_no_variance():
    layer = nn.BatchNorm(2)
    layer.beta.set_value([5, 6])
    train, X = compiled(layer, (1, 2)), np.array([[10.0, 20.0]], "float32")
    value, gradient, *_ = train(X, X)
    np.testing.assert_array_equal(value, [[5, 6]])
    np.testing.assert_array_equal(gradient, [[0, 0]])
    np.testing.assert_allclose(layer.mean.get_value(), [1, 2])
    np.testing.assert_array_equal(layer.variance.get_value(), [1, 1])


def test_applied_twice_it_averages_both_times():
    layer, x = nn.BatchNorm(1), sc.input("x", (None, 1))
    with nn.Trace() as trace:
        layer(x, training=True), layer(3 * x, training=True)
    sc.function([x], [], updates=trace.updates, device="reference")([[1.0], [3.0]])
    np.testing.assert_allclose(layer.mean.get_value(), [0.9 * (0.1 * 2) + 0.1 * 6], rtol=1e-6)


def test_states_are_saved_with_the_parameters(tmp_path):
    first, second = nn.BatchNorm(2), nn.BatchNorm(2)
    first.mean.set_value([1, 2])
    first.variance.set_value([3, 4])
    first.save(tmp_path / "w")
    second.load(tmp_path / "w")
    np.testing.assert_array_equal(second.mean.get_value(), [1, 2])
    np.testing.assert_array_equal(second.variance.get_value(), [3, 4])


@pytest.mark.parametrize("options", [{"momentum": 1.5}, {"momentum": -0.1}, {"epsilon": -1}])
def test_options_out_of_range(options):
    with pytest.raises(sc.errors.InputError, match="out of range"):
        nn.BatchNorm(3, **options)


@pytest.mark.parametrize("shape", [(None, 4, 5, 5), (None,), (None, 5, 5, 3)])
def test_other_channels(shape):
    with pytest.raises(sc.errors.ShapeError, match="3 channels"):
        nn.BatchNorm(3)(sc.input("x", shape))
