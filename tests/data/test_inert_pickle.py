"""Pickles as data: what is read agrees with Python, and nothing that a file asks for is ever run."""

import builtins
import contextlib
import os
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from symcnn.data import inert_pickle
from symcnn.errors import FileError

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.binary(min_size=1),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner) | st.tuples(inner, inner),
    max_leaves=12,
)


@given(values, st.integers(2, 4))
def test_agrees_with_python(value, protocol):
    assert inert_pickle.load(pickle.dumps(value, protocol=protocol), "a") == value


@pytest.mark.parametrize("protocol", range(5))
@pytest.mark.parametrize("order", ["C", "F"])
def test_arrays(protocol, order):
    array = np.arange(24, dtype="uint8").reshape(2, 3, 4, order=order)
    found = inert_pickle.load(pickle.dumps([array, array], protocol=protocol), "a")
    for one in found:
        np.testing.assert_array_equal(one, array)


class Calls:
    """Pickled as a call, which loading it would make."""

    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


def attacks():
    sign = "symcnn_was_here"
    command = f"echo > {sign}"
    yield "os.system", Calls(os.system, command)
    yield "eval", Calls(builtins.eval, f"open({sign!r}, 'w')")
    yield "exec", Calls(builtins.exec, f"open({sign!r}, 'w')")
    yield "getattr", Calls(getattr, "", "join")
    yield "import", Calls(builtins.__import__, "os")
    yield "open", Calls(open, sign, "w")
    yield "numpy.load", Calls(np.load, sign)
    yield "a subclass of what is allowed", Calls(np.dtype, Calls(os.system, command))
    yield "object arrays", np.array([1, "a"], dtype=object)
    yield "other dtypes", np.arange(3)
    yield "classes", {1: np.ndarray}
    yield "sets", {1, 2}


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("attack", [pytest.param(a, id=name) for name, a in attacks()])
def test_nothing_is_run(tmp_path, monkeypatch, attack, protocol):
    monkeypatch.chdir(tmp_path)
    for content in (attack, {"data": attack, "labels": [1]}):
        with pytest.raises(FileError):
            inert_pickle.load(pickle.dumps(content, protocol=protocol), "a")
    assert not list(tmp_path.iterdir())


def test_the_attacks_are_real(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    pickle.loads(pickle.dumps(dict(attacks())["os.system"]))
    assert [path.name for path in tmp_path.iterdir()] == ["symcnn_was_here"]


WRITTEN_BY_HAND = {
    "a chain of getattr": b"cbuiltins\ngetattr\n(cos\n__dict__\nS'get'\ntR(S'system'\ntR(S'true'\ntR.",
    "INST": b"(S'true'\nios\nsystem\n.",
    "OBJ": b"(cos\nsystem\nS'true'\no.",
    "STACK_GLOBAL": b"\x8c\x02os\x8c\x06system\x93\x8c\x04true\x85R.",
    "STACK_GLOBAL of no text": b"]]\x93.",
    "an extension": b"\x82\x01.",
    "a persistent id": b"Pabc\n.",
    "a name with dots": b"cnumpy\ndtype.__reduce__\n)R.",
    "a call of text": b"S'os.system'\n(S'true'\ntR.",
    "a state for a list": b"]}b.",
    "a state for a name": b"cnumpy\nndarray\n}S'x'\nK\x01sb.",
    "an array that is built twice": pickle.dumps(np.zeros(3, "uint8"), 2)[:-1] + b"}b.",
    "bytes too few": pickle.dumps(np.zeros(3, "uint8"), 2).replace(b"K\x03\x85", b"K\x04\x85"),
    "a negative size": pickle.dumps(np.zeros(3, "uint8"), 2).replace(b"K\x03\x85", b"J\xff\xff\xff\xff\x85"),
    "a key that is no text": b"}(K\x01K\x02u.",
    "a key that is deep": b"})" + b"\x85" * 200_000 + b"K\x01s.",
    "an odd dict": b"}(K\x01u.",
    "an empty stack": b"0.",
    "a mark that is missing": b"K\x01t.",
    "an unknown memo": b"h\x07.",
    "no end": b"K\x01",
    "a length beyond the file": b"T\xff\xff\xff\x7fabc.",
    "nothing": b"",
    "text": b"hello, world",
}


@pytest.mark.parametrize("content", WRITTEN_BY_HAND.values(), ids=WRITTEN_BY_HAND)
def test_refused(content):
    with pytest.raises(FileError):
        inert_pickle.load(content, "a")


def test_unknown_escapes_stay_as_they_are():
    assert inert_pickle.load(b"S'\\u'\n.", "a") == "\\u"


def test_a_huge_memo_costs_nothing():
    """The C implementation of pickle would ask for 64 GiB here."""
    assert inert_pickle.load(b"K\x01r\xff\xff\xff\xff.", "a") == 1


def test_deep_nesting_does_not_recurse():
    assert isinstance(inert_pickle.load(b"]" * 200_000 + b"a" * 199_999 + b".", "a"), list)


@given(st.binary(max_size=80))
def test_noise(content):
    with contextlib.suppress(FileError):
        inert_pickle.load(content, "a")


@given(st.data())
def test_damaged_pickles(data):
    """Bytes of a real pickle replaced: another value or a FileError, nothing else."""
    content = bytearray(pickle.dumps({"data": np.arange(6, dtype="uint8").reshape(2, 3), "labels": [1, 2]}, protocol=2))
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(FileError):
        inert_pickle.load(bytes(content), "a")
