"""The table of a network: FLOPs and bytes against counts by hand and those of the papers."""

import numpy as np
import pytest

import symcnn as sc
from symcnn import nn
from symcnn.nn.summary import bytes_text, count_text


def rows(summary):
    return {row.name: row for row in summary.rows}


def residual():
    class Block(nn.Module):
        def __init__(self):
            self.conv = nn.Conv2d(2, 2, 3, padding=1, seed=0)

        def forward(self, x, training):
            return sc.relu(self.conv(x, training) + x)

    return nn.Sequential(block=Block(), flat=nn.Flatten(), out=nn.Dense(2 * 5 * 5, 3, seed=1), in_shape=(2, 5, 5))


def test_by_hand():
    found = rows(residual().summary(batch=4))
    conv, block, flat, out = (found[name] for name in ("block.conv", "block", "flat", "out"))
    assert conv.flops == 50 * (2 * 18 + 1) and conv.parameters == 38
    assert (conv.forward_bytes, conv.backward_bytes) == (4 * 50 * 4, 4 * 50 * 4 + 38 * 4)
    assert block.layer == "Block: add, relu" and block.parameters == 0 and block.flops == 2 * 50
    assert block.forward_bytes == block.backward_bytes == 4 * 50 * 4
    assert (flat.flops, flat.forward_bytes, flat.backward_bytes) == (0, 0, 0)
    assert out.flops == 2 * 50 * 3 + 3 and out.backward_bytes == 4 * 3 * 4 + 153 * 4


def test_totals_do_not_depend_on_the_depth():
    model = nn.Sequential(
        a=residual()[:1], b=nn.Parallel(nn.ReLU(), nn.Sequential(nn.Conv2d(2, 2, 1))), in_shape=(2, 5, 5)
    )
    whole = model.summary()
    for depth in (0, 1, 2, 3):
        found = model.summary(depth=depth)
        assert (found.flops, found.forward_bytes, found.backward_bytes) == (
            whole.flops, whole.forward_bytes, whole.backward_bytes,
        )  # fmt: skip
        assert sum(row.parameters for row in found.rows) == found.parameters == 44


def test_depth_counts_modules_not_the_lists_that_hold_them():
    class Stack(nn.Module):
        def __init__(self):
            self.blocks = [residual()[:1], nn.Sequential(nn.Conv2d(2, 1, 1), nn.ReLU())]

        def forward(self, x, training):
            for block in self.blocks:
                x = block(x)
            return x

    model = Stack()
    whole, top = model.summary(in_shape=(2, 5, 5)), model.summary(in_shape=(2, 5, 5), depth=1)
    assert [row.name for row in top.rows] == ["blocks.0", "blocks.1"]
    assert (top.flops, top.backward_bytes, top.notes()) == (whole.flops, whole.backward_bytes, whole.notes())


def test_lenet():
    found = sc.models.lenet(init="zeros").summary(batch=1)
    assert found.flops == pytest.approx(4.62e6, rel=1e-3)
    macs = 20 * 24 * 24 * 25 + 50 * 8 * 8 * 500 + 800 * 500 + 500 * 10
    biases = 20 * 24 * 24 + 50 * 8 * 8 + 500 + 10
    assert sum(r.flops for name, r in rows(found).items() if name.startswith(("conv", "dense"))) == 2 * macs + biases
    assert found.backward_bytes == found.forward_bytes + 4 * 431_080
    assert max(map(len, str(found).splitlines())) <= 100


def test_alexnet_as_in_the_paper():
    """0.715 billion multiply-adds for images of 227 x 227, with its groups."""
    model = sc.models.alexnet(init="zeros")
    first = nn.Conv2d(3, 96, 11, stride=4, init="zeros")
    paper = nn.Sequential(conv1=first, **dict(list(model.layers.items())[1:]), in_shape=(3, 227, 227))
    layers = [r for r in paper.summary().rows if r.name.startswith(("conv", "dense"))]
    biases = sum(np.prod(r.out_shape[1:]) for r in layers)
    macs = (sum(r.flops for r in layers) - biases) / 2
    sizes = [(55, 96, 363), (27, 256, 48 * 25), (13, 384, 256 * 9), (13, 384, 192 * 9), (13, 256, 192 * 9)]
    assert macs == sum(s * s * o * k for s, o, k in sizes) + 9216 * 4096 + 4096 * 4096 + 4096 * 1000
    assert 2 * macs == pytest.approx(1.43e9, rel=0.02)


@pytest.mark.parametrize(
    "name, parameters, gflops",
    [("vgg16", 138_357_544, 30.9), ("resnet18", 11_689_512, 3.63), ("resnet50", 25_557_032, 8.18)],
)
def test_deep_networks_as_in_the_papers(name, parameters, gflops):
    """Convolutions and dense layers without their biases, as papers count them, two for a multiply-add."""
    found = getattr(sc.models, name)(init="zeros").summary()
    layers = [r for r in found.rows if r.layer.startswith(("Conv2d", "Dense"))]
    assert found.parameters == parameters == sum(r.parameters for r in found.rows)
    assert sum(r.flops for r in layers) == pytest.approx(1e9 * gflops, rel=2e-3)
    assert found.flops < 1.01 * sum(r.flops for r in layers)


def test_heads_that_evaluation_leaves_out():
    model = nn.SideHeads(
        {"aux": ("act", nn.Dense(3, 2, seed=0))}, hidden=nn.Dense(4, 3, seed=1), act=nn.ReLU(), out=nn.Dense(3, 2, seed=2),
        in_shape=(4,),
    )  # fmt: skip
    found = model.summary(plan=True, device="reference")
    assert found.parameters == 31 and sum(r.parameters for r in found.rows) == 23
    assert "8 parameters belong to layers that evaluation leaves out" in str(found)
    assert found.planned["training step"] > 0


def test_frozen_layers_have_no_gradients():
    model = residual()
    model.freeze("block")
    found = model.summary()
    assert rows(found)["block.conv"].backward_bytes == rows(found)["block"].backward_bytes == 0
    assert rows(found)["out"].backward_bytes == 3 * 4 + 153 * 4
    assert found.trainable == 153 and "153 parameters are trainable, 38 frozen." in str(found)


def test_a_layer_used_twice():
    layer = nn.Dense(3, 3, seed=0)
    found = nn.Sequential(a=layer, act=nn.ReLU(), b=layer, in_shape=(3,)).summary()
    assert [(r.name, r.parameters, r.flops) for r in found.rows] == [("a", 12, 21), ("act", 0, 3), ("a (2)", 0, 21)]
    assert found.parameters == 12 and found.backward_bytes == 3 * 12 + 12 * 4


def test_equal_blocks_in_a_row_are_printed_as_one():
    blocks = {f"block{k}": nn.Sequential(conv=nn.Conv2d(2, 2, 1, seed=k), act=nn.ReLU()) for k in range(3)}
    model = nn.Sequential(**blocks, flat=nn.Flatten(), out=nn.Dense(8, 2, seed=0), in_shape=(2, 2, 2))
    found = model.summary(depth=1)
    assert len(found.rows) == 5 and len(found.cells()) == 2 + 3
    name, kind, shape, parameters, flops, *_ = found.cells()[1]
    assert name == "block0 .. block2" and kind.startswith("3 x ") and shape == "(n, 2, 2, 2)"
    assert parameters == "18" and flops == str(3 * (8 * (2 * 2 + 1) + 8))
    assert len(model.summary().cells()) == 2 + 8


def test_states_are_told():
    class Scale(nn.Module):
        def __init__(self):
            self.mean = nn.State(np.zeros(3, "float32"), "mean")

        def forward(self, x, training):
            return x - self.mean

    found = nn.Sequential(norm=Scale(), out=nn.Dense(3, 2, seed=0), in_shape=(3,)).summary()
    assert found.states == 3 and found.parameters == 8 and "3 numbers are remembered" in str(found)


def test_images_of_any_size():
    model = nn.Sequential(conv=nn.Conv2d(1, 2, 3, seed=0))
    found = model.summary(in_shape=(1, None, None))
    (row,) = found.rows
    assert row.out_shape == (None, 2, None, None) and row.parameters == 20
    assert row.flops is None and found.flops is None and "?" in str(found)
    with pytest.raises(sc.InputError, match="all sizes must be known"):
        model.summary(in_shape=(1, None, None), plan=True)


def test_float64_takes_twice_the_bytes():
    single, double = (nn.Dense(3, 2, seed=0, dtype=d).summary(in_shape=(3,)) for d in ("float32", "float64"))
    assert double.backward_bytes == 2 * single.backward_bytes and double.flops == single.flops


def test_planned_memory_is_that_of_the_compiled_functions():
    model = residual()
    found = model.summary(batch=4, plan=True, device="reference")
    assert list(found.planned) == ["inference", "training step"]
    step = sc.train.compile_step(model, optimizer=sc.optim.SGD(0.01, momentum=0.9), device="reference")
    function = step.compile(np.zeros((4, 2, 5, 5)), np.zeros(4, int))
    assert found.planned["training step"] == function.memory_plan.peak_bytes > found.planned["inference"] > 0
    assert "Planned by the compiler for 4 examples" in str(found)
    assert list(nn.ReLU().summary(in_shape=(3,), plan=True, device="reference").planned) == ["inference"]


def test_html_has_all_cells():
    found = residual().summary()
    html = found._repr_html_()
    assert html.startswith("<table>") and html.count("<tr>") == len(found.rows) + 2
    for row in found.cells():
        assert all(text in html for text in row)


@pytest.mark.parametrize(
    "value, text",
    [(0, "0 B"), (999, "999 B"), (1000, "1.00 kB"), (9999, "10.0 kB"), (123_456_789, "123 MB"), (None, "?")],
)
def test_bytes_with_three_digits(value, text):
    assert bytes_text(value) == text


def test_counts_with_three_digits():
    assert [count_text(v) for v in (0, 7, 999_600, 4.62e6, 30.9e9)] == ["0", "7", "1.00 M", "4.62 M", "30.9 G"]


@pytest.mark.parametrize("options", [{"batch": 0}, {"batch": 1.5}, {"depth": -1}, {"depth": "all"}])
def test_complaints(options):
    with pytest.raises(sc.InputError, match="integer of at least"):
        residual().summary(**options)
