"""Ordinary life: idling, joining, updates, crashes, restarts, farewells."""

from __future__ import annotations

from random import Random

from gossip.core.errors import ConfigurationError

from ..plan import Plan
from ..steps import AnyStep, Crash, Leave, Restart, Start, Update
from .registry import Setting, scenario

QUIET_S = 5.0
"""Seconds before anything happens: a few rounds, in which nodes measure round trips."""


def some_moment(dice: Random, setting: Setting, after: float = QUIET_S) -> float:
    """A random moment within one round, so that steps meet rounds at any phase."""
    return after + dice.random() * setting.config.probe_interval


def crash_bound_s(setting: Setting) -> float:
    """Seconds within which all must know of a crash, whatever was lost: the longest suspicion of a lone accuser, and
    ten rounds to begin it, ask again and spread the news."""
    return setting.config.suspicion_max + 10 * setting.config.probe_interval


@scenario(nodes=64)
def steady(setting: Setting) -> Plan:
    """A cluster that knows itself, and nothing happens to it."""
    return setting.plan((), spares="the healthy", agree_within_s=setting.duration_s or 60.0)


@scenario(nodes=64)
def bootstrap(setting: Setting, seeds: int = 1) -> Plan:
    """All start at once and join through one seed, or more."""
    if not 1 <= seeds < setting.nodes:
        raise ConfigurationError(f"seeds must be from 1 to {setting.nodes - 1}, not {seeds}")
    return setting.plan((), joins=True, seeds=seeds, duration_s=30.0, agree_within_s=30.0, spares="the healthy")


@scenario()
def update(setting: Setting, updates: int = 1, every_s: float = 1.0) -> Plan:
    """One member, or one after the other, replaces its metadata."""
    dice = setting.dice
    steps = [
        Update(
            at=some_moment(dice, setting, QUIET_S + number * every_s),
            node=dice.choice(setting.keys),
            metadata={"update": str(number)},
        )
        for number in range(updates)
    ]
    duration = QUIET_S + updates * every_s + 10.0
    return setting.plan(steps, duration_s=duration, agree_within_s=10.0, spares="the healthy")


@scenario()
def crash(setting: Setting, victims: str = "one", refused: bool = False) -> Plan:
    """Members stop without a word at the same moment: one, tenth, half, rack (a quarter, side by side), or a number."""
    dice, keys = setting.dice, setting.keys
    counts = {"one": 1, "tenth": -(-setting.nodes // 10), "half": setting.nodes // 2}
    if victims == "rack":
        first = dice.randrange(setting.nodes)
        chosen = [keys[(first + each) % setting.nodes] for each in range(max(1, setting.nodes // 4))]
    elif victims in counts or victims.isdigit():
        count = counts.get(victims) or int(victims)
        if not 0 < count < setting.nodes:
            raise ConfigurationError(f"victims must leave somebody: {count} of {setting.nodes} is too many")
        chosen = dice.sample(keys, count)
    else:
        raise ConfigurationError(f"victims must be one, tenth, half, rack or a number, not {victims!r}")
    at = some_moment(dice, setting)
    bound = crash_bound_s(setting) * (1 if len(chosen) == 1 else 3)
    return setting.plan(
        [Crash(at=at, node=key, refused=refused) for key in chosen],
        duration_s=at + 15.0,
        agree_within_s=bound,
        spares="the healthy",
    )


@scenario()
def rolling_restart(setting: Setting, every_s: float = 2.0, moves: bool = False) -> Plan:
    """One member after the other is restarted, at the same address or at new ones."""
    steps = [Restart(at=QUIET_S + number * every_s, node=key, moves=moves) for number, key in enumerate(setting.keys)]
    duration = QUIET_S + setting.nodes * every_s + 20.0
    return setting.plan(steps, duration_s=duration, agree_within_s=crash_bound_s(setting))


@scenario()
def leave(setting: Setting, leavers: int = 1, every_s: float = 0.5) -> Plan:
    """Members say farewell, one after the other."""
    if not 0 < leavers < setting.nodes:
        raise ConfigurationError(f"leavers must be from 1 to {setting.nodes - 1}, not {leavers}")
    dice = setting.dice
    chosen = dice.sample(setting.keys, leavers)
    steps = [
        Leave(at=some_moment(dice, setting, QUIET_S + number * every_s), node=key) for number, key in enumerate(chosen)
    ]
    duration = QUIET_S + leavers * every_s + 15.0
    return setting.plan(steps, duration_s=duration, agree_within_s=crash_bound_s(setting), spares="the healthy")


@scenario()
def churn(setting: Setting, per_s: float = 1.0, for_s: float = 60.0) -> Plan:
    """Members come, crash, leave, restart and change all the time."""
    dice = setting.dice
    keys, steps, now, fresh = setting.keys, list[AnyStep](), QUIET_S, 0
    stable = keys[:2]
    while (now := now + dice.expovariate(per_s)) < QUIET_S + for_s:
        what, key = dice.random(), dice.choice(keys[2:] or keys)
        if what < 0.2:
            steps.append(Start(at=now, node=f"x{fresh}", seeds=stable))
            keys.append(f"x{fresh}")
            fresh += 1
        elif what < 0.45:
            steps.append(Crash(at=now, node=key))
        elif what < 0.75:
            steps.append(Restart(at=now, node=key, seeds=stable, moves=dice.random() < 0.3))
        elif what < 0.9:
            steps.append(Update(at=now, node=key, metadata={"at": f"{now:.2f}"}))
        else:
            steps.append(Leave(at=now, node=key))
    return setting.plan(
        steps, duration_s=QUIET_S + for_s + 30.0, agree_within_s=2 * crash_bound_s(setting), spares="the healthy"
    )
