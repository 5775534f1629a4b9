"""How an expression of ours is said in ONNX: a form for each op, and forms for compositions that have a name there.

Export is the mirror of import. A form knows which Variables it reads and writes nodes for them. An op has one form, found by
its class, or for rows of the elementwise table by name. ONNX has single operators for much that is composed here, such
as batch norm or softmax: a composition is recognised at its outermost op by guessing its arguments and calling our own
function on them. Equal expressions are one object, so the guess is right exactly if that gives the Variable in question.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from symcnn.errors import SymcnnError
from symcnn.ir.op import Op
from symcnn.ir.variable import Variable
from symcnn.ops.elementwise import Elementwise

if TYPE_CHECKING:
    from symcnn.interop.onnx.export.writer import Writer


@dataclass(frozen=True)
class Form:
    """How to say a Variable.

    Attributes
    ----------
    reads : tuple of Variable
    write : callable
        ``write(writer, *names of what is read)`` adds nodes and returns the name of the result.
    absorbs : tuple of Variable
        What it computes along the way at some cost: if others need that, too, the op is said alone.
    """

    reads: tuple[Variable, ...]
    write: Callable[..., str]
    absorbs: tuple[Variable, ...] = ()


FORMS: dict[type[Op] | str, Callable[[Writer, Variable], str]] = {}
COMPOSITIONS: dict[str, list[Callable[[Variable], Form | None]]] = {}


def form(*ops: type[Op] | str):
    """Decorator: ``write(writer, variable, *names of its inputs)`` says ops of these classes, or rows of these names.

    The name of an input that is used for its shape alone is ``None`` if all its sizes are known.
    """

    def register(write):
        for op in ops:
            assert op not in FORMS, f"{op} has two forms"
            FORMS[op] = write
        return write

    return register


def composition(*roots: str):
    """Decorator: ``find(variable)``, asked for ops of these names, returns a `Form` if it recognises a composition."""

    def register(find):
        for root in roots:
            COMPOSITIONS.setdefault(root, []).append(find)
        return find

    return register


def makes(variable: Variable, function: Callable[..., Variable], *arguments, **options) -> bool:
    """Whether a guess is right: `function` of these arguments is this very Variable."""
    try:
        return function(*arguments, **options) is variable
    except SymcnnError:  # they do not even fit
        return False


def form_of(variable: Variable) -> Form | None:
    """The form of a Variable that is no leaf; ``None`` if ONNX has no words for it."""
    for find in COMPOSITIONS.get(variable.op.name, ()):
        found = find(variable)
        if found is not None:
            return found
    return own_form(variable)


def own_form(variable: Variable) -> Form | None:
    """The form of the op alone, even where it ends a composition."""
    op = variable.op
    write = FORMS.get(op.name if isinstance(op, Elementwise) else type(op))
    if write is None:
        return None
    needed = [not (k in op.shape_only and x.type.is_concrete) for k, x in enumerate(variable.inputs)]

    def write_all(writer, *names):
        given = iter(names)
        return write(writer, variable, *(next(given) if needs else None for needs in needed))

    return Form(tuple(x for x, needs in zip(variable.inputs, needed, strict=True) if needs), write_all)
