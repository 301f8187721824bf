"""A plan: everything that a run follows from. The same plan gives the same run, to the last bit.

Plans are plain data; as JSON they travel to other processes, into traces, and into the tests that a failing
run is turned into.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import attrs
from cattrs import Converter, transform_error
from cattrs.strategies import configure_tagged_union
from cattrs.v import format_exception

from gossip.core.config import PROFILES, Config
from gossip.core.errors import ConfigurationError

from .latency import Latency, at_least
from .links import Link
from .steps import AnyStep, Disturb

MIN_NODES = 2
MAX_NODES = 100_000
"""More than fit into the memory of any machine this runs on."""

SPARED = ("nobody", "the healthy", "all")
"""Whom a plan wants spared from being held dead."""


def _settings(given: Mapping[str, Any]) -> dict[str, Any]:
    return dict(given)


def _steps(given: tuple[AnyStep, ...]) -> tuple[AnyStep, ...]:
    return tuple(sorted(given, key=lambda step: step.at))


@attrs.frozen(kw_only=True)
class Plan:
    """What a run is made of; see the module's docstring. Times are virtual seconds since the beginning."""

    scenario: str
    seed: int
    nodes: int = attrs.field()
    """Nodes that start at the beginning, with keys ``n0``, ``n1`` ..."""
    profile: str = attrs.field(default="lan")
    settings: Mapping[str, Any] = attrs.field(factory=dict, converter=_settings)
    """Fields of :class:`gossip.Config` that differ from the profile."""
    link: Link = attrs.field(factory=Link)
    lateness: Latency | None = None
    """How late the timers of a node fire: event loops and kernels take their time. None: never."""
    shape: tuple[Disturb, ...] = ()
    """Ways that are different from ``link`` all the time; their times do not matter."""
    seeds: int = attrs.field(default=3, validator=at_least(0))
    """How many of the first nodes all others have as seeds."""
    joins: bool = False
    """Whether they all start at once and join through the seeds; otherwise they know each other already."""
    clusters: int = attrs.field(default=1, validator=at_least(1))
    """Into how many clusters the nodes are dealt in turn; the seeds of all are the same nodes."""
    steps: tuple[AnyStep, ...] = attrs.field(default=(), converter=_steps)
    duration_s: float = attrs.field(default=60.0, validator=at_least(0))
    agree_within_s: float | None = attrs.field(default=None, validator=attrs.validators.optional(at_least(0)))
    """After the last fault has ended, all must agree within so many seconds; None: nothing is required."""
    spares: str = attrs.field(default="nobody")
    """Who must never be held dead by a healthy member while it runs: one of :data:`SPARED`."""

    @nodes.validator
    def _check_nodes(self, _: Any, value: int) -> None:
        if not MIN_NODES <= value <= MAX_NODES:
            raise ConfigurationError(f"nodes must be from {MIN_NODES} to {MAX_NODES}, not {value}")

    @spares.validator
    def _check_spares(self, _: Any, value: str) -> None:
        if value not in SPARED:
            raise ConfigurationError(f"spares must be one of {', '.join(SPARED)}, not {value!r}")

    @profile.validator
    def _check_profile(self, _: Any, value: str) -> None:
        if value not in PROFILES:
            raise ConfigurationError(f"profile must be one of {', '.join(PROFILES)}, not {value!r}")

    @property
    def config(self) -> Config:
        """The settings of all nodes.

        :raises ConfigurationError: if they cannot be; names the setting.
        """
        return PROFILES[self.profile](**self.settings)

    def config_of(self, number: int) -> Config:
        """The settings of the node with this number."""
        config = self.config
        if self.clusters == 1:
            return config
        return attrs.evolve(config, cluster=f"{config.cluster}-{number % self.clusters}")

    @property
    def keys(self) -> tuple[str, ...]:
        """Keys of the nodes that start at the beginning."""
        return tuple(f"n{number}" for number in range(self.nodes))

    @property
    def faults_end(self) -> float:
        """When the last step is over."""
        return max((step.until for step in self.steps), default=0.0)

    @property
    def ends(self) -> float:
        """When the run ends: time to agree after the last fault is always given."""
        return max(self.duration_s, self.faults_end + (self.agree_within_s or 0.0))

    def to_json(self) -> str:
        """The plan as one line of JSON."""
        return json.dumps(_converter.unstructure(self), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> Plan:
        """The reverse of :meth:`to_json`.

        :raises ConfigurationError: if that is no plan.
        """
        try:
            return _converter.structure(json.loads(text), cls)
        except ConfigurationError:
            raise
        except Exception as error:  # cattrs groups whatever a field's converter raises
            wrong = "; ".join(transform_error(error, format_exception=_complaint))
            raise ConfigurationError(f"this is no plan of a simulation: {wrong}") from error


def _complaint(error: BaseException, kind: type | None) -> str:
    """What is wrong with one field: in our own words where there are any."""
    if isinstance(error, KeyError):
        return f"{error.args[0]!r} is missing or not known"
    if kind is None and isinstance(error, ValueError):
        return str(error)
    return format_exception(error, kind)


def _make_converter() -> Converter:
    converter = Converter(forbid_extra_keys=True, omit_if_default=True)
    configure_tagged_union(Latency, converter, tag_name="kind")
    to_data, from_data = converter.get_unstructure_hook(Latency), converter.get_structure_hook(Latency)

    def is_optional_latency(of: Any) -> bool:
        return bool(of == Latency | None)

    converter.register_unstructure_hook_func(is_optional_latency, lambda value: value and to_data(value))
    converter.register_structure_hook_func(is_optional_latency, lambda value, _: value and from_data(value, Latency))
    configure_tagged_union(AnyStep, converter, tag_name="do")
    return converter


_converter = _make_converter()
