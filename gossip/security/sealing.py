"""Subkeys and ciphers, from the package ``cryptography``.

The key of a cluster seals nothing itself. HKDF with SHA-256 derives a subkey from it for each purpose: the datagrams of
one process, or one direction of a stream. The name of the cluster is part of the derivation, so clusters that share a
key cannot read each other.

Sources: HKDF, RFC 5869; AES-GCM, NIST SP 800-38D; ChaCha20-Poly1305, RFC 8439.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import NamedTuple, Protocol

from gossip.core.errors import ConfigurationError, WireError
from gossip.core.support.drop_reasons import Drop
from gossip.security.keyring import AES_256_GCM, CHACHA20_POLY1305, KEY_BYTES, Key

TAG_BYTES = 16
NONCE_BYTES = 12
VERSION = 1
"""First byte of everything that is sealed. No unsealed message or frame begins with it: a message begins with a CBOR
array (0x80 and above), a frame with the zero of its length."""


class Cipher(Protocol):
    """Encrypts and authenticates under one subkey."""

    def encrypt(self, nonce: bytes, data: bytes, associated_data: bytes | None, /) -> bytes:
        """The ciphertext and its tag. Never use one nonce for two messages."""

    def decrypt(self, nonce: bytes, data: bytes, associated_data: bytes | None, /) -> bytes:
        """The plaintext; raises ``InvalidTag`` if anything has changed since it was sealed."""


def subkey(key: Key, cluster: str, purpose: str, salt: bytes) -> bytes:
    """The subkey of ``key`` for one purpose.

    :param salt: random bytes that the caller draws; no two uses share both purpose and salt.
    :raises ConfigurationError: if the package ``cryptography`` is missing.
    """
    info = "\0".join(("gossip-membership", str(VERSION), key.algorithm, purpose, cluster)).encode()
    return _primitives().derive(key.secret, salt, info)


def cipher(key: Key, subkey: bytes) -> Cipher:
    """The cipher for one of the subkeys of ``key``. Making it takes a microsecond and two kilobytes, so keep the subkey
    instead if there are many.

    :raises ConfigurationError: if the package ``cryptography`` is missing.
    """
    return _primitives().ciphers[key.algorithm](subkey)


def unsealed(cipher: Cipher, nonce: bytes, data: bytes, associated_data: bytes | None = None) -> bytes:
    """The content that was sealed.

    :raises WireError: if it was not sealed with this subkey, or has changed since. Nobody can tell which: data that
        another cluster sealed with the same key fails to open in the same way as changed data.
    """
    try:
        return cipher.decrypt(nonce, data, associated_data)
    except _primitives().invalid_tag:
        raise WireError(Drop.FORGED_OR_OTHER_CLUSTER) from None


class _Primitives(NamedTuple):
    """The parts of the package ``cryptography`` in use."""

    ciphers: Mapping[str, Callable[[bytes], Cipher]]
    derive: Callable[[bytes, bytes, bytes], bytes]
    """Derives a subkey from a secret, a salt and an info."""
    invalid_tag: type[Exception]


@lru_cache(maxsize=1)
def _primitives() -> _Primitives:
    """Imported at the first use, so that a program that does not seal needs neither to have nor to load the package."""
    try:
        from cryptography.exceptions import InvalidTag  # noqa: PLC0415
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305  # noqa: PLC0415
        from cryptography.hazmat.primitives.hashes import SHA256  # noqa: PLC0415
        from cryptography.hazmat.primitives.kdf.hkdf import HKDF  # noqa: PLC0415
    except ImportError:
        raise ConfigurationError(
            "sealing needs the package cryptography: pip install 'gossip-membership[crypto]'"
        ) from None

    def derive(secret: bytes, salt: bytes, info: bytes) -> bytes:
        return HKDF(SHA256(), KEY_BYTES, salt, info).derive(secret)

    return _Primitives({AES_256_GCM: AESGCM, CHACHA20_POLY1305: ChaCha20Poly1305}, derive, InvalidTag)
