"""Einstein's summation convention, lowered to transposes, products and matrix products.

Every axis carries a label. Two operands at a time: a label of both that nobody needs any more is summed over by a
matrix product; labels of both that are still needed are its batch axes; the others are its rows and columns.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from symcnn.errors import InputError, ShapeError
from symcnn.ir.op import builder
from symcnn.ir.types import normalize_axis, shape_text
from symcnn.ir.variable import Variable, user_origin
from symcnn.ops.elementwise import as_operands, equal, where
from symcnn.ops.fill import position_like
from symcnn.ops.linalg import matmul
from symcnn.ops.reduce import sum as sum_over
from symcnn.ops.shape import expand_dims, reshape, squeeze, transpose


@builder("einsum")
def einsum(subscripts, *operands) -> Variable:
    """Sum of products in Einstein's notation, as ``np.einsum``.

    Parameters
    ----------
    subscripts : str
        Such as ``"nik,nkj->nij"``. Without ``->`` the result has the labels that occur once, in alphabetical order.
        ``...`` stands for any further axes, which broadcast; a label twice in one operand is a diagonal.
    *operands : Variable or array_like

    Raises
    ------
    InputError
        If the subscripts cannot be read or do not fit the number of operands.
    ShapeError
        If they do not fit the ranks, or a label has two sizes.

    Examples
    --------
    >>> import symcnn as sc
    >>> a, b = sc.input("a", (None, 2, 3)), sc.input("b", (4, 3))
    >>> sc.einsum("nik,jk->nji", a, b).shape
    (None, 4, 2)
    """
    if not isinstance(subscripts, str):
        raise InputError("einsum: the subscripts come first, as text", found=repr(subscripts), where=user_origin())
    xs = list(as_operands(*operands))
    labels, out = _parse(subscripts, xs)
    return contract(xs, labels, out)


@builder("tensordot")
def tensordot(a, b, axes: Any = 2) -> Variable:
    """Sum of products over some axes of `a` and as many of `b`; the result has the other axes of `a`, then of `b`.

    Parameters
    ----------
    a, b : Variable or array_like
    axes : int or pair of sequences of int
        The last n axes of `a` with the first n of `b`, or which with which.

    Raises
    ------
    ShapeError
        If the sizes of two such axes differ.

    Examples
    --------
    >>> import symcnn as sc
    >>> sc.tensordot(sc.input("a", (2, 3, 4)), sc.input("b", (4, 3, 5)), axes=((1, 2), (1, 0))).shape
    (2, 5)
    """
    a, b = as_operands(a, b)
    if isinstance(axes, (int, np.integer)):
        left, right = list(range(a.ndim - axes, a.ndim)), list(range(axes))
    else:
        left, right = (list(s) if isinstance(s, (tuple, list)) else [s] for s in axes)
    if len(left) != len(right) or len(left) > min(a.ndim, b.ndim):
        raise ShapeError(
            "tensordot: as many axes of one operand as of the other", found=f"axes={axes!r}", where=user_origin()
        )
    left, right = [normalize_axis(k, a.ndim) for k in left], [normalize_axis(k, b.ndim) for k in right]
    of_a = [f"a{k}" for k in range(a.ndim)]
    of_b = [of_a[left[right.index(k)]] if k in right else f"b{k}" for k in range(b.ndim)]
    out = [n for k, n in enumerate(of_a) if k not in left] + [n for k, n in enumerate(of_b) if k not in right]
    return contract([a, b], [of_a, of_b], out)


def _parse(subscripts, xs):
    """Labels of each operand and of the result; the axes of an ellipsis are labelled from the last one backwards."""
    terms, arrow, result = subscripts.replace(" ", "").partition("->")
    terms = terms.split(",")
    wrong = [c for c in (*"".join(terms), *result) if not (c.isalpha() or c == ".")]
    if len(terms) != len(xs) or wrong or any(t.replace("...", "", 1).count(".") for t in (*terms, result)):
        raise InputError(
            f"einsum: cannot read {subscripts!r}", where=user_origin(), found=f"{len(xs)} operand(s)",
            expected="letters for axes, commas between operands, at most one '...' in each",
        )  # fmt: skip
    labels, widest = [], 0
    for term, x in zip(terms, xs, strict=True):
        rest = x.ndim - len(term.replace("...", ""))
        if rest < 0 or (rest > 0 and "..." not in term):
            raise ShapeError(
                f"einsum: {term!r} does not fit the rank",
                expected=f"{len(term)} axes",
                found=repr(x),
                where=user_origin(),
            )
        labels.append(_spread(term, rest))
        widest = max(widest, rest)
    if arrow:
        out = _spread(result, widest)
    else:
        letters = "".join(terms).replace(".", "")
        out = _spread("..." + "".join(sorted(c for c in set(letters) if letters.count(c) == 1)), widest)
    known = {n for names in labels for n in names}
    if len(set(out)) != len(out) or not set(out) <= known:
        raise InputError(
            f"einsum: the result of {subscripts!r} names an axis twice or one that no operand has", where=user_origin()
        )
    return labels, out


def _spread(term, count):
    before, dots, after = term.partition("...")
    return [*before, *(f"...{k}" for k in range(count, 0, -1) if dots), *after]


def contract(xs, labels, out) -> Variable:
    """The sum of products of labelled operands, with the labels `out`."""
    sizes: dict[str, int | None] = {}
    for x, names in zip(xs, labels, strict=True):
        for name, d in zip(names, x.shape, strict=True):
            known = sizes.setdefault(name, d)
            if None not in (known, d) and known != d and 1 not in (known, d):
                raise ShapeError(
                    f"axis {name!r} has two sizes", expected=known, found=shape_text(x.shape), where=user_origin()
                )
            if known == 1 or d not in (None, 1):
                sizes[name] = d
    pairs = [_tidy(x, names, sizes) for x, names in zip(xs, labels, strict=True)]
    found, names = pairs[0]
    for k, (x, more) in enumerate(pairs[1:], 1):
        needed = {*out, *(n for _, later in pairs[k + 1 :] for n in later)}
        found, names = _product(found, names, x, more, needed)
    found, names = _sum_out(found, names, out)
    for name in out:
        if name not in names:  # all operands had size 1 there
            found, names = expand_dims(found, 0), [name, *names]
    return transpose(found, [names.index(n) for n in out])


def _tidy(x, names, sizes):
    """Diagonals taken; axes of size 1 dropped where another operand is larger."""
    names = list(names)
    for name in dict.fromkeys(names):
        while names.count(name) > 1:
            first, second = names.index(name), len(names) - 1 - names[::-1].index(name)
            on_diagonal = equal(position_like(x, first), position_like(x, second))
            x = sum_over(where(on_diagonal, x, 0), second)
            del names[second]
    small = [k for k, n in enumerate(names) if x.shape[k] == 1 != sizes[n]]
    return squeeze(x, tuple(small)), [n for k, n in enumerate(names) if k not in small]


def _sum_out(x, names, needed):
    gone = tuple(k for k, n in enumerate(names) if n not in needed)
    return (sum_over(x, gone) if gone else x), [n for n in names if n in needed]


def _product(a, of_a, b, of_b, needed):
    """The product of two operands, summed over what is in both and not needed."""
    a, of_a = _sum_out(a, of_a, {*of_b, *needed})
    b, of_b = _sum_out(b, of_b, {*of_a, *needed})
    batch = [n for n in of_a if n in of_b and n in needed]
    inner = [n for n in of_a if n in of_b and n not in needed]
    rows = [n for n in of_a if n not in of_b]
    columns = [n for n in of_b if n not in of_a]
    names = [*batch, *rows, *columns]
    if (
        inner
        and _can_merge(a, of_a, rows, inner)
        and _can_merge(b, of_b, columns, inner)
        and _can_split(a, of_a, rows, b, of_b, columns)
    ):
        left = _merged(a, of_a, batch, rows, inner)
        right = _merged(b, of_b, batch, inner, columns)
        product = matmul(left, right)
        dims = [a.shape[of_a.index(n)] for n in rows] + [b.shape[of_b.index(n)] for n in columns]
        return _split(product, len(batch), len(rows), len(columns), dims), names
    full = [*names, *inner]
    product = _laid_out(a, of_a, full) * _laid_out(b, of_b, full)
    return _sum_out(product, full, names)


def _laid_out(x, names, full):
    """Axes in the order of `full`, with size 1 for what `x` does not have."""
    x = transpose(x, [names.index(n) for n in full if n in names])
    return expand_dims(x, tuple(k for k, n in enumerate(full) if n not in names))


def _unknown(x, names, group):
    return [n for n in group if x.shape[names.index(n)] is None]


def _can_merge(x, names, *groups):
    """Merging axes is a reshape, which finds at most one unknown size by itself."""
    return all(len(g) == 1 for g in groups) or sum(bool(_unknown(x, names, g)) for g in groups) <= 1


def _can_split(a, of_a, rows, b, of_b, columns):
    unknown = len(_unknown(a, of_a, rows)) + len(_unknown(b, of_b, columns))
    return (len(rows) == 1 and len(columns) == 1) or unknown <= 1


def _merged(x, names, batch, first, second):
    """`x` as a stack of matrices: batch axes, then `first` as one axis, then `second` as one."""
    x = transpose(x, [names.index(n) for n in (*batch, *first, *second)])
    if len(first) == 1 and len(second) == 1:
        return x
    dims = x.shape[len(batch) :]
    merged = [-1 if None in part else math.prod(part) for part in (dims[: len(first)], dims[len(first) :])]
    return reshape(x, (*[None] * len(batch), *merged))


def _split(x, batch, rows, columns, dims):
    if rows == 1 and columns == 1:
        return x
    return reshape(x, (*[None] * batch, *(-1 if d is None else d for d in dims)))
