"""The expression graph as a networkx graph, for layouts and graph algorithms."""

from __future__ import annotations

from typing import TYPE_CHECKING

from symcnn.ir.graph import toposort
from symcnn.ir.printer import names_of
from symcnn.ir.variable import Variable

if TYPE_CHECKING:
    import networkx


def to_networkx(outputs: Variable | list[Variable]) -> networkx.MultiDiGraph:
    """Nodes are names, edges run from operand to result, keyed by the operand's position (``x * x`` has two).

    Parameters
    ----------
    outputs : Variable or list of Variables

    Returns
    -------
    networkx.MultiDiGraph
        Node attributes: `variable`, `op` (its name, ``None`` for a leaf), `type` (text).

    Examples
    --------
    >>> import symcnn as sc
    >>> x = sc.input("x", ())
    >>> graph = to_networkx(x * x)
    >>> sorted(graph.edges(keys=True))
    [('x', '%1', 0), ('x', '%1', 1)]
    """
    import networkx

    roots = [outputs] if isinstance(outputs, Variable) else list(outputs)
    names = names_of(roots)
    graph = networkx.MultiDiGraph()
    for v in toposort(roots):
        graph.add_node(names[v], variable=v, op=v.op.name if v.op else None, type=str(v.type))
        for position, x in enumerate(v.inputs):
            graph.add_edge(names[x], names[v], key=position)
    return graph
