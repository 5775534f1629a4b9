"""Putting the text of a kernel together: what its arguments are, and where the result goes."""

from __future__ import annotations

from symcnn.backends.cuda.launch import Kernel


def indent(lines, levels: int = 1) -> list[str]:
    return ["    " * levels + line for line in lines]


def divided(name: str, by: int) -> str:
    """Quotient of a number that is not negative by a power of two."""
    assert by & (by - 1) == 0, "not a power of two"
    return f"({name} >> {by.bit_length() - 1})"


def modulo(name: str, by: int) -> str:
    """And what is left of it."""
    assert by & (by - 1) == 0, "not a power of two"
    return f"({name} & {by - 1})"


class Ending:
    """Where each element of a result goes.

    Attributes
    ----------
    finish : Finish or None
        ``None`` for sums that are added up later: they are stored as they are.
    """

    def __init__(self, dtype: str, finish=None):
        self.dtype, self.finish = dtype, finish
        self.operands = tuple(finish.operands) if finish else ("y0",)
        self.dtypes = tuple(finish.dtypes) if finish else (dtype,)
        self.integers = tuple(finish.integer_names) if finish else ()

    def store(self, place: str) -> list[str]:
        """Lines that put ``value``, the element (``row``, ``column``), where it belongs; `place` is for partial sums."""
        return list(self.finish.lines("row", "column", "value")) if self.finish else [f"y0[{place}] = value"]

    def views(self, partial) -> tuple:
        return tuple(self.finish.views) if self.finish else (partial,)

    def sizes(self) -> tuple[int, ...]:
        return tuple(self.finish.sizes) if self.finish else ()


def kernel(title: str, inputs: tuple[str, ...], ending: Ending, integers, threads: int, body) -> Kernel:
    """A kernel with pointers ``x0, x1, ..`` to `inputs`, then those of the ending; then the same of integers.

    Sizes and strides are arguments, never literals: one kernel then serves every layer of a network.
    """
    pointers = [f"x{k}" for k in range(len(inputs))]
    arguments = [*pointers, *ending.operands, *integers, *ending.integers]
    lines = [f"def kernel({', '.join(arguments)}):", f'    """{title}"""', *indent(body)]
    return Kernel(
        source="\n".join(lines) + "\n",
        operands=(*inputs, *ending.dtypes),
        integers=len(integers) + len(ending.integers),
        threads=threads,
    )
