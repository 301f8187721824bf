"""Strangers: two processes with one name, other clusters, a liar."""

from __future__ import annotations

from ..plan import Plan
from ..steps import FORGERIES, Crash, Forge, Start
from .life import QUIET_S, crash_bound_s, some_moment
from .registry import Setting, scenario


@scenario(nodes=16)
def name_conflict(setting: Setting, for_s: float = 30.0) -> Plan:
    """A second process starts under the name of a member, and is stopped after a while."""
    dice = setting.dice
    name, at = dice.choice(setting.keys), some_moment(dice, setting)
    steps = [Start(at=at, node="rival", name=name), Crash(at=at + for_s, node="rival")]
    return setting.plan(steps, duration_s=at + for_s + 40.0, agree_within_s=2 * crash_bound_s(setting))


@scenario(nodes=32)
def cross_wired(setting: Setting, clusters: int = 2) -> Plan:
    """Two clusters or more have the same seeds; each must keep to itself."""
    return setting.plan(
        (), clusters=clusters, seeds=min(2 * clusters, setting.nodes), joins=True, agree_within_s=30.0, spares="all"
    )


@scenario(nodes=32)
def poison(setting: Setting, lies: int = 40, every_s: float = 0.5) -> Plan:
    """Somebody outside tells well-formed lies about members: deaths, farewells, absurd counters."""
    dice, keys = setting.dice, setting.keys
    steps = [
        Forge(
            at=some_moment(dice, setting, QUIET_S + number * every_s),
            node=dice.choice(keys),
            kind=dice.choice(list(FORGERIES)),
            told=dice.sample(keys, dice.randint(1, min(8, setting.nodes))),
        )
        for number in range(lies)
    ]
    duration = QUIET_S + lies * every_s + 60.0
    return setting.plan(steps, duration_s=duration, agree_within_s=3 * crash_bound_s(setting))
