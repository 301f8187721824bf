"""The report of one run: one page that needs nothing but a browser.

This room decides what is recorded of a run (``recording``, with ``beliefs``, ``messages``, ``news`` and ``traffic``),
how the page embeds it (``packing``, ``wording``, ``figures``, ``render``), and how its scripts draw it (``*.js``). All
that is recorded is bounded.
"""

from __future__ import annotations

from .recording import Recording
from .render import render

__all__ = ["Recording", "render"]
