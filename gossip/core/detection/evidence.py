"""Evidence: why a member is trusted, suspected or held dead, as frozen values that people can read.

An :class:`Explanation` answers "where does ada stand, and why?" for one member in the eyes of one node. It is the same
on a real cluster and in the simulator. This module holds values only. The casebook collects them.
"""

from __future__ import annotations

from collections.abc import Iterable

import attrs

from gossip.core.detection.stages import Stage
from gossip.core.member import Member, Status


@attrs.frozen
class Asked:
    """One probe that failed, or the one that is under way.

    - ``reason``: why the member was probed, such as ``probe of a round``.
    - ``began``: local time in seconds of the first ping.
    - ``ended``: local time in seconds; None while it is under way.
    - ``pings``: how often it was pinged directly.
    - ``address``: where it was pinged, as text.
    - ``helpers``: names of the members that were asked to ping it.
    - ``nacks``: those of them that answered that they heard nothing from it.
    - ``over_stream``: whether a TCP stream was tried, too.
    - ``refused``: whether its system said that no process listens there.
    - ``alone``: whether nobody else was heard meanwhile either, so that the fault may be this node's.
    """

    reason: str
    began: float
    ended: float | None
    pings: int
    address: str
    helpers: tuple[str, ...] = ()
    nacks: tuple[str, ...] = ()
    over_stream: bool = False
    refused: bool = False
    alone: bool = False

    def __str__(self) -> str:
        """A sentence for people, without the times."""
        times = {1: "once", 2: "twice"}.get(self.pings, f"{self.pings} times")
        ways = [f"pinged {times} at {self.address}"]
        if self.helpers:
            ways.append(f"through {_listed(self.helpers)}")
        if self.over_stream:
            ways.append("over a stream")
        return f"{self.reason}: {', '.join(ways)}; {self._outcome()}"

    def _outcome(self) -> str:
        if self.ended is None:
            return "no answer yet"
        found = ["its system says that no process listens there" if self.refused else "no answer"]
        if self.nacks:
            found.append(f"{_listed(self.nacks)} heard nothing from it either")
        if silent := [each for each in self.helpers if each not in self.nacks]:
            found.append(f"{_listed(silent)} did not report")
        if self.alone:
            found.append("nobody else was heard, so the fault may be this node's, and it does not count")
        return "; ".join(found)


@attrs.frozen
class Told:
    """One accusation or conviction that came to be known.

    - ``at``: local time in seconds.
    - ``by``: name of the member that told it; this node's own name where it is its own finding.
    - ``accusers``: names of all accusers known then.
    - ``floor``: the counter that the member has to reach, in heartbeat steps.
    - ``is_conviction``: whether the member was declared dead.
    """

    at: float
    by: str
    accusers: tuple[str, ...]
    floor: int
    is_conviction: bool = False

    def __str__(self) -> str:
        """A sentence for people, without the time."""
        if self.is_conviction:
            return f"declared dead by {self.by!r} at floor {self.floor}"
        return f"{self.by!r} tells of a suspicion by {_listed(self.accusers)} at floor {self.floor}"


@attrs.frozen
class Explanation:
    """Where one member stands in the eyes of one node, and why. It never changes.

    - ``member``: the member, with its status.
    - ``node``: name of the node that explains.
    - ``time``: local time in seconds at which this was true; all times below are on the same clock.
    - ``probing``: what this node finds out for itself, a :class:`~gossip.core.detection.stages.Stage`.
    - ``suspicion``: what is known in public, a :class:`~gossip.core.detection.stages.Stage`.
    - ``since``: start of the present suspicion, or of the last one if the member is dead; None if there is none.
    - ``counter``: the highest value of its counter seen, in heartbeat steps.
    - ``silent_for``: seconds since it should have shown that value.
    - ``floor``: the counter that clears it; 0 if it is not in doubt.
    - ``accusers``: names of the members that accuse it.
    - ``deadline``: when the present stage of the suspicion ends unless it is cleared; None if no time is running.
    - ``asked``: the last probes of this node that failed, and the one under way, oldest first; at most 8.
    - ``told``: the last accusations and convictions, oldest first; at most 8.
    """

    member: Member
    node: str
    time: float
    probing: Stage
    suspicion: Stage
    since: float | None
    counter: int
    silent_for: float
    floor: int
    accusers: tuple[str, ...]
    deadline: float | None
    asked: tuple[Asked, ...]
    told: tuple[Told, ...]

    def __str__(self) -> str:
        """Several lines for people: a sentence, a timeline in seconds before now, and what would clear the member."""
        timeline = sorted(
            [(each.began, str(each)) for each in self.asked] + [(each.at, str(each)) for each in self.told]
        )
        lines = [f"  {when - self.time:+9.3f} s  {what}" for when, what in timeline]
        return "\n".join(filter(None, (self._verdict(), *lines, self._way_out())))

    def _verdict(self) -> str:
        name, status = repr(self.member.name), self.member.status
        if status is Status.SUSPECT:
            return (
                f"{name} is suspected by {_listed(self.accusers)} ({self.suspicion.value}), and its counter has stood"
                f" at {self.counter} for {self.silent_for:.1f} s."
            )
        if status is Status.DEAD:
            by = f", accused by {_listed(self.accusers)}" if self.accusers else ""
            return f"{name} is dead in the eyes of {self.node!r}: its counter stopped at {self.counter}{by}."
        if status is Status.LEFT:
            return f"{name} has left of its own will."
        if self.probing in (Stage.TRUSTED, Stage.PROBED):
            return f"{name} is alive: nothing speaks against it."
        return f"{name} is alive, but {self.node!r} got no answer from it ({self.probing.value}); nobody was told yet."

    def _way_out(self) -> str:
        if self.member.status is Status.SUSPECT:
            end = "" if self.deadline is None else f" Its time ends in {max(0.0, self.deadline - self.time):.1f} s."
            return f"A counter of {self.floor} or more clears it.{end}"
        if self.member.status is Status.DEAD:
            return f"A counter of {self.floor} or more, or a restart, brings it back."
        return ""


def _listed(names: Iterable[str]) -> str:
    *most, last = [repr(each) for each in names] or ["nobody known"]
    return f"{', '.join(most)} and {last}" if most else last
