"""Contenders in processes of their own: they do their tasks, take turns, and say what they cannot do."""

import numpy as np
import pytest

import symcnn as sc
from symcnn.bench import own, tasks
from symcnn.bench.turns import CONTENDERS, Failed, Sample, Worker, contenders, take_turns
from symcnn.bench.worker import LEAST

LAYER = tasks.Convolution(2, 4, 9, 8, 6, (3, 3), stride=2, padding=1, groups=2)
SMALL = [
    tasks.training("mlp", batch=3),
    tasks.forward("mlp", batch=1),
    tasks.chain("clip(2x - y, 0, 1)", 100),
    tasks.update(100),
    *(tasks.convolution(LAYER, direction) for direction in tasks.DIRECTIONS),
]


def test_every_task_by_symcnn_and_what_a_training_process_needs():
    with Worker(CONTENDERS["symcnn"], threads=1) as worker:
        for task in SMALL:
            assert worker.prepare(task) > 0
            times = worker.run(task, seconds=0.0)
            assert len(times) >= LEAST and min(times) > 0
        memory = worker.memory(SMALL[0])
        assert memory["peak"] > memory["planned"] > 2 * 4 * own.model("mlp").parameters().count


def test_every_task_by_pytorch(torch):
    with Worker(CONTENDERS["torch"], threads=1) as worker:
        for task in SMALL:
            worker.prepare(task)
            assert min(worker.run(task, seconds=0.0)) > 0


def test_turns(torch):
    who, seen = contenders(["torch"]), []
    found = take_turns(who, SMALL[:1], 0.01, threads=1, turns=2, report=lambda task, samples: seen.append(task))
    ((task, samples),) = found
    assert task == SMALL[0] and seen == [task] and list(samples) == ["symcnn", "torch"]
    for sample in samples.values():
        assert len(sample.times) >= 2 * LEAST and sample.minimum <= sample.median and sample.first > sample.minimum


def test_a_failure_is_told_and_stops_nothing():
    with Worker(CONTENDERS["symcnn"], threads=1) as worker:
        with pytest.raises(Failed, match="KeyError: 'nonet'"):
            worker.prepare({"what": "forward", "network": "nonet", "batch": 1})
        worker.prepare(SMALL[3])
    ((_, samples),) = take_turns([CONTENDERS["symcnn"]], [{"what": "nothing"}], 0.0)
    assert isinstance(samples["symcnn"], Failed)


def test_a_process_that_ends():
    worker = Worker(CONTENDERS["symcnn"], threads=1)
    worker.__exit__()
    with pytest.raises((Failed, ValueError)):
        worker.prepare(SMALL[3])


def test_contenders_are_known_by_name():
    assert [c.name for c in contenders([])] == ["symcnn"]
    with pytest.raises(sc.errors.InputError, match="did you mean 'torch'"):
        contenders(["toch"])


def test_a_sample_by_its_order():
    sample = Sample(1.0, (0.1, 0.2, 0.4))
    assert (sample.minimum, sample.median) == (0.1, 0.2)


@pytest.mark.parametrize(("network", "count"), [("mlp", 0), ("lenet", 2), ("cs231n", 6), ("alexnet", 5)])
def test_the_convolutions_of_a_network(network, count):
    layers = own.convolutions(network)
    assert len(layers) == len(set(layers)) == count
    assert all(layer.batch == tasks.NETWORKS[network].batch for layer in layers)


def test_a_convolution_knows_its_size_and_work():
    x = sc.input("x", (LAYER.batch, LAYER.in_channels, LAYER.height, LAYER.width))
    w = sc.input("w", (LAYER.out_channels, LAYER.in_channels // LAYER.groups, *LAYER.window))
    y = sc.conv2d(x, w, LAYER.stride, LAYER.padding, groups=LAYER.groups)
    assert y.shape[2:] == LAYER.out_size
    assert y.op.flops(y.type, x.type, w.type) == LAYER.flops
    assert str(LAYER) == "2x4x9x8 -> 6 3x3 s2 p1 g2"


@pytest.mark.parametrize("name", tasks.CHAINS)
def test_chains_mean_the_same_to_every_module(torch, name):
    of, rng = tasks.CHAINS[name], np.random.default_rng(0)
    arrays = [rng.normal(size=5) for _ in range(of.operands)]
    expected = of.formula(np, *arrays)
    np.testing.assert_allclose(of.formula(torch, *map(torch.tensor, arrays)).numpy(), expected, rtol=1e-12)
    inputs = [sc.input(f"x{k}", (5,), "float64") for k in range(of.operands)]
    run = sc.function(inputs, of.formula(sc, *inputs), device="reference")
    np.testing.assert_allclose(run(*arrays), expected, rtol=1e-12)
