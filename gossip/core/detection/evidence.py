"""Evidence: why a member is trusted, suspected or held dead, as frozen values that people can read.

An :class:`Explanation` answers "where does ada stand, and why?" for one member in one node's view. It is the same on a
real cluster and in the simulator. This module contains only values; the casebook collects them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

import attrs

from gossip.core.detection.stages import PROBING, SUSPICION, Stage
from gossip.core.errors import WireError
from gossip.core.state.hearing import CONVICTION_STEPS
from gossip.core.state.heartbeat import MAX_COUNTER
from gossip.core.state.member import Member, Status
from gossip.core.support.drop_reasons import Drop
from gossip.core.wire.values import items_of, name_of, number_of

EVIDENCE_KEPT = 8
"""Probes kept for one member, and accusations: a suspicion takes three probes and a few accusations."""

MAX_UNDER_WAY = 2
"""Probes of one member for this node itself that can be under way at once: one in each of its two stages."""

PROBES_EXPLAINED = EVIDENCE_KEPT + MAX_UNDER_WAY
"""Probes in one explanation."""

NAMES_KEPT = 16
"""Names in one list, such as the helpers of a probe: as many as ``indirect_probes`` may ask at once. With 128 bytes for
each name, the largest explanation fits into one frame of a stream."""

MAX_MILLISECONDS = 2**53
"""The largest time on the wire, in milliseconds. A float holds every time up to it to the millisecond."""

_MAX_FLOOR = MAX_COUNTER + CONVICTION_STEPS
"""The largest floor: a conviction raises the floor of the accusation."""

_NEW_LINE = "\n" + 15 * " "
"""Aligns the outcomes of a probe with its beginning in a timeline."""


@attrs.frozen
class Asked:
    """One probe that failed, or the one that is under way.

    - ``reason``: why the member was probed, such as ``probe of a round``.
    - ``began``: local time in seconds of the first ping.
    - ``ended``: local time in seconds; None while it is under way.
    - ``pings``: how often this node pinged the member directly.
    - ``address``: where this node pinged it, as text.
    - ``helpers``: names of the members that this node asked to ping it, the first 16.
    - ``nacks``: those of the helpers that answered that they heard nothing from it.
    - ``over_stream``: whether this node also tried a TCP stream.
    - ``refused``: whether its system said that no process listens there.
    - ``alone``: whether the probe does not count, because this node heard nobody else meanwhile and the fault may be
      its own.
    - ``unheard``: whether this node heard nobody else meanwhile, whether or not the probe counts.

    >>> import gossip
    >>> print(gossip.Asked("probe of a round", 10.0, 10.5, 2, "10.0.0.7:7946", helpers=("cleo",), nacks=("cleo",)))
    probe of a round: pinged twice at 10.0.0.7:7946, through 'cleo'; no answer; 'cleo' heard nothing from it either
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
    unheard: bool = False

    def __str__(self) -> str:
        """A sentence for people, without the times."""
        return "; ".join(self.sentences())

    def sentences(self) -> list[str]:
        """For people: how this node asked the member, and then each outcome."""
        times = {1: "once", 2: "twice"}.get(self.pings, f"{self.pings} times")
        ways = [f"pinged {times} at {self.address}"]
        if self.helpers:
            ways.append(f"through {_listed(self.helpers)}")
        if self.over_stream:
            ways.append("over a stream")
        return [f"{self.reason}: {', '.join(ways)}", *self._found()]

    def _found(self) -> list[str]:
        if self.ended is None:
            return ["no answer yet"]
        found = ["its system says that no process listens there" if self.refused else "no answer"]
        if self.nacks:
            found.append(f"{_listed(self.nacks)} heard nothing from it either")
        if silent := [each for each in self.helpers if each not in self.nacks]:
            found.append(f"{_listed(silent)} did not report")
        if self.alone:
            found.append("nobody else was heard, so the fault may be this node's, and the probe does not count")
        elif self.unheard:
            found.append("nobody else was heard either")
        return found


@attrs.frozen
class Told:
    """One accusation or conviction that this node heard or made.

    - ``at``: local time in seconds.
    - ``by``: name of the member that told this node; this node's own name for its own finding.
    - ``accusers``: names of all accusers known then.
    - ``floor``: the counter that the member has to reach, in heartbeat steps.
    - ``is_conviction``: whether the member was declared dead.

    >>> import gossip
    >>> print(gossip.Told(11.0, "ada", ("cleo", "dan"), floor=480))
    'ada' reports that 'cleo' and 'dan' accused it at floor 480
    """

    at: float
    by: str
    accusers: tuple[str, ...]
    floor: int
    is_conviction: bool = False

    def __str__(self) -> str:
        """A sentence for people, without the time."""
        return self.sentence()

    def sentence(self, node: str = "", known: Collection[str] = ()) -> str:
        """For people: who told what.

        :param node: name of the node that was told.
        :param known: accusers that it knew before.
        """
        if self.is_conviction:
            verb = "declares it dead" if self.by == node else "reports that it is dead"
            return f"{self.by!r} {verb} at floor {self.floor}"
        new = [each for each in self.accusers if each not in known] or list(self.accusers)
        if new == [self.by]:
            return f"{self.by!r} accuses it at floor {self.floor}"
        return f"{self.by!r} reports that {_listed(new)} accused it at floor {self.floor}"


@attrs.frozen
class Explanation:
    """Where one member stands in one node's view, and why. It never changes.

    - ``member``: the member, with its status.
    - ``node``: name of the node that explains.
    - ``time``: local time in seconds at which this was true; all times below are on the same clock.
    - ``probing``: what this node finds out for itself, a :class:`~gossip.core.detection.stages.Stage`.
    - ``suspicion``: what is known in public, a :class:`~gossip.core.detection.stages.Stage`.
    - ``since``: start of the present suspicion, or of the last one if the member is dead; None if there is none.
    - ``counter``: the highest value of its counter that this node has seen, in heartbeat steps.
    - ``silent_for``: seconds since its counter should have had that value.
    - ``floor``: the counter that clears it; 0 if nobody doubts it.
    - ``accusers``: names of the members that accuse it.
    - ``deadline``: when the present stage of the suspicion ends unless it is cleared; None if no timer runs.
    - ``asked``: the last probes of this node that failed, oldest first, at most 8; then those under way, at most 2. For
      a living member that nobody doubts: the probes before its last death.
    - ``told``: the last accusations and convictions, oldest first, at most 8. For a living member that nobody doubts:
      those before its last death.
    - ``died_at``: when this node last found the member, or an earlier process of its name, dead; None if it never did,
      or no longer remembers it.

    >>> import gossip, trio
    >>> async def main():
    ...     config = gossip.Config.local()
    ...     async with gossip.open_node("ada", bind="127.0.0.1:0", config=config) as ada:
    ...         async with gossip.open_node("brook", bind="127.0.0.1:0", config=config, seeds=[ada.address]) as brook:
    ...             await brook.joined()
    ...         await ada.until(lambda node: node.get("brook").status is gossip.Status.DEAD)
    ...         print(ada.explain("brook"))
    >>> trio.run(main)
    'brook' is dead in the view of 'ada': its counter stopped at ..., and 'ada' accused it.
      ...probe of a round: pinged ... at 127.0.0.1:...
      ...'ada' declares it dead at floor ...
    A counter of ... or more, or a restart, brings it back.
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
    died_at: float | None = None

    def __str__(self) -> str:
        """Several lines for people: a sentence, a timeline in seconds before now, and what would clear the member."""
        timeline = [(each.began, each.sentences()) for each in self.asked]
        known: tuple[str, ...] = ()
        for each in self.told:
            timeline.append((each.at, [each.sentence(self.node, known)]))
            known = each.accusers
        lines = [
            f"  {round(when - self.time, 3) + 0.0:+9.3f} s  {_NEW_LINE.join(what)}" for when, what in sorted(timeline)
        ]
        return "\n".join(filter(None, (self._verdict(), self._earlier_death(), *lines, self._way_out())))

    def _earlier_death(self) -> str:
        if self.member.status is Status.DEAD:
            return "" if self.asked or self.told else "This node no longer has the evidence."
        if self.died_at is None:
            return ""
        ago = f"{self.time - self.died_at:.1f} s ago"
        return f"{ago}, {self.node!r} found it, or an earlier process of that name, dead. The evidence:"

    def _verdict(self) -> str:
        name, status = repr(self.member.name), self.member.status
        if status is Status.SUSPECT:
            return (
                f"{name} is suspected by {_listed(self.accusers)} ({self.suspicion.value}), and its counter has stood"
                f" at {self.counter} for {self.silent_for:.1f} s."
            )
        if status is Status.DEAD:
            by = f", and {_listed(self.accusers)} accused it" if self.accusers else ""
            return f"{name} is dead in the view of {self.node!r}: its counter stopped at {self.counter}{by}."
        if status is Status.LEFT:
            return f"{name} has left the cluster: it said farewell."
        if self.probing in (Stage.NOT_PROBED, Stage.PROBED):
            return f"{name} is alive: there is no evidence against it."
        if self.probing in (Stage.WITNESS_CALLED, Stage.WITNESSED):
            return f"{name} is alive: it refuted a suspicion that {self.node!r} checked as a witness."
        return (
            f"{name} is alive, but {self.node!r} got no answer from it ({self.probing.value}) and has told nobody yet."
        )

    def _way_out(self) -> str:
        if self.member.status is Status.SUSPECT:
            end = "" if self.deadline is None else f" This stage ends in {max(0.0, self.deadline - self.time):.1f} s."
            return f"A counter of {self.floor} or more clears it.{end}"
        if self.member.status is Status.DEAD:
            return f"A counter of {self.floor} or more, or a restart, brings it back."
        return ""

    # --- on the wire

    def to_wire(self) -> list[Any]:
        """The explanation without the member, as items of a message.

        Times are whole milliseconds before this moment; the deadline is in whole milliseconds after it.
        """
        left = None if self.deadline is None else round(1000 * max(0.0, self.deadline - self.time))
        asked = [
            [
                each.reason, self._ago(each.began), self._ago(each.ended), each.pings, each.address,
                list(each.helpers), list(each.nacks), each.over_stream, each.refused, each.alone,
                each.unheard,
            ]
            for each in self.asked
        ]  # fmt: skip
        told = [
            [self._ago(each.at), each.by, list(each.accusers), each.floor, each.is_conviction] for each in self.told
        ]
        return [
            self.node, self.probing.value, self.suspicion.value, self._ago(self.since), self.counter,
            round(1000 * self.silent_for), self.floor, list(self.accusers), left, asked, told, self._ago(self.died_at),
        ]  # fmt: skip

    @classmethod
    def from_wire(cls, content: list[Any], member: Member) -> Explanation:
        """The reverse of :meth:`to_wire`, with the moment of the explanation as time 0.

        :raises WireError: if the content is no explanation, or is larger than any that a node makes.
        """
        node, probing, suspicion, since, counter, silent, floor, accusers, deadline, asked, told, died = items_of(
            content, 12
        )
        return cls(
            member=member,
            node=_text(node),
            time=0.0,
            probing=_stage(probing, PROBING),
            suspicion=_stage(suspicion, SUSPICION),
            since=None if since is None else _past(since),
            died_at=None if died is None else _past(died),
            counter=number_of(counter, MAX_COUNTER),
            silent_for=number_of(silent, MAX_MILLISECONDS) / 1000,
            floor=number_of(floor, _MAX_FLOOR),
            accusers=_texts(accusers),
            deadline=None if deadline is None else number_of(deadline, MAX_MILLISECONDS) / 1000,
            asked=tuple(_asked_from(each) for each in _at_most(asked, PROBES_EXPLAINED)),
            told=tuple(_told_from(each) for each in _at_most(told, EVIDENCE_KEPT)),
        )

    def _ago(self, when: float | None) -> int | None:
        return None if when is None else round(1000 * (self.time - when))


def _asked_from(value: object) -> Asked:
    reason, began, ended, pings, address, helpers, nacks, *flags = items_of(value, 11)
    return Asked(
        _text(reason), _past(began), None if ended is None else _past(ended), number_of(pings, MAX_COUNTER, 1),
        _text(address), _texts(helpers), _texts(nacks), *map(_flag, flags),
    )  # fmt: skip


def _told_from(value: object) -> Told:
    at, by, accusers, floor, is_conviction = items_of(value, 5)
    return Told(_past(at), _text(by), _texts(accusers), number_of(floor, _MAX_FLOOR), _flag(is_conviction))


def _past(value: object) -> float:
    """A number of milliseconds ago, as seconds on a clock that shows 0 now."""
    return 0.0 - number_of(value, MAX_MILLISECONDS) / 1000


def _text(value: object) -> str:
    """A text within the limits of a name: as short, and printable."""
    return name_of(value)


def _texts(value: object) -> tuple[str, ...]:
    return tuple(_text(each) for each in _at_most(value, NAMES_KEPT))


def _at_most(value: object, most: int) -> list[Any]:
    items = items_of(value)
    if len(items) > most:
        raise WireError(Drop.WRONG_SHAPE)
    return items


def _flag(value: object) -> bool:
    if type(value) is not bool:
        raise WireError(Drop.WRONG_SHAPE)
    return value


def _stage(value: object, among: tuple[Stage, ...]) -> Stage:
    for stage in among:
        if stage.value == value:
            return stage
    raise WireError(Drop.WRONG_SHAPE)


def _listed(names: Iterable[str]) -> str:
    *most, last = [repr(each) for each in names] or ["nobody known"]
    return f"{', '.join(most)} and {last}" if most else last
