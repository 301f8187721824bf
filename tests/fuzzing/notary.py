"""Signatures that cost next to nothing, for worlds in which members sign what they say of themselves.

Everybody here could make them; the attacker of these tests only ever signs with the key of its own. What the real
scheme is worth, is tested beside it.
"""

from __future__ import annotations

from hashlib import blake2b

import attrs

from gossip.core.state.member import KEY_BYTES, SIGNATURE_BYTES


@attrs.frozen
class CheapNotary:
    """Signs for one owner, and checks what others have signed so."""

    owner: str

    @property
    def public(self) -> bytes:
        """The owner's key."""
        return blake2b(self.owner.encode(), digest_size=KEY_BYTES).digest()

    def sign(self, statement: bytes) -> bytes:
        """The owner's signature."""
        return _signature(self.public, statement)

    def verify(self, public: bytes, signature: bytes, statement: bytes) -> bool:
        """Whether the owner of a key has signed this."""
        return signature == _signature(public, statement)


def _signature(public: bytes, statement: bytes) -> bytes:
    return blake2b(statement, key=public, digest_size=SIGNATURE_BYTES).digest()
