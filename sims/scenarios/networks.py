"""Bad networks: losses, bursts, one-way and broken links, partitions, distance, backlogs."""

from __future__ import annotations

from gossip.core.errors import ConfigurationError

from ..plan import Plan
from ..steps import AnyStep, Crash, Disturb, Hold, Update
from ..world import GilbertElliott, Link, LinkChange, Lognormal
from .life import QUIET_S, crash_bound_s, some_moment
from .registry import Setting, scenario

HEALED_WITHIN_S = 10.0
"""Seconds within which all must agree after a cut has ended, in a cluster of a hundred with the profile ``lan``."""


def healed_within_s(setting: Setting) -> float:
    """The same for other profiles, and for clusters that are too small to look for the dead so often."""
    return max(HEALED_WITHIN_S, crash_bound_s(setting), 3000.0 / setting.nodes * setting.config.probe_interval)


@scenario(nodes=128)
def lossy(setting: Setting, share: float = 0.25, crashes: int = 1) -> Plan:
    """A share of all packets is lost; some members crash in the middle of it."""
    dice = setting.dice
    victims = dice.sample(setting.keys, crashes)
    steps = [
        Crash(at=some_moment(dice, setting, QUIET_S + 10.0 * number), node=key) for number, key in enumerate(victims)
    ]
    return setting.plan(
        steps, link=Link(loss=share), duration_s=QUIET_S + 60.0, agree_within_s=4 * crash_bound_s(setting),
        spares="the healthy",
    )  # fmt: skip


@scenario(nodes=64)
def bursty(setting: Setting, to_bad: float = 0.02, to_good: float = 0.1, loss_in_burst: float = 0.9) -> Plan:
    """Datagrams are lost in bursts, on each link independently."""
    bursts = GilbertElliott(to_bad=to_bad, to_good=to_good, loss_bad=loss_in_burst)
    dice = setting.dice
    steps = [Crash(at=some_moment(dice, setting), node=dice.choice(setting.keys))]
    return setting.plan(
        steps, link=Link(bursts=bursts), agree_within_s=3 * crash_bound_s(setting), spares="the healthy"
    )  # fmt: skip


@scenario(nodes=100)
def one_way(setting: Setting, which: str = "deaf", share: float = 0.01, for_s: float = 60.0) -> Plan:
    """Some members can send but hear nothing (deaf), or hear everything but are not heard (mute)."""
    if which not in ("deaf", "mute"):
        raise ConfigurationError(f"which must be deaf or mute, not {which!r}")
    dice = setting.dice
    chosen = dice.sample(setting.keys, max(1, round(share * setting.nodes)))
    at = some_moment(dice, setting)
    if which == "deaf":
        steps = [Disturb(at=at, for_s=for_s, both_ways=False, destinations=chosen)]
    else:
        steps = [Disturb(at=at, for_s=for_s, both_ways=False, sources=chosen)]
    return setting.plan(
        steps, duration_s=QUIET_S + for_s + 20.0, agree_within_s=healed_within_s(setting), spares="the healthy"
    )


@scenario(nodes=32)
def broken_pair(setting: Setting, pairs: int = 1, datagrams_only: bool = False, for_s: float = 60.0) -> Plan:
    """Pairs of members cannot reach each other, while all others reach both."""
    dice, steps = setting.dice, list[AnyStep]()
    for _ in range(pairs):
        one, other = dice.sample(setting.keys, 2)
        change = LinkChange(streams_only=True) if datagrams_only else None
        steps.append(
            Disturb(at=some_moment(dice, setting), for_s=for_s, sources=[one], destinations=[other], change=change)
        )
    return setting.plan(steps, duration_s=QUIET_S + for_s + 20.0, agree_within_s=healed_within_s(setting), spares="all")


@scenario(nodes=100)
def bridge(setting: Setting, for_s: float = 60.0) -> Plan:
    """Two halves are cut from each other; one member reaches both."""
    dice = setting.dice
    keys = dice.sample(setting.keys, setting.nodes)
    middle = len(keys) // 2
    at = some_moment(dice, setting)
    steps = [Disturb(at=at, for_s=for_s, sources=keys[1:middle], destinations=keys[middle:])]
    return setting.plan(steps, duration_s=at + for_s + 30.0, agree_within_s=healed_within_s(setting))


def _split(setting: Setting, share: float, for_s: float) -> Disturb:
    dice = setting.dice
    keys = dice.sample(setting.keys, setting.nodes)
    smaller = keys[: max(1, min(setting.nodes - 1, round(share * setting.nodes)))]
    at = some_moment(dice, setting)
    return Disturb(at=at, for_s=for_s, sources=smaller)


@scenario(nodes=100)
def split_heal(setting: Setting, share: float = 0.5, for_s: float = 60.0) -> Plan:
    """The network is cut in two and heals; members on both sides change meanwhile."""
    cut = _split(setting, share, for_s)
    updates = [
        Update(at=cut.at + for_s / 2, node=key, metadata={"changed": "meanwhile"})
        for key in (cut.sources[0], next(each for each in setting.keys if each not in cut.sources))
    ]
    return setting.plan([cut, *updates], duration_s=QUIET_S + for_s + 30.0, agree_within_s=healed_within_s(setting))


@scenario(nodes=100)
def long_split(setting: Setting, share: float = 0.5, forget_after_s: float = 30.0) -> Plan:
    """The network is cut in two for longer than members remember the dead and keep their tombstones."""
    for_s = 2.5 * forget_after_s + 20.0
    return setting.plan(
        [_split(setting, share, for_s)],
        settings={"forget_after": forget_after_s},
        duration_s=QUIET_S + for_s + 30.0,
        agree_within_s=healed_within_s(setting),
    )


@scenario(nodes=48)
def flapping(setting: Setting, members: int = 3, down_s: float = 4.0, up_s: float = 3.0, times: int = 8) -> Plan:
    """Some members lose all connection, come back, and lose it again."""
    dice, steps = setting.dice, list[AnyStep]()
    for key in dice.sample(setting.keys, members):
        at = some_moment(dice, setting)
        steps += [Disturb(at=at + number * (down_s + up_s), for_s=down_s, sources=[key]) for number in range(times)]
    return setting.plan(
        steps, duration_s=QUIET_S + times * (down_s + up_s) + 20.0, agree_within_s=healed_within_s(setting),
        spares="the healthy",
    )  # fmt: skip


REGION_LATENCIES_S = ((0.0005, 0.040, 0.110), (0.040, 0.0005, 0.075), (0.110, 0.075, 0.0005))
"""One-way delays between three regions, such as eastern America, western Europe and eastern Asia."""

REGION_SIGMA = 0.1
"""Standard deviation of the logarithm of delays between regions. Long links vary less, in proportion."""


@scenario(nodes=96)
def wan(setting: Setting, share: float = 0.005) -> Plan:
    """Three regions far from each other, with a little loss; a member crashes, another changes. Try --profile wan."""
    dice, regions = setting.dice, [setting.keys[first::3] for first in range(3)]
    shape = [
        Disturb(
            at=0.0, for_s=0.0, sources=regions[one], destinations=regions[other], both_ways=False,
            change=LinkChange(latency=Lognormal(REGION_LATENCIES_S[one][other], REGION_SIGMA), loss=share),
        )
        for one in range(3)
        for other in range(3)
        if one != other
    ]  # fmt: skip
    victim, changed = dice.sample(setting.keys, 2)
    steps = [
        Update(at=some_moment(dice, setting), node=changed, metadata={"changed": "once"}),
        Crash(at=some_moment(dice, setting, 2 * QUIET_S), node=victim),
    ]
    return setting.plan(
        steps, shape=tuple(shape), agree_within_s=2 * crash_bound_s(setting), spares="the healthy"
    )  # fmt: skip


@scenario(nodes=32)
def backlog(setting: Setting, held_s: float = 20.0, spacing_s: float = 0.5) -> Plan:
    """A member's datagrams are held back; it crashes, and they arrive late, one by one. It must stay dead."""
    dice = setting.dice
    victim, at = dice.choice(setting.keys), some_moment(dice, setting)
    steps = [
        Hold(at=at, for_s=held_s, sources=[victim], both_ways=False, spacing_s=spacing_s),
        Crash(at=at + held_s / 4, node=victim),
    ]
    return setting.plan(
        steps, duration_s=at + held_s + 40.0, agree_within_s=crash_bound_s(setting), spares="the healthy"
    )  # fmt: skip
