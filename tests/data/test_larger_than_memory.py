"""Memory-mapped arrays far larger than memory: training and evaluating read the rows of their batches, and no more."""

import subprocess
import sys
from itertools import islice

import numpy as np
import pytest

from symcnn.data import Dataset

SHAPE = (3, 128, 128)
ROWS = 64 * 2**30 // int(np.prod(SHAPE))  # 64 GiB of uint8

# Peak memory is that of a process, so this runs in one of its own.
PROGRAM = """
import sys
from itertools import islice
import numpy as np
import symcnn as sc

def peak_mb():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) / 1024

images = np.load(sys.argv[1], mmap_mode="r")
data = sc.data.Dataset(images, np.arange(len(images)) % 2, ("dark", "bright"))
model = sc.nn.Sequential(pool=sc.nn.AvgPool2d(64), flat=sc.nn.Flatten(), dense=sc.nn.Dense(12, 2))
step = sc.train.compile_step(model, device="reference")
before = peak_mb()

normalize = sc.data.Normalize((128.0,) * 3, (64.0,) * 3)
flip = sc.data.transforms.RandomFlip()
train, validation = data.split(0.3)
for split in (train.map(normalize), train.augment(flip).map(normalize), validation.map(normalize)):
    for batch, labels in islice(split.batches(8, shuffle=True), 3):
        step(batch, labels)
few = train.map(normalize).take(slice(None, 32))
sc.train.fit(model, few, few, step=step, epochs=1, batch_size=8, device="reference", progress=False)
found = sc.train.evaluate(model, validation.take(np.arange(0, len(validation), 10**5)), device="reference")
assert np.isfinite(found["loss"])
print(peak_mb() - before)
"""


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    """A .npy file of 64 GiB that takes a few pages of the disk: what was never written is a hole of zeros."""
    path = tmp_path_factory.mktemp("large") / "images.npy"
    try:
        array = np.lib.format.open_memmap(path, "w+", "uint8", (ROWS, *SHAPE))
    except OSError as error:
        pytest.skip(f"no sparse files here: {error}")
    array[-1] = 7
    array.flush()
    del array
    if path.stat().st_blocks * 512 > 2**24:
        path.unlink()
        pytest.skip("no sparse files here")
    yield path
    path.unlink()


@pytest.mark.skipif(sys.platform != "linux", reason="peak memory is read from /proc")
def test_training_reads_the_rows_of_its_batches(images):
    run = subprocess.run([sys.executable, "-c", PROGRAM, images], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    # Labels, their order and the numbers of the rows of a split are 8 bytes per image, some 11 MB each.
    assert float(run.stdout) < 128


def test_the_last_row_is_where_it_should_be(images):
    data = Dataset(np.load(images, mmap_mode="r"), np.zeros(ROWS, "uint8"))
    assert isinstance(data.images, np.memmap)
    (last, _), *rest = data.batches(5, start=(ROWS - 1) // 5)
    assert not rest and (last[-1] == 7).all() and not last[:-1].any()


def test_batches_in_order_are_views_of_the_file(images):
    data = Dataset(np.load(images, mmap_mode="r"), np.zeros(ROWS, "uint8"))
    for batch, _ in islice(data.batches(1000), 3):
        assert np.shares_memory(batch, data.images)
