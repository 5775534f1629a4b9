"""The lecture's networks: sizes, shapes, reproducibility."""

import numpy as np
import pytest

import symcnn as sc


def test_lenet_has_the_parameters_of_the_lecture():
    model = sc.models.lenet()
    assert {k: p.shape for k, p in model.parameters().items()} == {
        "conv1.weight": (20, 1, 5, 5),
        "conv1.bias": (20,),
        "conv2.weight": (50, 20, 5, 5),
        "conv2.bias": (50,),
        "dense1.weight": (800, 500),
        "dense1.bias": (500,),
        "dense2.weight": (500, 10),
        "dense2.bias": (10,),
    }
    assert model.summary().parameters == 431_080


def test_lenet_of_another_shape():
    model = sc.models.lenet(in_shape=(3, 32, 32), classes=4)
    assert model.predict(np.zeros((2, 3, 32, 32)), device="reference").shape == (2, 4)


def test_lenet_of_too_small_an_image():
    with pytest.raises(sc.errors.ShapeError):
        sc.models.lenet(in_shape=(1, 8, 8))


@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("lenet", 431_080),
        ("cs231n_convnet", 307_498),
        ("alexnet", 60_965_224),
        ("zfnet", 62_357_608),
        ("googlenet", 6_998_552),
        ("vgg16", 138_357_544),
        ("vgg19", 143_667_240),
        ("nin", 966_986),
        ("nin_imagenet", 7_595_176),
        ("resnet18", 11_689_512),
        ("resnet34", 21_797_672),
        ("resnet50", 25_557_032),
    ],
)
def test_parameters_of_the_papers(name, count):
    model = getattr(sc.models, name)(init="zeros")
    assert model.parameters().count == count
    summary = model.summary()
    assert summary.parameters == count == sum(row.parameters for row in summary.rows)
    assert summary.rows[-1].out_shape == (None, 10 if model.in_shape[1] < 100 else 1000)


@pytest.mark.parametrize(("name", "count"), [("vgg16", 138_365_992), ("vgg19", 143_678_248)])
def test_batch_norm_in_vgg(name, count):
    """As torchvision's vgg16_bn and vgg19_bn, whose convolutions keep their biases."""
    assert getattr(sc.models, name)(batch_norm=True, init="zeros").parameters().count == count


def test_googlenet_with_its_heads():
    model = sc.models.googlenet(init="zeros", auxiliary=True)
    counts = [model[name].parameters().count for name in ("aux1", "aux2")]
    # Each pools 14 x 14 to 4 x 4, reduces to 128 channels, and has dense layers of 1024 and 1000.
    rest = (128 * 16 * 1024 + 1024) + (1024 * 1000 + 1000)
    assert counts == [512 * 128 + 128 + rest, 528 * 128 + 128 + rest]
    assert model.parameters().count == 13_378_280 == 6_998_552 + sum(counts)
    outputs = model(sc.input("x", (None, 3, 224, 224)), training=True)
    assert [y.shape for y in outputs] == [(None, 1000)] * 3
    assert model(sc.input("x", (None, 3, 224, 224))).shape == (None, 1000)
    with pytest.raises(sc.errors.ShapeError, match="googlenet needs images of at least 79 x 79"):
        sc.models.googlenet((3, 78, 99), auxiliary=True)


def test_alexnets_first_convolution():
    assert sc.models.alexnet(init="zeros")["conv1"].parameters().count == 34_944  # the lecture's quiz


def test_alexnet_shapes_are_those_of_the_paper():
    shapes = {row.name: row.out_shape[1:] for row in sc.models.alexnet(init="zeros").summary().rows}
    assert [shapes[f"pool{k}"] for k in (1, 2, 5)] == [(96, 27, 27), (256, 13, 13), (256, 6, 6)]
    assert shapes["conv1"] == (96, 56, 56) and shapes["conv5"] == (256, 13, 13)


def test_zfnet_shapes_are_those_of_the_paper():
    shapes = {row.name: row.out_shape[1:] for row in sc.models.zfnet(init="zeros").summary().rows}
    assert [shapes[f"conv{k}"] for k in (1, 2, 5)] == [(96, 110, 110), (256, 26, 26), (256, 13, 13)]
    assert [shapes[f"pool{k}"] for k in (1, 2, 5)] == [(96, 55, 55), (256, 13, 13), (256, 6, 6)]


def test_vgg_halves_the_image_five_times():
    shapes = {row.name: row.out_shape[1:] for row in sc.models.vgg16(init="zeros").summary().rows}
    assert [shapes[f"pool{k}"] for k in range(1, 6)] == [
        (64, 112, 112), (128, 56, 56), (256, 28, 28), (512, 14, 14), (512, 7, 7),
    ]  # fmt: skip


def test_maps_of_network_in_network():
    shapes = {row.name: row.out_shape[1:] for row in sc.models.nin(init="zeros").summary().rows}
    assert [shapes[name] for name in ("cccp2", "pool1", "pool2", "cccp6", "pool3")] == [
        (96, 32, 32), (96, 16, 16), (192, 8, 8), (10, 8, 8), (10, 1, 1),
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["resnet18", "resnet34", "resnet50"])
def test_resnet_stages_are_those_of_the_paper(name):
    expansion = 4 if name == "resnet50" else 1
    shapes = {row.name: row.out_shape[1:] for row in getattr(sc.models, name)(init="zeros").summary(depth=1).rows}
    assert shapes["conv1"] == (64, 112, 112)
    assert [shapes[f"layer{k + 1}"] for k in range(4)] == [
        (expansion * 64 * 2**k, 56 // 2**k, 56 // 2**k) for k in range(4)
    ]


def test_a_residual_block_adds_its_input():
    block = sc.models.resnet18((3, 32, 32), width=1 / 16)["layer1"][0]
    X = np.random.default_rng(0).normal(size=(2, 4, 5, 5)).astype("float32")
    block.parameters()["bn2.gamma"].set_value(np.zeros(4))
    np.testing.assert_array_equal(block.predict(X, device="reference"), np.maximum(X, 0))


def test_googlenet_blocks_are_those_of_the_paper():
    shapes = {row.name: row.out_shape[1:] for row in sc.models.googlenet(init="zeros").summary(depth=1).rows}
    assert shapes == {
        **dict.fromkeys(("conv1", "relu1"), (64, 112, 112)),
        **dict.fromkeys(("pool1", "norm1", "reduce2", "relu2_reduce"), (64, 56, 56)),
        **dict.fromkeys(("conv2", "relu2", "norm2"), (192, 56, 56)),
        "pool2": (192, 28, 28),
        "inception3a": (256, 28, 28),
        "inception3b": (480, 28, 28),
        "pool3": (480, 14, 14),
        **dict.fromkeys(("inception4a", "inception4b", "inception4c"), (512, 14, 14)),
        "inception4d": (528, 14, 14),
        "inception4e": (832, 14, 14),
        "pool4": (832, 7, 7),
        "inception5a": (832, 7, 7),
        "inception5b": (1024, 7, 7),
        "pool5": (1024, 1, 1),
        "flatten": (1024,),
        "drop": (1024,),
        "dense": (1000,),
    }


@pytest.mark.parametrize(
    ("make", "in_shape"),
    [
        (sc.models.cs231n_convnet, (1, 16, 8)),
        (sc.models.alexnet, (4, 63, 80)),
        (sc.models.googlenet, (1, 47, 60)),
    ],
)
def test_other_images_and_classes(make, in_shape):
    model = make(in_shape, classes=4, init="zeros")
    assert model(sc.input("x", (None, *in_shape))).shape == (None, 4)
    assert model.parameters()[0].shape[1] == in_shape[0]
    with pytest.raises(sc.errors.ShapeError):
        make((in_shape[0], 7, 7))(sc.input("x", (None, in_shape[0], 7, 7)))


def test_stages_of_the_convnet():
    model = sc.models.cs231n_convnet((3, 16, 16), widths=(4, 8))
    assert model.parameters()["conv2_2.weight"].shape == (8, 8, 3, 3)
    assert model.predict(np.zeros((2, 3, 16, 16)), device="reference").shape == (2, 10)


def test_networks_of_another_dtype():
    assert sc.models.cs231n_convnet(dtype="float64").dtype == np.float64
    assert {p.dtype for p in sc.models.googlenet(dtype="float64", init="zeros").parameters()} == {np.dtype("float64")}


def test_mlp():
    model = sc.models.mlp([4, 6, 5, 3], activation="tanh")
    assert [type(layer).__name__ for layer in model] == ["Dense", "Activation", "Dense", "Activation", "Dense"]
    assert model.parameters().count == 4 * 6 + 6 + 6 * 5 + 5 + 5 * 3 + 3
    assert model.predict(np.zeros((2, 4)), device="reference").shape == (2, 3)


def test_mlp_of_images():
    model = sc.models.mlp([(1, 28, 28), 10])
    assert model.predict(np.zeros((2, 1, 28, 28), "uint8"), device="reference").shape == (2, 10)
