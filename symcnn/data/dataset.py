"""A data set: images, labels, and the way from where they are stored to the batches of an epoch."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from math import ceil
from numbers import Real

import numpy as np

from symcnn.data.describe import Description, describe
from symcnn.data.lazy import Chained, Mapped, Rows, as_array_like, in_memory, name_of, read_rows, row_numbers
from symcnn.data.sampling import balanced_rows, class_labels, generator, parts
from symcnn.data.steps import OfImages, applied, check_step
from symcnn.errors import DTypeError, InputError, ShapeError
from symcnn.keywords import checked_count, checked_keywords


@dataclass(frozen=True, eq=False, repr=False)
class Dataset:
    """Images with their labels; unpacks like the pair that it is: ``X, labels = dataset``.

    Attributes
    ----------
    images : array_like
        (n, ...): one example per row, for images (n, channels, height, width). An array, a `numpy.memmap`, or
        whatever has a shape and a dtype and can be indexed, such as images that are decoded when they are asked for:
        it is read batch by batch.
    labels : array_like
        (n, ...): class indices, or any target of a loss.
    classes : tuple of str
        Names of the classes, where they have names.
    steps : tuple of callable
        What `augment`, and `map` after it, do to each batch: ``step(images, labels, rng) -> (images, labels)``.
        `images` and `labels` are what is stored, before any of them.
    per_class : int
        How many examples of each class an epoch has, after `balanced`; 0: every example once.

    Raises
    ------
    ShapeError
        If images and labels are not equally many, or images differ in shape.
    DTypeError
        If images or labels are no numbers.
    InputError
        If a label is beyond the named classes.

    Examples
    --------
    >>> pairs = Dataset(np.zeros((4, 1, 28, 28), "uint8"), np.array([0, 1, 0, 1]))
    >>> [len(labels) for _, labels in pairs.batches(3)]
    [3, 1]
    """

    images: np.ndarray
    labels: np.ndarray
    classes: tuple[str, ...] = ()
    steps: tuple[Callable, ...] = ()
    per_class: int = 0

    def __post_init__(self):
        for name in ("images", "labels"):
            object.__setattr__(self, name, _numbers(getattr(self, name), name))
        object.__setattr__(self, "classes", tuple(self.classes))
        images, labels = self.images.shape, self.labels.shape
        if not images or not labels or images[0] != labels[0]:
            raise ShapeError(
                "a data set needs one label per image",
                expected="images (n, ...) and labels (n, ...)",
                found=f"{images} and {labels}",
            )
        _check_named(self.labels, self.classes)

    def __len__(self):
        """How many examples an epoch has."""
        if self.per_class:
            return int(np.count_nonzero(self.class_counts())) * self.per_class
        return self.images.shape[0]

    def __iter__(self):
        return iter((self.images, self.labels))

    def __getitem__(self, rows):
        # The pair that it unpacks to, and the rows that it has: either could be meant.
        raise InputError(
            "a Dataset is not indexed", found=repr(rows),
            hint="dataset.take(rows) has some of the examples; images, labels = dataset are the arrays",
        )  # fmt: skip

    def __repr__(self):
        text = f"{len(self)} x {self.images.dtype}{list(self.images.shape[1:])}, labels {self.labels.dtype}"
        text += f", {self.per_class} of each class" if self.per_class else ""
        text += f", then {', '.join(map(name_of, self.steps))}" if self.steps else ""
        return f"Dataset({text})"

    def take(self, rows) -> Dataset:
        """The examples at `rows` (indices, a mask or a slice), in that order; what is not in memory stays where it is.

        Rows count the stored examples, and each comes as often as it is named: a balance is dropped.
        """
        try:
            numbers = np.atleast_1d(row_numbers(rows, len(self.images)))
        except IndexError as error:
            raise InputError(f"take: there is no {error}") from None
        # A slice of what is in memory is a view.
        stored = rows if isinstance(rows, slice) else numbers
        images, labels = (v[stored] if in_memory(v) else Rows(v, numbers) for v in (self.images, self.labels))
        return replace(self, images=images, labels=labels, per_class=0)

    def map(self, transform: Callable[[np.ndarray], np.ndarray]) -> Dataset:
        """The same labels with ``transform(images)``, where `transform` treats every image by itself.

        Images in memory are transformed at once. All others are when they are read, and so are augmented ones, which
        are different every time.

        Examples
        --------
        >>> pairs = Dataset(np.full((4, 1, 2, 2), 255, "uint8"), np.zeros(4, int))
        >>> pairs.map(lambda images: images / np.float32(255))
        Dataset(4 x float32[1, 2, 2], labels int64)
        """
        check_step(transform, "map", 1)
        if self.steps:
            return replace(self, steps=(*self.steps, OfImages(transform)))
        return replace(
            self, images=transform(self.images) if in_memory(self.images) else Mapped(self.images, transform)
        )

    def augment(self, *transforms: Callable) -> Dataset:
        """Transform every batch at random, each time anew, in the order in which `augment` and `map` are called.

        Parameters
        ----------
        *transforms : callable
            ``transform(images, labels, rng) -> (images, labels)``, such as those of `symcnn.data.transforms`. `rng` is a
            `numpy.random.Generator` that follows from the seed of `batches` and the number of the batch, and must be
            the only source of chance: then any batch of any epoch can be made again.

        Examples
        --------
        >>> from symcnn.data import transforms
        >>> pairs = Dataset(np.zeros((4, 3, 32, 32), "uint8"), np.zeros(4, int))
        >>> pairs.augment(transforms.RandomFlip(), transforms.RandomCrop(32, padding=4)).map(lambda x: x / np.float32(255))
        Dataset(4 x uint8[3, 32, 32], labels int64, then RandomFlip, RandomCrop, <lambda>)
        """
        for transform in transforms:
            check_step(transform, "augment", 3)
        return replace(self, steps=(*self.steps, *transforms))

    def concat(self, *others) -> Dataset:
        """The examples of this data set, then those of `others`, data sets or pairs like it."""
        everything = (self, *map(as_dataset, others))
        for other in everything:
            for mine, theirs in ((self.images, other.images), (self.labels, other.labels)):
                if mine.shape[1:] != theirs.shape[1:]:
                    raise ShapeError("concat: the shapes differ", expected=mine.shape[1:], found=theirs.shape[1:])
            if (self.classes, self.steps, self.per_class) != (other.classes, other.steps, other.per_class):
                raise InputError(
                    "concat: the data sets differ in their classes, or in how they are augmented or balanced",
                    expected=repr(self),
                    found=repr(other),
                    hint="concat first, then augment and balance",
                )
        return replace(
            self,
            images=_chained([data.images for data in everything]),
            labels=_chained([data.labels for data in everything]),
        )

    @checked_keywords
    def describe(self, limit: int | None = None) -> Description:
        """What is in it: shapes, range, mean and deviation per channel, classes; and what looks like a mistake.

        Noted are channels that come last, values that are not normalised, NaN, blank images, copies of images (and
        whether their labels differ), classes that are rare or missing, sorted labels, labels that are almost classes.

        Parameters
        ----------
        limit : int, optional
            Look at so many images, evenly spaced; by default at all of a data set of ordinary size.

        Examples
        --------
        >>> images = np.repeat(np.arange(8.0, dtype="float32"), 16).reshape(8, 1, 4, 4)
        >>> Dataset(images, np.array([0, 0, 0, 0, 0, 0, 1, 1]), ("cat", "dog")).describe()
        images   8 x float32[1, 4, 4], 0.0 MB
        values   0 to 7, mean 3.5, std 2.29
        labels   int64
        classes  2
          cat        6   75.0%
          dog        2   25.0%
        note     8 images are blank: all pixels are equal
        note     values are not normalised: normalize = Normalize.fit(train), then .map(normalize) on every split
        note     the largest class has 3 times the examples of the smallest: balanced(), class_weights()
        note     labels are sorted: shuffle, or a batch shows one class only
        """
        return describe(self, limit)

    def class_counts(self) -> np.ndarray:
        """How many examples of each class an epoch has."""
        counts = np.bincount(class_labels(self.labels, "class_counts"), minlength=len(self.classes))
        return np.where(counts, self.per_class, 0) if self.per_class else counts

    def class_weights(self) -> np.ndarray:
        r"""Weights for a loss under which all classes count the same, float64 (classes,).

        Class c with :math:`n_c` of n examples has :math:`n / (k n_c)` where k classes occur, so that the mean weight of
        an example is 1; a class that does not occur has weight 0.

        Examples
        --------
        >>> Dataset(np.zeros((6, 2)), np.array([0, 0, 0, 1, 1, 1])).class_weights()
        array([1., 1.])
        >>> Dataset(np.zeros((8, 2)), np.array([0, 0, 0, 0, 0, 0, 1, 1])).class_weights().round(3)
        array([0.667, 2.   ])
        """
        counts = self.class_counts()
        occurring = counts > 0
        return np.divide(counts.sum() / max(occurring.sum(), 1), counts, out=np.zeros(len(counts)), where=occurring)

    @checked_keywords
    def balanced(self, per_class: int | str = "largest") -> Dataset:
        """The same examples, of which every epoch draws equally many of each class.

        Parameters
        ----------
        per_class : int or str
            How many: a number, ``"largest"`` or ``"smallest"``, those of the largest or smallest class. A class with
            fewer examples repeats them, all equally often up to one; of a class with more an epoch draws as many
            different ones. Which ones follows from the seed given to `batches`, so other epochs draw others.

        Examples
        --------
        >>> rare = Dataset(np.arange(5.0)[:, None], np.array([0, 0, 0, 0, 1]))
        >>> rare.balanced().class_counts(), rare.balanced("smallest").class_counts()
        (array([4, 4]), array([1, 1]))
        """
        counts = np.bincount(class_labels(self.labels, "balanced"))
        occurring = counts[counts > 0]
        if not len(occurring):
            raise InputError("balanced: the data set is empty")
        known = {"largest": int(occurring.max()), "smallest": int(occurring.min())}
        number = known.get(per_class, per_class) if isinstance(per_class, str) else per_class
        if not isinstance(number, int | np.integer) or number < 1:
            raise InputError(
                "balanced: how many of each class?",
                expected='a positive integer, "largest" or "smallest"',
                found=per_class,
            )
        return replace(self, per_class=int(number))

    @checked_keywords
    def split(self, fraction: float, *more: float, seed: int = 0, stratified: bool = True) -> tuple[Dataset, ...]:
        """Set `fraction` of every class aside: (rest, part), or with more fractions (rest, part, part ...).

        Parameters
        ----------
        fraction, *more : float
            Each above 0, together below 1: of each class, rounded to whole examples.
        seed : int
            The same seed chooses the same examples.
        stratified : bool
            ``False``: of all examples, where labels are no classes.

        Raises
        ------
        InputError
            For fractions that leave nothing, and after `augment` or `balanced`: validation images are as they are.

        Examples
        --------
        >>> whole = Dataset(np.zeros((20, 3)), np.repeat([0, 1], 10))
        >>> train, validation = whole.split(0.2)
        >>> len(train), validation.class_counts()
        (16, array([2, 2]))
        >>> train, validation, test = whole.split(0.1, 0.2)
        >>> len(train), len(validation), len(test)
        (14, 2, 4)
        """
        fractions = (fraction, *more)
        if not all(isinstance(f, Real) and 0 < f < 1 for f in fractions) or sum(fractions) >= 1:
            raise InputError(
                "split: each fraction lies between 0 and 1, and so does their sum",
                found=", ".join(map(str, fractions)),
                hint="0.1 sets a tenth aside; 0.1, 0.1 a tenth for validation and a tenth for the test",
            )
        if self.steps or self.per_class:
            raise InputError(
                "split: this data set is augmented or balanced, which is for training images alone",
                found=repr(self),
                hint="split first, then augment or balance the first part",
            )
        labels = class_labels(self.labels, "split") if stratified else np.zeros(len(self), int)
        return tuple(map(self.take, parts(labels, fractions, generator(seed))))

    @checked_keywords
    def batches(
        self,
        batch_size: int,
        *,
        shuffle: bool = False,
        seed: int | Sequence[int] = 0,
        start: int = 0,
        drop_last: bool = False,
    ) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Pairs (images, labels) of at most `batch_size` examples, each example of the epoch once.

        Parameters
        ----------
        batch_size : int
        shuffle : bool
            In an order drawn from `seed`; else in the stored order, and if nothing is to be done to them as views
            without copying.
        seed : int or sequence of ints
            Of the order, of augmentation and of balanced draws: ``(seed, epoch)`` makes every epoch another.
        start : int
            Begin at this batch of the same epoch; the ones before are not computed.
        drop_last : bool
            Leave out a last batch that is smaller than the others.

        Raises
        ------
        InputError
            For a batch size below 1, a negative start, or what is no seed.
        """
        checked_count("batches: the batch size", batch_size)
        checked_count("batches: start", start, 0)
        order = self._order(shuffle, generator(seed))
        whole = len(self) // batch_size if drop_last else ceil(len(self) / batch_size)
        return self._batches(order, range(start, whole), batch_size, seed)

    def _order(self, shuffle: bool, rng) -> np.ndarray | None:
        """The rows of an epoch; None for views of all, as stored."""
        if self.per_class:
            rows = balanced_rows(class_labels(self.labels, "balanced"), self.per_class, rng)
            return rng.permutation(rows) if shuffle else np.sort(rows)
        if shuffle:
            return rng.permutation(len(self))
        return np.arange(len(self)) if self.steps else None  # a step may work in place: not on what is stored

    def _batches(self, order, numbers, batch_size, seed):
        for number in numbers:
            rows = slice(number * batch_size, (number + 1) * batch_size)
            rows = rows if order is None else order[rows]
            images, labels = read_rows(self.images, rows), read_rows(self.labels, rows)
            if self.steps:
                rng = generator(seed, number)
                for step in self.steps:
                    images, labels = applied(step, images, labels, rng)
            yield images, labels


def as_dataset(data) -> Dataset:
    """`data` itself if it is a Dataset, or the Dataset of a pair (images, labels).

    Raises
    ------
    InputError
        If it is neither.
    """
    if isinstance(data, Dataset):
        return data
    if isinstance(data, (tuple, list)) and len(data) == 2:
        return Dataset(*data)
    if isinstance(data, Real):
        hint = "a share of the training set is split off: training, validation = train.split(0.1)"
    elif hasattr(data, "shape"):
        hint = "images and labels are one argument: (images, labels)"
    else:
        hint = "images may be anything with shape, dtype, len and fancy indexing, and are read batch by batch"
    raise InputError(
        "this is not a data set", expected="a Dataset or a pair (images, labels)", found=type(data).__name__, hint=hint
    )


def _numbers(values, name: str):
    """`values` as something that rows of numbers can be read from."""
    if isinstance(values, Dataset):
        raise InputError(
            f"the {name} are a data set with labels of its own", expected="an array", found=repr(values),
            hint="of (train, test) give one at a time",
        )  # fmt: skip
    try:
        values = as_array_like(values)
    except InputError:  # an array of another library that cannot be read
        raise
    except ValueError:  # NumPy's word for rows of several shapes
        raise ShapeError(f"the {name} differ in shape", hint="bring them to one size first") from None
    if values.dtype.kind not in "biuf":
        raise DTypeError(
            f"the {name} are no numbers",
            found=values.dtype,
            hint="names, labels = np.unique(labels, return_inverse=True)" if name == "labels" else None,
        )
    return values


def _check_named(labels, classes: tuple[str, ...]) -> None:
    """Every class label has a name, where classes have names; labels that would have to be read first are not looked at."""
    if not classes or not in_memory(labels) or labels.ndim != 1 or labels.dtype.kind not in "iu" or not labels.size:
        return
    if labels.max() >= len(classes):
        raise InputError(
            "a label has no class",
            expected=f"0 to {len(classes) - 1}, for the {len(classes)} named classes",
            found=labels.max(),
        )


def _chained(arrays):
    return np.concatenate(arrays) if all(map(in_memory, arrays)) else Chained(arrays)
