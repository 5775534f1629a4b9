"""Loop expressions: interned, folded where they are integers, and guarded."""

import numpy as np
import pytest

import symcnn as sc
from symcnn.ir.loops import (
    Axis,
    Call,
    Const,
    Fold,
    Index,
    Load,
    Nest,
    Operand,
    Result,
    Size,
    Store,
    const,
    select,
    within,
)
from symcnn.ir.printer import print_nest

i, j = Index("i"), Index("j")
X = sc.input("x", (None, 4))


def test_equal_is_identical():
    assert i + 1 is Index("i") + 1
    assert Size(X, 0) is Size(X, 0)
    assert Size(X, 0) is not Size(X, 1)
    assert const(1) is not const(1.0)
    assert const(0.0) is not const(-0.0)
    assert const(True) is not const(1)
    assert const(1, "int32") is not const(1)
    assert Load(X, (i, j)) is Load(X, (i, j))


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (const(2) + 3, const(5)),
        (const(7) // 2, const(3)),
        (const(-7) // 2, const(-4)),
        (const(-7) % 4, const(1)),
        (i + 0, i),
        (0 + i, i),
        (i - 0, i),
        (i * 1, i),
        (1 * i, i),
        (i * 0, const(0)),
        (i // 1, i),
        (i % 1, const(0)),
    ],
)
def test_trivial_integers_are_folded(found, expected):
    assert found is expected


def test_what_is_not_trivial_stays():
    for kept in (i // 0, i % 0, const(3) // 0, i - i, i + j):
        assert isinstance(kept, Call)
    x = Load(X, (i, j))
    assert isinstance(x * 0.0, Call)  # NaN times zero is NaN
    assert isinstance(x + 0.0, Call)


def test_dtypes():
    x = Load(X, (i, j))
    assert (x * 2).dtype == np.float32
    assert (x * 2).args[1].dtype == np.float32
    assert (x > 0).dtype == bool
    assert (i < 3).dtype == bool
    assert i.cast("float32").dtype == np.float32
    assert x.cast("float32") is x
    assert const(1.5).cast("int64") is const(1)


def test_select_and_within():
    x = Load(X, (i, j))
    assert select(True, x, 0) is x
    assert select(i < 3, x, 0).args[2] is Const(0.0, np.dtype("float32"))
    assert within() is True
    assert within((i, 0, 3), (j, 0, 4)).dtype == bool


def test_results_name_their_folds_apart():
    y = sc.exp(X)
    result = Result(y, (i, j), 3)
    x = Operand(X, lambda index: Load(X, index))
    first = result.fold("sum", (x.shape[1],), lambda k: x[i, k])
    second = result.fold("max", (2, 3), lambda k, m: x[k, m])
    names = [a.name for f in (first, second) for a in f.axes]
    assert isinstance(first, Fold)
    assert len(set(names)) == 3
    assert all("3" in n for n in names)
    assert result.fold("sum", (), lambda: x[i, j]) is x[i, j]


def test_a_nest_prints():
    y = sc.exp(X)
    total = Fold("sum", (Axis("r", Size(X, 1)),), Load(X, (i, Index("r"))), np.dtype("float32"))
    nest = Nest(
        (Axis("i", Size(X, 0)), Axis("j", Size(X, 1))), 1, (Store(y, ("i", "j"), (i, j), Load(X, (i, j)) / total),)
    )
    assert print_nest(nest).splitlines() == [
        "parallel i < size(x0, 0)",
        "  for j < size(x0, 1)",
        "    x1[i, j] = (x0[i, j] / sum(r < size(x0, 1): x0[i, r]))",
        "where x0 is <x: float32[?, 4]>",
        "where x1 is <exp: float32[?, 4]>",
    ]
