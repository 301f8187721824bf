"""Questions: every ping and request of this node whose answer may still come, by the token that the answer repeats.

One registry serves all modules that ask: probes, contacts with seeds and the dead, the farewell, challenges to a second
holder of a name, and invitations to validate an address. It draws the tokens, which nobody can guess, and bounds how
many questions of each purpose are open. The module that asked decides what an answer means.
"""

from __future__ import annotations

import enum
from typing import Any, NamedTuple

from gossip.core.support.address import Address
from gossip.core.support.random_source import RandomSource

TOKEN_BITS = 32


class Purpose(enum.Enum):
    """Why a question is asked."""

    __hash__ = object.__hash__  # faster: the hash of enum is a call in Python

    PROBE = "probe"
    """To learn whether a member lives."""
    CONTACT = "contact"
    """To find a member at an address where one may be."""
    FAREWELL = "farewell"
    """To have the farewell acknowledged."""
    CHALLENGE = "challenge"
    """To learn whether a process runs that presents itself under another member's name."""
    INVITATION = "invitation"
    """To have a peer validate its address, so that the views can be compared with it."""


class Question(NamedTuple):
    """One open question."""

    purpose: Purpose
    asked_at: float
    """Local time in seconds."""
    address: Address | None = None
    """Where it was sent; None if it went to a helper or over a stream."""
    target: Any = None
    """Its target as the asking module knows it: a probe, the id or address that is told a farewell, or a claimant."""


MAX_CONTACTS = 64
"""Contacts whose answer may still come."""

MAX_CHALLENGES = 8
"""Open challenges to processes that speak under another member's name."""

MOST = {Purpose.CONTACT: MAX_CONTACTS, Purpose.CHALLENGE: MAX_CHALLENGES, Purpose.INVITATION: 1}
"""Open questions of one purpose, at most; the oldest gives way. The modules that ask probes and farewells bound their
number themselves."""


class Questions:
    """The open questions of one node."""

    def __init__(self, random: RandomSource) -> None:
        self._random = random
        self._open: dict[int, Question] = {}
        self._tokens: dict[Purpose, dict[int, None]] = {purpose: {} for purpose in MOST}
        """Tokens of the purposes that are bounded here, the oldest first."""

    def ask(self, question: Question) -> int:
        """Open a question; returns its token."""
        while (token := self._random.getrandbits(TOKEN_BITS)) in self._open:
            pass
        tokens = self._tokens.get(question.purpose)
        if tokens is not None:
            while len(tokens) >= MOST[question.purpose]:
                self.close(next(iter(tokens)))
            tokens[token] = None
        self._open[token] = question
        return token

    def unanswered_token(self) -> int:
        """A token for a question whose answer needs no match, because its content says everything."""
        return self._random.getrandbits(TOKEN_BITS)

    def get(self, token: int) -> Question | None:
        """The open question with this token; None if there is none."""
        return self._open.get(token)

    def close(self, token: int, _now: float = 0.0) -> None:
        """Forget a question; a timer may call this, too."""
        question = self._open.pop(token, None)
        if question is not None and question.purpose in self._tokens:
            self._tokens[question.purpose].pop(token, None)

    def count(self, purpose: Purpose) -> int:
        """Number of open questions of a purpose that is bounded here."""
        return len(self._tokens[purpose])
