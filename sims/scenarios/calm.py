"""The calm seeds of the swarm: the network is good and few things happen, so much more must hold.

Some processes pause, hear nothing or end, and some links between two members are broken. Even so, no healthy member is
suspected, and all members know of each end in time.
"""

from __future__ import annotations

from random import Random
from typing import Any

import attrs

from gossip.core.protocol import FORGET_EVERY_ROUNDS

from ..plan import Plan
from ..steps import AnyStep, Crash, Disturb, Leave, Pause, Restart, Start, Update
from ..world import Exponential, Latency, Link, LinkChange, Lognormal, Uniform, derived_random
from .life import QUIET_S, crash_bound_s
from .registry import Setting

CALM_SHARE = 0.3
"""Share of all seeds."""

EVENTFUL_S = 15.0
"""Seconds in which steps begin."""

MOST_SILENT = 3
"""The most members that end, pause or hear nothing. A node asks as many helpers, and one of them has to answer."""

LATE_SHARE = 0.2
"""Share of the calm seeds in which a member returns after the others have forgotten another one."""

FORGET_AFTER_ROUNDS = 30
"""In such a seed, the dead are remembered for so many rounds, and then buried for as many."""

SEEDS = 2
"""The first nodes are the seeds of all, and stay."""

LEAST = SEEDS + MOST_SILENT + 2
"""The fewest nodes of a calm seed: the seeds, the silent ones, and two that cannot reach each other."""


def is_calm(setting: Setting) -> bool:
    """Whether this seed is calm. The draw has a random stream of its own, so the plans of other seeds do not depend on
    it. No seed is calm if somebody asks for a network or settings that may be too bad, or for too few nodes."""
    asked = setting.loss or setting.latency or setting.settings
    return not asked and setting.nodes >= LEAST and derived_random(setting.seed, "calm").random() < CALM_SHARE


def calm_plan(setting: Setting) -> Plan:
    """Draw the size, network, settings and steps from the seed."""
    dice = setting.dice
    if setting.nodes == 12:
        setting = attrs.evolve(setting, nodes=dice.choice((8, 8, 10, 12, 16)))
    if setting.profile == "lan":
        setting = attrs.evolve(setting, profile=dice.choice(("lan", "lan", "local", "wan")))
    settings = _settings(dice)
    if setting.profile != "wan" and dice.random() < LATE_SHARE:
        settings["forget_after"] = FORGET_AFTER_ROUNDS * setting.config.probe_interval
        steps = _late_return(dice, setting)
    else:
        steps = _steps(dice, setting)
    within = crash_bound_s(setting)
    end = max(step.until for step in steps)
    return setting.plan(
        steps,
        link=_link(dice, setting),
        settings=settings,
        seeds=SEEDS,
        duration_s=end + within + 1.0,
        agree_within_s=3 * within + 60 * setting.config.probe_interval,
        spares="the healthy",
        suspects_the_healthy=False,
        known_within_s=within,
    )


def _link(dice: Random, setting: Setting) -> Link:
    """A link that is fast enough for the profile and loses almost nothing."""
    return Link(
        latency=_latency(dice, 0.02 if setting.profile == "wan" else 0.002),
        loss=dice.choice((0.0, 0.0, 0.01)),
        duplication=dice.choice((0.0, 0.0, 0.1)),
        reordering=dice.choice((0.0, 0.0, 0.1)),
        mtu=dice.choice((None, None, 1280)),
    )


def _latency(dice: Random, most: float) -> Latency:
    typical = dice.choice((0.0002, 0.0005, most))
    return dice.choice(
        (
            Lognormal(typical, dice.choice((0.1, 0.3))),
            Uniform(typical / 2, typical * 2),
            Exponential(typical, typical / 2),
        )
    )


def _settings(dice: Random) -> dict[str, Any]:
    """Unusual settings that make nothing weaker."""
    settings = dict[str, Any]()
    if dice.random() < 0.1:
        settings["max_datagram"], settings["max_metadata"] = 576, 256
    if dice.random() < 0.1:
        settings["witnesses"] = dice.choice((0.0, 20.0))
    if dice.random() < 0.1:
        settings["push_fanout"] = dice.choice((2, 4))
    return settings


def _steps(dice: Random, setting: Setting) -> list[AnyStep]:
    """Few members become silent. Others go on, and two of them may not reach each other."""
    seeds = setting.keys[:SEEDS]
    chosen = dice.sample(setting.keys[SEEDS:], LEAST - SEEDS)
    steps = [_silence(dice, setting, key, seeds) for key in chosen[: dice.randint(1, MOST_SILENT)]]
    one, other = chosen[MOST_SILENT:]
    if dice.random() < 0.5:
        broken = LinkChange(loss=1.0)
        steps.append(Disturb(at=QUIET_S, for_s=EVENTFUL_S, sources=[one], destinations=[other], change=broken))
    if dice.random() < 0.5:
        at = _moment(dice)
        steps.append(Update(at=at, node=dice.choice(seeds), metadata={"at": f"{at:.2f}"}))
    if dice.random() < 0.5:
        steps.append(Start(at=_moment(dice), node="x0", seeds=seeds))
    return steps


def _silence(dice: Random, setting: Setting, key: str, seeds: list[str]) -> AnyStep:
    """One member ends, pauses or hears nothing."""
    at, config = _moment(dice), setting.config
    stands_still_s = dice.choice((0.3, 1.0, 2.0)) * config.suspicion_min
    kinds: list[AnyStep] = [
        Crash(at=at, node=key, refused=dice.random() < 0.5),
        Crash(at=at, node=key),
        Leave(at=at, node=key),
        Restart(at=at, node=key, seeds=seeds, moves=dice.random() < 0.4),
        Pause(at=at, for_s=stands_still_s, node=key),
        Pause(at=at, for_s=stands_still_s, node=key),
        Disturb(at=at, for_s=4 * config.suspicion_max, destinations=[key], both_ways=False),
    ]
    return dice.choice(kinds)


def _late_return(dice: Random, setting: Setting) -> list[AnyStep]:
    """A member returns that knows one which all others have forgotten.

    One member ends. Another one knew it, hears nothing of the end, and is paused until all others have forgotten the
    first one and its tombstone stands with all of them. They forget it :data:`FORGET_AFTER_ROUNDS` after they found it
    dead, or up to :data:`FORGET_EVERY_ROUNDS` later, and bury it for as many rounds again.
    """
    ended, absent = dice.sample(setting.keys[SEEDS:], 2)
    at, known_s = _moment(dice), crash_bound_s(setting)
    absence_s = known_s / 2 + (FORGET_AFTER_ROUNDS + FORGET_EVERY_ROUNDS) * setting.config.probe_interval
    return [
        Leave(at=at, node=ended) if dice.random() < 0.2 else Crash(at=at, node=ended),
        Pause(at=at, for_s=absence_s, node=absent),
        Disturb(at=at, for_s=known_s, sources=[absent]),
    ]


def _moment(dice: Random) -> float:
    return QUIET_S + dice.random() * EVENTFUL_S
