"""Wall-clock time as far as this node can tell, and its only use: to refuse generations from the future.

The core reads no clock. The driver reports now and then what the system's clock shows; in between, the core adds the
local time since. So a corrected clock, or a machine that wakes from suspension, sets the judgement right at once. What
peers say about the time never changes it. If a peer and this node are so far apart that one refuses the other, this
module keeps that as a :class:`ClockDispute` for the embedding program.
"""

from __future__ import annotations

from collections.abc import Collection

import attrs

from gossip.core.support.address import Address

MAX_GENERATION_AHEAD_MS = 366 * 24 * 3600 * 1000
"""A generation may be this far (one year) ahead of this node's clock. Clocks differ, but one forged generation must not
take a name for ever: the true holder passes it once enough time has passed."""

SANE_WALL_MS = 1_577_836_800_000
"""The start of 2020. A local clock that shows an earlier time was never set (a machine without a clock battery starts
in 1970), so this node judges nothing by it."""

DISPUTE_LASTS_S = 60.0
"""A dispute is over after this long without news of it: a refused node tries again several times a minute."""


def is_from_future(generation: int, wall_ms: int) -> bool:
    """Whether a clock that shows ``wall_ms`` refuses a generation."""
    return SANE_WALL_MS < wall_ms < generation - MAX_GENERATION_AHEAD_MS


STEP_MS = 1000
"""If a clock differs by more than this from the time that has passed, it was set, or the machine was suspended. A clock
that just runs differs by far less between two readings."""

MAX_REFUSALS = 64
"""Peers whose refusal this node remembers, the latest. A stranger's refusal must not push out a member's at once."""


@attrs.frozen
class ClockDispute:
    """A peer and this node disagree by more than a year about the time, so that one of them refuses the other.

    From here nobody can tell which of the two is right, and the peer's message may be forged.

    - ``address``: where the peer's message came from.
    - ``refuses_us``: whether the peer refuses this node; otherwise this node refuses the peer.
    - ``generation``: the refused generation in Unix milliseconds: this node's own, or the peer's.
    - ``wall_ms``: what the refusing node's clock showed, in Unix milliseconds.
    - ``heard_at``: local time of the last message about it.

    ``node.clock_dispute`` is None or one of these:

    >>> from gossip import Address, ClockDispute
    >>> dispute = ClockDispute(Address("10.0.0.7", 7946), refuses_us=False, generation=2_000_000_000_000,
    ...                        wall_ms=1_800_000_000_000, heard_at=5.0)
    >>> f"the clock of {dispute.address} is {dispute.ahead_ms / 3_600_000 / 24:.0f} days ahead, or this one is wrong"
    'the clock of 10.0.0.7:7946 is 2315 days ahead, or this one is wrong'
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
    """What time it is, from the last reading of the system's clock and the local time since."""

    def __init__(self, wall_ms: int, now: float) -> None:
        self._wall_ms = wall_ms
        self._read_at = now
        self._refused_us: dict[Address, ClockDispute] = {}
        """By the peer's address, the latest last."""
        self._refused_by_us: ClockDispute | None = None

    def set(self, wall_ms: int, now: float) -> bool:
        """Take in what the system's clock shows. Returns whether somebody set the clock meanwhile."""
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
        """Take note that this clock refused a peer."""
        self._refused_by_us = ClockDispute(peer, False, generation, self.time_ms(now), now)

    def be_refused(self, peer: Address, generation: int, wall_ms: int, now: float) -> None:
        """Take note that a peer whose clock shows ``wall_ms`` refuses this node's generation; ignored if such a clock
        would not."""
        if is_from_future(generation, wall_ms):
            self._refused_us.pop(peer, None)
            while len(self._refused_us) >= MAX_REFUSALS:
                del self._refused_us[next(iter(self._refused_us))]
            self._refused_us[peer] = ClockDispute(peer, True, generation, wall_ms, now)

    def refused_by(self, generation: int, now: float) -> Collection[Address]:
        """The addresses of peers that refuse this generation of this node at present."""
        disputes = self._refused_us.items()
        return {peer for peer, each in disputes if each.generation == generation and _goes_on(each, now)}

    def dispute(self, own_generation: int, now: float) -> ClockDispute | None:
        """The last dispute, if it goes on; a dispute in which this node is refused comes first."""
        latest = next(iter(list(self._refused_us.values())[-1:]), None)
        if latest is not None and latest.generation == own_generation and _goes_on(latest, now):
            return latest
        refusal = self._refused_by_us
        return refusal if refusal is not None and _goes_on(refusal, now) else None

    def has_come_to_believe(self, now: float) -> bool:
        """Whether this node believes, since its clock was corrected, a peer that it refused lately. Says so once."""
        refusal = self._refused_by_us
        if refusal is None or not self.believes(refusal.generation, now):
            return False
        self._refused_by_us = None
        return True


def _goes_on(dispute: ClockDispute, now: float) -> bool:
    return now - dispute.heard_at <= DISPUTE_LASTS_S
