"""Pickles read as data: a small stack machine that builds dicts, lists, strings and arrays, and can call nothing.

A pickle is a program, and `pickle.load` runs it: a file from the internet may do whatever its author likes. Data sets have
been published as pickles all the same. Their files are read here by a machine of our own, fed by the disassembler of the
standard library, `pickletools.genops`, which only looks. The machine knows the instructions that such files consist of;
any other, and any name but those by which NumPy pickles an array, ends the reading with a FileError. No function is
within a file's reach, so none has to be trusted. Nothing recurses, however deep a file nests.
"""

from __future__ import annotations

import pickletools
import warnings
from typing import Any

import numpy as np

from symcnn.errors import FileError

# NumPy pickles an array by these names, before version 2 and since; Python 3 encodes its bytes for protocol 2.
_RECONSTRUCT = ("numpy.core.multiarray _reconstruct", "numpy._core.multiarray _reconstruct")
_NDARRAY, _DTYPE, _ENCODE = "numpy ndarray", "numpy dtype", "_codecs encode"
_NAMES = (*_RECONSTRUCT, _NDARRAY, _DTYPE, _ENCODE)


class _Name(str):
    """``module name`` as the file spells it; nothing is imported."""


class _Type(str):
    """``"u1"``, the one dtype of images and labels."""


class _Array:
    """An array that the file has announced; `value` comes later."""

    value: np.ndarray | None = None


def load(content: bytes, path) -> Any:
    """The object that the pickle `content`, of the file `path`, describes.

    Parameters
    ----------
    content : bytes
        Protocol 0 to 4. A string of Python 2 is decoded as Latin-1: each byte is the character of its number.
    path : str or pathlib.Path
        For error messages.

    Returns
    -------
    object
        Made of dicts with keys of text, lists, tuples, text, bytes, numbers and uint8 arrays.

    Raises
    ------
    FileError
        If it is damaged, or asks for anything else.

    Examples
    --------
    >>> import pickle
    >>> load(pickle.dumps({"labels": [3, 1], "data": np.eye(2, dtype="uint8")}, protocol=2), "a.pkl")
    {'labels': [3, 1], 'data': array([[1, 0],
           [0, 1]], dtype=uint8)}
    >>> load(pickle.dumps(print), "b.pkl")
    Traceback (most recent call last):
    symcnn.errors.FileError: b.pkl asks for more than data: builtins.print
      where:    ...
      expected: a pickle of dicts, lists, text, numbers and uint8 arrays
      hint:     nothing of it was run; do not open it by other means unless you trust whoever made it
    """
    try:
        with warnings.catch_warnings(action="ignore", category=DeprecationWarning):  # escapes that Python does not know
            return _run(content)
    except _RefusedError as refused:
        raise FileError(
            f"{path} asks for more than data: {refused}",
            expected="a pickle of dicts, lists, text, numbers and uint8 arrays",
            hint="nothing of it was run; do not open it by other means unless you trust whoever made it",
        ) from None
    # What a stack machine meets in nonsense: an empty stack, an unknown memo, an item put into a number.
    except (ValueError, TypeError, LookupError, AttributeError, OverflowError) as error:
        raise FileError(f"{path} is no complete pickle: {error}", hint="the file is damaged or incomplete") from None


class _RefusedError(Exception):
    """The file wants what data does not need."""


def _run(content: bytes):
    stack: list[Any] = []
    marks: list[int] = []
    memo: dict[int, Any] = {}

    def since_mark() -> list:
        start = marks.pop()
        items = stack[start:]
        del stack[start:]
        return items

    argument: Any  # of the type that the instruction has
    for opcode, argument, _ in pickletools.genops(content):
        match opcode.name:
            case (
                "INT" | "BININT" | "BININT1" | "BININT2" | "LONG" | "LONG1" | "FLOAT" | "BINFLOAT" |
                "STRING" | "BINSTRING" | "SHORT_BINSTRING" | "UNICODE" | "BINUNICODE" | "SHORT_BINUNICODE" |
                "BINBYTES" | "SHORT_BINBYTES"
            ):  # fmt: skip
                stack.append(argument)
            case "NONE":
                stack.append(None)
            case "NEWTRUE" | "NEWFALSE":
                stack.append(opcode.name == "NEWTRUE")
            case "EMPTY_TUPLE":
                stack.append(())
            case "TUPLE1" | "TUPLE2" | "TUPLE3":
                size = int(opcode.name[-1])
                stack[-size:] = [tuple(stack[-size:])]
            case "EMPTY_LIST":
                stack.append([])
            case "EMPTY_DICT":
                stack.append({})
            case "MARK":
                marks.append(len(stack))
            case "TUPLE":
                stack.append(tuple(since_mark()))
            case "LIST":
                stack.append(since_mark())
            case "DICT":
                stack.append(_set_items({}, since_mark()))
            case "APPEND":
                item = stack.pop()
                stack[-1].append(item)
            case "APPENDS":
                items = since_mark()
                stack[-1].extend(items)
            case "SETITEM":
                value, key = stack.pop(), stack.pop()
                _set_items(stack[-1], [key, value])
            case "SETITEMS":
                items = since_mark()
                _set_items(stack[-1], items)
            case "PUT" | "BINPUT" | "LONG_BINPUT":
                memo[int(argument)] = stack[-1]
            case "MEMOIZE":
                memo[len(memo)] = stack[-1]
            case "GET" | "BINGET" | "LONG_BINGET":
                found = memo[int(argument)]
                stack.append(found.value if isinstance(found, _Array) else found)
            case "GLOBAL":
                stack.append(_name(argument))
            case "STACK_GLOBAL":
                name, module = stack.pop(), stack.pop()
                stack.append(_name(" ".join([module, name])))
            case "REDUCE":
                arguments, function = stack.pop(), stack.pop()
                stack.append(_call(function, arguments))
            case "BUILD":
                state = stack.pop()
                stack[-1] = _with_state(stack[-1], state)
            case "PROTO" | "FRAME":
                pass
            case "STOP":
                return stack.pop()
            case unknown:
                raise _RefusedError(f"the instruction {unknown}")
    raise ValueError("it does not end")


def _set_items(target: dict, items: list) -> dict:
    for key, value in zip(items[::2], items[1::2], strict=True):
        # Text only: a key is hashed, and hashing a tuple of tuples of tuples recurses.
        if not isinstance(key, (str, bytes)):
            raise _RefusedError(f"a key of type {type(key).__name__}")
        target[key if isinstance(key, str) else key.decode("latin-1")] = value
    return target


def _name(text) -> _Name:
    if text not in _NAMES:
        raise _RefusedError(text[:80].replace(" ", "."))
    return _Name(text)


def _call(function, arguments) -> Any:
    """What NumPy or `_codecs` would make of these arguments, for the few that they are ever given."""
    match function, arguments:
        case _Name(), ("u1" | "|u1", *_) if function == _DTYPE:
            return _Type("u1")
        case _Name(), (str(text), "latin1" | "latin-1") if function == _ENCODE:
            return text.encode("latin-1")
        case _Name(), (_Name() as kind, *_) if function in _RECONSTRUCT and kind == _NDARRAY:
            return _Array()
    raise _RefusedError(f"a call of {function}" if isinstance(function, _Name) else "a call of what is no function")


def _with_state(target, state) -> Any:
    if isinstance(target, _Type):
        return target  # byte order and alignment, of no account to single bytes
    match target, state:
        case _Array(), (int(), tuple(shape), _Type(), in_columns, str(raw) | bytes(raw)):
            if not all(isinstance(size, int) and size >= 0 for size in shape):
                raise ValueError("an array has an impossible shape")
            raw = raw.encode("latin-1") if isinstance(raw, str) else raw
            target.value = np.frombuffer(raw, "uint8").reshape(shape, order="F" if in_columns else "C")
            return target.value
    raise _RefusedError("an object that is not a uint8 array")
