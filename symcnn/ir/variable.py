"""Variables: the nodes of the expression graph, immutable and interned.

A Variable is the result of an op on inputs, or a leaf: an Input (given at each call), a Constant, or a
Shared (state that lives between calls). Building the same expression twice gives the same object, so common
sub-expressions are found by construction and ``is`` compares whole expressions.
"""

from __future__ import annotations

import threading
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from weakref import WeakValueDictionary

import numpy as np

from symcnn.arrays import as_numpy
from symcnn.config import config
from symcnn.errors import DTypeError, InputError, ShapeError, SymcnnError, line_of, user_frame
from symcnn.ir.op import Op, build
from symcnn.ir.types import Dimension, TensorType, as_dtype
from symcnn.keywords import array_method, checked_keywords

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


@dataclass(frozen=True)
class Origin:
    """Where the user built a Variable, in which part of the compiler it was made (`maker`), and in which layer (`scope`).

    The scope is the path of the layer in its network, ``"block1.conv"``; a gradient has that of what it is pulled back through.
    """

    file: str
    line: int
    maker: str = ""
    scope: str = ""

    def __str__(self):
        return line_of(self.file, self.line) + (f" (in {self.maker})" if self.maker else "")


class _Making(threading.local):
    origin: Origin | None = None
    maker: str = ""
    scope: str = ""


_making = _Making()


@contextmanager
def made_by(maker: str, origin: Origin | None = None):
    """Variables built inside carry `maker`; with `origin`, also that place and scope instead of the caller's."""
    saved = _making.maker, _making.origin
    _making.maker, _making.origin = maker, origin
    try:
        yield
    finally:
        _making.maker, _making.origin = saved


@contextmanager
def in_scope(scope: str):
    """Variables built inside belong to the layer of this path."""
    saved = _making.scope
    _making.scope = scope
    try:
        yield
    finally:
        _making.scope = saved


def user_origin() -> Origin:
    """The innermost line outside this package on the current stack."""
    if _making.origin is not None:
        return replace(_making.origin, maker=_making.maker)
    frame = user_frame()
    return Origin(frame.f_code.co_filename, frame.f_lineno, _making.maker, _making.scope)


class Variable:
    """A typed node of the graph. Operators and NumPy functions applied to it build more graph.

    Attributes
    ----------
    op : Op or None
        What computes it; ``None`` for a leaf.
    inputs : tuple of Variable
    type : TensorType
    origin : Origin
        The user's file and line.

    Notes
    -----
    ``==`` compares elements, as in NumPy, and builds graph; ``is`` tells whether two expressions are the same. Variables
    hash by identity, so they are dictionary keys, but ``in`` a list compares and is an error: use a set or a dictionary.
    """

    __slots__ = ("__weakref__", "inputs", "name", "op", "origin", "type")

    def __init__(self, op: Op | None, inputs: tuple[Variable, ...], type: TensorType, name: str | None = None):
        self.op, self.inputs, self.type, self.name = op, inputs, type, name
        self.origin = user_origin()

    @property
    def shape(self) -> tuple[Dimension, ...]:
        return self.type.shape

    @property
    def dtype(self) -> np.dtype:
        return self.type.dtype

    @property
    def ndim(self) -> int:
        return self.type.ndim

    @property
    def size(self) -> Dimension:
        return self.type.size

    @property
    def T(self) -> Variable:
        return build("transpose", self)

    def __eq__(self, other):
        return build("equal", self, other) if isinstance(other, _COMPARABLE) else NotImplemented

    def __ne__(self, other):
        return build("not_equal", self, other) if isinstance(other, _COMPARABLE) else NotImplemented

    __hash__ = object.__hash__

    def __repr__(self):
        what = self.name or (self.op.name if self.op else type(self).__name__.lower())
        return f"<{what}: {self.type}>"

    if not TYPE_CHECKING:

        def __getattr__(self, name):
            """Only asked for what is not there."""
            raise AttributeError(f"an expression has no {name!r}{array_method(name)}", name=name, obj=self)

    if TYPE_CHECKING:  # operators and methods are attached below, from the registry of builders
        op: Any  # an Op with its own fields, or None; code that comes here knows which

        def __getattr__(self, name: str) -> Any: ...
        def __add__(self, other) -> Variable: ...
        def __radd__(self, other) -> Variable: ...
        def __sub__(self, other) -> Variable: ...
        def __rsub__(self, other) -> Variable: ...
        def __mul__(self, other) -> Variable: ...
        def __rmul__(self, other) -> Variable: ...
        def __truediv__(self, other) -> Variable: ...
        def __rtruediv__(self, other) -> Variable: ...
        def __pow__(self, other) -> Variable: ...
        def __matmul__(self, other) -> Variable: ...
        def __neg__(self) -> Variable: ...
        def __abs__(self) -> Variable: ...
        def __lt__(self, other) -> Variable: ...
        def __le__(self, other) -> Variable: ...
        def __gt__(self, other) -> Variable: ...
        def __ge__(self, other) -> Variable: ...
        def __and__(self, other) -> Variable: ...
        def __or__(self, other) -> Variable: ...
        def __invert__(self) -> Variable: ...
        def __getitem__(self, index) -> Variable: ...

    # What a symbolic value cannot do says so.
    def __bool__(self):
        raise DTypeError(
            f"{self!r} has no truth value: it is an expression, not a number",
            where=self.origin,
            hint="choose element by element with sc.where(condition, a, b); evaluate with sc.function",
        )

    def __float__(self):
        raise DTypeError(
            f"{self!r} is an expression, not a number", where=self.origin, hint="evaluate it with sc.function"
        )

    __int__ = __index__ = __complex__ = __float__

    def __array__(self, *args, **kwargs):
        raise DTypeError(
            f"{self!r} is an expression, not an array", where=self.origin, hint="evaluate it with sc.function"
        )

    def __len__(self):
        if self.ndim == 0:
            raise ShapeError("a scalar has no length", where=self.origin)
        if self.shape[0] is None:
            raise ShapeError(
                f"the length of {self!r} is unknown until the call", where=user_origin(), found=str(self.type),
                hint="declare the dimension in sc.input; as a number in the graph it is sc.count(x, axis=0)",
            )  # fmt: skip
        return self.shape[0]

    def __iter__(self):
        return (self[i] for i in range(len(self)))

    def __reduce__(self):
        raise DTypeError(
            "a Variable cannot be pickled or copied",
            hint="model.save(path) writes parameters; sc.nn.twin(model) copies a network",
        )

    # NumPy functions applied to Variables build graph.
    def __array_ufunc__(self, ufunc, method, *args, out=None, **kwargs):
        if method != "__call__" or out is not None or kwargs:
            raise InputError(
                f"np.{ufunc.__name__}.{method} with {sorted(kwargs) or 'out='} is not symbolic", where=user_origin()
            )
        return build(ufunc.__name__, *args)

    def __array_function__(self, func, types, args, kwargs):
        return build(func.__name__, *args, **kwargs)


_COMPARABLE = (Variable, np.ndarray, np.generic, bool, int, float)


def _method(name, builder=None):
    def method(self, *args, **kwargs):
        return build(builder or name, self, *args, **kwargs)

    method.__name__ = name
    return method


def _operator(builder, swapped=False):
    def operator(self, other):
        return build(builder, other, self) if swapped else build(builder, self, other)

    return operator


for _name, _builder in {
    "add": "add", "sub": "subtract", "mul": "multiply", "truediv": "divide", "floordiv": "floor_divide",
    "mod": "remainder", "pow": "power", "matmul": "matmul", "and": "bitwise_and", "or": "bitwise_or", "xor": "bitwise_xor",
}.items():  # fmt: skip
    setattr(Variable, f"__{_name}__", _operator(_builder))
    setattr(Variable, f"__r{_name}__", _operator(_builder, swapped=True))
for _name, _builder in {"lt": "less", "le": "less_equal", "gt": "greater", "ge": "greater_equal"}.items():
    setattr(Variable, f"__{_name}__", _operator(_builder))
for _name, _builder in {"neg": "negative", "pos": "positive", "abs": "absolute", "invert": "invert"}.items():
    setattr(Variable, f"__{_name}__", _method(_name, _builder))
for _name in [
    "sum",
    "mean",
    "var",
    "std",
    "prod",
    "max",
    "min",
    "argmax",
    "argmin",
    "any",
    "all",
    "reshape",
    "flatten",
    "transpose",
    "squeeze",
    "astype",
    "clip",
    "dot",
    "take",
    "round",
]:
    setattr(Variable, _name, _method(_name))
Variable.__getitem__ = _method("getitem")


class Input(Variable):
    """A leaf whose value is given at each call."""

    __slots__ = ()

    def __init__(self, name: str, type: TensorType):
        super().__init__(None, (), type, name)


class Constant(Variable):
    """A leaf whose value is fixed; `weak` marks a Python scalar whose dtype follows what it meets (NEP 50)."""

    __slots__ = ("value",)

    def __init__(self, value: np.ndarray, type: TensorType):
        super().__init__(None, (), type)
        self.value = value

    def __repr__(self):
        if self.value.size == 1 and self.ndim == 0:
            return f"<{self.value.item()!r}: {self.type}>"
        return super().__repr__()


class Shared(Variable):
    """A leaf that keeps its value between calls: parameters, optimiser state.

    The shape and dtype are fixed when it is made, so its memory never moves. The newest value may be on a device, after a
    run there; whoever asks for `storage` gets it from there first.

    Attributes
    ----------
    changes : int
        How often the value was replaced: what was made of it is still good if this number has not moved.
    """

    __slots__ = ("_host", "_newer", "changes")

    def __init__(self, value: np.ndarray, name: str | None = None):
        super().__init__(None, (), TensorType(value.dtype, value.shape), name)
        self._host, self.changes = value, 0
        self._newer: list[Callable[[np.ndarray], None]] = []  # what writes a newer value into the memory here, if any

    @property
    def storage(self) -> np.ndarray:
        """The value. Whoever writes to it counts that in `changes`."""
        if self._newer:
            self._bring_home()
        return self._host

    def is_elsewhere(self, bring: Callable[[np.ndarray], None]) -> int:
        """Remember that a device replaces the value, and count that: the new number of `changes`.

        Parameters
        ----------
        bring : callable
            Called as ``bring(array)`` when the value is first needed here, to write it into `array`, once everything is
            done that was asked of the device. If it fails it is asked again the next time: an old value is never taken
            for the newest.
        """
        with _moving:
            self.changes += 1
            self._newer = [bring]
            return self.changes

    def _bring_home(self) -> None:
        with _moving:
            newer = self._newer
            if newer:
                newer[0](self._host)
                newer.clear()

    def get_value(self) -> np.ndarray:
        """A copy of the current value."""
        return self.storage.copy()

    def set_value(self, value) -> None:
        """Replace the value, in place.

        Raises
        ------
        ShapeError
            If the shape differs: compiled functions rely on it.
        DTypeError
            If the value cannot be cast safely (same kind) to this dtype.
        InputError
            If an integer does not fit into this dtype.
        """
        array = np.asarray(as_numpy(value))
        if array.shape != self.shape:
            raise ShapeError(
                f"set_value: {self!r} has a fixed shape", where=self.origin, expected=self.shape, found=array.shape
            )
        if not np.can_cast(array.dtype, self.dtype, "same_kind"):
            raise DTypeError(
                f"set_value: {self!r} has a fixed dtype", where=self.origin, expected=self.dtype, found=array.dtype
            )
        if self.dtype.kind in "iu" and array.size:
            limits = np.iinfo(self.dtype)
            if array.min() < limits.min or array.max() > limits.max:
                raise InputError(
                    f"set_value: values overflow {self.dtype}", where=self.origin,
                    expected=f"{limits.min} to {limits.max}", found=f"{array.min()} to {array.max()}",
                )  # fmt: skip
        with _moving:
            self.changes += 1
            self._newer = []
            self._host[...] = array


def bring_home(values: Iterable[Shared]) -> None:
    """Have the newest values here: for whoever reads them by address."""
    for value in values:
        if value._newer:
            value._bring_home()


_moving = (
    threading.RLock()
)  # one value at a time comes home or is set; a device must not wait for this when it is asked
_lock = threading.Lock()
_nodes: WeakValueDictionary = WeakValueDictionary()
_constants: WeakValueDictionary = WeakValueDictionary()


def apply(op: Op, *inputs: Variable) -> Variable:
    """The Variable that is `op` of `inputs`: inferred, checked, and the same object each time.

    Keys hold the ids of the inputs: an entry dies with its Variable, which keeps its inputs alive.
    """
    key = (op, *map(id, inputs))
    found = _nodes.get(key)
    if found is not None:
        if found.origin.maker and not _making.maker and _making.origin is None:
            found.origin = user_origin()  # what `grad` has made is now written by the user, too
        return found
    try:
        inferred = op.infer(*(x.type for x in inputs))
    except SymcnnError as error:
        error.what = error.what if error.what.startswith(op.name) else f"{op.name}: {error.what}"
        error.where = user_origin()
        error.found = error.found or ", ".join(repr(x) for x in inputs)
        error.op, error.operands = op, inputs
        raise
    made = Variable(op, inputs, inferred)
    with _lock:
        return _nodes.setdefault(key, made)


@checked_keywords
def constant(value, dtype=None, name=None) -> Constant:
    """A fixed value as a Variable; equal constants are one object.

    Parameters
    ----------
    value : array_like
        Copied. A Python float becomes ``config.default_dtype``; other values keep NumPy's dtype.
    dtype : optional
        Overrides that.
    """
    if isinstance(value, Variable):
        raise DTypeError(f"{value!r} is already symbolic", where=user_origin())
    if value is None:
        raise DTypeError(
            "None is no value", where=user_origin(), expected="a number, an array or a Variable",
            hint="an unknown dimension, x.shape[0], is None until the call; as a number it is sc.count(x, axis=0)",
        )  # fmt: skip
    if dtype is None and value.__class__ is float:  # np.float64 is a float, too, but its dtype is its own
        dtype = config.default_dtype
    array = _array(value, dtype)
    type = TensorType(array.dtype, array.shape)
    array.flags.writeable = False
    if name is not None or array.nbytes > 4096:
        made = Constant(array, type)
        made.name = name
        return made
    key = (type, array.tobytes())
    found = _constants.get(key)
    if found is not None:
        return found
    made = Constant(array, type)
    with _lock:
        return _constants.setdefault(key, made)


@checked_keywords
def input(name: str, shape=(), dtype=None) -> Input:
    """A symbolic input: a value given at each call.

    Parameters
    ----------
    name : str
        Also its keyword at call time.
    shape : sequence of int or None
        ``None`` for a dimension that each call decides.
    dtype : optional
        ``config.default_dtype`` ("float32") unless given.

    Raises
    ------
    InputError, ShapeError, DTypeError

    Examples
    --------
    >>> input("x", (None, 1, 28, 28))
    <x: float32[?, 1, 28, 28]>
    """
    if not isinstance(name, str) or not name:
        raise InputError("an input needs a name", where=user_origin(), found=repr(name))
    if not isinstance(shape, (tuple, list)):
        raise ShapeError("the shape of an input is a tuple of ints and None", where=user_origin(), found=repr(shape))
    for d in shape:
        if d is not None and (isinstance(d, bool) or not hasattr(d, "__index__") or d < 0):
            raise ShapeError("a dimension is a non-negative int, or None", where=user_origin(), found=repr(d))
    return Input(name, TensorType(as_dtype(dtype or config.default_dtype), tuple(shape)))


@checked_keywords
def shared(value, name: str | None = None, dtype=None) -> Shared:
    """State that lives between calls: a parameter, an optimiser's memory.

    Parameters
    ----------
    value : array_like
        Copied. A Python float becomes ``config.default_dtype``.
    name : str, optional
    dtype : optional

    Examples
    --------
    >>> w = shared(np.zeros((2, 3), "float32"), name="w")
    >>> w.set_value(np.ones((2, 3))); w.get_value().sum()
    np.float32(6.0)
    """
    if isinstance(value, Variable):
        raise DTypeError(
            f"shared needs a value, not {value!r}", where=user_origin(), hint="use its get_value(), or an array"
        )
    if dtype is None and value.__class__ is float:  # np.float64 is a float, too, but its dtype is its own
        dtype = config.default_dtype
    return Shared(_array(value, dtype), name)


def _array(value, dtype) -> np.ndarray:
    """A contiguous copy of `value` in a dtype that symcnn computes in."""
    if dtype is not None:
        dtype = as_dtype(dtype)
    value = as_numpy(value)
    try:
        array = np.array(value, dtype, order="C")
    except (OverflowError, TypeError, ValueError, RuntimeError) as error:
        raise DTypeError(f"not an array: {error}", where=user_origin(), found=f"{value!r:.200}") from None
    return array.astype(as_dtype(array.dtype), copy=False)
