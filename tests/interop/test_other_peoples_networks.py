"""As a user of PyTorch would do it: export a network, load it, match its outputs, fine-tune it, and take it out again."""

import importlib.util
import io
import warnings
from pathlib import Path

import numpy as np
import pytest

import symcnn as sc

pytest.importorskip("onnx")


def elsewhere(path, images):
    """What onnxruntime makes of a model."""
    session = pytest.importorskip("onnxruntime").InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return session.run(None, {session.get_inputs()[0].name: images})[0]


def in_torch(channels=8):
    """A small residual network with statistics that matter."""
    torch = pytest.importorskip("torch")
    nn = torch.nn

    class Network(nn.Module):
        def __init__(self):
            super().__init__()
            self.stem = nn.Sequential(nn.Conv2d(3, channels, 3, padding=1), nn.BatchNorm2d(channels), nn.ReLU())
            self.body = nn.Sequential(nn.Conv2d(channels, channels, 3, padding=1), nn.BatchNorm2d(channels), nn.ReLU())
            self.pool, self.drop, self.head = nn.MaxPool2d(2), nn.Dropout(0.2), nn.Linear(channels, 4)

        def forward(self, x):
            x = self.pool(self.stem(x))
            x = (x + self.body(x)).mean((2, 3))
            return self.head(self.drop(x)).softmax(1)

    torch.manual_seed(0)
    network = Network()
    with torch.no_grad():
        for _ in range(3):  # moves the running averages
            network.train()(torch.randn(16, 3, 12, 12) * 2 + 1)
    return network.eval()


def exported(network, **options) -> bytes:
    """By the exporter that needs no further packages."""
    torch = pytest.importorskip("torch")
    content = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.onnx.export(
            network, (torch.zeros(1, 3, 12, 12),), content, input_names=["images"], output_names=["chances"],
            dynamic_axes={"images": {0: "n"}, "chances": {0: "n"}}, dynamo=False, **options,
        )  # fmt: skip
    return content.getvalue()


def as_it_trains(network) -> bytes:
    """With batch norms and dropout, which the exporter folds into the convolutions otherwise."""
    torch = pytest.importorskip("torch")
    return exported(network, training=torch.onnx.TrainingMode.PRESERVE, do_constant_folding=False)


@pytest.fixture
def images():
    return np.random.default_rng(0).normal(1, 2, (24, 3, 12, 12)).astype("float32")


@pytest.mark.parametrize("export", [exported, as_it_trains])
@pytest.mark.parametrize("device", ["reference", "cpu"])
def test_outputs_match(export, device, images):
    torch = pytest.importorskip("torch")
    network = in_torch()
    model = sc.interop.onnx.load(export(network), device=device)
    with torch.no_grad():
        expected = network(torch.from_numpy(images)).numpy()
    np.testing.assert_allclose(model(images)[0], expected, atol=1e-6)
    np.testing.assert_allclose(model(torch.from_numpy(images))[0], expected, atol=1e-6)
    np.testing.assert_allclose(model.module.predict(images, device=device), expected, atol=1e-6)


def test_parameters_have_the_names_of_pytorch():
    network = in_torch()
    found = sc.interop.onnx.load(as_it_trains(network)).module.variables()
    ours = {"gamma": "weight", "beta": "bias", "mean": "running_mean", "variance": "running_var"}
    theirs = {name: value.numpy() for name, value in network.state_dict().items() if "num_batches" not in name}
    assert len(found) == len(theirs)
    for path, value in found.items():
        layer, _, role = path.rpartition(".")
        np.testing.assert_array_equal(value.get_value(), theirs[f"{layer}.{ours.get(role, role)}"], err_msg=path)


def test_training_goes_on_as_in_pytorch(images):
    """One step of the whole network on the same batch: the same loss, the same weights and running averages after it."""
    torch = pytest.importorskip("torch")
    network, labels = in_torch(), np.arange(24) % 4
    network.drop.p = 0.0
    module = sc.nn.replace_head(sc.interop.onnx.load(as_it_trains(network)).module, 4, seed=0)
    module.layers["head"].arrays["weight"].set_value(network.head.weight.detach())
    module.layers["head"].arrays["bias"].set_value(network.head.bias.detach())
    loss = sc.train.compile_step(module, optimizer=sc.optim.SGD(0.1), device="reference")(images, labels)

    logits = {}
    network.head.register_forward_hook(lambda layer, given, result: logits.update(z=result))
    network.train()(torch.from_numpy(images))
    expected = torch.nn.functional.cross_entropy(logits["z"], torch.from_numpy(labels))
    expected.backward()
    np.testing.assert_allclose(loss, expected.item(), rtol=1e-5)
    torch.optim.SGD(network.parameters(), 0.1).step()
    ours = {"gamma": "weight", "beta": "bias", "mean": "running_mean", "variance": "running_var"}
    state = network.state_dict()
    for path, value in module.variables().items():
        layer, _, role = path.rpartition(".")
        theirs = state[f"{layer}.{ours.get(role, role)}"].numpy()
        np.testing.assert_allclose(value.get_value(), theirs, rtol=1e-4, atol=1e-5, err_msg=path)


def fine_tuned(path_or_bytes, images, labels, classes, folder, rate):
    """Load, replace the head, train that alone, save, and run the file in onnxruntime; the history and both outputs."""
    module = sc.nn.replace_head(sc.interop.onnx.load(path_or_bytes).module.freeze(), classes, seed=0)
    before = {path: value.get_value() for path, value in module.variables().items()}
    history = sc.train.fit(
        module, (images, labels), epochs=15, batch_size=8, optimizer=sc.optim.Adam(rate), progress=False
    )
    moved = {path for path, value in module.variables().items() if not np.array_equal(value.get_value(), before[path])}
    assert moved == set(module.trainable().keys())
    assert len(moved) == 2
    sc.interop.onnx.save(module, folder / "tuned.onnx", in_shape=images.shape[1:])
    return history, module.predict(images), elsewhere(folder / "tuned.onnx", images)


@pytest.mark.parametrize("export", [exported, as_it_trains])
def test_there_and_back(export, images, tmp_path):
    """The task is one that a new head can learn: two halves by the first output of the old one."""
    content = export(in_torch())
    first = sc.interop.onnx.load(content, device="reference")(images)[0][:, 0]
    labels = (first > np.median(first)).astype(int)
    history, found, theirs = fine_tuned(content, images, labels, 2, tmp_path, rate=0.3)
    assert history["loss"][-1] < 0.7 * history["loss"][0]
    np.testing.assert_allclose(theirs, found, rtol=1e-5, atol=1e-5)


# ---- a network that somebody trained on something real


def text_classifier() -> Path:
    """The model in the package rapidocr-onnxruntime (Apache 2.0) that tells whether a line of text stands upside down."""
    spec = importlib.util.find_spec("rapidocr_onnxruntime")
    if spec is None or not spec.submodule_search_locations:
        pytest.skip("needs the package rapidocr-onnxruntime")
    found = sorted(Path(spec.submodule_search_locations[0]).glob("models/*_cls_*.onnx"))
    return found[0] if found else pytest.skip("there is no such model in this version of the package")


def lines_of_text(count: int, seed: int = 0) -> np.ndarray:
    """Random words, dark on light: float32 (count, 3, 48, 192) from -1 to 1, as the classifier takes them."""
    font_manager = pytest.importorskip("matplotlib.font_manager")
    image, draw, fonts = (pytest.importorskip(f"PIL.{name}") for name in ("Image", "ImageDraw", "ImageFont"))
    rng, font = np.random.default_rng(seed), fonts.truetype(font_manager.findfont("DejaVu Sans"), 30)
    lines = []
    for _ in range(count):
        page = image.new("L", (192, 48), 255)
        word = "".join(rng.choice(list("abcdefghijklmnopqrstuvwxyzABCDEFGHKLMNPRT"), 9))
        draw.Draw(page).text((6, 4), word, fill=0, font=font)
        lines.append(np.asarray(page))
    return np.repeat(np.stack(lines)[:, None], 3, axis=1).astype("float32") / 127.5 - 1


def test_a_pretrained_network(tmp_path):
    """It runs as in onnxruntime, and tells what it was made to tell; a new head learns to see mirrors."""
    path, upright = text_classifier(), lines_of_text(24)
    turned = upright[:, :, ::-1, ::-1].copy()
    model = sc.interop.onnx.load(path)
    for images in (upright, turned):
        np.testing.assert_allclose(model(images)[0], elsewhere(path, images), atol=1e-5)
    assert model(upright)[0].argmax(axis=1).mean() < 0.2 < 0.8 < model(turned)[0].argmax(axis=1).mean()

    images = np.concatenate([upright, upright[:, :, :, ::-1]])
    history, found, theirs = fine_tuned(path, images, np.repeat([0, 1], 24), 2, tmp_path, rate=0.05)
    assert history["loss"][-1] < 0.6 * history["loss"][0]
    np.testing.assert_allclose(theirs, found, rtol=1e-4, atol=1e-4)
