"""The names of kernels: what they compile to for GPUs, and that their doubles for the simulator are the same functions."""

import itertools
import re

import numba
import numpy as np
import pytest
from numba import cuda, types

from symcnn.backends.cuda.namespace import NAMES
from symcnn.backends.cuda.simulated import NAMES as SIMULATED
from symcnn.ir.types import DTYPES
from tests.backends.scalars.test_functions import RANDOM, assert_same, draws, names, run, specials

CAPABILITIES = [(8, 0), (9, 0)]
OF_BOOLEANS = {1: ["absolute", "isnan", "isinf", "isfinite"], 2: ["maximum", "minimum"]}


def of(dtype, arity):
    """The functions of so many numbers of `dtype`."""
    return OF_BOOLEANS[arity] if dtype.kind == "b" else names(arity, dtype)


def ptx(lines, capability, *pointers, integers=1):
    """The instructions of a kernel of these lines, for a GPU of that capability."""
    parameters = [*(f"x{k}" for k in range(len(pointers))), *(f"n{k}" for k in range(integers))]
    lines = ["i = int32(cuda.grid(1))", "if i < n0:", *(f"    {line}" for line in lines)]
    source = f"def kernel({', '.join(parameters)}):\n" + "\n".join(f"    {line}" for line in lines)
    namespace = dict(NAMES)
    exec(source, namespace)
    signature = types.void(*(types.CPointer(getattr(types, p)) for p in pointers), *[types.int32] * integers)
    text, _ = cuda.compile_ptx(namespace["kernel"], signature, cc=capability)
    return text.split("\n{\n", 1)[1]


def assert_lean(text, *forbidden):
    __tracebackhide__ = True
    found = [line.strip() for line in text.splitlines() if re.search("|".join((r"\bcall\b", *forbidden)), line)]
    assert not found


SLOW = {d.name: () for d in DTYPES} | {"float64": ("sin", "cos", "tan", "power")}
"""In float64 the library keeps large angles in local memory, and calls a part of the power."""

LOCAL, DOUBLE, LONG_DIVISION = r"\.local\b", r"\.f64\b", r"\b(div|rem)\.[su]64\b"


@pytest.mark.parametrize("capability", CAPABILITIES, ids=str)
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_functions_compile_to_lean_code(dtype, capability):
    stored, test = (dtype.name, "") if dtype.kind != "b" else ("uint8", " != 0")
    calls = [f"{name}(x0[i]{test})" for name in of(dtype, 1) if name not in SLOW[dtype.name]]
    calls += [f"{name}(x0[i]{test}, x1[i]{test})" for name in of(dtype, 2) if name not in SLOW[dtype.name]]
    text = ptx([f"x2[i + {k}] = {call}" for k, call in enumerate(calls)], capability, *[stored] * 3)
    assert text.count("st.global") == len(calls)
    forbidden = {"int64": [LOCAL, DOUBLE], "uint64": [LOCAL, DOUBLE], "float64": [LOCAL]}
    assert_lean(text, *forbidden.get(dtype.name, [LOCAL, DOUBLE, LONG_DIVISION]))


@pytest.mark.parametrize("capability", CAPABILITIES, ids=str)
def test_slow_functions_compile(capability):
    calls = [f"{name}(x0[i]{', x0[i + 1]' if name == 'power' else ''})" for name in SLOW["float64"]]
    text = ptx([f"x1[i + {k}] = {call}" for k, call in enumerate(calls)], capability, "float64", "float64")
    assert not re.search(r"__nv_\w+", text)


@pytest.mark.parametrize("capability", CAPABILITIES, ids=str)
@pytest.mark.parametrize("name", RANDOM)
def test_random_functions_compile_to_lean_code(name, capability):
    text = ptx([f"x0[i] = {name}(n1, n2, i)"], capability, RANDOM[name], integers=3)
    assert_lean(text, LOCAL, LONG_DIVISION, *([DOUBLE] if name == "random_uniform" else []))


@pytest.mark.parametrize("capability", CAPABILITIES, ids=str)
def test_extremes_of_floats_are_one_instruction(capability):
    text = ptx(["x1[i] = maximum(x0[i], minimum(x0[i + 1], 0))"], capability, "float32", "float32")
    assert len(re.findall(r"\b(?:max|min)\.NaN\.f32\b", text)) == 2
    assert "setp.gt" not in text and "selp" not in text


def test_a_literal_does_not_widen_a_division():
    text = ptx(["x1[i] = floor_divide(x0[i], 7) + remainder(i, n0)"], (8, 0), "int32", "int32")
    assert_lean(text, LONG_DIVISION, r"\bmul\.hi\.s64\b")


def test_naturals_share_one_short_division():
    text = ptx(["x0[i] = int32(quotient(i, n1) * 5 + rest(i, n1))"], (8, 0), "int32", integers=2)
    assert re.findall(r"\b(?:div|rem)\.\w+", text) == ["div.u32"]


@pytest.mark.parametrize("capability", CAPABILITIES, ids=str)
@pytest.mark.parametrize(("dtype", "kind"), [("float32", "f32"), ("int32", "u32"), ("uint32", "u32")])
def test_four_neighbours_move_by_one_instruction(dtype, kind, capability):
    lines = ["a, b, c, d = load4(x0, int32(4 * i))", "store4(x1, int32(4 * i), d, c, b, a)"]
    text = ptx(lines, capability, dtype, dtype)
    assert re.findall(r"\b(?:ld|st)\.global\S*", text) == [f"ld.global.v4.{kind}", f"st.global.v4.{kind}"]


# -- Doubles for the simulator ----------------------------------------------------------------------------------------


def test_the_simulator_knows_every_name():
    assert set(SIMULATED) == set(NAMES)


@pytest.mark.parametrize("arity", [1, 2])
@pytest.mark.parametrize("dtype", [d for d in DTYPES if d.name not in ("int16", "uint16")], ids=str)
def test_doubles_are_the_functions_of_the_cpu(dtype, arity):
    operands = list(itertools.product(specials(dtype), repeat=arity))
    columns = [np.array(column, dtype) for column in zip(*operands, strict=True)]
    wanted = of(dtype, arity)
    for name, expected in zip(wanted, run(wanted, dtype, *columns), strict=True):
        found = [SIMULATED[name](*x) for x in operands]
        assert {x.dtype for x in found} == {expected.dtype}, name
        far = (np.abs(columns[0]) > 1e6) if name in ("sin", "cos", "tan") else np.zeros(len(found), bool)
        assert_same(np.array(found)[~far], expected[~far], name, [x[~far] for x in columns])


@pytest.mark.parametrize("name", RANDOM)
def test_doubles_draw_the_same_random_numbers(name):
    (expected,) = run([name], np.dtype(RANDOM[name]), *draws())
    found = np.array([SIMULATED[name](*draw) for draw in draws().T])
    assert found.dtype == expected.dtype
    if "uniform" in name:
        np.testing.assert_array_equal(found, expected)
    np.testing.assert_allclose(found, expected, rtol=3 * np.finfo(found.dtype).eps)


def test_doubles_of_dtypes_wrap_around():
    int32, uint8, int64 = (SIMULATED[name] for name in ("int32", "uint8", "int64"))
    assert int32(2**31 + 5) == 5 - 2**31
    assert int32(np.int64(-(2**31) - 1)) == 2**31 - 1
    assert [int32(np.float32(-3.7)), uint8(True), uint8(-1), int64(np.uint64(2**64 - 1))] == [-3, 1, 255, -1]
    assert [type(int32(3)), type(uint8(3)), np.empty(1, int32).dtype] == [np.int64, np.uint8, np.dtype("int32")]
    assert int32(2**20) * int32(2**20) == 2**40  # Numba computes with it in 64 bits


def test_doubles_of_literals_take_the_type_of_the_other():
    maximum = SIMULATED["maximum"](np.float32(0.1), 0)
    assert maximum == np.float32(0.1) and type(maximum) is np.float32
    assert type(SIMULATED["remainder"](np.int32(7), 4)) is np.int32


@pytest.mark.parametrize("names", [NAMES, SIMULATED], ids=["compiled", "simulated"])
def test_naturals(names):
    quotient, rest = names["quotient"], names["rest"]
    if names is NAMES:
        quotient, rest = (numba.njit(lambda a, b, f=f: f(a, b)) for f in (quotient, rest))
    for a, b in itertools.product([0, 1, 6, 7, 2**31 - 1], [1, 3, 7, 2**31 - 1]):
        assert (quotient(np.int32(a), np.int32(b)), rest(np.int32(a), np.int32(b))) == divmod(a, b)


def test_doubles_of_four_neighbours():
    x = np.arange(12, dtype="float32")
    SIMULATED["store4"](x, 4, *SIMULATED["load4"](x, 8))
    np.testing.assert_array_equal(x, [0, 1, 2, 3, 8, 9, 10, 11, 8, 9, 10, 11])
