"""Elementwise ops: one table, one row per function.

A row says everything: NumPy's function (the specification, and the dtype rule when it is a ufunc), the scalar
code of generated kernels (or a function that composes it from other rows), the pullback
``(cotangent, output, *operands) -> cotangents``, and the interval on which the contract tests draw operands. Adding an
op is adding a row.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from symcnn.errors import DTypeError, InputError
from symcnn.ir.loops import call
from symcnn.ir.op import Example, Op, build, builder
from symcnn.ir.types import TensorType, as_dtype, broadcast_shapes
from symcnn.ir.variable import Variable, apply, constant, user_origin

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True)
class Row:
    """What is to know about one elementwise function."""

    name: str
    numpy: Callable
    code: Any  # text, or a function of loop expressions that returns one
    pullback: Callable | None
    arity: int
    dtypes: Callable[..., tuple[tuple[np.dtype, ...], np.dtype]]
    low: float = -2.0
    high: float = 2.0
    smooth: bool = True


ROWS: dict[str, Row] = {}


@dataclass(frozen=True)
class Elementwise(Op):
    """``out[i] = f(x[i], y[i], ...)`` with NumPy broadcasting."""

    function: str

    pattern = "elementwise"

    @property
    def name(self):
        return self.function

    def label(self):
        return self.function

    @property
    def row(self) -> Row:
        return ROWS[self.function]

    @property
    def smooth(self):
        return self.row.smooth

    def infer(self, *types):
        _, dtype = self.row.dtypes(*(t.dtype for t in types))
        return TensorType(dtype, broadcast_shapes(*(t.shape for t in types)))

    def reference(self, *arrays):
        given, dtype = self.row.dtypes(*(a.dtype for a in arrays))
        with np.errstate(all="ignore"):
            values = self.row.numpy(*(a.astype(d, copy=False) for a, d in zip(arrays, given, strict=True)))
        return np.asarray(values, dtype=dtype)

    def pullback(self, inputs, output, cotangent):
        if self.row.pullback is None:
            return (None,) * len(inputs)
        found = self.row.pullback(cotangent, output, *inputs)
        return tuple(
            None if g is None or not x.type.is_float else match(g, x) for g, x in zip(found, inputs, strict=True)
        )

    def nest(self, result, *operands):
        given, dtype = self.row.dtypes(*(x.dtype for x in operands))
        values = (aligned(result, x).cast(d) for x, d in zip(operands, given, strict=True))
        if callable(self.row.code):
            return self.row.code(*values)
        return call(self.function, *values, dtype=dtype)


@dataclass(frozen=True)
class Cast(Op):
    """``out = x`` converted to another dtype, as ``ndarray.astype`` does."""

    dtype: np.dtype

    pattern = "elementwise"
    examples = (Example(((2, 3),), {"dtype": np.dtype("float64")}), Example(((2, 3),), {"dtype": np.dtype("float32")}))

    def label(self):
        return f"cast({self.dtype})"

    def infer(self, x):
        return x.with_dtype(self.dtype)

    def reference(self, x):
        with np.errstate(all="ignore"):
            return x.astype(self.dtype)

    def pullback(self, inputs, output, cotangent):
        (x,) = inputs
        return (cast(cotangent, x.dtype) if x.type.is_float and output.type.is_float else None,)

    def nest(self, result, x):
        return x[result.index].cast(self.dtype)

    def flops(self, output, *types):
        return 0


def aligned(result, x):
    """The element of `x` that broadcasts to the result's point: trailing axes align, size-1 axes stay at 0."""
    return x[
        tuple(
            0 if d == 1 else i
            for i, d in zip(result.index[len(result.index) - x.ndim :], x.variable.shape, strict=True)
        )
    ]


def match(gradient: Variable, x: Variable) -> Variable:
    """`gradient` brought to the shape and dtype of `x`: summed over the axes along which `x` was stretched."""
    extra = gradient.ndim - x.ndim
    if extra >= 0:
        stretched = tuple(k for k, d in enumerate(x.shape, extra) if d == 1 != gradient.shape[k])
        if extra:  # in one pass over all axes
            gradient = build("sum", gradient, axis=(*range(extra), *stretched))
            gradient = build("expand_dims", gradient, tuple(k - extra for k in stretched))
        elif stretched:
            gradient = build("sum", gradient, axis=stretched, keepdims=True)
    if gradient.ndim < x.ndim or any(d == 1 != e for d, e in zip(gradient.shape, x.shape, strict=True)):
        gradient = build("broadcast_like", gradient, x)
    return cast(gradient, x.dtype)


def cast(x: Variable, dtype) -> Variable:
    """`x` converted to `dtype`; the same Variable when it has it already."""
    dtype = as_dtype(dtype)
    return x if x.dtype == dtype else apply(Cast(dtype), x)


@builder("astype")
def astype(x, dtype) -> Variable:
    """``x`` converted to `dtype`, as ``ndarray.astype``.

    Examples
    --------
    >>> import symcnn as sc
    >>> sc.astype(sc.input("x", (2,)), "float64").dtype
    dtype('float64')
    """
    return cast(as_variable(x), dtype)


def as_variable(value) -> Variable:
    """`value` itself when symbolic, else a constant."""
    return value if isinstance(value, Variable) else constant(value)


def as_operands(*values) -> tuple[Variable, ...]:
    """Variables from a mix of Variables, arrays and Python scalars; a Python scalar takes the dtype of the others
    as far as its kind allows (NEP 50): ``float32 + 0.5`` stays float32, ``int32 + 0.5`` becomes float64."""
    strong = [v.dtype for v in values if isinstance(v, (Variable, np.ndarray, np.generic))]
    result = []
    for value in values:
        if isinstance(value, (bool, int, float)) and not isinstance(value, np.generic) and strong:
            try:
                value = constant(value, np.result_type(*strong, value))
            except DTypeError as error:
                raise InputError(
                    error.what, where=user_origin(), hint="cast the other operand to a wider dtype"
                ) from None
        result.append(as_variable(value))
    return tuple(result)


def ufunc_dtypes(ufunc: np.ufunc):
    """NumPy's own promotion, with float32 where NumPy would choose float16."""

    def rule(*dtypes):
        try:
            *given, out = ufunc.resolve_dtypes((*dtypes, *[None] * ufunc.nout))
        except TypeError:
            names = " and ".join(map(str, dtypes))
            raise DTypeError(
                f"{ufunc.__name__} is not defined for {names}", hint="convert with .astype(...) first"
            ) from None
        widen = lambda d: np.dtype("float32") if d == np.float16 else d  # noqa: E731
        return tuple(map(widen, given)), widen(out)

    return rule


def float_dtypes(*dtypes):
    """Floats stay; integers become the float that NumPy's exp would give them."""
    common = ufunc_dtypes(np.exp)(np.result_type(*dtypes))[1]
    return (common,) * len(dtypes), common


def _where_dtypes(condition, x, y):
    common = np.result_type(x, y)
    return (np.dtype("bool"), common, common), common


def _logical_dtypes(*dtypes):
    """Whatever is not zero is true, NaN included."""
    return (np.dtype("bool"),) * len(dtypes), np.dtype("bool")


def elementwise(
    name, numpy, code, pullback=None, *, aliases=(), low=-2.0, high=2.0, smooth=True, arity=None, dtypes=None
):
    """Define an elementwise op and return the function that builds it."""
    if dtypes is None:
        dtypes = ufunc_dtypes(numpy) if isinstance(numpy, np.ufunc) else float_dtypes
    arity = arity or (numpy.nin if isinstance(numpy, np.ufunc) else 1)
    ROWS[name] = Row(name, numpy, code, pullback, arity, dtypes, low, high, smooth)
    op = Elementwise(name)

    def function(*operands):
        if len(operands) != arity:
            raise InputError(f"{name} takes {arity} operand(s)", where=user_origin(), found=len(operands))
        return apply(op, *as_operands(*operands))

    letters = ", ".join("xyz"[:arity])
    function.__name__ = function.__qualname__ = name
    function.__doc__ = (
        f"Elementwise ``{name}({letters})``; shapes broadcast and dtypes promote as in NumPy.\n\n"
        f"Examples\n--------\n>>> import symcnn as sc\n>>> x = sc.input('x', (2, 3))\n"
        f">>> sc.{name}({', '.join(['x'] * arity)}).shape\n(2, 3)\n"
    )
    function.__module__ = __name__
    return builder(name, *aliases)(function)


def zero(x):
    return build("zeros_like", x)


def _sigmoid(x):
    e = np.exp(-np.abs(x))
    return np.where(x >= 0, 1, e) / (1 + e)


def _erf(x):
    return np.vectorize(math.erf, otypes=["float64"])(x)


def _gate(condition, ct):
    return where(condition, ct, 0)


def _power_pullback(ct, out, x, y):
    return (
        ct * where(equal(y, 0), 0, y * power(x, y - 1)),
        ct * where(equal(x, 0), 0, out * log(where(equal(x, 0), 1, x))),
    )


# One row per line, long or not.
# fmt: off

# arithmetic
add = elementwise("add", np.add, "{0} + {1}", lambda ct, out, x, y: (ct, ct))
subtract = elementwise("subtract", np.subtract, "{0} - {1}", lambda ct, out, x, y: (ct, -ct))
multiply = elementwise("multiply", np.multiply, "{0} * {1}", lambda ct, out, x, y: (ct * y, ct * x))
divide = elementwise("divide", np.divide, "{0} / {1}", lambda ct, out, x, y: (ct / y, -ct * out / y), aliases=("true_divide",), low=0.5)
floor_divide = elementwise("floor_divide", np.floor_divide, "floor_divide({0}, {1})", lambda ct, out, x, y: (zero(x), zero(y)), low=0.5, smooth=False)
remainder = elementwise("remainder", np.remainder, "remainder({0}, {1})", lambda ct, out, x, y: (ct, -ct * floor(x / y)), aliases=("mod",), low=0.5, smooth=False)
negative = elementwise("negative", np.negative, "-{0}", lambda ct, out, x: (-ct,))
positive = elementwise("positive", np.positive, "{0}", lambda ct, out, x: (ct,))
absolute = elementwise("absolute", np.absolute, "absolute({0})", lambda ct, out, x: (ct * sign(x),), aliases=("abs", "fabs"), low=0.2)
sign = elementwise("sign", np.sign, "sign({0})", lambda ct, out, x: (zero(x),), smooth=False)
reciprocal = elementwise("reciprocal", np.reciprocal, "reciprocal({0})", lambda ct, out, x: (-ct * out * out,), low=0.5)
square = elementwise("square", np.square, "{0} * {0}", lambda ct, out, x: (ct * (2 * x),))
sqrt = elementwise("sqrt", np.sqrt, "sqrt({0})", lambda ct, out, x: (ct / (2 * out),), low=0.5)
power = elementwise("power", np.power, "power({0}, {1})", _power_pullback, aliases=("pow",), low=0.5)
maximum = elementwise("maximum", np.maximum, "maximum({0}, {1})", lambda ct, out, x, y: (_gate(x >= y, ct), _gate(x < y, ct)))
minimum = elementwise("minimum", np.minimum, "minimum({0}, {1})", lambda ct, out, x, y: (_gate(x <= y, ct), _gate(x > y, ct)))
where = elementwise(
    "where", np.where, "({1} if {0} else {2})", lambda ct, out, c, x, y: (None, where(c, ct, 0), where(c, 0, ct)),
    arity=3, dtypes=_where_dtypes,
)

# exponential and trigonometric
exp = elementwise("exp", np.exp, "exp({0})", lambda ct, out, x: (ct * out,))
expm1 = elementwise("expm1", np.expm1, "expm1({0})", lambda ct, out, x: (ct * exp(x),))
log = elementwise("log", np.log, "log({0})", lambda ct, out, x: (ct / x,), low=0.5)
log1p = elementwise("log1p", np.log1p, "log1p({0})", lambda ct, out, x: (ct / (1 + x),), low=-0.5)
sin = elementwise("sin", np.sin, "sin({0})", lambda ct, out, x: (ct * cos(x),))
cos = elementwise("cos", np.cos, "cos({0})", lambda ct, out, x: (-ct * sin(x),))
tan = elementwise("tan", np.tan, "tan({0})", lambda ct, out, x: (ct * (1 + out * out),), low=-1.0, high=1.0)
arctan = elementwise("arctan", np.arctan, "atan({0})", lambda ct, out, x: (ct / (1 + x * x),), aliases=("atan",))
sinh = elementwise("sinh", np.sinh, "sinh({0})", lambda ct, out, x: (ct * cosh(x),))
cosh = elementwise("cosh", np.cosh, "cosh({0})", lambda ct, out, x: (ct * sinh(x),))
tanh = elementwise("tanh", np.tanh, "tanh({0})", lambda ct, out, x: (ct * (1 - out * out),))
erf = elementwise("erf", _erf, "erf({0})", lambda ct, out, x: (ct * (2 / math.sqrt(math.pi)) * exp(-x * x),))

# activations whose stable form or derivative deserves a name
sigmoid = elementwise("sigmoid", _sigmoid, "sigmoid({0})", lambda ct, out, x: (ct * (out * (1 - out)),))
softplus = elementwise("softplus", lambda x: np.logaddexp(x, 0), "softplus({0})", lambda ct, out, x: (ct * sigmoid(x),))
relu = elementwise(
    "relu", lambda x: np.maximum(x, x.dtype.type(0)), "maximum({0}, 0)", lambda ct, out, x: (_gate(out > 0, ct),),
    dtypes=ufunc_dtypes(np.positive), low=0.1,
)

# rounding and tests: derivative zero or none
floor = elementwise("floor", np.floor, "floor({0})", lambda ct, out, x: (zero(x),), smooth=False)
ceil = elementwise("ceil", np.ceil, "ceil({0})", lambda ct, out, x: (zero(x),), smooth=False)
trunc = elementwise("trunc", np.trunc, "trunc({0})", lambda ct, out, x: (zero(x),), smooth=False)
rint = elementwise("rint", np.rint, "rint({0})", lambda ct, out, x: (zero(x),), aliases=("round", "around"), smooth=False)
isnan = elementwise("isnan", np.isnan, "isnan({0})", smooth=False)
isinf = elementwise("isinf", np.isinf, "isinf({0})", smooth=False)
isfinite = elementwise("isfinite", np.isfinite, "isfinite({0})", smooth=False)
equal = elementwise("equal", np.equal, "{0} == {1}", smooth=False)
not_equal = elementwise("not_equal", np.not_equal, "{0} != {1}", smooth=False)
less = elementwise("less", np.less, "{0} < {1}", smooth=False)
less_equal = elementwise("less_equal", np.less_equal, "{0} <= {1}", smooth=False)
greater = elementwise("greater", np.greater, "{0} > {1}", smooth=False)
greater_equal = elementwise("greater_equal", np.greater_equal, "{0} >= {1}", smooth=False)
logical_and = elementwise("logical_and", np.logical_and, "{0} and {1}", dtypes=_logical_dtypes, smooth=False)
logical_or = elementwise("logical_or", np.logical_or, "{0} or {1}", dtypes=_logical_dtypes, smooth=False)
logical_xor = elementwise("logical_xor", np.logical_xor, "{0} != {1}", dtypes=_logical_dtypes, smooth=False)
logical_not = elementwise("logical_not", np.logical_not, "not {0}", dtypes=_logical_dtypes, smooth=False)


def _bitwise(name, logical):
    """The operators ``&  |  ^  ~``: on booleans the logical functions; nothing else has bits here."""

    def function(*operands):
        operands = as_operands(*operands)
        wrong = [x for x in operands if x.dtype != bool]
        if wrong:
            hint = f"compare first, as in (x > 0) & (y > 0); sc.{logical.__name__} takes numbers, of which those not 0 are true"
            raise DTypeError(f"{name} is defined for booleans only", where=user_origin(), found=repr(wrong[0]), hint=hint)
        return logical(*operands)

    function.__name__ = function.__qualname__ = name
    function.__module__ = __name__
    function.__doc__ = f"""`{logical.__name__}` of booleans; other dtypes raise DTypeError.

    Examples
    --------
    >>> import symcnn as sc
    >>> x = sc.input("x", (2, 3))
    >>> sc.{name}({", ".join(["x > 0"] * ROWS[logical.__name__].arity)}).type
    TensorType(dtype=dtype('bool'), shape=(2, 3))
    """
    return builder(name)(function)


bitwise_and = _bitwise("bitwise_and", logical_and)
bitwise_or = _bitwise("bitwise_or", logical_or)
bitwise_xor = _bitwise("bitwise_xor", logical_xor)
invert = _bitwise("invert", logical_not)
# fmt: on
