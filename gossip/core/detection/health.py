"""Local health: how much a node should distrust its own impatience, and whether it stood still.

A node that is slow itself sees everybody else as late. The score rises when there is evidence that
the fault is ours (helpers that should have answered either way did not; our own timer fired late) and
falls with each answer. It stretches what this node imposes on others, never what others impose on it.

Source: Lifeguard, Dadgar, Phillips and Currey (2017), section IV-A, "Local Health Multiplier".
"""

from __future__ import annotations

import attrs

WORST = 8
"""Lifeguard's bound for the score."""

STALL_S = 0.1
"""A timer that has been due this long, while nothing else was handled either, means that the process did not run;
ordinary scheduling is far below."""

HANDLING_S = 0.5
"""No longer than this does it take to handle a datagram, or a batch of them, even on a slow machine; what seems to take
longer was interrupted."""

SUSPICION_SHARE = 0.25
"""Each point lengthens suspicions by this share: three times as long at worst. Answer timeouts grow by
their whole length per point; a suspicion already is many round trips long."""


@attrs.define
class LocalHealth:
    """The score, from 0 (healthy) to :data:`WORST`."""

    score: int = 0

    def worsen(self) -> None:
        """Something suggests that this node itself is slow or badly connected."""
        self.score = min(WORST, self.score + 1)

    def improve(self) -> None:
        """Somebody answered in time."""
        self.score = max(0, self.score - 1)

    @property
    def timeout_factor(self) -> int:
        """By what to multiply the time this node waits for answers."""
        return 1 + self.score

    @property
    def suspicion_factor(self) -> float:
        """By what to multiply the time this node gives a suspect."""
        return 1 + SUSPICION_SHARE * self.score


@attrs.define
class StallGuard:
    """Tells a process that did not run from one that had much to do.

    Both make timers late. But whoever has handled a datagram a moment ago has not stood still, and what had arrived
    before that datagram is heard: nothing is to be forgiven then, and a flood does not put off the judgements.
    """

    ran_at: float
    """Local time at which something was last handled."""
    stalls: int = 0
    """Times that the process did not run."""
    was_stalled: bool = False
    """Whether it did not before what was handled last."""

    def lost(self, now: float, due: float) -> float:
        """Take note that something is handled now.

        :param due: local time of the earliest timer.
        :returns: for how many seconds the process did not run before that, though the timer was due; 0 if it ran.
        """
        ran_at, self.ran_at = self.ran_at, now
        if now - due <= STALL_S or now - ran_at <= STALL_S:
            return 0.0
        return now - max(due, ran_at)

    def busy(self, since: float, until: float, due: float) -> float:
        """Take note that datagrams were handled between two moments: that time was no standstill, if it is believable.

        :returns: for how many seconds the process did not run before, like :meth:`lost`.
        """
        lost = self.lost(max(since, self.ran_at), due)
        if until - since <= HANDLING_S:
            self.ran_at = until
        return lost
