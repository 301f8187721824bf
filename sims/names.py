"""The two names of this package: ``sims`` in a checkout, ``gossip_sims`` where it is installed.

Any project might have a top-level package called ``sims``, so the installed one has the library's name in front. The
files are the same, so they import each other by relative names only.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import cache
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

INSTALLED_AS = "gossip_sims"
"""Its name where it is installed."""

PACKAGE = __name__.rpartition(".")[0]
"""Its name here."""

PROGRAM = "gossip sim" if PACKAGE == INSTALLED_AS else f"python -m {PACKAGE}"
"""The command that runs it, where people read this."""


class _SamePackage(MetaPathFinder, Loader):
    """Finds this package under its installed name, without loading a second copy of it."""

    def __init__(self, module: ModuleType | None = None) -> None:
        self._module = module
        self._spec = None if module is None else module.__spec__

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The spec of a module of this package; None for other modules."""
        root, dot, rest = fullname.partition(".")
        if root != INSTALLED_AS:
            return None
        return ModuleSpec(fullname, _SamePackage(import_module(PACKAGE + dot + rest)))

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        """The module that is already loaded."""
        return self._module

    def exec_module(self, module: ModuleType) -> None:
        """Restore the spec that the module was loaded by. The module has run already."""
        module.__spec__ = self._spec


@cache
def answer_to_both_names() -> None:
    """Make ``import gossip_sims`` in this process return the modules of this package, whatever its name is here. No
    second copy is loaded, even if one was imported before."""
    if PACKAGE == INSTALLED_AS:
        return
    for name in [name for name in sys.modules if name.partition(".")[0] == INSTALLED_AS]:
        del sys.modules[name]
    sys.meta_path.insert(0, _SamePackage())
