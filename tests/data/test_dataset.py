"""Data sets: pairs, stratified splits, batches."""

import numpy as np
import pytest

from symcnn.data import Dataset, Normalize, as_dataset, transforms
from symcnn.data.sampling import generator
from symcnn.errors import DTypeError, InputError, ShapeError


@pytest.fixture
def numbered():
    """Example i holds the number i; classes of 10, 20 and 30 examples."""
    return Dataset(np.arange(60.0)[:, None], np.repeat([0, 1, 2], [10, 20, 30]), ("a", "b", "c"))


def test_unpacks_like_a_pair(numbered):
    images, labels = numbered
    assert images is numbered.images and labels is numbered.labels
    assert as_dataset(numbered) is numbered
    assert len(as_dataset((images, labels))) == 60


def test_needs_as_many_labels_as_images():
    with pytest.raises(ShapeError, match="one label per image"):
        Dataset(np.zeros((3, 2)), np.zeros(4))
    with pytest.raises(InputError, match="pair"):
        as_dataset(np.zeros(3))


def test_split_is_stratified_disjoint_and_complete(numbered):
    rest, part = numbered.split(0.2, seed=3)
    assert part.class_counts().tolist() == [2, 4, 6]
    assert rest.class_counts().tolist() == [8, 16, 24]
    assert sorted([*rest.images[:, 0], *part.images[:, 0]]) == list(range(60))
    assert part.classes == ("a", "b", "c")


def test_split_follows_its_seed(numbered):
    first, again, other = (numbered.split(0.5, seed=s)[1].images for s in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize("fraction", [0, 1, -0.1, 5])
def test_split_fraction(numbered, fraction):
    with pytest.raises(InputError, match="between 0 and 1"):
        numbered.split(fraction)


def test_split_needs_class_labels():
    with pytest.raises(DTypeError, match="class labels"):
        Dataset(np.zeros((4, 2)), np.zeros((4, 2))).split(0.5)


@pytest.mark.parametrize("size", [1, 7, 60, 100])
def test_batches_hold_each_example_once(numbered, size):
    for shuffle in (False, True):
        batches = list(numbered.batches(size, shuffle=shuffle, seed=1))
        assert all(len(x) == len(y) <= size for x, y in batches)
        assert sorted(np.concatenate([x for x, _ in batches])[:, 0]) == list(range(60))


def test_batches_keep_labels_with_their_images(numbered):
    for images, labels in numbered.batches(7, shuffle=True):
        np.testing.assert_array_equal(labels, numbered.labels[images[:, 0].astype(int)])


def test_every_epoch_has_its_own_reproducible_order(numbered):
    def order(*seed):
        return np.concatenate([x for x, _ in numbered.batches(8, shuffle=True, seed=seed)])[:, 0].tolist()

    assert order(0, 1) == order(0, 1) != order(0, 2)


@pytest.mark.parametrize("size", [0, 2.5, "8"])
def test_batch_size(numbered, size):
    with pytest.raises(InputError, match="at least 1"):
        numbered.batches(size)


@pytest.mark.parametrize("shuffle", [False, True])
@pytest.mark.parametrize("start", [0, 1, 4, 8, 9, 50])
def test_start_continues_the_same_order(numbered, shuffle, start):
    def epoch(**more):
        return [x[:, 0].tolist() for x, _ in numbered.batches(7, shuffle=shuffle, seed=(4, 2), **more)]

    assert epoch(start=start) == epoch()[start:]
    assert epoch(start=start, drop_last=True) == epoch()[:8][start:]  # 60 = 8 x 7 + 4


@pytest.mark.parametrize("start", [-1, 1.0, "2"])
def test_start_is_a_batch(numbered, start):
    with pytest.raises(InputError, match="start is a whole number, at least 0"):
        numbered.batches(7, start=start)


def test_drop_last_of_less_than_a_batch(numbered):
    assert list(numbered.batches(61, drop_last=True)) == []


@pytest.mark.parametrize("seed", [-1, "a", 0.5, (1, -2), None])
def test_what_is_no_seed(numbered, seed):
    with pytest.raises(InputError, match="no seed"):
        numbered.batches(8, shuffle=True, seed=seed)


@pytest.mark.parametrize(
    "call, hint",
    [
        (lambda data: data.batches(8, shufle=True), "'shuffle'"),
        (lambda data: data.split(0.1, sed=3), "'seed'"),
        (lambda data: data.balanced(perclass=3), "'per_class'"),
        (lambda data: Normalize.fit(data, perpixel=True), "'per_pixel'"),
        (lambda data: transforms.RandomFlip(horizontl=True), "'horizontal'"),
        (lambda data: transforms.ColorJitter(brigthness=1), "'brightness'"),
    ],
)
def test_mistyped_keywords(numbered, call, hint):
    with pytest.raises(InputError, match=f"did you mean {hint}"):
        call(numbered)


def test_what_is_no_data_set():
    with pytest.raises(ShapeError, match="differ in shape"):
        Dataset([np.zeros((2, 2)), np.zeros((3, 3))], [0, 1])
    with pytest.raises(DTypeError, match="return_inverse"):
        Dataset(np.zeros((2, 2)), ["cat", "dog"])
    with pytest.raises(InputError, match="0 to 1"):
        Dataset(np.zeros((2, 2)), [0, 2], ("cat", "dog"))
    with pytest.raises(ShapeError, match="one label per image"):
        Dataset(np.float32(3), np.zeros(1))


class TestSplit:
    def test_three_parts(self, numbered):
        rest, *more = numbered.split(0.1, 0.2, seed=5)
        assert [part.class_counts().tolist() for part in more] == [[1, 2, 3], [2, 4, 6]]
        assert sorted(np.concatenate([part.images[:, 0] for part in (rest, *more)])) == list(range(60))
        np.testing.assert_array_equal(more[0].images, numbered.split(0.1, seed=5)[1].images)

    @pytest.mark.parametrize("fractions", [(0.5, 0.5), (0.2, 0), (0.9, 0.2), (0.2, 3)])
    def test_fractions_leave_something(self, numbered, fractions):
        with pytest.raises(InputError, match="their sum"):
            numbered.split(*fractions)

    def test_label_maps_split_without_classes(self):
        whole = Dataset(np.arange(10.0)[:, None], np.zeros((10, 4, 4), int))
        rest, part = whole.split(0.3, stratified=False)
        assert (len(rest), len(part)) == (7, 3)
        with pytest.raises(DTypeError, match="stratified=False"):
            whole.split(0.3)

    @pytest.mark.parametrize(
        "labels, hint",
        [(np.zeros((4, 1), int), r"labels\[:, 0\]"), (np.eye(4), "argmax"), (np.zeros(4), "astype")],
        ids=["column", "one-hot", "floats"],
    )
    def test_labels_that_are_almost_classes(self, labels, hint):
        with pytest.raises(DTypeError, match=hint):
            Dataset(np.zeros((4, 2)), labels).split(0.5)

    def test_augmented_images_validate_nothing(self, numbered):
        for data in (numbered.augment(shift), numbered.balanced()):
            with pytest.raises(InputError, match="split first"):
                data.split(0.1)


def shift(images, labels, rng):
    """A transform for the tests: adds a random whole number to every image."""
    return images + rng.integers(1, 1000, (len(images), 1)), labels


class TestTake:
    def test_in_memory(self, numbered):
        assert numbered.take(numbered.labels == 0).class_counts().tolist() == [10, 0, 0]
        assert numbered.take([5, 3, 3, -1]).images[:, 0].tolist() == [5, 3, 3, 59]
        assert numbered.take(slice(4, 10, 2)).images[:, 0].tolist() == [4, 6, 8]
        assert len(numbered.take([])) == 0 and numbered.take(7).labels.tolist() == [0]

    def test_a_slice_is_a_view(self, numbered):
        assert np.shares_memory(numbered.take(slice(5)).images, numbered.images)

    def test_rows_exist(self, numbered):
        with pytest.raises(InputError, match="row 60 of 60"):
            numbered.take([3, 60])
        with pytest.raises(InputError, match="mask"):
            numbered.take(np.ones(59, bool))
        with pytest.raises(InputError, match="mask"):
            numbered.take(0.5)


class TestMap:
    def test_in_memory_at_once(self, numbered):
        mapped = numbered.map(lambda images: images * 2)
        assert type(mapped.images) is np.ndarray and mapped.images[3, 0] == 6
        assert mapped.labels is numbered.labels

    def test_what_is_no_function(self, numbered):
        with pytest.raises(InputError, match=r"Normalize\(...\)"):
            numbered.map(Normalize)
        with pytest.raises(InputError, match=r"dataset.augment"):
            numbered.map(shift)
        with pytest.raises(InputError, match="needs a function"):
            numbered.map(None)
        assert numbered.map(np.float32).images.dtype == np.float32

    def test_another_number_of_images(self, numbered):
        with pytest.raises(ShapeError, match="one label per image"):
            numbered.map(lambda images: images[1:])


class TestAugment:
    def test_steps_follow_the_order_of_the_calls(self, numbered):
        double = numbered.map(lambda x: x * 2).augment(lambda x, t, rng: (x + 1, t)).map(lambda x: x * 3)
        found = np.concatenate([x for x, _ in double.batches(7)])
        np.testing.assert_array_equal(found, (numbered.images * 2 + 1) * 3)
        assert double.images[3, 0] == 6  # what is stored, before the steps

    def test_any_batch_of_any_epoch_can_be_made_again(self, numbered):
        augmented = numbered.augment(shift)

        def epoch(seed, **more):
            return [x.tolist() for x, _ in augmented.batches(7, shuffle=True, seed=seed, **more)]

        whole = epoch((1, 5))
        assert whole == epoch((1, 5)) != epoch((1, 6)) and whole[3:] == epoch((1, 5), start=3)
        plain = [x.tolist() for x, _ in numbered.batches(7, shuffle=True, seed=(1, 5))]
        moved = [np.subtract(a, b)[:, 0] for a, b in zip(whole, plain, strict=True)]
        assert len(np.unique(np.concatenate(moved))) > 50  # each image of each batch has its own

    def test_chance_is_not_that_of_the_order_or_of_another_position(self):
        """The seeds 1, (1, 0) and (1, 0, 0) are one to NumPy; positions must not be mixed up with them."""
        draws = [generator(1).random(), generator(1, 0).random(), generator((1, 1)).random(), generator(1, 1).random()]
        assert len(set(draws)) == 4

    def test_stored_images_survive_transforms_that_work_in_place(self, numbered):
        def careless(images, labels, rng):
            images += 1
            labels += 1
            return images, labels

        before = numbered.images.copy(), numbered.labels.copy()
        list(numbered.augment(careless).batches(7))
        for stored, copy in zip(numbered, before, strict=True):
            np.testing.assert_array_equal(stored, copy)

    def test_labels_move_along(self):
        images = np.random.default_rng(0).integers(0, 9, (10, 1, 6, 6))
        pairs = Dataset(images, images[:, 0]).augment(transforms.RandomFlip(vertical=True), transforms.RandomCrop(5, 2))
        for x, maps in pairs.map(np.float32).batches(4, shuffle=True):
            assert x.dtype == np.float32
            np.testing.assert_array_equal(x[:, 0], maps)

    def test_what_is_no_transform(self, numbered):
        with pytest.raises(InputError, match=r"RandomFlip\(...\)"):
            numbered.augment(transforms.RandomFlip)
        with pytest.raises(InputError, match=r"dataset.map"):
            numbered.augment(lambda images: images)
        for wrong in (lambda x, t, rng: x, lambda x, t, rng: (x[1:], t), lambda x, t, rng: (x, t, x)):
            with pytest.raises(InputError, match="pair"):
                list(numbered.augment(wrong).batches(7))

    def test_shown(self, numbered):
        assert repr(numbered.augment(transforms.RandomFlip(), shift).map(np.float32).balanced(4)) == (
            "Dataset(12 x float64[1], labels int64, 4 of each class, then RandomFlip, shift, float32)"
        )


class TestBalance:
    def test_every_class_equally_often(self, numbered):
        data = numbered.balanced()
        assert len(data) == 90 and data.class_counts().tolist() == [30, 30, 30]
        images, labels = map(np.concatenate, zip(*data.batches(8, shuffle=True, seed=3), strict=True))
        np.testing.assert_array_equal(labels, numbered.labels[images[:, 0].astype(int)])
        assert np.bincount(labels).tolist() == [30, 30, 30]
        times = np.bincount(images[:, 0].astype(int))
        assert set(times[:10]) == {3} and set(times[10:30]) == {1, 2} and set(times[30:]) == {1}

    def test_undersampling_draws_others_in_other_epochs(self, numbered):
        def drawn(epoch, shuffle=True):
            batches = numbered.balanced("smallest").batches(8, shuffle=shuffle, seed=(0, epoch))
            return np.concatenate([x for x, _ in batches])[:, 0].tolist()

        assert len(drawn(0)) == len(set(drawn(0))) == 30
        assert drawn(0) == drawn(0) and set(drawn(0)) != set(drawn(1))
        assert drawn(0, shuffle=False) == sorted(drawn(0))
        assert {x for epoch in range(40) for x in drawn(epoch)} == set(range(60))

    def test_classes_without_examples(self):
        data = Dataset(np.zeros((3, 1)), [0, 2, 2], ("a", "b", "c", "d")).balanced(5)
        assert data.class_counts().tolist() == [5, 0, 5, 0] and len(data) == 10

    def test_how_many(self, numbered):
        for wrong in (0, 2.5, "biggest", -3):
            with pytest.raises(InputError, match="largest"):
                numbered.balanced(wrong)
        with pytest.raises(InputError, match="empty"):
            numbered.take([]).balanced()
        with pytest.raises(DTypeError, match="balanced"):
            Dataset(np.zeros((4, 2)), np.zeros((4, 2))).balanced()

    def test_weights(self, numbered):
        weights = numbered.class_weights()
        np.testing.assert_allclose(weights * [10, 20, 30], 20)  # every class weighs the same
        assert weights[numbered.labels].mean() == pytest.approx(1)
        assert Dataset(np.zeros((2, 1)), [0, 2]).class_weights().tolist() == [1, 0, 1]
        with pytest.raises(InputError, match="count from 0"):
            Dataset(np.zeros((2, 1)), [0, -1]).class_weights()


class TestConcat:
    def test_in_memory(self, numbered):
        both = numbered.concat(numbered.take([3]), numbered.take([4, 5]))
        assert both.images[:, 0].tolist() == [*range(60), 3, 4, 5] and both.classes == numbered.classes

    def test_what_does_not_belong_together(self, numbered):
        with pytest.raises(ShapeError, match="shapes differ"):
            numbered.concat(Dataset(np.zeros((2, 3)), [0, 1], numbered.classes))
        with pytest.raises(InputError, match="classes"):
            numbered.concat(Dataset(np.zeros((2, 1)), [0, 1]))
        with pytest.raises(InputError, match="concat first"):
            numbered.concat(numbered.augment(shift))
        with pytest.raises(InputError, match="not a data set"):
            numbered.concat(np.zeros((2, 1)))
