"""Local health: how much a node should distrust its own impatience, and whether it was stalled.

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
"""A timer that fires this late means that the process did not run; ordinary scheduling is far below."""

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
