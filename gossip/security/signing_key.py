"""The key with which a member signs its statements about itself: Ed25519 (RFC 8032), by the package ``cryptography``.

A file with a signing key has one line, ``ed25519`` and the secret in base64. A list of allowed keys has a line for each
member, with its public key in base64 and its name.

This module decides what such files look like. :mod:`gossip.core.state.signing` decides when a member signs a statement,
and which signatures are needed.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, final

import attrs

from gossip.core.errors import ConfigurationError
from gossip.core.state.member import KEY_BYTES, is_valid_name
from gossip.core.support.arguments import require, wrong
from gossip.security import private_file

ALGORITHM = "ed25519"
HEADER = "# The signing key of one member of a gossip cluster. Nobody else may read it: chmod 600.\n"
MAX_FILE_BYTES = 4096
MAX_LIST_BYTES = 4 << 20
"""Largest list of allowed keys: 20,000 members with the longest names, twice as many as a view holds."""


@final
@attrs.frozen
class SigningKey:
    """A member's own key. Only the member may know the secret; everybody may know the public key.

    >>> import gossip
    >>> key = gossip.SigningKey.generate()
    >>> signature = key.sign(b"a statement")
    >>> key.verify(key.public, signature, b"a statement"), key.verify(key.public, signature, b"another")
    (True, False)

    :raises ConfigurationError: if the secret has another length, or the package ``cryptography`` is missing.
    """

    secret: bytes = attrs.field(repr=False)
    """32 random bytes."""
    public: bytes = attrs.field(init=False, repr=bytes.hex)
    """32 bytes derived from the secret."""
    sign: Callable[[bytes], bytes] = attrs.field(init=False, repr=False, eq=False)
    """Signs a statement; the signature has 64 bytes."""

    def __attrs_post_init__(self) -> None:
        if not isinstance(self.secret, bytes) or len(self.secret) != KEY_BYTES:
            raise wrong(
                "the secret of a signing key", f"{KEY_BYTES} bytes, or make it by SigningKey.generate() or load(path)",
                self.secret, secret=True,
            )  # fmt: skip
        private = _ed25519().Ed25519PrivateKey.from_private_bytes(self.secret)
        object.__setattr__(self, "public", private.public_key().public_bytes_raw())
        object.__setattr__(self, "sign", private.sign)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> SigningKey:
        """Read a file with a signing key.

        :raises ConfigurationError: if it cannot be read or is no such file; if others have access to it (as for a file
            of keys); or if the package ``cryptography`` is missing. The text begins with the path.
        """
        return private_file.load(path, cls._parse, "a file with a signing key", MAX_FILE_BYTES)

    def save_new(self, path: str | os.PathLike[str]) -> None:
        """Write a file that only its owner can read, if none is there.

        :raises ConfigurationError: if there is one, or it cannot be written. The text begins with the path.
        """
        private_file.save_new(path, f"{HEADER}{ALGORITHM} {base64.b64encode(self.secret).decode()}\n")

    @classmethod
    def _parse(cls, text: str) -> SigningKey:
        lines = [line.split() for line in text.split("\n") if line.strip() and not line.startswith("#")]
        if len(lines) != 1 or len(lines[0]) != 2 or lines[0][0] != ALGORITHM:
            raise ConfigurationError(f'this is not a file with a signing key: it has no line "{ALGORITHM} SECRET"')
        return cls(private_file.from_base64(lines[0][1]))

    @property
    def public_text(self) -> str:
        """The public key as a list of allowed keys shows it."""
        return base64.b64encode(self.public).decode()

    @classmethod
    def generate(cls) -> SigningKey:
        """A new key.

        :raises ConfigurationError: if the package ``cryptography`` is missing.
        """
        return cls(_ed25519().Ed25519PrivateKey.generate().private_bytes_raw())

    def verify(self, public: bytes, signature: bytes, statement: bytes) -> bool:
        """Whether the owner of a public key signed a statement.

        :raises ConfigurationError: if one of them is not bytes.
        """
        try:
            return _verify(public, signature, statement)
        except TypeError:
            for argument, value in (("public", public), ("signature", signature), ("statement", statement)):
                require(argument, value, bytes, "bytes")
            raise


def load_allowed(path: str | os.PathLike[str]) -> dict[str, bytes]:
    """Read a list of allowed keys: the public key of each name. Everybody may read the file, but only its owner may
    write it, because it says whom to believe.

    :raises ConfigurationError: if it cannot be read or others may write it; if a line is not a public key and a name,
        or repeats a name. The text begins with the path.
    """
    return private_file.load_trusted(path, _parse_allowed, "a list of allowed keys", MAX_LIST_BYTES)


def check_allowed(allowed: Mapping[str, bytes]) -> None:
    """Make sure that a value is a list of allowed keys.

    :raises ConfigurationError: if it is no mapping of names to public keys.
    """
    require("allowed", allowed, Mapping, "a mapping of names to public keys (SigningKey.public)")
    for name, key in allowed.items():
        if not is_valid_name(name):
            raise wrong("allowed: each name", "the name of a member, a text", name)
        if not isinstance(key, bytes) or len(key) != KEY_BYTES:
            raise wrong(f"allowed: the key of {name!r}", f"a public key of {KEY_BYTES} bytes (SigningKey.public)", key)


def _parse_allowed(text: str) -> dict[str, bytes]:
    allowed: dict[str, bytes] = {}
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip() or line.startswith("#"):
            continue
        key, _, name = line.strip().partition(" ")
        public = _public(key)
        if public is None or not is_valid_name(name.strip()):
            raise ConfigurationError(f"line {number} is not a public key and a name")
        if name.strip() in allowed:
            raise ConfigurationError(f"line {number} names {name.strip()!r} a second time")
        allowed[name.strip()] = public
    return allowed


def _public(text: str) -> bytes | None:
    try:
        public = private_file.from_base64(text)
    except ConfigurationError:
        return None
    return public if len(public) == KEY_BYTES else None


@lru_cache(16_384)
def _verify(public: bytes, signature: bytes, statement: bytes) -> bool:
    """Cached, because a check takes a tenth of a millisecond, and every node of a process hears a statement often."""
    from cryptography.exceptions import InvalidSignature  # noqa: PLC0415  (optional)

    try:
        _ed25519().Ed25519PublicKey.from_public_bytes(public).verify(signature, statement)
    except (InvalidSignature, ValueError):  # ValueError if it is no public key
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
