"""Hearing: when this node last heard another node, and whether it still hears any.

A node that runs but hears nobody is useless to the others: nothing that they send arrives. So its heartbeat says two
things, *I run, and I hear*. The counter goes on for :data:`HEARING_S` after the last message of another node, and then
stands still until the next one.

Any message of a member counts, on any path. An answer to this node's own question counts too, because a stateful
firewall lets in little else. This node has to know the sender once it has read the message, so that no stranger makes a
node that is cut off believe that it hears others. Only while this node knows nobody does every sender count.
"""

from __future__ import annotations

import math

from gossip.core.state.heartbeat import HEARTBEAT_STEP_S

HEARING_S = 5.0
"""Seconds for which a counter goes on after the last message from anybody. With two nodes and a quarter of all
datagrams lost, one of them hears nothing for this long once in hours. That costs nothing, because the counter is where
it should be in the answer to the next question. The time is short enough that all nodes agree within 12 s that a node
is deaf."""

SILENT_ROUNDS = 2.5
"""Rounds without a message from anybody that mean nothing, however short suspicions are. In each round a node asks once
and is asked once, so one or two lost datagrams are enough for such a silence."""

CONVICTION_STEPS = round(HEARING_S / HEARTBEAT_STEP_S) + 10
"""Steps by which the floor of a conviction lies above the floor of the accusation. A counter that reaches the floor of
an accusation shows that its member ran after it was asked. A counter that comes this much further shows that the member
heard somebody after that. One second is added, because an estimate may be late by the travel time of a message."""


class Hearing:
    """What one node has heard of others."""

    def __init__(self) -> None:
        self.last_heard = -math.inf
        """Local time of the last message from another node; minus infinity if there was none."""
        self.messages = 0
        """Messages of others so far. The number tells what came before a question from what came after it, even where
        a clock shows the same time for both."""

    def note(self, now: float) -> None:
        """Take note that another node was heard."""
        self.last_heard = now
        self.messages += 1

    def vouched_until(self, started: float) -> float:
        """Local time up to which a counter that started at ``started`` goes on, unless somebody is heard."""
        return max(self.last_heard, started) + HEARING_S

    def has_ceased(self, now: float) -> bool:
        """Whether this node heard others once, but has heard nobody for so long that its counter stands still."""
        return self.messages > 0 and now >= self.last_heard + HEARING_S
