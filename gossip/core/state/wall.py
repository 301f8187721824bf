"""Wall-clock time as far as this node can tell, and the one thing judged by it: generations from the future.

The core reads no clock. The driver says now and then what the system's clock shows, and what is judged in between is
judged by that and the time since. So a clock that is corrected, or a machine that was suspended, puts the judgement
right at once. What peers say of the time never moves it. Where a peer and this node are so far apart that one refuses
the other, that is kept as a :class:`ClockDispute`, for the embedding program to look at.
"""

from __future__ import annotations

from collections.abc import Collection

import attrs

from gossip.core.support.address import Address

MAX_GENERATION_AHEAD_MS = 366 * 24 * 3600 * 1000
"""A generation may be this far (one year) ahead of our own clock. Clocks differ; but a name must not be
taken for ever by one forged generation: the true holder passes it as soon as time has moved on."""

SANE_WALL_MS = 1_577_836_800_000
"""The start of 2020. A local clock before that was never set (a machine without one starts in 1970), and
nothing is judged by it."""

DISPUTE_LASTS_S = 60.0
"""A dispute of which nothing has been heard for so long is over: who is refused tries again several times a minute."""


def is_from_future(generation: int, wall_ms: int) -> bool:
    """Whether a generation is refused by a clock that shows ``wall_ms``."""
    return SANE_WALL_MS < wall_ms < generation - MAX_GENERATION_AHEAD_MS


STEP_MS = 1000
"""A clock that shows so much more or less than the time that has passed was set, or the machine was suspended. Clocks
that run on differ by far less between two readings."""

MAX_REFUSALS = 64
"""Peers whose refusal is remembered, the latest. A stranger's must not push out that of a member at once."""


@attrs.frozen
class ClockDispute:
    """A peer and this node disagree by more than a year on what time it is, so that one refuses the other.

    Which of the two is right cannot be told from here, and the peer's word may be forged.

    - ``address``: where the peer's word came from.
    - ``refuses_us``: whether the peer refuses this node; else this node refuses the peer.
    - ``generation``: the one that is refused, in Unix milliseconds: this node's own, or the peer's.
    - ``wall_ms``: what the clock of whichever refuses showed, in Unix milliseconds.
    - ``heard_at``: local time at which it was last heard of.
    """

    address: Address
    refuses_us: bool
    generation: int
    wall_ms: int
    heard_at: float

    @property
    def ahead_ms(self) -> int:
        """Milliseconds by which the refused generation is ahead of the clock that refuses it."""
        return self.generation - self.wall_ms


class WallClock:
    """What time it is, by the last reading of the system's clock and the local time since."""

    def __init__(self, wall_ms: int, now: float) -> None:
        self._wall_ms = wall_ms
        self._read_at = now
        self._refused_us: dict[Address, ClockDispute] = {}
        """By where the peer is, the latest last."""
        self._refused_by_us: ClockDispute | None = None

    def set(self, wall_ms: int, now: float) -> bool:
        """Take in what the system's clock shows. Whether it was set meanwhile, rather than running on."""
        was_set = abs(wall_ms - self.time_ms(now)) > STEP_MS
        self._wall_ms = wall_ms
        self._read_at = now
        return was_set

    def time_ms(self, now: float) -> int:
        """Unix time in milliseconds."""
        return self._wall_ms + int((now - self._read_at) * 1000)

    def believes(self, generation: int, now: float) -> bool:
        """Whether a generation is not too far ahead of this clock."""
        return not is_from_future(generation, self.time_ms(now))

    def refuse(self, peer: Address, generation: int, now: float) -> None:
        """Take note that a peer was refused by this clock."""
        self._refused_by_us = ClockDispute(peer, False, generation, self.time_ms(now), now)

    def be_refused(self, peer: Address, generation: int, wall_ms: int, now: float) -> None:
        """Take note that a peer whose clock shows ``wall_ms`` refuses our own generation; ignored if it would not."""
        if is_from_future(generation, wall_ms):
            self._refused_us.pop(peer, None)
            while len(self._refused_us) >= MAX_REFUSALS:
                del self._refused_us[next(iter(self._refused_us))]
            self._refused_us[peer] = ClockDispute(peer, True, generation, wall_ms, now)

    def refused_by(self, generation: int, now: float) -> Collection[Address]:
        """Where peers are that refuse this generation of our own at present."""
        disputes = self._refused_us.items()
        return {peer for peer, each in disputes if each.generation == generation and _goes_on(each, now)}

    def dispute(self, own_generation: int, now: float) -> ClockDispute | None:
        """The last dispute, if one goes on; one in which this node is refused comes first."""
        latest = next(reversed(self._refused_us.values()), None)
        if latest is not None and latest.generation == own_generation and _goes_on(latest, now):
            return latest
        refusal = self._refused_by_us
        return refusal if refusal is not None and _goes_on(refusal, now) else None

    def has_come_to_believe(self, now: float) -> bool:
        """Whether a peer that was refused of late can be believed since the clock was corrected; says so once."""
        refusal = self._refused_by_us
        if refusal is None or not self.believes(refusal.generation, now):
            return False
        self._refused_by_us = None
        return True


def _goes_on(dispute: ClockDispute, now: float) -> bool:
    return now - dispute.heard_at <= DISPUTE_LASTS_S
