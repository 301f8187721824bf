"""Evidence: what went on about one member, as plain records. Times are virtual seconds since the beginning."""

from __future__ import annotations

import attrs

from gossip.core.events import EventKind
from gossip.core.state.member import Status

from ..world import SimulatedNode

PROMPT_S = 0.05
"""What a process handles within this time of its arrival, it handled at once."""


@attrs.define(eq=False)
class Life:
    """One generation of the member."""

    node: SimulatedNode
    id: int
    began: float
    ended: float | None = None
    """When its process ended, or it began another generation; None if it did not."""
    left_at: float | None = None
    """When it said farewell."""

    def was_running(self, at: float) -> bool:
        """Whether there was such a process at that time."""
        return self.began <= at and (self.ended is None or at < self.ended)


@attrs.define(eq=False)
class Sending:
    """One message on its way."""

    at: float
    source: str
    """Key of the sender, or its address if nobody runs there."""
    destination: str
    lost_to: str = ""
    """Why it did not arrive; empty if it did."""
    arrives: float | None = None
    damaged: bool = False
    handled: float | None = None
    """When the process at the other end came to it; None if it never did."""

    def was_heard(self, by: float) -> bool:
        """Whether its receiver had understood it by that time."""
        return self.handled is not None and not self.damaged and self.handled <= by


@attrs.define(eq=False)
class Question:
    """A ping to the member, over one path."""

    sending: Sending
    answer: Sending | None = None

    @property
    def answered_from(self) -> float | None:
        """When the asker heard the answer."""
        answer = self.answer
        return None if answer is None or answer.damaged else answer.handled


@attrs.define(eq=False)
class HelpRequest:
    """A request to somebody to ask the member."""

    sending: Sending
    questions: list[Question] = attrs.Factory(list)
    """What the helper asked because of it."""
    reply: Sending | None = None
    is_good_news: bool = False
    """Whether the reply says that the member answered."""

    @property
    def answered_from(self) -> float | None:
        """When the asker heard good news."""
        reply = self.reply
        return None if reply is None or reply.damaged or not self.is_good_news else reply.handled


@attrs.define(eq=False)
class Inquiry:
    """What one process asked about the member at one moment, over all paths."""

    asker: str
    at: float
    wanted: int = 0
    """The counter that would have been an answer as well, whoever showed it; 0 if the asker did not know the member."""
    pings: list[Question] = attrs.Factory(list)
    helpers: list[HelpRequest] = attrs.Factory(list)
    streams: list[Question] = attrs.Factory(list)
    is_help: bool = False
    """Whether it was asked for somebody else."""

    @property
    def answered_from(self) -> float | None:
        """When the asker first heard an answer, over whatever path."""
        paths: list[Question | HelpRequest] = [*self.pings, *self.helpers, *self.streams]
        answers = [each.answered_from for each in paths]
        return min((each for each in answers if each is not None), default=None)


@attrs.frozen(kw_only=True)
class Counters:
    """How far the member's counter had got, as two sides knew it."""

    seen: int
    """The highest value that this process had seen."""
    own: int
    """The member's own value; if its process did not run, that which it had last."""
    runs: bool
    """Whether its process ran."""


@attrs.frozen(kw_only=True)
class Accusation:
    """A process became an accuser of the member."""

    at: float
    accuser: str
    member_id: int
    floor: int
    raised: bool
    """Whether it raised the floor itself, or joined those who had."""
    counters: Counters


@attrs.frozen(kw_only=True)
class Happening:
    """A process told an event about a holder of the name, or ended."""

    at: float
    key: str
    process: int
    """Tells processes apart that had one key, one after the other."""
    kind: EventKind | None
    """None: the process ended, and believes nothing any more."""
    member_id: int = 0
    status: Status | None = None
    """Of the member afterwards."""
    told_by: str | None = None
    """By whose message; None if nobody's."""
    floor: int = 0
    accusers: tuple[str, ...] = ()
    counters: Counters | None = None

    @property
    def is_doubt(self) -> bool:
        """Whether the member is suspected or held dead afterwards."""
        return self.status in (Status.SUSPECT, Status.DEAD)


@attrs.frozen
class Shown:
    """A message that shows a counter of the member, from itself or from somebody who saw it."""

    sending: Sending
    member_id: int
    counter: int
    by_itself: bool


@attrs.frozen
class Condemned:
    """A message that tells somebody else that the member has been convicted."""

    sending: Sending
    member_id: int


@attrs.frozen
class Warned:
    """A message that tells the member of a floor raised against it."""

    sending: Sending
    member_id: int
    floor: int
