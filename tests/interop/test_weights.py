"""Weights of torchvision's and timm's naming: the same outputs as the networks that they came from, and back again."""

import numpy as np
import pytest

import symcnn as sc
from symcnn.interop import load_weights, save_weights

torch = pytest.importorskip("torch")
theirs = pytest.importorskip("tests.interop.torch_networks")

VGG16, VGG19 = (2, 2, 3, 3, 3), (2, 2, 4, 4, 4)
NARROW = {"classes": 10, "width": 1 / 16, "in_shape": (3, 64, 64)}
# naming, ours, theirs
NETWORKS = {
    "vgg16": ("torchvision", lambda: sc.models.vgg16(**NARROW), lambda: theirs.vgg(VGG16, side=2)),
    "vgg16_bn": ("torchvision", lambda: sc.models.vgg16(batch_norm=True, **NARROW), lambda: theirs.vgg(VGG16, True, 2)),
    "vgg19": ("torchvision", lambda: sc.models.vgg19(**NARROW), lambda: theirs.vgg(VGG19, side=2)),
    "resnet18": ("torchvision", lambda: sc.models.resnet18(**NARROW), lambda: theirs.ResNet((2, 2, 2, 2))),
    "resnet34": ("timm", lambda: sc.models.resnet34(**NARROW), lambda: theirs.ResNet((3, 4, 6, 3))),
    "resnet50": ("torchvision", lambda: sc.models.resnet50(**NARROW), lambda: theirs.ResNet((3, 4, 6, 3), True)),
    "timm vgg16": ("timm", lambda: sc.models.vgg16(**NARROW), lambda: theirs.timm_vgg(VGG16, side=2)),
    "alexnet": ("torchvision", lambda: sc.models.alexnet(**NARROW), theirs.alexnet),
    "googlenet": (
        "torchvision", lambda: sc.models.googlenet((3, 64, 64), classes=10, width=1 / 8), theirs.GoogLeNet
    ),
}  # fmt: skip

# What the state_dict of the published networks holds, from their sources.
KEYS = {
    "alexnet": "features.0 features.3 features.6 features.8 features.10 classifier.1 classifier.4 classifier.6",
    "vgg16": "features.0 features.2 features.5 features.7 features.10 features.12 features.14 features.17 features.19 features.21 "
    "features.24 features.26 features.28 classifier.0 classifier.3 classifier.6",
    "timm vgg16": "features.0 features.2 features.5 features.7 features.10 features.12 features.14 features.17 features.19 features.21 "
    "features.24 features.26 features.28 pre_logits.fc1 pre_logits.fc2 head.fc",
}


def trained(make):
    """A network of PyTorch with weights and statistics that all matter."""
    torch.manual_seed(0)
    network = make().eval()
    for name, value in network.state_dict().items():
        if name.endswith("running_var") or (name.endswith("weight") and value.ndim == 1):
            value.uniform_(0.5, 2)
        elif value.ndim == 1:
            value.normal_(0, 0.3)
        elif value.ndim > 1:
            value.mul_(6**0.5)  # He's deviation: signals neither grow nor vanish on their way
    return network


def outputs(network, images):
    with torch.no_grad():
        return network.forward(torch.from_numpy(images)).numpy()


@pytest.fixture
def images():
    return np.random.default_rng(7).normal(size=(2, 3, 64, 64)).astype("float32")


@pytest.mark.parametrize("name", NETWORKS)
def test_outputs_are_theirs(name, images):
    naming, ours, make = NETWORKS[name]
    network, model = trained(make), ours()
    load_weights(model, network.state_dict(), naming)
    expected = outputs(network, images)
    assert np.ptp(expected, axis=0).max() > 0.03 * np.abs(expected).max(), "the outputs follow from the images"
    np.testing.assert_allclose(
        model.predict(images, device="reference"), expected, rtol=1e-4, atol=1e-4 * np.abs(expected).max()
    )


@pytest.mark.parametrize("suffix", ["safetensors", "npz"])
@pytest.mark.parametrize("name", NETWORKS)
def test_what_is_saved_is_theirs(name, suffix, tmp_path):
    """A network of PyTorch takes it with all names and shapes, and has our numbers then."""
    naming, ours, make = NETWORKS[name]
    network, other, path = trained(make), make(), tmp_path / f"weights.{suffix}"
    model = ours()
    load_weights(model, network.state_dict(), naming)
    save_weights(model, path, naming)
    if suffix == "npz":
        with np.load(path, allow_pickle=False) as arrays:
            read = {key: torch.from_numpy(arrays[key]) for key in arrays.files}
    else:
        read = pytest.importorskip("safetensors.torch").load_file(path)
    other.load_state_dict(read, strict=True)
    for key, value in network.state_dict().items():
        if not key.endswith("num_batches_tracked"):
            assert torch.equal(other.state_dict()[key], value), key
    again = ours()
    load_weights(again, path, naming)
    assert all(
        np.array_equal(a.get_value(), b.get_value()) for a, b in zip(again.variables(), model.variables(), strict=True)
    )


@pytest.mark.parametrize("name", KEYS)
def test_names_are_the_published_ones(name, tmp_path):
    naming, ours, _ = NETWORKS[name]
    save_weights(ours(), tmp_path / "w.npz", naming)
    with np.load(tmp_path / "w.npz") as arrays:
        assert arrays.files == [f"{layer}.{role}" for layer in KEYS[name].split() for role in ("weight", "bias")]


def test_names_of_a_residual_network(tmp_path):
    """All 122 keys of torchvision's resnet18, less the 20 counters of its batch norms."""
    norm = ["weight", "bias", "running_mean", "running_var"]
    keys = {"conv1.weight", "fc.weight", "fc.bias", *(f"bn1.{role}" for role in norm)}
    for block in (f"layer{stage}.{number}" for stage in (1, 2, 3, 4) for number in (0, 1)):
        keys |= {f"{block}.conv{k}.weight" for k in (1, 2)} | {f"{block}.bn{k}.{role}" for k in (1, 2) for role in norm}
    for stage in (2, 3, 4):
        keys |= {f"layer{stage}.0.downsample.0.weight", *(f"layer{stage}.0.downsample.1.{role}" for role in norm)}
    assert len(keys) == 102
    for naming in ("torchvision", "timm"):
        save_weights(sc.models.resnet18(**NARROW), tmp_path / "w.npz", naming)
        with np.load(tmp_path / "w.npz") as arrays:
            assert set(arrays.files) == keys


def test_heads_at_the_side():
    """Classifiers at the side are theirs by name, and are left out where the model has none."""
    network = theirs.GoogLeNet(auxiliary=True)
    load_weights(sc.models.googlenet((3, 64, 64), classes=10, width=1 / 8), network.state_dict(), "torchvision")
    model = sc.models.googlenet((3, 79, 79), classes=10, width=1 / 8, auxiliary=True)
    load_weights(model, network.state_dict(), "torchvision")
    np.testing.assert_array_equal(
        model["aux2"]["dense1"].weight.get_value(), network.aux2.fc1.weight.detach().numpy().T
    )


def of(model):
    return {path: value.get_value() for path, value in model.variables().items()}


def refused(model, source, naming, what, kind=sc.errors.FileError):
    """Loading fails with this message, and changes nothing."""
    before = of(model)
    with pytest.raises(kind, match=what) as error:
        load_weights(model, source, naming)
    assert all(np.array_equal(value, before[path]) for path, value in of(model).items())
    return error.value


def test_the_alexnet_of_torchvision_is_another_network():
    error = refused(
        sc.models.alexnet(**NARROW),
        theirs.alexnet(grouped=False).state_dict(),
        "torchvision",
        r"features\.3\.weight does not fit",
    )
    assert "one tower" in error.hint and "onnx.load" in error.hint


def test_the_googlenet_of_torchvision_is_another_network():
    model = sc.models.googlenet((3, 64, 64), classes=10, width=1 / 8)
    error = refused(model, theirs.GoogLeNet(batch_norm=True).state_dict(), "torchvision", "another network")
    assert "batch norms" in error.hint


def test_other_depths_and_classes():
    network = theirs.ResNet((2, 2, 2, 2))
    refused(sc.models.resnet34(**NARROW), network.state_dict(), "torchvision", "another network")
    other = {**NARROW, "classes": 11}
    refused(
        sc.models.resnet18(**other),
        network.state_dict(),
        "torchvision",
        r"fc\.weight does not fit|fc\.bias does not fit",
    )


@pytest.mark.parametrize(
    ("make", "naming", "what"),
    [
        (lambda: sc.models.alexnet(**NARROW), "timm", "timm has no alexnet"),
        (lambda: sc.models.lenet(), "torchvision", "has no names for these layers"),
        (lambda: sc.nn.Dense(2, 2), "timm", "has no names for these layers"),
        (lambda: sc.models.lenet(), "torchvison", "no naming 'torchvison'"),
        (lambda: sc.models.lenet(), None, "no naming None"),
    ],
)
def test_no_such_naming(make, naming, what):
    error = refused(make(), {}, naming, what, sc.errors.InputError)
    assert "timm has" in what or error.hint
    with pytest.raises(sc.errors.InputError, match=what):
        save_weights(make(), "never.npz", naming)


@pytest.mark.parametrize(
    ("source", "kind", "what"),
    [
        (5, sc.errors.InputError, "holds no weights"),
        (torch.nn.Linear(2, 2), sc.errors.InputError, "holds no weights"),
        ({"weight": [[1], [1, 2]], "bias": [1, 2]}, sc.errors.InputError, "weight is no array"),
        ({"state_dict": {"weight": [1]}, "epoch": 3}, sc.errors.InputError, "state_dict is no array, but holds some"),
        ({"weight": "words", "bias": [1, 2]}, sc.errors.InputError, "weight is no array of numbers"),
        (dict(torch.nn.Linear(2, 2).named_parameters()), sc.errors.InputError, "weight: this Parameter"),
        ({"weight": np.ones((2, 2))}, sc.errors.FileError, "another network"),
        ({"weight": np.ones((2, 3)), "bias": np.ones(2)}, sc.errors.FileError, "weight does not fit"),
        ("nowhere.npz", sc.errors.FileError, "cannot be read"),
        ("nowhere.safetensors", sc.errors.FileError, "cannot be read"),
    ],
)
def test_what_cannot_be(source, kind, what):
    refused(sc.nn.Dense(2, 2), source, "symcnn", what, kind)


def test_own_names(tmp_path):
    """Weights of any module go out and come in by the paths that they have here, in both formats."""
    model = sc.nn.Sequential(a=sc.nn.Dense(3, 2), b=sc.nn.BatchNorm(2))
    for name in ("w.npz", "w.safetensors"):
        save_weights(model, tmp_path / name)
        other = sc.nn.Sequential(a=sc.nn.Dense(3, 2), b=sc.nn.BatchNorm(2))
        load_weights(other, tmp_path / name)
        assert all(np.array_equal(of(model)[path], value) for path, value in of(other).items())
    other.load(tmp_path / "w.safetensors")  # which is the format of Module.save


def test_a_network_is_given():
    for call in (lambda: load_weights({}, {}), lambda: save_weights({}, "never.npz")):
        with pytest.raises(sc.errors.InputError, match="no network"):
            call()
