"""Local health: how much a node should distrust its own timeouts, and whether its process stood still.

A slow node sees everybody else as late. The score rises when something suggests that the fault is this node's own: a
helper that should have answered in any case did not, or a timer of this node fired late. It falls with each answer. It
stretches the limits that this node sets for others, never those that others set for it.

Source: Lifeguard, Dadgar, Phillips and Currey (2017), section IV-A, "Local Health Multiplier".
"""

from __future__ import annotations

WORST = 8
"""Lifeguard's bound for the score."""

STALL_S = 0.1
"""If a timer has been due for this long while nothing else was handled either, the process did not run; ordinary
scheduling takes far less."""

HANDLING_S = 0.5
"""Handling a datagram, or a batch of them, takes no longer than this even on a slow machine; if it seems to take
longer, it was interrupted."""

SUSPICION_SHARE = 0.25
"""Each point lengthens suspicions by this share: to three times as long at worst. Answer timeouts grow by their whole
length per point; a suspicion is many round trips long already."""


class LocalHealth:
    """The score, from 0 (healthy) to :data:`WORST`."""

    def __init__(self) -> None:
        self.score = 0

    def worsen(self) -> None:
        """Take note that this node itself seems slow or badly connected."""
        self.score = min(WORST, self.score + 1)

    def improve(self) -> None:
        """Take note that a member answered in time."""
        self.score = max(0, self.score - 1)

    @property
    def timeout_factor(self) -> int:
        """Factor for the time that this node waits for answers."""
        return 1 + self.score

    @property
    def suspicion_factor(self) -> float:
        """Factor for the time that this node gives a suspect."""
        return 1 + SUSPICION_SHARE * self.score


class StallGuard:
    """Tells a process that did not run from a process that had much to do.

    Both make timers late. But a node that handled a datagram a moment ago has not stood still, and it has heard
    everything that arrived before that datagram. So it forgives nothing then, and a flood does not put off its
    judgements.
    """

    def __init__(self, now: float) -> None:
        self.ran_at = now
        """Local time at which this node last handled something."""
        self.stalls = 0
        """Times that the process did not run."""
        self.was_stalled = False
        """Whether the process did not run before it last handled something."""

    def lost(self, now: float, due: float) -> float:
        """Take note that something is handled now.

        :param due: local time of the earliest timer.
        :returns: seconds for which the process did not run before, although the timer was due; 0 if it ran.
        """
        ran_at, self.ran_at = self.ran_at, now
        if now - due <= STALL_S or now - ran_at <= STALL_S:
            return 0.0
        return now - max(due, ran_at)

    def busy(self, since: float, until: float, due: float) -> float:
        """Take note that datagrams were handled between two moments: that time was no standstill, unless it is too long
        for that.

        :returns: seconds for which the process did not run before, like :meth:`lost`.
        """
        lost = self.lost(max(since, self.ran_at), due)
        if until - since <= HANDLING_S:
            self.ran_at = until
        return lost
