"""The heartbeat counter: how a member's own counter advances, and which value another member's counter should have.

A counter is a clock that only its owner can show. It counts steps of :data:`HEARTBEAT_STEP_S` since the member's
generation began. A member reads it only while its loop really runs, so a counter value proves that its member was
running at that value. For each member, the others keep the local time at which the counter would have been zero. From
it they derive the value that the counter should have now, and a floor that only a running member can reach.

Source: heartbeat counters as evidence, van Renesse, Minsky and Hayden (1998); the lowest of many delayed readings as
the best estimate of an offset is NTP's clock filter (Mills, RFC 5905, section 10).
"""

from __future__ import annotations

HEARTBEAT_STEP_S = 0.1
"""Length of one step of every heartbeat counter. A tenth of the default interval: fine enough that a floor can say
"since this node began to ask", coarse enough that a counter stays within 5 bytes for 13 years."""

FLOOR_SLACK_STEPS = 2
"""Steps by which a floor stays below the expected counter: one for rounding, one for queueing."""

MAX_STEPS_AHEAD = 36_000
"""Steps (one hour) by which a heard counter or floor may lie above the expected one; above that, this node refuses it
as poisoned. This is larger than any honest error of the estimate. One such jump each second could not reach the highest
counter in a million years."""

MAX_COUNTER = 2**62
"""The highest counter or floor of this protocol."""

DRIFT = 0.001
"""Largest clock drift that the estimate follows: 0.1 %, ten times the drift of a bad quartz."""


class HeartbeatCounter:
    """A member's own counter. It never goes back; it jumps over a floor that others raise against it."""

    def __init__(self, started: float) -> None:
        self.started = started
        """Local time, in seconds, at which the counter was zero."""
        self.ahead = 0
        """Steps gained by jumping over floors."""
        self.minimum = 1
        """The least value that it shows: more than any floor that it has jumped over. It starts at 1, because 0 means
        *never seen*."""

    def value(self, now: float) -> int:
        """The counter at local time ``now``."""
        steps = int((now - self.started) / HEARTBEAT_STEP_S) + self.ahead
        return max(self.minimum, steps)

    def jump_over(self, floor: int, now: float) -> None:
        """Make :meth:`value` greater than ``floor``, if it is not already.

        At ``now`` the counter gains no more than this takes. It shows at least as much at an earlier time, too: the
        counter may stand still at an earlier time, and must not be further ahead when it goes on.
        """
        self.ahead = max(self.ahead, floor + 1 - int((now - self.started) / HEARTBEAT_STEP_S))
        self.minimum = max(self.minimum, floor + 1)


class HeartbeatEstimate:
    """The value that another member's counter should have, estimated from the values heard."""

    __slots__ = ("advanced_at", "origin")

    def __init__(self, origin: float, advanced_at: float) -> None:
        self.origin = origin
        """Estimated local time at which the counter was zero."""
        self.advanced_at = advanced_at
        """Local time at which the counter was last seen to advance."""

    @classmethod
    def first(cls, heartbeat: int, now: float) -> HeartbeatEstimate:
        """The estimate after one reading, however old the reading was when it arrived."""
        return cls(now - heartbeat * HEARTBEAT_STEP_S, now)

    def expected(self, now: float) -> int:
        """The value the counter should show at local time ``now``."""
        return int((now - self.origin) / HEARTBEAT_STEP_S) if now > self.origin else 0

    def time_of(self, counter: int) -> float:
        """The local time at which the counter should have reached this value."""
        return self.origin + counter * HEARTBEAT_STEP_S

    def floor(self, since: float) -> int:
        """A floor that only a member that was alive after local time ``since`` can reach."""
        return max(1, self.expected(since) - FLOOR_SLACK_STEPS)

    def is_plausible(self, counter: int, now: float) -> bool:
        """Whether ``counter`` (a heartbeat or a floor) is not absurdly far ahead of time."""
        return (counter - MAX_STEPS_AHEAD) * HEARTBEAT_STEP_S <= now - self.origin

    def relayed(self, heartbeat: int, now: float) -> None:
        """Take in a counter that was just seen to advance, with an unknown delay.

        A delay can only make the origin look later than it is, so the earliest origin wins. It may move later only as
        fast as clocks drift.
        """
        origin = now - heartbeat * HEARTBEAT_STEP_S
        drifted = self.origin + DRIFT * (now - self.advanced_at)
        self.origin = min(drifted, origin)
        self.advanced_at = now

    def fresh(self, heartbeat: int, asked_at: float, now: float) -> None:
        """Take in a counter from the answer to a question that this node asked at ``asked_at``.

        It bounds the origin on both sides. An estimate before the earliest possible origin is wrong: the member's clock
        was suspended, or somebody lied. It gives way to the latest possible origin, so that no floor is beyond the
        reach of an honest member.
        """
        latest = now - heartbeat * HEARTBEAT_STEP_S
        earliest = asked_at - (heartbeat + 1) * HEARTBEAT_STEP_S
        self.origin = latest if self.origin < earliest else min(self.origin, latest)
        self.advanced_at = now
