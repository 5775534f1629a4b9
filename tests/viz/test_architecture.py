"""The architecture view: which boxes a network has, who reads whom, and that its numbers are those of the summary."""

import re
from time import perf_counter

import pytest

import symcnn as sc
from symcnn import nn
from symcnn.errors import InputError
from symcnn.viz.architecture import architecture
from symcnn.viz.boxes import INPUT, boxes

NETWORKS = {
    "mlp": ((784,), {}),
    "lenet": ((1, 28, 28), {}),
    "cs231n_convnet": ((3, 32, 32), {}),
    "alexnet": ((3, 227, 227), {}),
    "vgg16": ((3, 224, 224), {}),
    "googlenet": ((3, 224, 224), {}),
    "nin": ((3, 32, 32), {}),
    "resnet50": ((3, 224, 224), {}),
    "fcn8s": ((3, 100, 75), {"width": 1 / 16}),
}


def network(name):
    if name == "mlp":
        return sc.models.mlp([784, 128, 10], init="zeros")
    return getattr(sc.models, name)(init="zeros", **NETWORKS[name][1])


class Forked(nn.Module):
    """Two branches from one convolution, written down as a user would: a list of parts, and an op beside them."""

    def __init__(self):
        self.first = nn.Conv2d(1, 2, 3, padding=1, seed=0)
        self.branches = [nn.Conv2d(2, 2, 1, seed=1), nn.Sequential(nn.ReLU(), nn.Conv2d(2, 2, 1, seed=2))]
        self.out = nn.Dense(2, 3, seed=3)

    def forward(self, x, training):
        x = sc.relu(self.first(x))
        one, other = (branch(x) for branch in self.branches)
        return self.out(sc.mean(one * other, axis=(2, 3)))


def names(found):
    return [box.name for box in found]


@pytest.mark.parametrize("name", NETWORKS)
def test_every_network_is_drawn_with_the_figures_of_its_summary(name):
    model, in_shape = network(name), NETWORKS[name][0]
    figure = architecture(model, in_shape=in_shape)
    summary = model.summary(in_shape)
    total = dict(zip(summary.cells()[0], summary.cells()[-1], strict=True))
    assert f"{summary.parameters:,}" in figure.title
    assert list(total.values())[3:] == list(figure.live.data["total"])[3:]
    assert figure.text.splitlines()[-1] == summary.notes()[-1]
    top = [row for row in figure.live.data["rows"] if row["level"] == 0]
    assert sum(int(row["cells"][3].replace(",", "")) for row in top) == summary.parameters
    assert figure.svg.count("data-box=") == len(top)
    assert len(figure.html()) < 250_000


@pytest.mark.parametrize("name", ["googlenet", "resnet50"])
def test_a_closed_block_costs_what_the_summary_says(name):
    model, in_shape = network(name), NETWORKS[name][0]
    depth = 1 if name == "googlenet" else 2
    expected = {row.name: row for row in model.summary(depth=depth).rows}
    _, found = boxes(model, in_shape)
    closed = [row for box in found if box.kind == "block" for row in box.rows]
    assert len(closed) == {"googlenet": 9, "resnet50": 16}[name]
    assert all(row == expected[row.name] for row in closed)


def test_googlenet_is_quick():
    model = network("googlenet")
    start = perf_counter()
    figure = architecture(model)
    assert perf_counter() - start < 2
    assert len(figure.live.data["strips"]) == 9


def test_inception_branches_run_side_by_side():
    _, found = boxes(network("googlenet"), (3, 224, 224))
    block = next(box for box in found if box.name == "inception3a")
    inside = {box.name.removeprefix("inception3a."): box for box in block.inside}
    assert [name for name, box in inside.items() if box.reads == (INPUT,)] == [
        "1x1.conv", "3x3.reduce", "5x5.reduce", "pool.pool",
    ]  # fmt: skip
    *_, concat = block.inside
    assert [block.inside[k].name[12:] for k in concat.reads] == ["1x1.relu", "3x3.relu2", "5x5.relu2", "pool.relu"]
    assert concat.kind == "other" and inside["pool.pool"].kind == "pooling"


def test_equal_blocks_are_one_box_and_say_how_many():
    _, found = boxes(network("resnet50"), (3, 224, 224))
    assert [len(box.rows) for box in found if box.kind == "block"] == [1, 2, 1, 3, 1, 5, 1, 2]
    assert [int(n) for n in re.findall(r"Block × (\d+)<", architecture(network("resnet50")).svg)] == [2, 3, 5, 2]
    block = next(box for box in found if box.name == "layer1.1")
    assert block.inside[-1].reads == (INPUT, 7)  # the way around: what the block computes reads the input, too


def test_skips_of_a_fully_convolutional_network():
    _, found = boxes(network("fcn8s"), (3, 64, 64))
    reads = {box.name: [found[k].name for k in box.reads] for box in found if INPUT not in box.reads}
    assert reads["score_pool4"] == ["pool4"] and reads["score_pool3"] == ["pool3"]
    assert reads["upscore_pool4"] == ["score_pool4", "upscore2"]
    assert reads["upscore8"] == ["score_pool3", "upscore_pool4"]


def test_a_module_of_ones_own():
    _, found = boxes(Forked(), (1, 6, 6))
    assert names(found) == ["first", "branches.0", "branches.1.0", "branches.1.1", "out"]
    assert [box.reads for box in found] == [(INPUT,), (0,), (0,), (2,), (1, 3)]
    assert [box.kind for box in found] == ["convolution", "convolution", "pointwise", "convolution", "dense"]


def test_depth_says_what_is_open():
    model = network("resnet50")
    assert names(boxes(model, (3, 224, 224), depth=1)[1])[4:8] == ["layer1", "layer2", "layer3", "layer4"]
    assert "layer1.0" in names(boxes(model, (3, 224, 224), depth=2)[1])
    assert "layer1.0.conv1" in names(boxes(model, (3, 224, 224), depth=3)[1])
    closed = boxes(model, (3, 224, 224), depth=1)[1][4]
    assert names(closed.inside) == ["layer1.0", "layer1.1"]


def test_a_layer_applied_twice_has_two_boxes():
    class Twice(nn.Module):
        def __init__(self):
            self.layer = nn.Dense(3, 3, seed=0)

        def forward(self, x, training):
            return self.layer(sc.tanh(self.layer(x)))

    _, found = boxes(Twice(), (3,))
    assert names(found) == ["layer", "layer (2)"] and found[1].reads == (0,)


def test_a_single_layer():
    assert "Dense(3, 2)" in architecture(nn.Dense(3, 2, seed=0), in_shape=(3,)).text


def test_the_same_network_gives_the_same_picture():
    assert architecture(network("googlenet")).html() == architecture(network("googlenet")).html()


def test_unusable_arguments():
    model = network("fcn8s")
    with pytest.raises(InputError) as error:
        architecture(model)
    assert "in_shape=(3, 224, 224)" in str(error.value)
    for arguments in ({"in_shape": (3, -1, 4)}, {"in_shape": 3}, {"in_shape": (3, 64, 64), "depth": 0}):
        with pytest.raises(InputError):
            architecture(model, **arguments)
    with pytest.raises(InputError, match="draws a network"):
        architecture("lenet")
    with pytest.raises(InputError, match="depht"):
        architecture(model, depht=1)
    with pytest.raises(sc.ShapeError):
        architecture(model, in_shape=(1, 64, 64))
