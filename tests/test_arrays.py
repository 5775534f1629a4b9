"""Arrays of other libraries are taken wherever arrays are, and those that cannot be read say why."""

import subprocess
import sys

import numpy as np
import pytest

import symcnn as sc
from symcnn.arrays import as_numpy

A = np.array([[1, 2], [3, 4]], "float32")


class ByDLPack:
    """An array that can be had by DLPack alone."""

    def __init__(self, array):
        self.array = array

    def __dlpack__(self, **options):
        return self.array.__dlpack__(**options)

    def __dlpack_device__(self):
        return self.array.__dlpack_device__()


class ByInterface:
    """An array that describes its memory, and no more."""

    def __init__(self, array):
        self.array = array

    @property
    def __array_interface__(self):
        return self.array.__array_interface__


class OnAnotherDevice:
    """As CuPy and JAX hold what lies on a graphics card."""

    device = "cuda:0"

    def __dlpack_device__(self):
        return 2, 0

    def __dlpack__(self, **options):
        raise BufferError("cannot export to the host")


def tensor(array):
    return pytest.importorskip("torch").tensor(array)


# Each place takes A, or what is like it, and gives an array that follows from it; and what that should be.
MODEL = sc.nn.Sequential(sc.nn.Dense(2, 2, init="identity"))
X = sc.input("x", (None, 2))
DOUBLE = sc.function([X], 2 * X, device="reference")
PLACES = {
    "shared": (lambda a: sc.shared(a).get_value(), A),
    "constant": (lambda a: sc.constant(a).value, A),
    "call": (DOUBLE, 2 * A),
    "operand": (lambda a: sc.function([X], X + a, device="reference")(A), 2 * A),
    "predict": (lambda a: MODEL.predict(a, device="reference"), A),
    "images": (lambda a: sc.data.Dataset(a, np.array([0, 1])).take([1]).images, A[1:]),
    "labels": (lambda a: np.asarray(sc.data.Dataset(A, a).labels), A),
    "classes": (sc.metrics.classes.predicted_classes, [1, 1]),
    "normalize": (sc.data.Normalize((1.0, 1.0), (2.0, 2.0)), (A - 1) / 2),
}


def set_value(array):
    changed = sc.shared(np.zeros((2, 2), "float32"))
    changed.set_value(array)
    return changed.get_value()


def matched(array):
    model = sc.nn.Sequential(sc.nn.Dense(2, 2))
    sc.nn.load_matching(model, {"0.weight": array})
    return model["0"].weight.get_value()


def stepped(array):
    model = sc.nn.Sequential(sc.nn.Dense(2, 2, init="identity"))
    return sc.train.compile_step(model, device="reference")(array, np.array([0, 1]))


PLACES |= {
    "set_value": (set_value, A),
    "load_matching": (matched, A),
    # Cross-entropy of the rows (1, 2), class 0, and (3, 4), class 1.
    "step": (stepped, (np.log1p(np.e) + np.log1p(1 / np.e)) / 2),
}


@pytest.mark.parametrize("kind", [tensor, ByDLPack, ByInterface])
@pytest.mark.parametrize("place", PLACES)
def test_are_taken(place, kind):
    take, expected = PLACES[place]
    np.testing.assert_allclose(take(kind(A.copy())), expected, rtol=1e-6)


def tensors_that_cannot_be_read():
    return [
        ("gradient", lambda torch: torch.ones(2, 2, requires_grad=True), "x.detach()"),
        ("device", lambda torch: torch.ones(2, 2, device="meta"), "x.cpu()"),
        ("dtype", lambda torch: torch.ones(2, 2, dtype=torch.bfloat16), "x.float()"),
    ]


@pytest.mark.parametrize(
    ("kind", "make", "hint"), tensors_that_cannot_be_read(), ids=lambda v: v if isinstance(v, str) else ""
)
@pytest.mark.parametrize("place", PLACES)
def test_tensors_that_cannot_be_read_say_what_helps(place, kind, make, hint):
    value = make(pytest.importorskip("torch"))
    with pytest.raises(sc.errors.InputError, match="this Tensor is no array") as error:
        PLACES[place][0](value)
    assert hint in error.value.hint


@pytest.mark.parametrize("place", PLACES)
def test_what_lies_on_another_device(place):
    with pytest.raises(sc.errors.InputError, match="OnAnotherDevice") as error:
        PLACES[place][0](OnAnotherDevice())
    assert "cuda:0" in error.value.hint


def test_memory_is_shared_where_it_can_be():
    array = A.copy()
    assert all(np.shares_memory(as_numpy(kind(array)), array) for kind in (ByDLPack, ByInterface))


@pytest.mark.parametrize("value", [3, 2.5, [1, 2], "text", None, np.float32(2), A])
def test_everything_else_stays_what_it_is(value):
    assert as_numpy(value) is value


def test_an_expression_is_no_array():
    with pytest.raises(sc.errors.DTypeError, match="is an expression"):
        as_numpy(X)


@pytest.mark.parametrize("take", [DOUBLE, sc.shared, lambda a: MODEL.predict(a, device="reference")])
def test_a_list_of_tensors_that_cannot_be_read(take):
    torch = pytest.importorskip("torch")
    with pytest.raises(sc.errors.SymcnnError, match="grad"):
        take([torch.ones(2, requires_grad=True)] * 2)


def test_torch_is_not_imported_for_it():
    code = "import sys, numpy, symcnn as sc; sc.shared(numpy.ones(2)); sc.constant([1.0]); assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=100)
