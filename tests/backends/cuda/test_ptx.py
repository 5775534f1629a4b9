"""The rules about PTX catch planted faults, and leave a good kernel alone."""

import pytest

from symcnn.backends.cuda.launch import Kernel
from tests.backends.cuda.ptx import INSTALLED, lint, ptxas

HOPPER = (9, 0)
needs_assembler = pytest.mark.skipif(not INSTALLED, reason="there is no ptxas")


@pytest.fixture(scope="module")
def ptx():
    pytest.importorskip("numba_cuda")
    from symcnn.backends.cuda.compiler import ptx

    return ptx


def kernel(line, operands=("float32", "float32")):
    source = f"""def kernel(x0, x1, n0):
    t = cuda.local.array(300, float32)
    i = int32(cuda.blockIdx.x * 64 + cuda.threadIdx.x)
    if i < n0:
        {line}
"""
    return Kernel(source, operands, 1, 64)


GOOD = "x1[i] = exp(x0[i]) * float32(0.1) + float32(quotient(i, n0))"


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        (GOOD, None),
        ("x1[i] = x0[i] * 0.1", "float64"),
        ("x1[i] = x0[i // n0]", "64 bits"),
        ("x1[i] = x0[int64(i) % n0]", "64 bits"),
        ("t[int32(x0[i])] = x0[0]; t[i] = x0[1]; x1[i] = t[int32(x0[i + 1])]", "local memory"),
    ],
)
def test_planted_faults(line, complaint, ptx):
    found = lint(ptx(kernel(line), HOPPER), kernel(line))
    assert [complaint in words for words in found] == ([] if complaint is None else [True]), found


def test_float64_is_for_those_who_give_it(ptx):
    wide = kernel("x1[i] = x0[i] * 0.1", ("float64", "float64"))
    assert lint(ptx(wide, HOPPER), wide) == []


def test_calls_are_found():
    assert lint("\tcall.uni (retval0), \n\tfoo, (param0);", kernel(GOOD)) == [
        "calls a function instead of containing it (1 times, first: call.uni (retval0),)"
    ]
    assert lint("\t// call foo .f64\n\tld.global.f32 %f1, [%rd2];", kernel(GOOD)) == []


@needs_assembler
def test_the_assembler_counts_registers_and_spills(ptx):
    text = ptx(kernel(GOOD), HOPPER)
    found = ptxas(text, HOPPER)
    assert 4 <= found["registers"] <= 64
    assert (found["spills"], found["stack"], found["shared"]) == (0, 0, 0)
    # The same with fewer registers than values that are needed at a time.
    sums = "; ".join(f"v{k} = x0[{k}]" for k in range(60))
    product = " * ".join(f"(v{k} + float32(i))" for k in range(60))
    many = ptx(kernel(f"{sums}; x1[i] = {product}; x1[i + 1] = {product.replace('+', '-')}"), HOPPER)
    assert ptxas(many.replace(".maxntid 64, 1, 1", ".maxntid 64, 1, 1\n.maxnreg 24"), HOPPER)["spills"] > 0


@needs_assembler
def test_shared_memory_is_counted(ptx):
    source = "def kernel(x0):\n    a = cuda.shared.array(32, float32)\n    a[cuda.threadIdx.x] = x0[0]\n    cuda.syncthreads()\n    x0[0] = a[3]\n"
    assert ptxas(ptx(Kernel(source, ("float32",), 0, 32), HOPPER), HOPPER)["shared"] == 128


@needs_assembler
def test_what_cannot_be_assembled_is_an_error():
    with pytest.raises(ValueError, match="fatal"):
        ptxas("nonsense", HOPPER)
