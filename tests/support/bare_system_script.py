"""Load scripts/bare_system, which has no .py at its end, as a module."""

import functools
import importlib.util
import sys
from importlib.machinery import SourceFileLoader
from types import ModuleType

from tests.support.script_server import ROOT

SCRIPT = ROOT / "scripts" / "bare_system"


@functools.cache
def load() -> ModuleType:
    """Return the script as a module."""
    loader = SourceFileLoader("bare_system", str(SCRIPT))
    spec = importlib.util.spec_from_loader("bare_system", loader)
    assert spec
    module = sys.modules["bare_system"] = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module
