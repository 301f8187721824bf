"""The names this package goes by: ``sims`` in the checkout, ``gossip_sims`` where it is installed.

A top-level package called ``sims`` might be anybody's, so what is installed bears the library's name before it. The
files are the same, which is why they import each other by relative names only.
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
"""The command that people give to run it, where they are."""


class _SamePackage(MetaPathFinder, Loader):
    """Finds this very package, and no second copy of it, under the name that it has where it is installed."""

    def __init__(self, module: ModuleType | None = None) -> None:
        self._module = module
        self._spec = None if module is None else module.__spec__

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The module of this package, if it is one of its modules."""
        root, dot, rest = fullname.partition(".")
        if root != INSTALLED_AS:
            return None
        return ModuleSpec(fullname, _SamePackage(import_module(PACKAGE + dot + rest)))

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        """The module that is there already."""
        return self._module

    def exec_module(self, module: ModuleType) -> None:
        """It has been run; it only keeps the spec that it was found by."""
        module.__spec__ = self._spec


@cache
def answer_to_both_names() -> None:
    """Let what imports ``gossip_sims`` in this process get the modules of this package, whatever that is called, and no
    second copy of them, though one may have been imported before."""
    if PACKAGE == INSTALLED_AS:
        return
    for name in [name for name in sys.modules if name.partition(".")[0] == INSTALLED_AS]:
        del sys.modules[name]
    sys.meta_path.insert(0, _SamePackage())
