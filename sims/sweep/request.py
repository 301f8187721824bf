"""A request: everything that somebody asks of a run except its seed. One request and many seeds are a sweep."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs

from ..names import PROGRAM
from ..plan import Plan
from ..scenarios import find, is_plan_file, load
from ..world import parse_latency


def _texts(given: Mapping[str, str]) -> dict[str, str]:
    return dict(given)


@attrs.frozen(kw_only=True)
class Request:
    """What the plans of a sweep have in common."""

    scenario: str
    """Name of a scenario, or path of a file that defines a plan."""
    nodes: int | None = None
    """None: the scenario's own number."""
    loss: float = 0.0
    latency: str | None = None
    """A text for :func:`sims.world.parse_latency`. None: the scenario's own latency."""
    profile: str | None = None
    """None: ``lan``, or the profile of a plan in a file."""
    duration_s: float | None = None
    """None: the scenario's own duration."""
    changes: Mapping[str, str] = attrs.field(factory=dict, converter=_texts)
    """Texts by the name of a parameter of the scenario or of a field of the configuration."""

    def plan(self, seed: int) -> Plan:
        """The plan of the run with this seed.

        :raises ConfigurationError: if something is not valid; the text says what.
        """
        source = load(Path(self.scenario)) if is_plan_file(self.scenario) else find(self.scenario)
        return source.plan(
            seed=seed,
            nodes=self.nodes,
            loss=self.loss,
            latency=None if self.latency is None else parse_latency(self.latency),
            profile=self.profile,
            duration_s=self.duration_s,
            changes=self.changes,
        )

    def command(self, seed: int) -> str:
        """The command line that runs only this seed."""
        words: list[Any] = [*PROGRAM.split(), "run", self.scenario, "--seed", seed]
        fields = attrs.fields_dict(Request)
        options = {
            "--nodes": "nodes", "--loss": "loss", "--latency": "latency", "--profile": "profile",
            "--duration": "duration_s",
        }  # fmt: skip
        for option, name in options.items():
            value = getattr(self, name)
            if value != fields[name].default:
                words += [option, value]
        for name, text in self.changes.items():
            words += ["--set", f"{name}={text}"]
        return shlex.join(str(word) for word in words)
