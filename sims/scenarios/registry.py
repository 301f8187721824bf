"""The registry of scenarios. A scenario is a function that makes a plan from a setting and its own parameters.

The scenario's name is that of the function with dashes. Its summary is the first line of the docstring. Its parameters
are the function's keyword parameters, with their types and defaults.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import Any, cast

import attrs

from gossip.core.config import Config
from gossip.core.errors import ConfigurationError

from ..plan import Plan
from ..steps import AnyStep, Step
from ..words import nearest
from ..world import Latency, Link, LinkChange, derived_random


@attrs.frozen(kw_only=True)
class Setting:
    """What somebody can ask of every scenario."""

    scenario: str
    nodes: int
    seed: int
    loss: float = 0.0
    latency: Latency | None = None
    """None: the scenario's own."""
    profile: str = "lan"
    duration_s: float | None = None
    """None: the scenario's own."""
    settings: Mapping[str, Any] = attrs.field(factory=dict)

    @property
    def dice(self) -> Random:
        """A fresh random source for the plan; each call begins the same stream."""
        return derived_random(self.seed, "plan", self.scenario)

    @property
    def keys(self) -> list[str]:
        """Keys of the nodes."""
        return [f"n{number}" for number in range(self.nodes)]

    @property
    def config(self) -> Config:
        """The settings of the nodes, without the changes of the scenario itself."""
        return self.plan(()).config

    def plan(self, steps: Sequence[Step], *, duration_s: float = 60.0, link: Link | None = None,
             settings: Mapping[str, Any] | None = None, **more: Any) -> Plan:  # fmt: skip
        """A plan with these steps in this setting.

        :param duration_s: how long the scenario takes, unless somebody asked for another duration.
        :param link: the properties of all links. A loss and a latency that somebody asked for replace its own.
        :param settings: the scenario's changes of the configuration. Settings that somebody asked for take precedence.
        :param more: other fields of the plan. With ``groups``, the groups decide the number of nodes.
        """
        asked = LinkChange(loss=self.loss or None, latency=self.latency)
        if "groups" not in more:
            more.setdefault("nodes", self.nodes)
        return Plan(
            scenario=self.scenario,
            seed=self.seed,
            profile=self.profile,
            settings={**(settings or {}), **self.settings},
            link=asked.applied_to(link or Link()),
            steps=tuple(cast(Sequence[AnyStep], steps)),
            duration_s=duration_s if self.duration_s is None else self.duration_s,
            **more,
        )


_WORDS = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}


@attrs.frozen(kw_only=True)
class Parameter:
    """A parameter of one scenario."""

    name: str
    default: Any
    """An int, float, str or bool. Its type is the type of the parameter."""

    def parse(self, text: str) -> int | float | str | bool:
        """Parse a value.

        :raises ConfigurationError: if the text is no value of the right type.
        """
        kind = type(self.default)
        try:
            value = _WORDS[text.lower()] if kind is bool else kind(text)
        except (ValueError, KeyError):
            raise ConfigurationError(f"{self.name} must be of type {kind.__name__}, not {text!r}") from None
        if kind is not str and not 0 <= value < math.inf:
            raise ConfigurationError(f"{self.name} must be a number of at least 0, not {text!r}")
        return value


@attrs.frozen(kw_only=True)
class Scenario:
    """A scenario: it makes plans."""

    name: str
    summary: str
    nodes: int
    """The number of nodes, unless somebody asks for another."""
    parameters: tuple[Parameter, ...]
    build: Callable[..., Plan]

    def plan(self, *, seed: int = 0, nodes: int | None = None, loss: float = 0.0, latency: Latency | None = None,
             profile: str | None = None, duration_s: float | None = None,
             changes: Mapping[str, str] | None = None) -> Plan:  # fmt: skip
        """The plan of one run.

        :param changes: texts by the name of a parameter of the scenario or of a field of the configuration.
        :raises ConfigurationError: if something is not valid; the text says what.
        """
        setting, mine = self.setting(
            seed=seed, nodes=nodes, loss=loss, latency=latency, profile=profile, duration_s=duration_s, changes=changes
        )
        try:
            plan = self.build(setting, **mine)
        except (ValueError, ZeroDivisionError) as error:
            asked = ", ".join((f"{setting.nodes} nodes", *(f"{name}={value}" for name, value in mine.items())))
            raise ConfigurationError(f"{self.name} is not possible with {asked}: {error}") from error
        _ = plan.config  # refuses wrong settings here
        return plan

    def setting(self, *, seed: int, nodes: int | None, loss: float, latency: Latency | None, profile: str | None,
                duration_s: float | None,
                changes: Mapping[str, str] | None) -> tuple[Setting, dict[str, Any]]:  # fmt: skip
        """Sort the arguments of :meth:`plan` into the setting and the parameters of this scenario.

        :raises ConfigurationError: if a parameter does not exist, or does not take this value.
        """
        own = {parameter.name: parameter for parameter in self.parameters}
        mine = {name: own[name].parse(text) for name, text in (changes or {}).items() if name in own}
        settings = {name: self._setting(name, text) for name, text in (changes or {}).items() if name not in own}
        setting = Setting(
            scenario=self.name, nodes=nodes or self.nodes, seed=seed, loss=loss, latency=latency,
            profile=profile or "lan", duration_s=duration_s, settings=settings,
        )  # fmt: skip
        return setting, mine

    def _setting(self, name: str, text: str) -> int | float | str:
        fields: dict[str, Any] = {field.name: field.default for field in attrs.fields(Config)}
        own = [parameter.name for parameter in self.parameters]
        if name not in fields:
            raise ConfigurationError(
                f"{self.name} has no parameter {name!r}{nearest(name, [*own, *fields])}; "
                f"it has {', '.join(own) or 'none'}, and the configuration has {', '.join(fields)}"
            )
        return Parameter(name=name, default=fields[name]).parse(text)


SCENARIOS: dict[str, Scenario] = {}
"""All scenarios by name."""


def parameters_of(build: Callable[..., Plan]) -> tuple[Parameter, ...]:
    """The parameters of a function that makes plans: those that have defaults."""
    return tuple(
        Parameter(name=each.name, default=each.default)
        for each in inspect.signature(build).parameters.values()
        if each.default is not inspect.Parameter.empty
    )


def scenario(nodes: int = 32) -> Callable[[Callable[..., Plan]], Callable[..., Plan]]:
    """Register the function below as a scenario."""

    def register(build: Callable[..., Plan]) -> Callable[..., Plan]:
        name = build.__name__.replace("_", "-")
        summary = (inspect.getdoc(build) or "").partition("\n")[0]
        SCENARIOS[name] = Scenario(
            name=name, summary=summary, nodes=nodes, parameters=parameters_of(build), build=build
        )  # fmt: skip
        return build

    return register


def find(name: str) -> Scenario:
    """The scenario of this name.

    :raises ConfigurationError: if there is none; the text lists all.
    """
    if name not in SCENARIOS:
        raise ConfigurationError(
            f"there is no scenario {name!r}{nearest(name, SCENARIOS)}; there are {', '.join(SCENARIOS)}; "
            "a plan of your own is a file whose name ends in .py"
        )
    return SCENARIOS[name]
