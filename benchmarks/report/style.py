"""What plots look like: each system has the same colour and marker in all of them.

Ours is blue, memberlist warm, others are green or grey. Markers differ too, for readers who do not see colours. Plots
stand on white with a thin frame, like the other pictures of the documents, so that they are readable on any page.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import attrs

WIDTH_INCHES = 9.2
PAPER = "#ffffff"
FRAME = "#cccccc"
INK = "#222222"
FAINT = "#666666"
GRID = "#e4e4e4"

SETTINGS: Mapping[str, Any] = {
    "svg.hashsalt": "gossip",
    "svg.fonttype": "none",
    "font.family": ["DejaVu Sans"],
    "font.size": 9.0,
    "text.color": INK,
    "axes.labelcolor": FAINT,
    "axes.edgecolor": "#999999",
    "axes.titlesize": 9.5,
    "axes.titlelocation": "left",
    "axes.titleweight": "bold",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": GRID,
    "grid.linewidth": 0.8,
    "axes.axisbelow": True,
    "xtick.color": FAINT,
    "ytick.color": FAINT,
    "legend.frameon": False,
}
"""The same drawing gives the same bytes: ids come from the salt, and texts stay texts."""


@attrs.frozen
class Look:
    """How a system is drawn."""

    colour: str
    marker: str
    width: float = 1.4
    dashes: str = "-"


LOOKS = {
    "ours": Look("#0b5cad", "o", 2.4),
    "ours-processes": Look("#4f9fe0", "s", 1.6, "--"),
    "memberlist-lan": Look("#c2410c", "D", 1.8),
    "memberlist-local": Look("#d98e04", "^", 1.4, "--"),
    "memberlist-matched": Look("#a21e5b", "v", 1.4, "-."),
    "swim-protocol": Look("#2f7d4f", "P", 1.4, ":"),
}

OTHERS = (Look("#555555", "X"), Look("#8a6d3b", "*"), Look("#6b5fb5", "p"), Look("#999999", "h"))
"""For systems without a look of their own."""


def looks_of(systems: Iterable[str]) -> dict[str, Look]:
    """A look for each of these systems, known systems first and in their order."""
    found = dict.fromkeys(systems)
    known = {system: look for system, look in LOOKS.items() if system in found}
    others = [system for system in found if system not in LOOKS]
    return known | {system: OTHERS[place % len(OTHERS)] for place, system in enumerate(others)}
