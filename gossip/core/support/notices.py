"""Notices: what people should know about this node's surroundings, each told once.

An event says what happened to a member, and a drop that a message was refused; a notice says in one sentence what is
set up in a way that cannot work, and what to do. It is written into the log by the driver. Names in it are Python
literals, so that no peer can forge a line.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable

MAX_REMEMBERED_NOTICES = 256
"""Subjects of which a notice was given. The oldest are forgotten, and a notice about them may be given again."""

MAX_PENDING_NOTICES = 64
"""Notices that the driver has not taken yet; it takes them after every call."""


class Notices:
    """The notices of one node."""

    def __init__(self) -> None:
        self._told: dict[Hashable, None] = {}
        self.pending: deque[str] = deque(maxlen=MAX_PENDING_NOTICES)
        """The oldest first."""

    def __len__(self) -> int:
        return len(self._told)

    def say(self, subject: Hashable, text: str) -> None:
        """Tell people ``text``, unless they have been told about this subject already."""
        if subject in self._told:
            return
        if len(self._told) >= MAX_REMEMBERED_NOTICES:
            del self._told[next(iter(self._told))]
        self._told[subject] = None
        self.pending.append(text)
