"""Two members at one address: which of them answers there, and which does not.

Members behind one translator of addresses, or with the same ``advertise``, may announce one address. What is sent there
reaches one of them. Its answer to a question for the other counts for neither, and the other is found silent like any
member that cannot be reached. This module only finds out that both run, and tells people. After a restart under another
name, both names have one address too, but the old process no longer runs.
"""

from __future__ import annotations

from gossip.core.state.entry import Entry
from gossip.core.support.drop_reasons import Drop
from gossip.core.support.drops import Drops
from gossip.core.support.notices import Notices

MAX_ANSWERED_BY_ANOTHER = 256
"""Members for which another member was seen to answer; the oldest give way."""


class SharedAddresses:
    """Members at whose address another member answers."""

    def __init__(self, notices: Notices, drops: Drops) -> None:
        self._notices = notices
        self._drops = drops
        self._answered: dict[int, tuple[int, int]] = {}
        """By the id of the asked member: which member answered, and a counter that the asked one reaches only if it
        runs after that."""

    def __len__(self) -> int:
        return len(self._answered)

    def answered_by_another(self, asked: Entry, other: Entry | None, now: float) -> None:
        """Take note that another member answered a question at the asked member's address."""
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
            f"{one!r} and {two!r} both run and both announce the address {address}, where only {two!r} answers: give "
            f"{one!r} an address and port at which others reach it (advertise, or another port)",
        )
