"""The report of one run: what was recorded of it, as one page that needs nothing but a browser."""

from __future__ import annotations

from .recording import Recording
from .render import render

__all__ = ["Recording", "render"]
