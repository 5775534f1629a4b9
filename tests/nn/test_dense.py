"""Dense layers against PyTorch, their shapes and complaints."""

import numpy as np
import pytest

import symcnn as sc
from symcnn import nn
from tests.nn.compare import agree, randomize

rng = np.random.default_rng(0)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("shape", [(5, 4), (2, 3, 4)])
def test_dense_agrees_with_torch(torch, shape, bias, dtype):
    layer = randomize(nn.Dense(4, 3, bias=bias, dtype=dtype), rng)
    agree(torch, layer, torch.nn.Linear(4, 3, bias=bias), rng.normal(size=shape))
    assert layer.parameters().keys() == ["weight", "bias"][: 1 + bias]


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("pieces", [1, 2, 5])
def test_maxout_is_the_largest_of_affine_maps(torch, pieces, bias):
    layer = randomize(nn.Maxout(4, 3, pieces=pieces, bias=bias, dtype="float64"), rng)
    maps = [torch.nn.Linear(4, 3, bias=bias, dtype=torch.float64) for _ in range(pieces)]
    for k, one in enumerate(maps):
        one.weight.data = torch.tensor(layer.weight.get_value()[:, k::pieces].T)
        if bias:
            one.bias.data = torch.tensor(layer.bias.get_value()[k::pieces])
    X = rng.normal(size=(6, 4))
    x, given = sc.input("x", (None, 4), "float64"), torch.tensor(X, requires_grad=True)
    value = torch.stack([one(given) for one in maps]).amax(dim=0)
    value.square().sum().backward()
    y = layer(x)
    found = sc.function([x], [y, sc.grad(sc.sum(sc.square(y)), x)], device="reference")(X)
    np.testing.assert_allclose(found[0], value.detach(), rtol=1e-12)
    np.testing.assert_allclose(found[1], given.grad, rtol=1e-12)


def test_pieces_of_maxout_are_drawn_as_dense_layers_are():
    bound = np.sqrt(6 / (100 + 50))
    weight = nn.Maxout(100, 50, pieces=4, seed=0).weight.get_value()
    assert weight.shape == (100, 200) and 0.99 * bound < abs(weight).max() <= bound
    assert len(np.unique(weight)) > 0.9 * weight.size, "every piece has values of its own"


def test_the_same_seed_gives_the_same_weights():
    for make in (lambda seed: nn.Dense(4, 3, seed=seed), lambda seed: nn.Maxout(4, 3, seed=seed)):
        first, again, other = (make(s).weight.get_value() for s in (0, 0, 1))
        np.testing.assert_array_equal(first, again)
        assert not np.array_equal(first, other)


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda: nn.Dense(0, 3), "in_features is a positive integer"),
        (lambda: nn.Dense(3, 2.5), "out_features is a positive integer"),
        (lambda: nn.Dense("3", 2), "in_features is a positive integer"),
        (lambda: nn.Dense(3, 2, init="glorot"), "no initialiser"),
        (lambda: nn.Maxout(3, 2, pieces=0), "pieces is a positive integer"),
    ],
)
def test_complaints(make, match):
    with pytest.raises(sc.errors.InputError, match=match):
        make()


@pytest.mark.parametrize("kind", [nn.Dense, nn.Maxout])
def test_images_that_were_not_flattened(kind):
    with pytest.raises(sc.errors.ShapeError, match=r"takes 800 features(.|\n)*Flatten"):
        kind(800, 10)(sc.input("x", (None, 50, 4, 4)))
    with pytest.raises(sc.errors.ShapeError, match="takes 800 features") as error:
        kind(800, 10)(sc.input("x", (None, 50, 4)))
    assert error.value.hint == "put sc.nn.Flatten() before it, and in_features=200"


def test_description():
    assert repr(nn.Dense(3, 2)) == "Dense(3, 2)"
    assert repr(nn.Dense(3, 2, bias=False)) == "Dense(3, 2, bias=False)"
    assert repr(nn.Maxout(3, 2, pieces=4)) == "Maxout(3, 2, pieces=4)"
