"""Load the programs of scripts/ that have no .py at the end of their name as modules."""

import functools
import importlib.util
import sys
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType

from tests.support.script_server import ROOT


def path_of(name: str) -> Path:
    """Return the path of a program in scripts/."""
    return ROOT / "scripts" / name


@functools.cache
def load(name: str) -> ModuleType:
    """Return a program in scripts/ as a module."""
    loader = SourceFileLoader(name, str(path_of(name)))
    spec = importlib.util.spec_from_loader(name, loader)
    assert spec
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module
