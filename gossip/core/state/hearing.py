"""Hearing: when this node last heard another one, and whether it still hears any.

A node that runs and hears nobody is of no use to anybody: nothing that is sent to it arrives. So its heartbeat says
both, *I run, and I hear*: the counter goes on for :data:`HEARING_S` after the last message of another node, and then
stands still until the next one. What counts is any message of a member, on whatever path: an answer to a question of
its own as well, since a stateful firewall lets in little else. The sender has to be known here once the message has
been read, so that no stranger makes a node that is cut off believe that it hears others; only where nobody is known,
anybody counts.
"""

from __future__ import annotations

import math

import attrs

from gossip.core.state.heartbeat import HEARTBEAT_STEP_S

HEARING_S = 5.0
"""Seconds for which a counter goes on after the last word from anybody. Where there are two nodes and a quarter of all
datagrams is lost, one of them hears nothing for so long once in hours. It costs nothing then, because the counter is
where it should be in the answer to the next question. It is short enough for all to agree within 12 s that a node is
deaf."""

SILENT_ROUNDS = 2.5
"""Rounds without a word from anybody that mean nothing, however short suspicions are: in each a node asks once and is
asked once, so a lost datagram or two are enough for that."""

CONVICTION_STEPS = round(HEARING_S / HEARTBEAT_STEP_S) + 10
"""Steps by which the floor of a conviction lies above that of the accusation. A counter that has reached the floor of
an accusation shows that its member ran after it was asked; one that has come so much further, that it heard somebody
after that. A second is added, because an estimate may be late by as much as a message travels."""


@attrs.define
class Hearing:
    """What one node has heard of others."""

    last_heard: float = -math.inf
    """Local time of the last message from another node; minus infinity if there was none."""
    messages: int = 0
    """Messages of others so far. It tells what came before a question from what came after it, even where a clock
    shows the same time for both."""

    def note(self, now: float) -> None:
        """Another node was heard."""
        self.last_heard = now
        self.messages += 1

    def vouched_until(self, started: float) -> float:
        """Local time up to which a counter that was started at ``started`` goes on, unless somebody is heard."""
        return max(self.last_heard, started) + HEARING_S

    def has_ceased(self, now: float) -> bool:
        """Whether others were heard once, and nobody for so long that the counter stands still."""
        return self.messages > 0 and now >= self.last_heard + HEARING_S
