"""The farewell: a node that leaves tells several members, and stops once they have acknowledged.

The news spreads like any other. The acknowledgements make sure that it does not depend on one datagram, and tell the
caller which members have heard it. This node also sends the farewell to addresses at which it presented itself and
knows no member yet: a node there has taken it in, or is about to.
"""

from __future__ import annotations

from collections.abc import Sequence

from gossip.core.config import Config
from gossip.core.dissemination.facts import farewell_facts
from gossip.core.dissemination.outbox import Outbox, Path
from gossip.core.dissemination.questions import Purpose, Question, Questions
from gossip.core.state.entry import Entry
from gossip.core.state.local import LocalMember
from gossip.core.state.round_trip import RoundTrip
from gossip.core.state.view import View
from gossip.core.support.address import Address
from gossip.core.support.random_source import RandomSource
from gossip.core.support.timers import Timers
from gossip.core.wire.messages import Ping


class Farewell:
    """The farewell of this node, once it has begun."""

    def __init__(self, config: Config, view: View, timers: Timers, random: RandomSource, outbox: Outbox,
                 local: LocalMember, questions: Questions, round_trip: RoundTrip) -> None:  # fmt: skip
        self._config = config
        self._view = view
        self._timers = timers
        self._random = random
        self._outbox = outbox
        self._local = local
        self._questions = questions
        self._round_trip = round_trip
        self._tokens: dict[int | Address, list[int]] = {}
        """Tokens of the questions to each recipient: a member's id, or the address of an unknown node."""
        self._unheard: dict[Address, None] = {}
        """Addresses of nodes that may know this node and have not acknowledged yet."""
        self._deadline = 0.0
        self.acknowledged_by: dict[int, str] = {}
        """Names, by id, of the members that have acknowledged; for a member without a known name, its address."""

    def begin(self, unheard: Sequence[Address], now: float) -> None:
        """Tell members until enough of them have acknowledged or ``leave_timeout`` is over.

        :param unheard: addresses of unknown nodes that may have taken this node in.
        """
        self._unheard = dict.fromkeys(unheard)
        self._deadline = now + self._config.leave_timeout
        self._tell(now)

    @property
    def is_done(self) -> bool:
        """Whether enough nodes have acknowledged: members, or, while this node knows none, the nodes that may have
        taken it in. If there is nobody to tell, the farewell is done at once."""
        told, needed = len(self.acknowledged_by), self._config.leave_acknowledgements
        return told >= min(needed, self._view.others or told + len(self._unheard))

    def acknowledged(self, question: Question, sender: int) -> None:
        """Take in an ack of the farewell. Each recipient counts once, under however many names it answers."""
        asked: int | Address = question.target
        if not isinstance(asked, Address) and asked != sender:
            return
        for token in self._tokens.pop(asked, ()):
            self._questions.close(token)
        entry = self._view.get(sender)
        self.acknowledged_by[sender] = str(asked) if entry is None else entry.identity.name
        if isinstance(asked, Address):
            self._unheard.pop(asked, None)

    def refused(self, address: Address) -> None:
        """Take note that no process listens at an address."""
        self._unheard.pop(address, None)

    def _tell(self, now: float) -> None:
        if self.is_done or now >= self._deadline:
            return
        needed = self._config.leave_acknowledgements + 1 - len(self.acknowledged_by)
        for entry in self._view.sample(max(0, needed), self._random, tuple(self.acknowledged_by)):
            self._ask(entry.id, entry.registers.record.address, entry, now)
        for address in self._unheard:
            self._ask(address, address, None, now)
        self._timers.at(now + self._round_trip.timeout(self._config), self._tell)

    def _ask(self, whom: int | Address, address: Address, to: Entry | None, now: float) -> None:
        token = self._questions.ask(Question(Purpose.FAREWELL, now, address, whom))
        self._tokens.setdefault(whom, []).append(token)
        self._outbox.send(Path(address), Ping(token), now, to=to, facts=farewell_facts(self._local.entry))
