"""A plan: everything that a run follows from. The same plan gives the same run, to the last bit.

Plans are plain data. As JSON they travel to other processes, into traces, and into the tests that failing runs become.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, cast

import attrs
from cattrs import Converter, transform_error
from cattrs.gen import make_dict_structure_fn, make_dict_unstructure_fn, override
from cattrs.strategies import configure_tagged_union
from cattrs.v import format_exception

from gossip.core.config import PROFILES, Config
from gossip.core.errors import ConfigurationError

from ..steps import AnyStep, Disturb, Step
from ..words import nearest
from ..world import Latency, Link, NamesItsFields, as_float, at_least
from . import groups as grouping
from .groups import MAX_NODES
from .selection import Selection

MIN_NODES = 2

GRACE_ROUNDS = 4
"""Rounds after the longest suspicion in which the consequences of a fault still count as consequences of the fault."""

SPARED = ("nobody", "the healthy", "all")
"""The members that a plan can demand not to be held dead."""


def _settings(given: Mapping[str, Any]) -> dict[str, Any]:
    return dict(given)


def _steps(given: Iterable[AnyStep]) -> tuple[AnyStep, ...]:
    if isinstance(given, Step) or not isinstance(given, Iterable):
        raise ConfigurationError(f"steps must be a list of steps, not {given!r}")
    steps = tuple(given)
    for each in steps:
        if not isinstance(each, Step):
            raise ConfigurationError(f"each of the steps must be one, such as Crash(at=10, node='n3'), not {each!r}")
    return tuple(sorted(steps, key=lambda step: step.at))


def _true_or_false(_: Any, attribute: attrs.Attribute[Any], value: object) -> None:
    if not isinstance(value, bool):
        raise ConfigurationError(f"{attribute.name} must be True or False, not {value!r}")


def _check_link(_: Any, attribute: attrs.Attribute[Any], value: Any) -> None:
    if not isinstance(value, Link):
        raise ConfigurationError(f"{attribute.name} must be a link, such as Link(loss=0.05), not {value!r}")


@attrs.frozen(kw_only=True)
class Plan(NamesItsFields):
    """What a run is made of; see the module's docstring. Times are virtual seconds since the beginning."""

    scenario: str = ""
    """Name of the scenario. A plan in a file has the name of the file."""
    seed: int = 0
    groups: Mapping[str, tuple[str, ...]] = attrs.field(factory=dict, converter=grouping.named)
    """Groups of nodes, such as racks. By name, either the number of nodes (``{"rack-a": 8}`` makes ``rack-a-0`` to
    ``rack-a-7``) or the names of the nodes (``{"rack-a": ["ada", "brook"]}``). Steps can name a group."""
    nodes: int = attrs.field(default=attrs.Factory(lambda self: sum(map(len, self.groups.values())), takes_self=True))
    """The number of nodes that start at the beginning. The nodes of the groups come first; further nodes have the keys
    ``n8``, ``n9`` and so on, after their place. The default is the number of nodes in the groups."""
    profile: str = attrs.field(default="lan")
    settings: Mapping[str, Any] = attrs.field(factory=dict, converter=_settings)
    """Fields of :class:`gossip.Config` that differ from the profile."""
    link: Link = attrs.field(factory=Link, validator=_check_link)
    lateness: Latency | None = None
    """How late the timers of a node fire, because event loops and kernels take time. None: never late."""
    shape: tuple[Disturb, ...] = ()
    """Links that differ from ``link`` in the whole run. The times of these steps do not matter."""
    seeds: int = attrs.field(default=3, validator=at_least(0))
    """The number of nodes, the first ones, that are the seeds of all others."""
    joins: bool = attrs.field(default=False, validator=_true_or_false)
    """Whether all nodes start at once and join through the seeds. Otherwise they know each other from the beginning."""
    clusters: int = attrs.field(default=1, validator=at_least(1))
    """The number of clusters that the nodes are dealt to in turn. All clusters have the same nodes as seeds."""
    steps: tuple[AnyStep, ...] = attrs.field(default=(), converter=_steps)
    duration_s: float = attrs.field(default=60.0, converter=as_float, validator=at_least(0))
    agree_within_s: float | None = attrs.field(default=None, validator=attrs.validators.optional(at_least(0)))
    """Seconds after the end of the last fault within which all must agree. None: no requirement."""
    spares: str = attrs.field(default="nobody")
    """The members that no healthy member may hold dead while they run: one of :data:`SPARED`."""
    suspects_the_healthy: bool = attrs.field(default=True, validator=_true_or_false)
    """Whether a healthy member may suspect another healthy one at times, as in a network with heavy loss."""
    known_within_s: float | None = attrs.field(default=None, validator=attrs.validators.optional(at_least(0)))
    """Seconds within which all healthy members must know that a member has ended, with a farewell or without. None: no
    requirement."""

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

        :raises ConfigurationError: if a setting does not exist or is not valid; the text names it.
        """
        known = [field.name for field in attrs.fields(Config)]
        if unknown := [name for name in self.settings if name not in known]:
            raise ConfigurationError(
                f"there is no setting {unknown[0]!r}{nearest(unknown[0], known)}; there are {', '.join(known)}"
            )
        return PROFILES[self.profile](**self.settings)

    @property
    def grace_s(self) -> float:
        """Seconds after its end in which a fault still excuses what members believe."""
        config = self.config
        return config.suspicion_max + GRACE_ROUNDS * config.probe_interval

    def config_of(self, number: int) -> Config:
        """The settings of the node with this place."""
        config = self.config
        if self.clusters == 1:
            return config
        return attrs.evolve(config, cluster=f"{config.cluster}-{number % self.clusters}")

    @property
    def keys(self) -> tuple[str, ...]:
        """Keys, and names, of the nodes that start at the beginning."""
        named = [name for names in self.groups.values() for name in names][: self.nodes]
        return (*named, *(f"n{number}" for number in range(len(named), self.nodes)))

    @property
    def faults_end(self) -> float:
        """When the last step is over."""
        return max((step.until for step in self.steps), default=0.0)

    @property
    def ends(self) -> float:
        """When the run ends at the latest. The time to agree after the last fault is part of the run."""
        return max(self.duration_s, self.faults_end + (self.agree_within_s or 0.0))

    def resolved(self, *, strict: bool = False) -> Plan:
        """The same plan with steps that name single nodes: groups and random choices are resolved.

        :param strict: whether every node that a step names must exist. It must if the plan has groups. Otherwise a step
            does nothing to a node that is not there, so that any step can be left out.
        :raises ConfigurationError: if a step names a node or a group that does not exist.
        """
        keys, groups = self.keys, grouping.first(self.groups, self.nodes)
        if len(set(keys)) < len(keys):
            raise ConfigurationError(
                f"a node in a group and one outside all groups are both called {keys[-1]!r}; rename the first"
            )
        selection = Selection(
            self.seed, keys, groups, seeds=keys[: self.seeds], steps=self.steps, strict=strict or bool(groups)
        )
        steps = selection.resolve(self.steps)
        shape = cast("tuple[Disturb, ...]", selection.resolve(self.shape))
        unchanged = steps == self.steps and shape == self.shape and groups == self.groups
        return self if unchanged else attrs.evolve(self, steps=steps, shape=shape, groups=groups)

    def to_json(self) -> str:
        """The plan as one line of JSON."""
        return json.dumps(_converter.unstructure(self), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> Plan:
        """Parse what :meth:`to_json` returns.

        :raises ConfigurationError: if the text is no plan.
        """
        try:
            return _converter.structure(json.loads(text), cls)
        except ConfigurationError:
            raise
        except Exception as error:  # cattrs groups all errors of the fields' converters
            wrong = "; ".join(transform_error(error, format_exception=_complaint))
            raise ConfigurationError(f"this is not a plan of a simulation: {wrong}") from error


def _complaint(error: BaseException, kind: type | None) -> str:
    """Say what is wrong with one field, in our own words where there are any."""
    if isinstance(error, KeyError):
        return f"{error.args[0]!r} is missing or not known"
    if kind is None and isinstance(error, ValueError):
        return str(error)
    return format_exception(error, kind)


def _groups_of_pairs(data: Any, _: Any) -> dict[str, Any]:
    """Parse groups from JSON. They are pairs of a name and names, because their order decides which nodes come
    first."""
    if not isinstance(data, list) or not all(isinstance(pair, list) and len(pair) == 2 for pair in data):
        raise ConfigurationError(f"groups must be pairs of a name and a list of names, not {data!r}")
    return dict(data)


def _make_converter() -> Converter:
    converter = Converter(forbid_extra_keys=True, omit_if_default=True)
    configure_tagged_union(Latency, converter, tag_name="kind")
    to_data, from_data = converter.get_unstructure_hook(Latency), converter.get_structure_hook(Latency)

    def is_optional_latency(of: Any) -> bool:
        return bool(of == Latency | None)

    converter.register_unstructure_hook_func(is_optional_latency, lambda value: value and to_data(value))
    converter.register_structure_hook_func(is_optional_latency, lambda value, _: value and from_data(value, Latency))
    configure_tagged_union(AnyStep, converter, tag_name="do")
    told: dict[str, Any] = {name: override(omit_if_default=False) for name in ("scenario", "seed", "nodes")}
    as_pairs = override(unstruct_hook=lambda groups: list(groups.items()), struct_hook=_groups_of_pairs)
    to_plan_data = make_dict_unstructure_fn(Plan, converter, _cattrs_omit_if_default=True, groups=as_pairs, **told)
    to_plan = make_dict_structure_fn(Plan, converter, _cattrs_forbid_extra_keys=True, groups=as_pairs)
    converter.register_unstructure_hook(Plan, to_plan_data)
    converter.register_structure_hook(Plan, to_plan)
    return converter


_converter = _make_converter()
