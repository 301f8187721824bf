"""Address validation: which addresses have shown that they hear this node, and how much it may send to the others.

The source address of a datagram can be forged. If a small datagram could make a node send a large one to its source,
anybody could turn a cluster against a machine that has nothing to do with it. So an address has to validate itself with
something that this node sent there and nobody else can know: an ack with the token of this node's ping, or a digest or
list that repeats a cookie. Until then, all answers to one datagram together are no larger than that datagram. What does
not fit is cut or left out. Honest nodes avoid this, because questions are padded to the size of their answers. Over a
stream, the handshake of TCP validates the address.

Source: the address validation of QUIC (RFC 9000, section 8), with a factor of 1 instead of 3.
"""

from __future__ import annotations

from hashlib import blake2b

from gossip.core.support.address import Address
from gossip.core.support.random_source import RandomSource

VALIDATED_FOR_S = 3600.0
"""How long a validation holds; each ack renews it. An address is now and then given to another machine, but hardly ever
within an hour."""

MAX_VALIDATED = 4096
"""Validated addresses kept, the latest: more than a node asks within :data:`VALIDATED_FOR_S` in one data centre."""

COOKIE_PERIOD_S = 30.0
"""A cookie holds for this long, or up to twice as long: more than any answer takes."""


class AddressValidation:
    """The addresses that have validated themselves to one node."""

    def __init__(self, random: RandomSource) -> None:
        self._secret = random.getrandbits(128).to_bytes(16, "big")
        self._validated: dict[Address, float] = {}

    def __len__(self) -> int:
        return len(self._validated)

    def validate(self, address: Address, now: float) -> None:
        """Take note that a ping to this address was answered, wherever the answer came from."""
        if self._validated.pop(address, None) is None:
            self._make_room(now)
        self._validated[address] = now

    def cookie(self, address: Address, now: float) -> int:
        """A number that only somebody at this address can know, at about this time. This node stores nothing for it, so
        a peer that asks for many cookies pushes out no others."""
        return self._cookie(address, int(now / COOKIE_PERIOD_S))

    def repeated(self, cookie: int | None, source: Address, now: float) -> bool:
        """Take in a cookie that came back, if there is one. Returns whether it validates the address that it came
        from."""
        period = int(now / COOKIE_PERIOD_S)
        if cookie is None or cookie not in (self._cookie(source, period), self._cookie(source, period - 1)):
            return False
        self.validate(source, now)
        return True

    def has(self, address: Address, now: float) -> bool:
        """Whether the address is validated."""
        return now - self._validated.get(address, float("-inf")) < VALIDATED_FOR_S

    def _cookie(self, address: Address, period: int) -> int:
        content = f"{address} {period}".encode()
        return int.from_bytes(blake2b(content, key=self._secret, digest_size=4).digest(), "big")

    def _make_room(self, now: float) -> None:
        """Drop the validations that hold no longer, and the oldest if there are too many; the oldest stand first."""
        while self._validated:
            oldest = next(iter(self._validated))
            if len(self._validated) < MAX_VALIDATED and self.has(oldest, now):
                return
            del self._validated[oldest]
