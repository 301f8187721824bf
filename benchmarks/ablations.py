"""Ablations: the same protocol with one setting changed, to see what each choice is worth.

Only choices that are settings are here. Other choices were measured once, with parts of the core replaced; what came of
that is kept in ``benchmarks/results/choices-301e6f2.json``, and ``docs/evaluation/choices.rst`` says what was
replaced.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs


@attrs.frozen(kw_only=True)
class Ablation:
    """One choice made differently."""

    name: str
    settings: Mapping[str, Any] = attrs.field(factory=dict)
    """Fields of :class:`gossip.Config` that differ."""


AS_BUILT = Ablation(name="as built")

ABLATIONS = (
    AS_BUILT,
    Ablation(name="no push, news only rides", settings={"push_fanout": 0}),
    Ablation(name="push to 2", settings={"push_fanout": 2}),
    Ablation(name="push to 4", settings={"push_fanout": 4}),
    Ablation(name="push to 8", settings={"push_fanout": 8}),
    Ablation(name="push without coalescing", settings={"push_delay": 0.0}),
    Ablation(name="20 ms between pushes", settings={"push_delay": 0.02}),
    Ablation(name="no witnesses", settings={"witnesses": 0}),
    Ablation(name="one further accuser is enough", settings={"confirmations": 1}),
    Ablation(name="four further accusers needed", settings={"confirmations": 4}),
)
"""Every choice that is measured, the protocol as built first."""

HELD_DEAD_WITHOUT_GUARDS = {"messages": 37_541, "process": 0}
"""Views of a healthy member as dead that blocked members had in 16 cells of the grid in
:mod:`benchmarks.simulation.studies`, with all guards off. Measured once, with seed 0; see
``docs/evaluation/targets.rst``."""
