"""Notices: what people should know about this node's surroundings, each said once.

An event says what happened to a member; a drop says that a message was refused. A notice says, in one sentence, which
part of the setup cannot work and what to do about it. The driver writes it into the log. Names in a notice are Python
literals, so no peer can forge a line.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable

MAX_REMEMBERED_NOTICES = 256
"""Subjects about which a notice was given. This node forgets the oldest, and may give a notice about them again."""

MAX_PENDING_NOTICES = 64
"""Notices that the driver has not taken yet. The driver takes them after every call."""


class Notices:
    """The notices of one node."""

    def __init__(self) -> None:
        self._told: dict[Hashable, None] = {}
        self.pending: deque[str] = deque(maxlen=MAX_PENDING_NOTICES)
        """The oldest first."""

    def __len__(self) -> int:
        return len(self._told)

    def say(self, subject: Hashable, text: str) -> None:
        """Tell people ``text``, unless they were told about this subject before."""
        if subject in self._told:
            return
        if len(self._told) >= MAX_REMEMBERED_NOTICES:
            del self._told[next(iter(self._told))]
        self._told[subject] = None
        self.pending.append(text)
