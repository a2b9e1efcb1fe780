"""Fingerprints of code: what Snakemake watches to know that a result is out of date.

A fingerprint covers a module and all modules of this package that it imports, directly or not.
It is taken from syntax trees without docstrings and without what exceptions say, so that comments,
docstrings, formatting and reworded errors do not count. Left out are ``settings``, which hold
values and compute no result: the values reach a stage, complete, as its sections; and ``record``,
``machine``, ``errors`` and this module, which describe results and do not change them.
"""

import ast
import hashlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

PACKAGE = "maskedteeth"
ROOT = Path(__file__).parent
LEFT_OUT = tuple(
    f"{PACKAGE}.{name}" for name in ("settings", "record", "machine", "errors", "fingerprint")
)


@cache
def fingerprint(*modules: str) -> str:
    """Return 16 hexadecimal digits for ``modules`` and what they import of this package."""
    digest = hashlib.sha256()
    for name in sorted(closure(modules)):
        digest.update(f"{name}:{_tree(name)}\n".encode())
    return digest.hexdigest()[:16]


def closure(modules: tuple[str, ...]) -> set[str]:
    """Return ``modules`` and all modules of this package that they import, transitively."""
    found: set[str] = set()
    waiting = list(modules)
    while waiting:
        name = waiting.pop()
        if name not in found and not f"{name}.".startswith(tuple(f"{n}." for n in LEFT_OUT)):
            found.add(name)
            waiting += _imports(name)
    return found


def _file(module: str) -> Path | None:
    if module.partition(".")[0] != PACKAGE:
        return None
    base = ROOT.joinpath(*module.split(".")[1:])
    return next((f for f in (base.with_suffix(".py"), base / "__init__.py") if f.is_file()), None)


@cache
def parsed(module: str) -> ast.Module:
    """Return the syntax tree of a module of this package."""
    file = _file(module)
    if file is None:
        raise ModuleNotFoundError(f"{module} is not a module of {PACKAGE}")
    return ast.parse(file.read_bytes())


@cache
def _imports(module: str) -> tuple[str, ...]:
    """Return the modules of this package that ``module`` imports, wherever in the file."""
    names: set[str] = set()
    for node in _statements(parsed(module)):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0 and node.module, f"{module}: relative imports are not used here"
            names.update({node.module, *(f"{node.module}.{a.name}" for a in node.names)})
    # Importing a.b runs a/__init__.py first.
    parents = {".".join(n.split(".")[:k]) for n in names for k in range(2, n.count(".") + 1)}
    return tuple(name for name in sorted(names | parents) if _file(name))


@cache
def _tree(module: str) -> str:
    tree = parsed(module)
    for node in _statements(tree):
        documented = isinstance(
            node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
        )
        if documented and ast.get_docstring(node, clean=False) is not None:
            empty = [] if isinstance(node, ast.Module) else [ast.Pass()]
            node.body = node.body[1:] or empty
    return _printed(tree)


def _printed(value: object) -> str:
    """Print a syntax tree the same in every Python: empty parts, and what is raised, left out.

    What an exception says changes no result, only which one it is.
    """
    if isinstance(value, list):
        return f"[{', '.join(map(_printed, value))}]"
    if not isinstance(value, ast.AST):
        return repr(value)
    if isinstance(value, ast.Raise) and isinstance(value.exc, ast.Call):
        value = ast.Raise(value.exc.func, None)
    parts = (
        f"{name}={_printed(part)}"
        for name, part in ast.iter_fields(value)
        if part not in (None, [])
    )
    return f"{type(value).__name__}({', '.join(parts)})"


def _statements(node: ast.AST) -> Iterator[ast.AST]:
    """Yield a node and the statements in it, which hold all imports and docstrings."""
    yield node
    for block in ("body", "handlers", "cases", "orelse", "finalbody"):
        for statement in getattr(node, block, ()):
            yield from _statements(statement)
