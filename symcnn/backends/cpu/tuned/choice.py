"""Several entries for one op: which of them computes it depends on the sizes."""

from functools import cache
from math import prod
from typing import Any

from symcnn.backends.cpu.launch import Launch
from symcnn.ir.types import TensorType
from symcnn.schedule.plan import View

NOMINAL_BATCHES = (1, 1024)


class Choice:
    """The first of its entries that suits; the last one suits whatever it accepts.

    An entry but the last has a method ``suits(op, output, operands) -> bool`` besides those of every entry, and all have an attribute
    ``algorithm``.
    """

    def __init__(self, *entries):
        self.entries = entries
        self.finishes_rows = all(entry.finishes_rows for entry in entries)

    def chosen(self, op, output: View, operands):
        """The entry that computes `op` on these."""
        *special, general = self.entries
        return next((entry for entry in special if entry.suits(op, output, operands)), general)

    def accepts(self, op, types, output_type) -> bool:
        return self.entries[-1].accepts(op, types, output_type)

    def workspace(self, op, output: View, operands) -> int:
        return self.chosen(op, output, operands).workspace(op, output, operands)

    def launches(self, op, output: View, operands, threads: int, workspace: Any = None) -> list[Launch]:
        return self.chosen(op, output, operands).launches(op, output, operands, threads, workspace)

    def algorithm_for(self, op, output: View, operands) -> str:
        return self.chosen(op, output, operands).algorithm

    # Asked again for every new batch size. These objects live as long as the process, so the cache keeps nothing alive.
    @cache  # noqa: B019
    def beforehand(self, op, types: tuple[TensorType, ...], output_type: TensorType) -> list:
        """The kernels that batches small and large need."""
        found = []
        for batch in NOMINAL_BATCHES:
            output, operands = nominal_views(op, types, output_type, batch)
            entry = self.chosen(op, output, operands)
            found += [launch.kernel for launch in entry.launches(op, output, operands, 1, output)]
            found += [table[output.dtype.name] for table in getattr(entry, "sometimes", ())]
        return found


def nominal_views(op, types, output_type, batch=NOMINAL_BATCHES[-1]) -> tuple[View, tuple[View | None, ...]]:
    """Output and operands of these types, contiguous, with a batch of that size where it is unknown."""
    operands = (None if k in op.shape_only else _contiguous(t, batch) for k, t in enumerate(types))
    return _contiguous(output_type, batch), tuple(operands)


def _contiguous(type: TensorType, batch: int) -> View:
    """A View of this type, with `batch` in place of what is unknown."""
    shape = tuple(batch if n is None else n for n in type.shape)
    strides = tuple(prod(shape[k + 1 :]) for k in range(len(shape)))
    return View(0, 0, shape, strides, type.dtype)
