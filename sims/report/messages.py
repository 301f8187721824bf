"""Messages for a closer look: those around moments at which something happened, as far as they fit."""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

from gossip.core.support.address import Address

from .wording import Content

MAX_MESSAGES = 20_000
"""The most messages kept: 28 MB of full datagrams, and 2 MB of a page."""

SHARE_PER_MOMENT = 1 / 4
"""Share of the free room that the messages around one moment may take, so that later moments find room."""

MAX_MESSAGES_BEFORE = 1_000
"""The most messages remembered in case something happens next."""

ROUNDS_AFTER = 2.0
"""Rounds after something happened for which messages are kept. A crash is noticed in these, and any news spreads."""

ROUNDS_BEFORE = 0.25
"""Rounds before it for which messages are kept."""


class Kept(NamedTuple):
    """A message that was sent."""

    at: float
    sender: int
    """Number of the sending node."""
    receiver: Address
    size: int
    content: bytes | Content
    arrivals: tuple[float, ...]
    """The delay in seconds of each copy that arrives."""
    lost_to: str
    """Why it does not arrive, or not whole."""
    is_frame: bool
    """Whether it is a frame of a stream."""


class MessageLog:
    """Keeps messages around moments."""

    def __init__(self) -> None:
        self.round_s = 1.0
        """Virtual seconds of one round."""
        self.kept: list[Kept] = []
        self.spans: list[tuple[float, float]] = []
        """The spans in which no message is left out."""
        self._before: deque[Kept] = deque(maxlen=MAX_MESSAGES_BEFORE)
        self._complete_since = 0.0
        """Time since when no earlier message is missing."""
        self._since = 0.0
        self._until: float | None = None
        """Time until which messages are kept; None while none are."""
        self._renewed_at = -float("inf")
        self._room = 0

    def moment(self, now: float) -> None:
        """Something happens: keep what is sent around now."""
        self._close_if_over(now)
        if now - self._renewed_at >= ROUNDS_AFTER * self.round_s:
            self._renewed_at = now
            self._room = int((MAX_MESSAGES - len(self.kept)) * SHARE_PER_MOMENT)
        if self._until is None and self._room:
            self._open(now)
        if self._until is not None:
            self._until = now + ROUNDS_AFTER * self.round_s

    def add(self, message: Kept) -> None:
        """Something was sent."""
        self._close_if_over(message.at)
        if self._until is not None and not self._room:
            self._close(message.at)
        if self._until is not None:
            self.kept.append(message)
            self._room -= 1
            return
        if len(self._before) == MAX_MESSAGES_BEFORE:
            self._complete_since = self._before[0].at
        self._before.append(message)

    def finish(self, now: float) -> None:
        """The run is over."""
        self._close_if_over(now)
        if self._until is not None:
            self._close(now)

    def _open(self, now: float) -> None:
        self._since = max(self._complete_since, now - ROUNDS_BEFORE * self.round_s)
        before = [each for each in self._before if each.at > self._since]
        if len(before) > self._room // 2:
            before = before[-(self._room // 2) :]
            self._since = before[0].at if before else now
        self._before.clear()
        self.kept += before
        self._room -= len(before)
        self._until = now

    def _close_if_over(self, now: float) -> None:
        if self._until is not None and now > self._until:
            self._close(self._until)

    def _close(self, now: float) -> None:
        self.spans.append((self._since, now))
        self._complete_since = now
        self._until = None
