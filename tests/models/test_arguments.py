"""What all networks say to arguments they cannot use, and what `width` and `init` do to them."""

import numpy as np
import pytest

import symcnn as sc

NETWORKS = [getattr(sc.models, name) for name in sc.models.__all__]
OF_IMAGES = [make for make in NETWORKS if make is not sc.models.mlp]

# The smallest image that each network takes.
MINIMUM = {
    "lenet": 16,
    "cs231n_convnet": 8,
    "alexnet": 63,
    "zfnet": 63,
    "googlenet": 47,
    "vgg16": 32,
    "vgg19": 32,
    "nin": 6,
    "nin_imagenet": 55,
}


def small(make, **options):
    """A network of few parameters."""
    first = [[12, 80, 10]] if make is sc.models.mlp else []
    return make(*first, **{"width": 1 / 16, **options})


@pytest.mark.parametrize("make", OF_IMAGES)
@pytest.mark.parametrize(
    "in_shape", [32, "32", None, (32, 32), (3, 32, 32, 1), (3, 0, 32), (3, 32.5, 32), (3, True, 32)]
)
def test_a_shape_that_is_none(make, in_shape):
    with pytest.raises(sc.errors.InputError, match=rf"{make.__name__}: in_shape is the shape of one image"):
        make(in_shape=in_shape)


@pytest.mark.parametrize("make", OF_IMAGES)
def test_channels_last(make):
    with pytest.raises(sc.errors.InputError, match="looks like") as caught:
        make(in_shape=(128, 96, 3))
    assert "(3, 128, 96)" in str(caught.value)


@pytest.mark.parametrize("make", NETWORKS)
@pytest.mark.parametrize(
    "wrong",
    [{"width": 0}, {"width": "wide"}, {"width": float("nan")}, {"seed": "one"}, {"seed": -1}, {"dtype": "int8"}, {"dtype": "flt"}],
    ids=str,
)  # fmt: skip
def test_other_arguments(make, wrong):
    with pytest.raises(sc.errors.InputError, match=make.__name__):
        small(make, **wrong)


@pytest.mark.parametrize("make", OF_IMAGES)
@pytest.mark.parametrize("classes", ["ten", 0, -1, 2.0, True])
def test_classes(make, classes):
    with pytest.raises(sc.errors.InputError, match=rf"{make.__name__}: classes is a positive integer"):
        make(classes=classes)


@pytest.mark.parametrize("name", MINIMUM)
def test_the_smallest_image(name):
    make, least = getattr(sc.models, name), MINIMUM[name]
    model = make((3, least, least + 1), classes=4, width=1 / 64, init="zeros")
    assert model(sc.input("x", (None, 3, least, least + 1)), training=False).shape == (None, 4)
    with pytest.raises(sc.errors.ShapeError, match=rf"{name} needs images of at least {least} x {least}"):
        make((3, least + 9, least - 1))


@pytest.mark.parametrize("make", NETWORKS)
def test_width_scales_all_but_the_classes(make):
    narrow, wide = small(make, init="zeros"), small(make, width=1 / 8, init="zeros")
    assert narrow.parameters().keys() == wide.parameters().keys()
    assert narrow.parameters()[-1].shape == wide.parameters()[-1].shape
    # Twice the width: four times the weights between hidden layers, twice those at either end.
    assert 1.9 < wide.parameters().count / narrow.parameters().count < 4.2


@pytest.mark.parametrize("make", NETWORKS)
def test_one_channel_is_left_of_the_narrowest(make):
    assert min(min(p.shape) for p in small(make, width=1e-6, init="zeros").parameters()) >= 1


@pytest.mark.parametrize("make", NETWORKS)
def test_initial_weights(make):
    first, again, other = (small(make, seed=seed).parameters() for seed in (0, 0, 1))
    for path, p in first.items():
        np.testing.assert_array_equal(p.get_value(), again[path].get_value())
        if path.endswith("weight") and "score" not in path:  # scores of pixels start at zero
            assert not np.array_equal(p.get_value(), other[path].get_value()), path
    weights = [p for path, p in small(make, init="zeros").parameters().items() if p.ndim > 1 and "upscore" not in path]
    assert weights and not any(p.get_value().any() for p in weights)


@pytest.mark.parametrize("make", NETWORKS)
def test_dtype(make):
    assert {p.dtype for p in small(make, dtype="float64", init="zeros").variables()} == {np.dtype("float64")}


@pytest.mark.parametrize("sizes", [10, [5], "ab", [], [4, "three"], [4, 0], [(1, 28, None), 10], None])
def test_sizes_of_a_perceptron(sizes):
    with pytest.raises(sc.errors.InputError, match="mlp"):
        sc.models.mlp(sizes)


@pytest.mark.parametrize("widths", [32, (), (32, "b"), (32, 0)])
def test_widths_of_the_convnet(widths):
    with pytest.raises(sc.errors.InputError, match="cs231n_convnet: widths"):
        sc.models.cs231n_convnet(widths=widths)


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("lenet5", "'lenet'"),
        ("alex", "'alexnet'"),
        ("VGG16", "'vgg16'"),
        ("ResNet50", "'resnet50'"),
        ("resnet", "'resnet18' or 'resnet34' or 'resnet50'"),
        ("vgg", "'vgg16' or 'vgg19'"),
        ("fcn", "'fcn16s'"),
        ("cs231n", "'cs231n_convnet'"),
        ("inception", "known"),
        ("transformer", "known: alexnet"),
    ],
)
def test_an_unknown_network(name, hint):
    with pytest.raises(AttributeError, match=f"no network '{name}'.*{hint}"):
        getattr(sc.models, name)


def test_typos():
    with pytest.raises(sc.errors.InputError, match="did you mean 'classes'"):
        sc.models.lenet(clases=3)
