"""The pieces of matrices that threads hold for tensor cores are those of the PTX ISA, and what stands in for it agrees."""

import numpy as np
import pytest

from symcnn.backends.cuda.simulated import multiply_tiles, to_tf32
from symcnn.backends.cuda.tensor_cores import LEFT, OWN, RIGHT

LANES = range(32)


def mma_m16n8k8(a, b, c):
    """The instruction on the registers of a warp, as the PTX ISA describes it ("Matrix Fragments for mma.m16n8k8", .tf32).

    a (32, 4), b (32, 2) and c (32, 4) are the registers of each lane.
    """
    left, right, result = np.zeros((16, 8)), np.zeros((8, 8)), np.zeros((16, 8))
    for lane in LANES:
        group_id, thread_in_group = lane >> 2, lane % 4
        for i in range(4):
            row = group_id if i in (0, 2) else group_id + 8
            column = thread_in_group if i < 2 else thread_in_group + 4
            left[row, column] = a[lane, i]
        for i in range(2):
            right[thread_in_group if i == 0 else thread_in_group + 4, group_id] = b[lane, i]
        for i in range(4):
            result[group_id if i < 2 else group_id + 8, thread_in_group * 2 + (i & 1)] = c[lane, i]
    result += left @ right
    found = np.zeros((32, 4))
    for lane in LANES:
        for i in range(4):
            found[lane, i] = result[lane // 4 + (8 if i >= 2 else 0), lane % 4 * 2 + i % 2]
    return found


@pytest.mark.parametrize("strides", [(20, 1, 1, 72), (1, 136, 1, 72)])
def test_what_stands_in_for_the_instruction(strides):
    rng = np.random.default_rng(0)
    shared = rng.integers(-8, 8, 4000).astype("float32")  # sums of their products are exact
    left_own, left_step, right_own, right_step = strides
    left, right = 16, 1500
    a, b = np.zeros((32, 4)), np.zeros((32, 2))
    for lane in LANES:
        g, t = lane // 4, lane % 4
        a[lane] = [shared[left + (g + row) * left_own + (t + step) * left_step] for row, step in LEFT]
        b[lane] = [shared[right + g * right_own + (t + step) * right_step] for step in RIGHT]
    c = rng.integers(-8, 8, (32, OWN)).astype("float32")
    expected = mma_m16n8k8(a, b, c)
    for lane in LANES:
        sums = np.concatenate([[7, 7], c[lane], [7]]).astype("float32")
        multiply_tiles(shared, left, left_own, left_step, right, right_own, right_step, sums, 2, lane)
        np.testing.assert_array_equal(sums, [7, 7, *expected[lane], 7])


@pytest.mark.parametrize(
    ("x", "rounded"),
    [
        (1.0, 1.0),
        (-1.0 - 2**-11, -1.0 - 2**-10),  # a tie: away from 0
        (1.0 + 2**-11 - 2**-23, 1.0),
        (1.0 + 3 * 2**-11, 1.0 + 2**-9),
        (2.0 - 2**-23, 2.0),
        (0.0, 0.0),
        (np.finfo("float32").max, np.inf),
        (-np.inf, -np.inf),
    ],
)
def test_rounding_to_tf32(x, rounded):
    assert to_tf32(np.float32(x)) == rounded
    assert np.isnan(to_tf32(np.float32(np.nan)))
