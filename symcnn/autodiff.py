"""Reverse-mode differentiation, as graph to graph.

Walk the graph from the cost back to the leaves; at each op, the chain rule asks its `pullback` for the cotangents of
its inputs; where a Variable was used several times, its cotangents add up. The result is ordinary graph: it can be
printed, simplified and differentiated again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import count
from typing import Any

import numpy as np

from symcnn.errors import DTypeError, GradientError, InputError, ShapeError
from symcnn.ir.graph import toposort, value_inputs
from symcnn.ir.loops import const
from symcnn.ir.op import Op, build
from symcnn.ir.types import shape_text
from symcnn.ir.variable import Variable, apply, constant, made_by, user_origin
from symcnn.keywords import checked_keywords
from symcnn.rewrite.engine import rewrite
from symcnn.rewrite.stabilize import STABILIZE


@checked_keywords
def grad(cost: Variable, wrt, *, disconnected: str = "error") -> Any:
    r"""The gradient :math:`\partial\,cost / \partial\,wrt` of a scalar, as graph.

    Parameters
    ----------
    cost : Variable
        A float scalar (rank 0).
    wrt : Variable or sequence of Variables
        Leaves or intermediate results.
    disconnected : {"error", "zeros"}
        What to do when `cost` does not depend on one of `wrt`.

    Returns
    -------
    Variable or list of Variables
        Like `wrt`; each of its shape and dtype.

    Raises
    ------
    ShapeError
        If `cost` is not a scalar.
    GradientError
        If `cost` does not depend on a `wrt` (unless ``disconnected="zeros"``), or one of them is not float.

    Notes
    -----
    Reverse accumulation: Griewank and Walther, *Evaluating Derivatives* (2008), chapter 3.

    Examples
    --------
    >>> import symcnn as sc
    >>> x = sc.input("x", ())
    >>> sc.function([x], sc.grad(x * x * x, x), device="reference")(2.0)
    array(12., dtype=float32)
    """
    if not isinstance(cost, Variable):
        raise DTypeError("grad: the cost must be a Variable", found=repr(cost), where=user_origin())
    if cost.ndim != 0:
        raise ShapeError(
            "grad: the cost must be a scalar", where=user_origin(), expected="[]", found=shape_text(cost.shape),
            hint="reduce it with sc.sum or sc.mean, or use sc.jacobian or sc.vjp",
        )  # fmt: skip
    with made_by("grad", user_origin()):
        return vjp(cost, wrt, build("ones_like", cost), disconnected=disconnected)


@checked_keywords
def vjp(outputs, wrt, cotangents, *, disconnected: str = "error") -> Any:
    r"""Vector-Jacobian product: :math:`\sum_k cotangent_k^T \; \partial\,output_k / \partial\,wrt`.

    Parameters
    ----------
    outputs, cotangents : Variable or sequence of Variables
        One cotangent per output, of its shape.
    wrt : Variable or sequence of Variables
    disconnected : {"error", "zeros"}

    Returns
    -------
    Variable or list of Variables, like `wrt`.

    Raises
    ------
    GradientError, ShapeError

    Examples
    --------
    >>> import symcnn as sc
    >>> x, u = sc.input("x", (3,)), sc.input("u", (3,))
    >>> sc.vjp(sc.exp(x), x, u).shape
    (3,)
    """
    outputs, wrts, seeds = _as_list(outputs), _as_list(wrt), _as_list(cotangents)
    if disconnected not in ("error", "zeros"):
        raise InputError(f"disconnected={disconnected!r}", expected="'error' or 'zeros'", where=user_origin())
    for v in (*outputs, *wrts):
        _require_float(v)
    with made_by("grad", user_origin()):
        seeds = _like(outputs, seeds, "vjp: one cotangent for each output")
        # The derivative of an unstable expression is unstable in ways that cannot be seen afterwards.
        stable, _ = rewrite(outputs, STABILIZE, frozenset(wrts), maker="grad")
        found = _accumulate(stable, wrts, seeds)
        for k, (x, g) in enumerate(zip(wrts, found, strict=True)):
            if g is None and disconnected == "error":
                raise GradientError(
                    f"the cost does not depend on {x!r}", where=user_origin(),
                    hint="check the expression, or pass disconnected='zeros'",
                )  # fmt: skip
            found[k] = build("zeros_like", x) if g is None else g
    return found if isinstance(wrt, Sequence) else found[0]


def _accumulate(outputs, wrts, seeds):
    """The cotangent of each of `wrts`, ``None`` where no path leads to it."""
    here = user_origin()
    order = toposort(outputs, value_inputs)
    depends = set(wrts)
    for v in order:
        if any(x in depends for x in value_inputs(v)):
            depends.add(v)
    cotangents: dict[Variable, Variable] = {}
    for y, seed in zip(outputs, seeds, strict=True):
        cotangents[y] = cotangents[y] + seed if y in cotangents else seed
    for v in reversed(order):
        ct = cotangents.get(v)
        if ct is None or v.op is None or not any(x in depends for x in value_inputs(v)):
            continue
        with made_by(here.maker, replace(here, scope=v.origin.scope)):  # a gradient belongs to the layer of its op
            for x, g in zip(v.inputs, v.op.pullback(v.inputs, v, ct), strict=True):
                if g is not None and x in depends:
                    cotangents[x] = cotangents[x] + g if x in cotangents else g
    return [cotangents.get(x) for x in wrts]


@checked_keywords
def jvp(outputs, wrt, tangents) -> Any:
    r"""Jacobian-vector product: :math:`\partial\,output / \partial\,wrt \; tangent`.

    Computed as the pullback of the pullback, which is linear in its cotangent (Townsend, "A new trick for calculating
    Jacobian vector products", 2017), so no op needs a forward rule.

    Parameters
    ----------
    outputs : Variable or sequence of Variables
    wrt, tangents : Variable or sequence of Variables
        One tangent per `wrt`, of its shape.

    Returns
    -------
    Variable or list of Variables, like `outputs`.

    Examples
    --------
    >>> import symcnn as sc
    >>> x, t = sc.input("x", (3,)), sc.input("t", (3,))
    >>> sc.jvp(sc.sum(x * x), x, t).shape
    ()
    """
    ys = _as_list(outputs)
    with made_by("jvp", user_origin()):
        for y in ys:
            _require_float(y)
        probes = [apply(_Probe(next(_serials)), y) for y in ys]
        pulled = vjp(ys, _as_list(wrt), probes, disconnected="zeros")
        found = vjp(
            pulled, probes, _like(pulled, _as_list(tangents), "jvp: one tangent for each wrt"), disconnected="zeros"
        )
    return found if isinstance(outputs, Sequence) else found[0]


@checked_keywords
def jacobian(output: Variable, wrt) -> Any:
    """All derivatives of every element of `output`: shape ``output.shape + wrt.shape``.

    One pullback per element of `output`, so its size must be known; meant for small outputs.

    Parameters
    ----------
    output : Variable
        Any rank, every dimension known.
    wrt : Variable or sequence of Variables

    Raises
    ------
    ShapeError
        If a dimension of `output` is unknown.

    Examples
    --------
    >>> import symcnn as sc
    >>> x = sc.input("x", (3,))
    >>> sc.jacobian(x * x, x).shape
    (3, 3)
    """
    _require_float(output)
    if not output.type.is_concrete:
        raise ShapeError("jacobian: the output's size must be known", where=user_origin(), found=output.type)
    with made_by("jacobian", user_origin()):
        basis = np.eye(output.size, dtype=output.dtype).reshape(output.size, *output.shape)
        rows = [vjp(output, _as_list(wrt), constant(e), disconnected="zeros") for e in basis]
        found = []
        for k, x in enumerate(_as_list(wrt)):
            stacked = build("stack", [row[k] for row in rows]) if rows else build("zeros", (0, *x.shape), x.dtype)
            if output.ndim != 1:
                tail = tuple(-1 if d is None else d for d in x.shape)
                stacked = build("reshape", stacked, (*output.shape, *tail))
            found.append(stacked)
    return found if isinstance(wrt, Sequence) else found[0]


@checked_keywords
def hessian(cost: Variable, wrt: Variable) -> Variable:
    """Second derivatives of a scalar: shape ``wrt.shape + wrt.shape``; the shape of `wrt` must be known.

    Examples
    --------
    >>> import symcnn as sc
    >>> x = sc.input("x", (3,))
    >>> sc.hessian(sc.sum(x ** 3), x).shape
    (3, 3)
    """
    _require_float(wrt)
    return jacobian(grad(cost, wrt), wrt)


_serials = count()


@dataclass(frozen=True)
class _Probe(Op):
    """Zeros of the operand's shape, distinct from every other Variable: the point at which a pullback, linear in its
    cotangent, is differentiated."""

    serial: int

    pattern = "gather"
    shape_only = (0,)

    def infer(self, like):
        return like

    def reference(self, like):
        return np.zeros(like.shape, like.dtype)

    def nest(self, result, like):
        return const(0.0, result.dtype)


def _require_float(v) -> None:
    if not isinstance(v, Variable) or not v.type.is_float:
        raise GradientError("only float Variables can be differentiated", where=user_origin(), found=repr(v))


def _like(variables, values, what) -> list[Variable]:
    """`values` as Variables of the dtype of `variables`, one for each and of its shape."""
    if len(values) != len(variables):
        raise InputError(what, where=user_origin(), expected=len(variables), found=len(values))
    found = [
        build("astype", v if isinstance(v, Variable) else constant(v), x.dtype)
        for x, v in zip(variables, values, strict=True)
    ]
    for x, v in zip(variables, found, strict=True):
        if not v.type.may_be(x.type):
            raise ShapeError(f"{what}, of its shape", where=user_origin(), expected=x.type, found=v.type)
    return found


def _as_list(value) -> list:
    return list(value) if isinstance(value, Sequence) else [value]
