"""Products agree with PyTorch."""

import numpy as np
import pytest

import symcnn as sc
from tests.torch.compare import agree, normal


@pytest.mark.parametrize(
    "shapes",
    [((5, 4), (4, 3)), ((1, 7), (7, 1)), ((33, 17), (17, 40)), ((2, 5, 4), (2, 4, 3)), ((2, 1, 3, 4), (5, 4, 2)), ((4,), (4, 3)),
     ((3, 4), (4,)), ((6,), (6,)), ((2, 3, 4), (4, 5)), ((3, 4), (2, 4, 5)), ((300, 8), (8, 2))],
    ids=str,
)  # fmt: skip
def test_matmul(torch, shapes):
    rng = np.random.default_rng(0)
    agree(torch, sc.matmul, torch.matmul, *(normal(rng, *s) for s in shapes))


@pytest.mark.parametrize("subscripts", ["ij,jk->ik", "ij,kj->ik", "bij,bjk->bik", "ij->ji", "ii->i", "ii->", "ij,ij->", "i,j->ij",
                                        "bhqd,bhkd->bhqk", "ij,jk,kl->il", "abc,bd->acd", "...ij,...jk->...ik"])  # fmt: skip
def test_einsum(torch, subscripts):
    rng = np.random.default_rng(0)
    sizes = dict(zip("abcdhijklq", (2, 3, 4, 5, 2, 3, 3, 4, 5, 3), strict=True))
    terms = [t.replace("...", "a") for t in subscripts.split("->")[0].split(",")]
    if subscripts == "ii->i" or subscripts == "ii->":
        sizes["i"] = 4
    arrays = [normal(rng, *(sizes[c] for c in t)) for t in terms]
    agree(torch, lambda *xs: sc.einsum(subscripts, *xs), lambda *xs: torch.einsum(subscripts, *xs), *arrays)


@pytest.mark.parametrize(
    ("shapes", "axes"), [(((2, 3, 4), (3, 4, 5)), 2), (((2, 3, 4), (4, 3)), ((1, 2), (1, 0))), (((2, 3), (3, 2)), 1)]
)
def test_tensordot(torch, shapes, axes):
    rng = np.random.default_rng(0)
    agree(
        torch,
        lambda a, b: sc.tensordot(a, b, axes),
        lambda a, b: torch.tensordot(a, b, axes),
        *(normal(rng, *s) for s in shapes),
    )


@pytest.mark.parametrize("seed", range(3))
def test_attention(torch, seed):
    rng = np.random.default_rng(seed)
    agree(
        torch,
        lambda q, k, v: sc.softmax(q @ sc.swapaxes(k, -1, -2) / np.sqrt(8).item(), axis=-1) @ v,
        torch.nn.functional.scaled_dot_product_attention,
        *(normal(rng, 2, 5, 8) for _ in range(3)),
    )
