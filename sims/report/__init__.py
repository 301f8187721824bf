"""The report of one run: what was recorded of it, as one page that needs nothing but a browser."""

from __future__ import annotations

from sims.report.recording import Recording
from sims.report.render import render

__all__ = ["Recording", "render"]
