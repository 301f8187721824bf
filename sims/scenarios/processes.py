"""Bad processes: blocked again and again, paused at random, slow, with wrong clocks."""

from __future__ import annotations

from gossip.core.errors import ConfigurationError

from ..plan import Plan
from ..steps import AnyStep, Block, Crash, Drift, Pause, Slow
from .life import QUIET_S, crash_bound_s, some_moment
from .registry import Setting, scenario

MAX_STEPS = 50_000
"""The most steps. Sensible settings of these scenarios need fewer."""


@scenario(nodes=128)
def slow_nodes(setting: Setting, blocked: int = 4, block_s: float = 8.0, awake_s: float = 0.25,
               for_s: float = 120.0, how: str = "messages") -> Plan:  # fmt: skip
    """The Lifeguard paper's experiment: some members are blocked together for a while, run for a moment, and so on.

    ``how`` is "messages" (sending and receiving block, and timers go on, as in the paper) or "process" (nothing runs).
    """
    kinds: dict[str, type[Block | Pause]] = {"messages": Block, "process": Pause}
    if how not in kinds:
        raise ConfigurationError(f"how must be messages or process, not {how!r}")
    if not 0 < blocked < setting.nodes:
        raise ConfigurationError(f"blocked must be from 1 to {setting.nodes - 1}, not {blocked}")
    if for_s / (block_s + awake_s) * blocked > MAX_STEPS:
        raise ConfigurationError(f"block_s and awake_s are too short for {for_s:g} s")
    dice = setting.dice
    chosen, began, steps = dice.sample(setting.keys, blocked), some_moment(dice, setting), list[AnyStep]()
    at = began
    while at < began + for_s:
        steps += [kinds[how](at=at, for_s=min(block_s, began + for_s - at), node=key) for key in chosen]
        at += block_s + awake_s
    return setting.plan(
        steps, duration_s=began + for_s + 30.0, agree_within_s=2 * crash_bound_s(setting), spares="the healthy"
    )  # fmt: skip


@scenario(nodes=48)
def gc_pauses(setting: Setting, every_s: float = 10.0, most_s: float = 1.2, for_s: float = 60.0) -> Plan:
    """Every member pauses now and then, for less than a suspicion; a crash must still be seen."""
    dice, steps = setting.dice, list[AnyStep]()
    for key in setting.keys:
        at = QUIET_S + dice.expovariate(1 / every_s)
        while at < QUIET_S + for_s:
            length = most_s * dice.random()
            steps.append(Pause(at=at, for_s=length, node=key))
            at += length + dice.expovariate(1 / every_s)
    steps.append(Crash(at=some_moment(dice, setting, QUIET_S + for_s / 3), node=dice.choice(setting.keys)))
    return setting.plan(steps, duration_s=QUIET_S + for_s + 20.0, agree_within_s=crash_bound_s(setting), spares="all")


@scenario(nodes=48)
def slow_processes(setting: Setting, slow: int = 3, handling_s: float = 0.05, for_s: float = 60.0) -> Plan:
    """Some members need long for every datagram and timer, as on an overloaded machine."""
    dice = setting.dice
    at = some_moment(dice, setting)
    steps = [Slow(at=at, for_s=for_s, node=key, handling_s=handling_s) for key in dice.sample(setting.keys, slow)]
    return setting.plan(
        steps, duration_s=at + for_s + 20.0, agree_within_s=2 * crash_bound_s(setting), spares="the healthy"
    )


@scenario(nodes=48)
def clock_drift(setting: Setting, drift: float = 0.01, jumps: int = 6, jump: float = 0.1) -> Plan:
    """Every member's clock runs a little fast or slow all the time, and some much more for some seconds."""
    if not 0 <= drift < 1 or not 0 <= jump < 1:
        raise ConfigurationError("drift and jump must be from 0 to below 1")
    dice, for_s = setting.dice, 90.0
    steps: list[AnyStep] = [
        Drift(at=0.1, for_s=for_s, node=key, rate=1 + drift * (2 * dice.random() - 1)) for key in setting.keys
    ]
    for _ in range(jumps):
        at = QUIET_S + dice.random() * (for_s - 20.0)
        steps.append(Drift(at=at, for_s=5.0, node=dice.choice(setting.keys), rate=1 + dice.choice((-jump, jump))))
    return setting.plan(
        steps, duration_s=for_s + 20.0, agree_within_s=crash_bound_s(setting), spares="all"
    )  # fmt: skip
