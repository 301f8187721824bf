"""The swarm: size, network, settings and faults are all drawn from the seed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random
from typing import Any

import attrs

from ..plan import Plan
from ..steps import (
    FORGERIES,
    AnyStep,
    Block,
    Crash,
    Disturb,
    Drift,
    Forge,
    Hold,
    Leave,
    Pause,
    Restart,
    Slow,
    Start,
    Update,
)
from ..world import Exponential, GilbertElliott, Latency, Link, LinkChange, Lognormal, Pareto, Uniform
from .calm import calm_plan, is_calm
from .life import QUIET_S, crash_bound_s
from .registry import Setting, scenario

FAULTY_S = 20.0
"""Seconds in which steps begin."""

BEARABLE_LOSS = 0.5
"""A loss above this share on all links excuses any death."""

KEPT = 2
"""The first nodes are the seeds of all. They may crash, but run again in the end; otherwise a cut might never heal."""


@scenario(nodes=12)
def swarm(setting: Setting) -> Plan:
    """Size, network, settings and faults all drawn from the seed."""
    if is_calm(setting):
        return calm_plan(setting)
    dice = setting.dice
    if setting.nodes == 12:
        setting = attrs.evolve(setting, nodes=dice.choice((8, 8, 8, 9, 10, 12, 16)))
    if setting.profile == "lan":
        setting = attrs.evolve(setting, profile=dice.choice(("lan", "lan", "lan", "local", "wan")))
    draw = _Draw(dice, setting)
    steps = [step for _ in range(dice.randint(1, 25)) for step in draw.steps()]
    end = max([QUIET_S, *(step.until for step in steps)]) + 1.0
    steps += [Crash(at=end, node=rival) for rival in draw.rivals]
    steps += [Restart(at=end + 0.5, node=key, seeds=draw.kept) for key in draw.kept if key in draw.ended]
    bound = 3 * crash_bound_s(setting) + 60 * setting.config.probe_interval
    return setting.plan(
        steps,
        link=draw.link(),
        settings=draw.settings(),
        joins=dice.random() < 0.5,
        clusters=2 if dice.random() < 0.05 else 1,
        seeds=len(draw.kept),
        duration_s=end + 5.0,
        agree_within_s=bound,
        spares="the healthy" if _is_bearable(steps) else "nobody",
    )


def _is_bearable(steps: Sequence[AnyStep]) -> bool:
    """Whether the loss on all links is so low that healthy members have no reason to hold each other dead."""
    return not any(
        isinstance(step, Disturb) and not step.sources and not step.destinations and step.change is not None
        and (step.change.loss or 0.0) > BEARABLE_LOSS
        for step in steps
    )  # fmt: skip


class _Draw:
    """Draws the parts of one plan."""

    def __init__(self, dice: Random, setting: Setting) -> None:
        self._dice = dice
        self._round_s = setting.config.probe_interval
        self._keys = setting.keys
        self._fresh = 0
        self._deaf_s = 0.0
        self.kept = tuple(self._keys[:KEPT])
        self.rivals: list[str] = []
        self.ended: set[str] = set()

    def latency(self) -> Latency:
        """A latency: from one rack to another continent, narrow or wide."""
        dice = self._dice
        typical = dice.choice((0.0002, 0.0005, 0.002, 0.01, 0.04))
        return dice.choice(
            (
                Lognormal(typical, dice.choice((0.1, 0.3, 1.0))),
                Uniform(typical / 2, typical * 2),
                Exponential(typical, typical / 2),
                Pareto(typical, 2.5),
            )
        )

    def link(self) -> Link:
        """The properties of all links in the whole run: mostly good, never hopeless."""
        dice = self._dice
        return Link(
            latency=self.latency(),
            loss=dice.choice((0.0, 0.0, 0.01, 0.05, 0.1)),
            duplication=dice.choice((0.0, 0.0, 0.1)),
            reordering=dice.choice((0.0, 0.0, 0.1)),
            corruption=dice.choice((0.0, 0.0, 0.01)),
            bandwidth=dice.choice((None, None, None, 1_000_000.0, 100_000.0)),
            mtu=dice.choice((None, None, 1280)),
        )

    def settings(self) -> dict[str, Any]:
        """Unusual settings, now and then."""
        dice, settings = self._dice, dict[str, Any]()
        if dice.random() < 0.2:
            settings["forget_after"] = max(dice.choice((5.0, 15.0, 40.0)), self._deaf_s)
        if dice.random() < 0.2:
            settings["push_rate"], settings["push_burst"] = dice.choice(((2.0, 8), (5.0, 16)))
        if dice.random() < 0.1:
            settings["max_datagram"], settings["max_metadata"] = 576, 256
        if dice.random() < 0.1:
            settings["indirect_probes"] = dice.choice((0, 1, 6))
        if dice.random() < 0.1:
            settings["witnesses"] = dice.choice((0.0, 20.0))
        if dice.random() < 0.1:
            settings["push_fanout"] = dice.choice((0, 2, 4))
        return settings

    def steps(self) -> list[AnyStep]:
        """One thing that happens; sometimes it takes two steps."""
        dice = self._dice
        kinds: list[tuple[int, Callable[[float], list[AnyStep]]]] = [
            (4, self._crash), (5, self._restart), (2, self._leave), (3, self._update), (3, self._start),
            (4, self._pause), (2, self._slow), (2, self._drift), (4, self._cut), (3, self._worse), (1, self._hold),
            (1, self._rival), (2, self._forge), (1, self._pause_all),
            (3, self._block), (3, self._deafen),
        ]  # fmt: skip
        (draw,) = dice.choices([draw for _, draw in kinds], [weight for weight, _ in kinds])
        return draw(QUIET_S + dice.random() * FAULTY_S)

    def _some(self, most: int) -> list[str]:
        return self._dice.sample(self._keys, self._dice.randint(1, min(most, len(self._keys))))

    def _length(self) -> float:
        """From a blink to much longer than a suspicion."""
        return self._dice.choice((0.2, 1.0, 3.0, 10.0)) * (0.5 + self._dice.random()) * self._round_s

    def _crash(self, at: float) -> list[AnyStep]:
        keys = self._some(self._dice.choice((1, 1, 3, len(self._keys) // 2)))
        self.ended.update(keys)
        return [Crash(at=at, node=key, refused=self._dice.random() < 0.5) for key in keys]

    def _restart(self, at: float) -> list[AnyStep]:
        key = self._dice.choice(self._keys)
        moves = key not in self.kept and self._dice.random() < 0.4
        return [Restart(at=at, node=key, seeds=self.kept, moves=moves)]

    def _leave(self, at: float) -> list[AnyStep]:
        key = self._dice.choice(self._keys)
        self.ended.add(key)
        return [Leave(at=at, node=key)]

    def _update(self, at: float) -> list[AnyStep]:
        return [Update(at=at, node=self._dice.choice(self._keys), metadata={"at": f"{at:.2f}"})]

    def _start(self, at: float) -> list[AnyStep]:
        key, self._fresh = f"x{self._fresh}", self._fresh + 1
        self._keys.append(key)
        return [Start(at=at, node=key, seeds=self.kept)]

    def _pause(self, at: float) -> list[AnyStep]:
        return [Pause(at=at, for_s=self._length(), node=key) for key in self._some(3)]

    def _pause_all(self, at: float) -> list[AnyStep]:
        return [Pause(at=at, for_s=self._length(), node=key) for key in self._keys]

    def _block(self, at: float) -> list[AnyStep]:
        return [Block(at=at, for_s=self._length(), node=key) for key in self._some(4)]

    def _deafen(self, at: float) -> list[AnyStep]:
        """Nothing reaches a member, but others still hear it, for long enough that all find that out. It may speak of
        members that have left meanwhile, so these are remembered for as long."""
        length = self._dice.choice((8.0, 15.0, 30.0)) * self._round_s
        self._deaf_s = max(self._deaf_s, length)
        return [Disturb(at=at, for_s=length, destinations=[self._dice.choice(self._keys)], both_ways=False)]

    def _slow(self, at: float) -> list[AnyStep]:
        handling_s = self._dice.choice((0.005, 0.05, 0.3))
        return [Slow(at=at, for_s=self._length(), node=key, handling_s=handling_s) for key in self._some(3)]

    def _drift(self, at: float) -> list[AnyStep]:
        rate = 1 + self._dice.choice((-0.2, -0.01, 0.01, 0.2))
        return [Drift(at=at, for_s=self._length(), node=self._dice.choice(self._keys), rate=rate)]

    def _cut(self, at: float) -> list[AnyStep]:
        dice = self._dice
        one, other = self._some(len(self._keys) // 2), self._some(len(self._keys) // 2)
        others = [key for key in other if key not in one] if dice.random() < 0.5 else []
        return [Disturb(at=at, for_s=self._length(), sources=one, destinations=others, both_ways=dice.random() < 0.6)]

    def _worse(self, at: float) -> list[AnyStep]:
        dice = self._dice
        change = dice.choice(
            (
                LinkChange(loss=dice.choice((0.25, 0.5, 0.8))),
                LinkChange(bursts=GilbertElliott(to_bad=0.05, to_good=0.1)),
                LinkChange(streams_only=True),
                LinkChange(latency=self.latency()),
                LinkChange(corruption=0.2),
                LinkChange(duplication=0.5, reordering=0.5),
                LinkChange(bandwidth=5_000.0, queue_bytes=5_000),
            )
        )
        sources = self._some(3) if dice.random() < 0.5 else []
        return [Disturb(at=at, for_s=self._length(), sources=sources, change=change)]

    def _hold(self, at: float) -> list[AnyStep]:
        return [Hold(at=at, for_s=self._length(), sources=self._some(2), both_ways=False, spacing_s=0.2)]

    def _rival(self, at: float) -> list[AnyStep]:
        key = f"rival{len(self.rivals)}"
        self.rivals.append(key)
        return [Start(at=at, node=key, seeds=self.kept, name=self._dice.choice(self._keys))]

    def _forge(self, at: float) -> list[AnyStep]:
        dice = self._dice
        return [Forge(at=at, node=dice.choice(self._keys), kind=dice.choice(list(FORGERIES)), told=self._some(4))]
