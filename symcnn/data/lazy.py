"""Arrays that are read when they are indexed, so that a data set may be larger than memory."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from symcnn.arrays import as_numpy
from symcnn.errors import InputError, ShapeError


class LazyArray:
    """What looks like an array (n, ...) and reads the rows that it is indexed with, when it is.

    A subclass sets `shape` and `dtype` and says in `read` how rows are made: decoded from files, computed, fetched.

    Examples
    --------
    >>> class Squares(LazyArray):
    ...     shape, dtype = (10, 1), np.dtype("float32")
    ...     def read(self, rows):
    ...         return np.square(rows[:, None], dtype="float32")
    >>> Squares()[[3, 4]].ravel(), Squares()[-1], len(Squares()[2:5])
    (array([ 9., 16.], dtype=float32), array([81.], dtype=float32), 3)
    """

    shape: tuple[int, ...]
    dtype: np.dtype

    def read(self, rows: np.ndarray) -> np.ndarray:
        """The rows of these numbers, int64 (k,), each from 0 to n - 1, in any order, perhaps repeated."""
        raise NotImplementedError

    @property
    def ndim(self) -> int:
        return len(self.shape)

    def __len__(self):
        return self.shape[0]

    def __getitem__(self, key):
        key, *rest = key if isinstance(key, tuple) else (key,)
        rows = row_numbers(key, len(self))
        found = self.read(np.atleast_1d(rows))
        return (found if rows.ndim else found[0])[(*[slice(None)] * rows.ndim, *rest)]

    def __array__(self, dtype=None, copy=None):
        return np.asarray(self[:], dtype)

    def __repr__(self):
        return f"{type(self).__name__}({self.dtype}{list(self.shape)})"


class Rows(LazyArray):
    """The rows of `base` of these numbers."""

    def __init__(self, base, rows: np.ndarray):
        self.base, self.rows = base, rows
        self.shape, self.dtype = (len(rows), *base.shape[1:]), base.dtype

    def read(self, rows):
        return read_rows(self.base, self.rows[rows])


class Mapped(LazyArray):
    """``function(base)``, computed for the rows that are read; `function` treats every row by itself.

    Shape and dtype are those of its result for the first row.
    """

    def __init__(self, base, function: Callable[[np.ndarray], np.ndarray]):
        self.base, self.function = base, function
        first = np.asarray(function(read_rows(base, np.arange(min(1, len(base))))))
        self.shape, self.dtype = (len(base), *first.shape[1:]), first.dtype

    def read(self, rows):
        found = np.asarray(self.function(read_rows(self.base, rows)))
        if found.shape != (len(rows), *self.shape[1:]):
            raise ShapeError(
                f"{name_of(self.function)} changes how many rows there are, or gives rows of several shapes",
                expected=(len(rows), *self.shape[1:]),
                found=found.shape,
                hint="a function of many images gives one result for each, whichever come together",
            )
        return found


class Chained(LazyArray):
    """Several arrays, one after the other."""

    def __init__(self, parts):
        self.parts = tuple(parts)
        self.starts = np.cumsum([0, *map(len, self.parts)])
        self.shape = (int(self.starts[-1]), *self.parts[0].shape[1:])
        self.dtype = np.result_type(*(part.dtype for part in self.parts))

    def read(self, rows):
        found = np.empty((len(rows), *self.shape[1:]), self.dtype)
        owner = np.searchsorted(self.starts, rows, side="right") - 1
        for i in np.unique(owner):
            mine = owner == i
            found[mine] = read_rows(self.parts[i], rows[mine] - self.starts[i])
        return found


def as_array_like(values):
    """`values` itself if its rows can be read by their numbers, else as an ndarray."""
    if isinstance(values, np.ndarray):
        return values if isinstance(values, np.memmap) else np.asarray(values)
    readable = all(hasattr(values, name) for name in ("shape", "__getitem__", "__len__"))
    by_label = hasattr(values, "iloc")  # pandas
    return (
        values
        if readable and not by_label and isinstance(getattr(values, "dtype", None), np.dtype)
        else np.asarray(as_numpy(values))
    )


def in_memory(values) -> bool:
    """Whether `values` is an array in memory, and not a view of a file or something that reads itself."""
    return isinstance(values, np.ndarray) and not isinstance(values, np.memmap)


def read_rows(values, rows: np.ndarray | slice) -> np.ndarray:
    """The rows of these numbers, or of a slice, as an ndarray."""
    if isinstance(values, LazyArray):
        return values[rows] if isinstance(rows, slice) else values.read(rows)
    if isinstance(values, np.ndarray) or isinstance(rows, slice):
        return np.asarray(values[rows])
    # h5py and its like take increasing numbers only; a row that is wanted twice is read once.
    numbers, back = np.unique(rows, return_inverse=True)
    return np.asarray(values[numbers])[back]


def row_numbers(key, count: int) -> np.ndarray:
    """Which of `count` rows an index, a list of them, a mask or a slice means: int64, of rank 0 for one index.

    Raises
    ------
    IndexError
        If a row does not exist; loops over anything that can be indexed end with it.
    InputError
        If `key` is nothing that chooses rows.
    """
    if isinstance(key, slice):
        return np.arange(*key.indices(count))
    rows = np.asarray(key)
    if rows.size == 0 and rows.ndim == 1:
        rows = rows.astype("int64")
    if rows.dtype == bool and rows.shape == (count,):
        return np.flatnonzero(rows)
    if rows.dtype.kind not in "iu" or rows.ndim > 1:
        raise InputError(
            "rows are chosen by their numbers, a mask or a slice",
            expected=f"integers, or {count} booleans",
            found=f"{rows.dtype} of shape {rows.shape}",
        )
    rows = rows.astype("int64")
    if rows.size and not -count <= rows.min() <= rows.max() < count:
        raise IndexError(f"row {rows.min() if rows.min() < -count else rows.max()} of {count}")
    return np.where(rows < 0, rows + count, rows)


def name_of(function) -> str:
    """How to call a function, a class or an object that can be called in an error or a repr."""
    return getattr(function, "__name__", None) or type(function).__name__
