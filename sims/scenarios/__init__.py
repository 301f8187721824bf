"""Scenarios by name. Each module holds a few that belong together; importing them registers them."""

from __future__ import annotations

from . import life, networks, processes, strangers, swarm
from .registry import SCENARIOS, Parameter, Scenario, Setting, find

__all__ = [
    "SCENARIOS",
    "Parameter",
    "Scenario",
    "Setting",
    "find",
    "life",
    "networks",
    "processes",
    "strangers",
    "swarm",
]
