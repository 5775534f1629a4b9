"""Imports point one way, and importing a module never pulls in a package that it may do without."""

import ast
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

# In the order in which a reader opens them; a module imports from its own line and from the lines above it.
LAYERS = [
    "errors config keywords paths display arrays",
    "ir",
    "ops",
    "rewrite",
    "autodiff check",
    "schedule",
    "backends",
    "stages profile debug",
    "function",
    "symcnn",  # the public names: what follows is built on them alone
    "nn losses optim init regularize metrics models train data",
    "interop",
    "viz",
    "demo bench",
    "cli __main__",
]
RANK = {name: rank for rank, names in enumerate(LAYERS) for name in names.split()}

# The exceptions, (who, whom). Each is an import inside a function.
UPWARD: set[tuple[str, str]] = set()

NUMBA = ("symcnn.backends.cpu", "symcnn.backends.cuda", "symcnn.backends.scalars", "symcnn.backends.jit")

# Third-party packages that may be imported when a module is, and by whom; all others wait until they are used.
EAGER = {
    "numpy": ("symcnn",),
    "numba": NUMBA,
    "llvmlite": NUMBA,
    "networkx": ("symcnn.viz",),
}

MODULES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for path in sorted((ROOT / "symcnn").rglob("*.py"))
}


def layer(module: str) -> str:
    """The word of LAYERS that `module` belongs to."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else parts[0]


def imports(tree: ast.AST, module: str, *, eager: bool = False):
    """Full names that `module` imports, with their lines; `eager`: only those executed when it is imported."""
    package = module if MODULES[module].name == "__init__.py" else module.rpartition(".")[0]
    pending = [tree]
    while pending:
        node = pending.pop()
        if eager and (isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) or is_for_types_only(node)):
            continue
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parents = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*parents, *filter(None, [base])])
            yield from ((f"{base}.{alias.name}", node.lineno) for alias in node.names)
        pending.extend(ast.iter_child_nodes(node))


def is_for_types_only(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def is_ours(name: str) -> bool:
    return name.split(".")[0] == "symcnn"


def imported_layer(name: str) -> str:
    """The layer of an imported name: ``symcnn.exp`` is a public name, ``symcnn.ir.types`` belongs to ir."""
    found = layer(name)
    return found if found in RANK else "symcnn"


@pytest.mark.parametrize("module", MODULES)
def test_every_module_has_its_place_in_the_order(module):
    assert layer(module) in RANK


@pytest.mark.parametrize(
    "module", [name for name in MODULES if name != "symcnn"]
)  # which gathers names from everywhere
def test_imports_point_one_way(module):
    tree = ast.parse(MODULES[module].read_text())
    upward = [
        f"{MODULES[module].relative_to(ROOT)}:{line} imports {name}"
        for name, line in imports(tree, module)
        if is_ours(name) and RANK[imported_layer(name)] > RANK[layer(module)] and (module, name) not in UPWARD
    ]
    assert not upward


@pytest.mark.parametrize("module", MODULES)
def test_heavy_and_optional_packages_are_imported_where_they_are_used(module):
    tree = ast.parse(MODULES[module].read_text())
    eager = [
        f"{MODULES[module].relative_to(ROOT)}:{line} imports {name} at once"
        for name, line in imports(tree, module, eager=True)
        if not is_ours(name)
        and name.split(".")[0] not in sys.stdlib_module_names
        and not f"{module}.".startswith(tuple(f"{who}." for who in EAGER.get(name.split(".")[0], ())))
    ]
    assert not eager


def test_the_exceptions_are_still_needed():
    found = {
        (module, name) for module, path in MODULES.items() for name, _ in imports(ast.parse(path.read_text()), module)
    }
    assert found >= UPWARD
