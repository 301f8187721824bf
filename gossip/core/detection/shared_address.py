"""Two members at one address: which of them answers there, and which does not.

Members behind one translator of addresses, or with the same ``advertise``, can come to be said at one address. What
is sent there reaches one of them. Its answer to a question that was meant for the other counts for neither; the other
is found silent like anybody who cannot be reached. This module only finds out, and tells people, that both run: after
a restart under another name the old one is asked at the address of the new one as well, but does not run any more.
"""

from __future__ import annotations

from gossip.core.state.entry import Entry
from gossip.core.support.drop_reasons import Drop
from gossip.core.support.drops import Drops
from gossip.core.support.notices import Notices

MAX_ANSWERED_BY_ANOTHER = 256
"""Members for whom another was seen to answer; the oldest give way."""


class SharedAddresses:
    """Members at whose address another member answers."""

    def __init__(self, notices: Notices, drops: Drops) -> None:
        self._notices = notices
        self._drops = drops
        self._answered: dict[int, tuple[int, int]] = {}
        """By id of the one asked: who answered, and the counter that only a member alive after that can have."""

    def __len__(self) -> int:
        return len(self._answered)

    def answered_by_another(self, asked: Entry, other: Entry | None, now: float) -> None:
        """Take note that somebody else answered a question at the address of the member that was asked."""
        self._drops.note(Drop.ANSWER_OF_ANOTHER_MEMBER)
        if other is None or not other.registers.is_living:
            return
        by, counter = self._answered.pop(asked.id, (0, 0))
        if by != other.id:
            counter = asked.estimate.expected(now) + 1
        elif asked.registers.heartbeat > counter:
            self._tell(asked, other)
        if len(self._answered) >= MAX_ANSWERED_BY_ANOTHER:
            del self._answered[next(iter(self._answered))]
        self._answered[asked.id] = (other.id, counter)

    def _tell(self, asked: Entry, other: Entry) -> None:
        one, two, address = asked.identity.name, other.identity.name, asked.registers.record.address
        self._notices.say(
            ("shared", asked.id, other.id),
            f"{one!r} and {two!r} both run, and both are said to be at {address}, where only {two!r} answers: give "
            f"{one!r} an address and port at which others reach it (advertise, or another port)",
        )
