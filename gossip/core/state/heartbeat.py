"""The heartbeat counter: how a member's own counter advances, and where another's ought to be by now.

A counter is a clock that only its owner can show. It counts steps of :data:`HEARTBEAT_STEP_S` since
the member's generation began and is read only when the member's loop really runs, so whoever shows a
counter was running when it was at that value. Others keep, for each member, the local time at which
the counter would have been zero; from it they derive the value it should show now, and with it a
floor that only a member that still runs can reach.

Source: heartbeat counters as evidence, van Renesse, Minsky and Hayden (1998); the lowest of many
delayed readings as the best estimate of an offset is NTP's clock filter (Mills, RFC 5905, section 10).
"""

from __future__ import annotations

import attrs

HEARTBEAT_STEP_S = 0.1
"""Length of one step of every heartbeat counter. A tenth of the default interval: fine enough that a
floor can say "since I began to ask", coarse enough that a counter stays within 5 bytes for 13 years."""

FLOOR_SLACK_STEPS = 2
"""Steps by which a floor stays below the expected counter: one for rounding, one for queueing."""

MAX_STEPS_AHEAD = 36_000
"""How far (one hour) a heard counter or floor may lie above the expected one before it is refused as
poisoned. Larger than any honest error of the estimate, and so far below the highest counter that even one
such jump a second could not exhaust it in a million years."""

MAX_COUNTER = 2**62
"""Counters and floors above this are not of this protocol."""

DRIFT = 0.001
"""Largest clock drift the estimate follows: 0.1 %, ten times what a bad quartz shows."""


@attrs.define
class HeartbeatCounter:
    """A member's own counter. It never goes back; it jumps ahead over a floor raised against it."""

    started: float
    """Local time, in seconds, at which the counter was zero."""
    ahead: int = 0
    """Steps gained by jumping over floors."""
    minimum: int = 1
    """What it shows at least: more than any floor it has jumped over. 1 at first, because 0 means *never seen*."""

    def value(self, now: float) -> int:
        """The counter at local time ``now``."""
        steps = int((now - self.started) / HEARTBEAT_STEP_S) + self.ahead
        return max(self.minimum, steps)

    def jump_over(self, floor: int, now: float) -> None:
        """Make :meth:`value` greater than ``floor``, if it is not already.

        At ``now`` no more is gained than that takes, but an earlier time shows as much, too: the counter may stand
        still at one, and is not to be further ahead of time when it goes on.
        """
        self.ahead = max(self.ahead, floor + 1 - int((now - self.started) / HEARTBEAT_STEP_S))
        self.minimum = max(self.minimum, floor + 1)


@attrs.define(weakref_slot=False)
class HeartbeatEstimate:
    """Where another member's counter ought to be, judged from the readings heard of it."""

    origin: float
    """Estimated local time at which the counter was zero."""
    advanced_at: float
    """Local time at which the counter was last seen to advance."""

    @classmethod
    def first(cls, heartbeat: int, now: float) -> HeartbeatEstimate:
        """The estimate after one reading, however old it was when it reached us."""
        return cls(now - heartbeat * HEARTBEAT_STEP_S, now)

    def expected(self, now: float) -> int:
        """The value the counter should show at local time ``now``."""
        return int((now - self.origin) / HEARTBEAT_STEP_S) if now > self.origin else 0

    def time_of(self, counter: int) -> float:
        """The local time at which the counter should have reached this value."""
        return self.origin + counter * HEARTBEAT_STEP_S

    def floor(self, since: float) -> int:
        """A floor that only a member alive after local time ``since`` can reach."""
        return max(1, self.expected(since) - FLOOR_SLACK_STEPS)

    def is_plausible(self, counter: int, now: float) -> bool:
        """Whether ``counter`` (a heartbeat or a floor) is not absurdly far ahead of time."""
        return (counter - MAX_STEPS_AHEAD) * HEARTBEAT_STEP_S <= now - self.origin

    def relayed(self, heartbeat: int, now: float) -> None:
        """Take in a counter that has just been seen to advance, through whatever delays.

        A delay can only make the origin look later than it is, so the earliest one wins; it may
        move later only as fast as clocks drift.
        """
        origin = now - heartbeat * HEARTBEAT_STEP_S
        drifted = self.origin + DRIFT * (now - self.advanced_at)
        self.origin = min(drifted, origin)
        self.advanced_at = now

    def fresh(self, heartbeat: int, asked_at: float, now: float) -> None:
        """Take in a counter that answers a question of ours asked at ``asked_at``.

        It bounds the origin on both sides. An estimate before the earliest possible one is wrong (the
        member's clock was suspended, or somebody lied) and gives way to the latest possible one, so
        that no floor is ever beyond an honest member.
        """
        latest = now - heartbeat * HEARTBEAT_STEP_S
        earliest = asked_at - (heartbeat + 1) * HEARTBEAT_STEP_S
        self.origin = latest if self.origin < earliest else min(self.origin, latest)
        self.advanced_at = now
