"""Fully convolutional networks: sizes, places, and what they take over from what they are made of."""

import numpy as np
import pytest

import symcnn as sc
from symcnn.models.fcn import _upscore, _walk
from symcnn.models.pixelwise import Field, Upscore

rng = np.random.default_rng(0)
NETWORKS = [sc.models.fcn32s, sc.models.fcn16s, sc.models.fcn8s, sc.models.fcn_alexnet]
TINY = {"classes": 3, "width": 1 / 64, "dtype": "float64"}


def randomized(model):
    """The network with scores that are not zero."""
    for path, p in model.parameters().items():
        if path.startswith("score"):
            p.set_value(rng.normal(size=p.shape))
    return model


@pytest.mark.parametrize(
    ("make", "count"),
    [
        # VGG-16 without its last layer, 4096 weights and a bias per class, a window per class.
        (sc.models.fcn32s, 138_357_544 - 4097 * 1000 + 4097 * 21 + 21 * 64 * 64),
        (sc.models.fcn_alexnet, 60_965_224 - 4097 * 1000 + 4097 * 21 + 21 * 63 * 63),
    ],
)
def test_parameters_of_the_paper(make, count):
    """134 and 57 millions in table 1."""
    model = make(init="zeros")
    assert model.parameters().count == count
    assert model.trainable().count == count - model["upscore"].weight.size


@pytest.mark.parametrize("make", NETWORKS)
def test_any_image_size(make):
    model = randomized(make(**TINY))
    for size in [(1, 1), (31, 65), (32, 32), (33, 2), (64, 96)]:
        scores = model.predict(rng.normal(size=(2, 3, *size)), device="reference")
        assert scores.shape == (2, 3, *size) and scores.any()
    assert len(model._functions) == 1, "one function for all sizes"


@pytest.mark.parametrize("make", NETWORKS)
def test_training_at_any_size(make):
    model = make(**TINY)
    step = sc.train.compile_step(model, optimizer=sc.optim.SGD(0.1), device="reference")
    for size in [(32, 40), (17, 33)]:
        images, labels = rng.normal(size=(2, 3, *size)), rng.integers(0, 3, (2, *size))
        function = step.function
        assert step(images, labels) > 0 and function in (None, step.function)
        assert sc.train.evaluate(model, (images, labels), device="reference")["loss"] > 0


def test_a_fixed_size():
    model = sc.models.fcn32s(in_shape=(1, 40, 50), **TINY)
    assert model.predict(np.zeros((1, 1, 40, 50)), device="reference").shape == (1, 3, 40, 50)
    with pytest.raises(sc.errors.ShapeError, match="FCN takes other inputs"):
        model.predict(np.zeros((1, 1, 41, 50)))


@pytest.mark.parametrize(
    "make",
    [
        sc.models.fcn8s,
        sc.models.fcn_alexnet,
        lambda **o: sc.models.fcn8s(from_classifier=sc.models.vgg16((3, 64, 96), width=1 / 64, dtype="float64")),
    ],
)
def test_where_the_units_of_each_map_look(make):
    """A row of NaN reaches those units whose field holds it: the middle of these rows is the place of the unit."""
    model = make(**TINY)
    fields, _ = _walk(model.body)
    for name in [name for name in model.body if name in ("pool3", "pool4", "drop7", "relu7")][-3:]:
        layers = list(model.body.values())[: list(model.body).index(name) + 1]
        x = sc.input("x", (None, 3, 800, 2), "float64")
        y = x
        for layer in layers:
            y = layer(y)
        run = sc.function([x], sc.sum(y, axis=(1, 3)), device="reference")

        def reaches(row, unit, run=run):
            image = np.zeros((1, 3, 800, 2))
            image[:, :, row] = np.nan
            return np.isnan(run(image)[0, unit])

        rows = fields[name][0]
        unit = 400 // rows.stride
        inside = round(rows.stride * unit + rows.first)
        first, last = edge(reaches, unit, inside, 0), edge(reaches, unit, inside, 799)
        assert 0 < first < last < 799 and (first + last) / 2 == rows.stride * unit + rows.first, name


def edge(reaches, unit, inside, outside):
    """The last row, going from one to the other, that reaches the unit."""
    while abs(inside - outside) > 1:
        middle = (inside + outside) // 2
        if reaches(middle, unit):
            inside = middle
        else:
            outside = middle
    return inside


@pytest.mark.parametrize("first", [15.5, 16, 0, 31.5])
@pytest.mark.parametrize("size", [64, 65, 95])
def test_enlarging_a_ramp_gives_a_ramp(first, size):
    """A score that grows with the place of its unit grows with the place of the pixel, between the outermost units."""
    fields = Field(32, first), Field(32, 15.5)
    upscore = _upscore(1, fields, (Field(), Field()), "float64")
    ramp = (32 * np.arange(-(-size // 32)) + first).reshape(1, 1, -1, 1) + np.zeros((1, 1, 1, 3))
    x, image = sc.input("x", ramp.shape, "float64"), sc.input("image", (1, 3, size, 96), "float64")
    run = sc.function([x, image], upscore(x, size_of=image), device="reference", on_unused_input="ignore")
    found = run(ramp, np.zeros((1, 3, size, 96)))[0, 0]
    inside = np.arange(size)[(np.arange(size) >= ramp.min()) & (np.arange(size) <= ramp.max())]
    np.testing.assert_allclose(found[inside, 40], inside, rtol=1e-12)


def test_weights_of_a_classifier_are_kept():
    classifier = sc.models.vgg16((3, 224, 224), classes=5, width=1 / 64, dtype="float64", seed=3)
    before = {path: p.get_value() for path, p in classifier.parameters().items()}
    model = sc.models.fcn32s(classes=3, from_classifier=classifier)
    X = rng.normal(size=(1, 3, 224, 224))
    features = classifier[:-1].predict(X, device="reference")
    x = sc.input("x", (None, 3, None, None), "float64")
    y = x
    for layer in model.body.values():
        y = layer(y)
    found = sc.function([x], y, device="reference")(X)
    # The unit in the middle of the coarse map sees the whole image, as the dense layer does.
    np.testing.assert_allclose(found[:, :, 3, 3], features, rtol=1e-10, atol=1e-14)
    for p in model.parameters():
        p.set_value(np.zeros(p.shape))
    assert all(np.array_equal(before[path], p.get_value()) for path, p in classifier.parameters().items())


def test_from_coarse_to_fine():
    coarse = randomized(sc.models.fcn32s(**TINY))
    middle = sc.models.fcn16s(from_coarser=coarse)
    middle["score_pool4"].weight.set_value(rng.normal(size=middle["score_pool4"].weight.shape))
    fine = sc.models.fcn8s(from_coarser=middle)
    assert (middle.classes, fine.classes, fine.dtype) == (3, 3, np.float64)
    for network, known in ((middle, coarse), (fine, middle)):
        both = set(network.parameters().keys()) & set(known.parameters().keys())
        assert {"conv1_1.weight", "dense7.bias", "score_fr.weight"} <= both
        for path in both:
            ours, theirs = network.parameters()[path], known.parameters()[path]
            np.testing.assert_array_equal(ours.get_value(), theirs.get_value())
            assert ours is not theirs
    assert not sc.models.fcn16s(from_coarser=coarse)["score_pool4"].weight.get_value().any()
    assert not fine["score_pool3"].weight.get_value().any()
    assert {"upscore2.weight", "upscore_pool4.weight"} <= set(fine.trainable().keys())


def test_finer_networks_begin_where_the_coarser_ended():
    """Twice and 16 times is nearly 32 times; and the new scores have a say once they are trained."""
    coarse = randomized(sc.models.fcn32s(**TINY))
    fine = sc.models.fcn16s(from_coarser=coarse)
    X = rng.normal(size=(1, 3, 96, 96))
    before, after = (model.predict(X, device="reference")[:, :, 16:80, 16:80] for model in (coarse, fine))
    assert np.abs(after - before).mean() < 0.1 * np.ptp(before)
    fine["score_pool4"].weight.set_value(rng.normal(size=fine["score_pool4"].weight.shape))
    assert np.abs(fine.predict(X, device="reference")[:, :, 16:80, 16:80] - before).max() > 0.2 * np.ptp(before)


@pytest.mark.parametrize(
    ("learn", "fixed"), [(None, {"upscore8"}), (True, set()), (False, {"upscore2", "upscore_pool4", "upscore8"})]
)
def test_which_upsampling_is_learnt(learn, fixed):
    model = sc.models.fcn8s(learn_upsampling=learn, **TINY)
    frozen = set(model.parameters().keys()) - set(model.trainable().keys())
    assert frozen == {f"{name}.weight" for name in fixed}
    assert set(model.unfreeze().trainable().keys()) == set(model.parameters().keys())


def test_batch_norm_of_the_classifier():
    model = sc.models.fcn8s(batch_norm=True, **TINY)
    assert model["norm5_3"].channels == 8 and len(model.states()) == 26


def test_unusable_starts():
    vgg, coarse = sc.models.vgg16((3, 32, 32), width=1 / 64), sc.models.fcn32s(**TINY)
    with pytest.raises(sc.errors.InputError, match="not from both"):
        sc.models.fcn16s(from_classifier=vgg, from_coarser=coarse)
    with pytest.raises(sc.errors.InputError, match="no network to go on from") as caught:
        sc.models.fcn8s(from_coarser=coarse)
    assert "fcn16s" in str(caught.value)
    with pytest.raises(sc.errors.InputError, match="no network to go on from"):
        sc.models.fcn16s(from_coarser=vgg)
    with pytest.raises(sc.errors.InputError, match="no layer 'pool4'"):
        sc.models.fcn16s(from_classifier=sc.models.alexnet((3, 63, 63), width=1 / 64))
    with pytest.raises(sc.errors.InputError, match="no classifier"):
        sc.models.fcn32s(from_classifier=coarse)
    with pytest.raises(sc.errors.InputError, match="learn_upsampling"):
        sc.models.fcn32s(learn_upsampling="all", **TINY)


def test_an_upscore_needs_a_size():
    with pytest.raises(sc.errors.InputError, match="size is that of another image"):
        Upscore(2, 2, (4, 4), (1, 1))(sc.input("x", (None, 2, 3, 3)))
