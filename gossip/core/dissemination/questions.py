"""Questions: every ping and request of this node whose answer may still come, by the token that the answer repeats.

One registry serves all who ask: probes, contacts with seeds and the dead, the farewell, challenges to a second holder
of a name, and invitations to prove an address. It draws the tokens, which nobody can guess, and bounds how many
questions of each purpose are open. The module that asked decides what an answer means.
"""

from __future__ import annotations

import enum
from typing import Any, NamedTuple

from gossip.core.support.address import Address
from gossip.core.support.random_source import RandomSource

TOKEN_BITS = 32


class Purpose(enum.Enum):
    """Why a question is asked."""

    __hash__ = object.__hash__  # that of enum is a call in Python

    PROBE = "probe"
    """To learn whether a member lives."""
    CONTACT = "contact"
    """To find somebody at an address where a member may be."""
    FAREWELL = "farewell"
    """To have the farewell acknowledged."""
    CHALLENGE = "challenge"
    """To learn whether a process runs that presents itself under the name of another."""
    INVITATION = "invitation"
    """To have a peer show that it hears us, so that a difference of views can be settled with it."""


class Question(NamedTuple):
    """One open question."""

    purpose: Purpose
    asked_at: float
    """Local time in seconds."""
    address: Address | None = None
    """Where it was sent; None if it went to a helper or over a stream."""
    target: Any = None
    """Whom it asks, as the module that asks knows it: a probe, an id or address told of the farewell, a claimant."""


MAX_CONTACTS = 64
"""Contacts whose answer may still come."""

MAX_CHALLENGES = 8
"""Challenges to processes that speak under another's name, within the time that one is open."""

MOST = {Purpose.CONTACT: MAX_CONTACTS, Purpose.CHALLENGE: MAX_CHALLENGES, Purpose.INVITATION: 1}
"""Open questions of one purpose, at most; the oldest gives way. The number of probes and of farewells is bounded by the
modules that ask them."""


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
        """A token for a question whose answer needs no match, because its content says all."""
        return self._random.getrandbits(TOKEN_BITS)

    def get(self, token: int) -> Question | None:
        """The open question with this token, if there is one."""
        return self._open.get(token)

    def close(self, token: int, _now: float = 0.0) -> None:
        """Forget a question; a timer may do so, too."""
        question = self._open.pop(token, None)
        if question is not None and question.purpose in self._tokens:
            self._tokens[question.purpose].pop(token, None)

    def count(self, purpose: Purpose) -> int:
        """How many questions of a purpose that is bounded here are open."""
        return len(self._tokens[purpose])
