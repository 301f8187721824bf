"""The key with which one member signs what it says of itself: Ed25519 (RFC 8032), by the package ``cryptography``."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, final

import attrs

from gossip.core.errors import ConfigurationError
from gossip.core.member import KEY_BYTES

VERIFIED = 16_384
"""Verdicts on signatures kept, because what was signed is heard again, and by every node of a process: a verdict takes
a tenth of a millisecond."""


@final
@attrs.frozen
class SigningKey:
    """A member's own key. Nobody else may know the secret; everybody may know the public key.

    :raises ConfigurationError: if the secret has another length, or the package ``cryptography`` is missing.
    """

    secret: bytes = attrs.field(repr=False)
    """32 random bytes."""
    public: bytes = attrs.field(init=False, repr=bytes.hex)
    """32 bytes that follow from the secret."""
    sign: Callable[[bytes], bytes] = attrs.field(init=False, repr=False, eq=False)
    """Signs a statement; the signature has 64 bytes."""

    def __attrs_post_init__(self) -> None:
        if not isinstance(self.secret, bytes) or len(self.secret) != KEY_BYTES:
            raise ConfigurationError(f"the secret of a signing key must be {KEY_BYTES} bytes")
        private = _ed25519().Ed25519PrivateKey.from_private_bytes(self.secret)
        object.__setattr__(self, "public", private.public_key().public_bytes_raw())
        object.__setattr__(self, "sign", private.sign)

    @classmethod
    def generate(cls) -> SigningKey:
        """A new key.

        :raises ConfigurationError: if the package ``cryptography`` is missing.
        """
        return cls(_ed25519().Ed25519PrivateKey.generate().private_bytes_raw())

    def verify(self, public: bytes, signature: bytes, statement: bytes) -> bool:
        """Whether the owner of a public key has signed a statement."""
        return _verify(public, signature, statement)


@lru_cache(VERIFIED)
def _verify(public: bytes, signature: bytes, statement: bytes) -> bool:
    from cryptography.exceptions import InvalidSignature  # noqa: PLC0415  (optional)

    try:
        _ed25519().Ed25519PublicKey.from_public_bytes(public).verify(signature, statement)
    except (InvalidSignature, ValueError):  # the latter if it is no public key
        return False
    return True


def _ed25519() -> Any:
    try:
        from cryptography.hazmat.primitives.asymmetric import ed25519  # noqa: PLC0415  (optional)
    except ImportError:
        raise ConfigurationError(
            "signing needs the package cryptography: pip install 'gossip-membership[crypto]'"
        ) from None
    return ed25519
