"""Expressions as people write them: ``1 / (1 + exp(-x))`` in place of nested calls."""

from __future__ import annotations

from collections.abc import Mapping

from symcnn.ir.variable import Constant, Variable

# op -> (sign, precedence): what binds more tightly has the larger number.
INFIX = {
    "add": ("+", 1), "subtract": ("-", 1), "multiply": ("*", 2), "divide": ("/", 2), "matmul": ("@", 2), "power": ("**", 4),
    "less": ("<", 0), "less_equal": ("<=", 0), "greater": (">", 0), "greater_equal": (">=", 0), "equal": ("==", 0),
    "not_equal": ("!=", 0),
}  # fmt: skip
UNARY, ATOM = 3, 5
LONGEST = 160  # characters of a formula; what is longer ends in dots


def written(variable: Variable, names: Mapping[Variable, str], depth: int = 6) -> str:
    """`variable` as a formula of what has a name.

    Parameters
    ----------
    variable : Variable
    names : mapping
        Variable -> name; what is in it is not looked into.
    depth : int
        Ops to go down; what lies deeper is written as dots.

    Examples
    --------
    >>> import symcnn as sc
    >>> x = sc.input("x", ())
    >>> written(1 / (1 + sc.exp(-x)), {})
    '1 / (1 + exp(-x))'
    """
    text = _written(variable, names, depth)[0]
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 3]}..."


def call(op, operands: list[str]) -> str:
    """An op applied to operands that are texts already: ``x * y``, ``exp(x)``."""
    if op.name in INFIX and len(operands) == 2:
        return f" {INFIX[op.name][0]} ".join(_bracketed(x) for x in operands)
    if op.name == "negative":
        return f"-{_bracketed(operands[0])}"
    return f"{op.name}({', '.join(operands)})"


def _written(v, names, depth) -> tuple[str, int]:
    """The formula and how tightly it binds. The depth is bounded, so this may recurse."""
    if v in names:
        return names[v], ATOM
    if isinstance(v, Constant) and v.ndim == 0:
        return number(v.value.item()), ATOM if v.value >= 0 else UNARY
    if v.op is None:
        return v.name or "constant", ATOM
    if depth == 0:
        return "...", ATOM
    if _is_filled_with_one_value(v):
        return _written(v.inputs[0], names, depth - 1)
    if v.op.name in INFIX:
        sign, binding = INFIX[v.op.name]
        (a, left), (b, right) = (_written(x, names, depth - 1) for x in v.inputs)
        a = a if left >= binding else f"({a})"
        b = b if right > binding else f"({b})"
        return f"{a} {sign} {b}", binding
    if v.op.name == "negative":
        inner, binding = _written(v.inputs[0], names, depth - 1)
        return f"-{inner if binding > UNARY else f'({inner})'}", UNARY
    return f"{v.op.name}({', '.join(_written(x, names, depth - 1)[0] for x in v.inputs)})", ATOM


def _is_filled_with_one_value(v) -> bool:
    """Whether `v` is a number, repeated: in a formula the number says it."""
    return v.op.name in ("full_like", "fill", "broadcast_like", "cast") and isinstance(v.inputs[0], Constant)


def _bracketed(text: str) -> str:
    """A negative number in brackets, as an operand."""
    return f"({text})" if text.startswith("-") else text


def number(value: float) -> str:
    """A number with up to three digits after the point, as short as it goes; two in most pictures."""
    if isinstance(value, bool | int):
        return str(value)
    return f"{value:.4g}"
