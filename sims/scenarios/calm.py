"""The calm seeds of the swarm: little is done, and the network is good, so that much more must hold.

Nobody is suspected who is healthy, though processes stand still, hear nothing or end, and ways between two members are
broken; and all know of each end in time.
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
"""Of the seeds."""

EVENTFUL_S = 15.0
"""For how long things happen."""

MOST_SILENT = 3
"""Members that end, stand still or hear nothing, at most: so many helpers are asked, and one has to answer."""

LATE_SHARE = 0.2
"""Of the calm seeds: those in which somebody returns after others have been forgotten."""

FORGET_AFTER_ROUNDS = 30
"""For so long the dead are remembered then, and buried for as long again."""

SEEDS = 2
"""The first nodes, which are everybody's seeds, and stay."""

LEAST = SEEDS + MOST_SILENT + 2
"""Nodes that a calm seed takes: those, the silent, and two that cannot reach each other."""


def is_calm(setting: Setting) -> bool:
    """Whether this seed is one of the calm ones. It is drawn apart, so that the others are what they were. None is
    where somebody asks for a network or settings that may be too bad for it, or for fewer nodes than it takes."""
    asked = setting.loss or setting.latency or setting.settings
    return not asked and setting.nodes >= LEAST and derived_random(setting.seed, "calm").random() < CALM_SHARE


def calm_plan(setting: Setting) -> Plan:
    """Size, network, settings and the little that happens, all drawn from the seed."""
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
    """Fast enough for the profile, and nearly all arrives."""
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
    """Unusual ones that take nothing away from what must hold."""
    settings = dict[str, Any]()
    if dice.random() < 0.1:
        settings["max_datagram"], settings["max_metadata"] = 576, 256
    if dice.random() < 0.1:
        settings["witnesses"] = dice.choice((0.0, 20.0))
    if dice.random() < 0.1:
        settings["push_fanout"] = dice.choice((2, 4))
    return settings


def _steps(dice: Random, setting: Setting) -> list[AnyStep]:
    """Few members become silent, and others live on, some of whom cannot reach each other."""
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
    """A member ends, or stands still, or hears nothing."""
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
    """One member ends, and another one that knew it, and hears nothing of that, stands still until all others have
    forgotten the first, and its tombstone stands with all of them: :data:`FORGET_AFTER_ROUNDS` after they found it
    dead, and no later than :data:`FORGET_EVERY_ROUNDS` after that, they bury it for as many again."""
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
