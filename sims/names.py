"""The names this package goes by: ``sims`` in the checkout, ``gossip_sims`` where it is installed.

A top-level package called ``sims`` might be anybody's, so what is installed bears the library's name before it. The
files are the same, which is why they import each other by relative names only.
"""

from __future__ import annotations

INSTALLED_AS = "gossip_sims"
"""Its name where it is installed."""

PACKAGE = __name__.rpartition(".")[0]
"""Its name here."""

PROGRAM = "gossip sim" if PACKAGE == INSTALLED_AS else f"python -m {PACKAGE}"
"""The command that people give to run it, where they are."""
