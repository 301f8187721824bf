"""Scenarios: named ways to make plans, and plans of your own in Python files.

This room decides what each scenario does to a cluster. Each module holds a few scenarios that belong together, and
importing it registers them (``registry``). A file of yours that defines a plan works like a scenario (``plan_file``).
"""

from __future__ import annotations

from . import life, networks, processes, strangers, swarm
from .plan_file import PlanFile, is_plan_file, load
from .registry import SCENARIOS, Parameter, Scenario, Setting, find

__all__ = [
    "SCENARIOS",
    "Parameter",
    "PlanFile",
    "Scenario",
    "Setting",
    "find",
    "is_plan_file",
    "life",
    "load",
    "networks",
    "processes",
    "strangers",
    "swarm",
]
