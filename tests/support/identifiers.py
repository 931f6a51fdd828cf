"""Names that a Python file defines or uses, for the tests of the vocabulary."""

import ast
from pathlib import Path


def identifiers(tree: ast.AST) -> set[str]:
    """Return the names in a syntax tree, also those of methods, parameters and attributes."""
    found = set()
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name) | ast.Attribute(attr=name) | ast.arg(arg=name):
                found.add(name)
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                found.add(name)
            case ast.ClassDef(name=name):
                found.add(name)
    return found


def imported_packages(path: Path) -> set[str]:
    """Return the packages that a file imports; an empty name for the file's own package."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        match node:
            case ast.Import(names=names):
                found |= {alias.name.split(".")[0] for alias in names}
            case ast.ImportFrom(module=module):
                found.add((module or "").split(".")[0])
    return found


def identifiers_in(path: Path) -> set[str]:
    """Return the names in a file, and the name of the module."""
    return identifiers(ast.parse(path.read_text(encoding="utf-8"))) | {path.stem}
