"""Keys, and what they seal: the room of secrets.

It decides which keys a node has and how they change, who may read the files they are kept in, how a datagram and a
stream look when they are sealed, and which of them are let through. It does not send, receive or wait: it has no
socket and no trio, and takes and gives bytes. When to sign, and whose signature counts, is decided in ``gossip.core``.

Modules, from the files up:

``private_file``
    Files that nobody else may read, or write; one process at a time changes them.
``keyring``
    The keys of a cluster, and their file.
``signing_key``
    The key of one member, its file, and the list of allowed keys.
``sealing``
    Subkeys and ciphers.
``copies``
    Whether this process may be a copy of another one, which would use the same nonces.
``envelope``
    Datagrams, sealed.
``framing``, ``channel``
    Streams: how messages are told apart, and how frames are sealed.
``node_security``
    All of it for one node, and TLS.

Import the names below from here. ``gossip`` passes on to programs ``Key``, ``Keyring``, ``PLAIN``, ``SigningKey`` and
``MutualTLS``; the rest is for ``gossip.net``, ``gossip.node`` and ``gossip.cli``.
"""

from __future__ import annotations

from gossip.security.channel import Channel
from gossip.security.envelope import OVERHEAD_BYTES
from gossip.security.framing import FRAME_HEADER_BYTES
from gossip.security.keyring import (
    AES_256_GCM,
    ALGORITHMS,
    MAX_FILE_BYTES,
    PLAIN,
    PLAIN_TEXT,
    Key,
    Keyring,
    change_file,
    keys_in,
)
from gossip.security.node_security import MutualTLS, Security, require_keyring
from gossip.security.signing_key import SigningKey, check_allowed, load_allowed

__all__ = [
    "AES_256_GCM",
    "ALGORITHMS",
    "FRAME_HEADER_BYTES",
    "MAX_FILE_BYTES",
    "OVERHEAD_BYTES",
    "PLAIN",
    "PLAIN_TEXT",
    "Channel",
    "Key",
    "Keyring",
    "MutualTLS",
    "Security",
    "SigningKey",
    "change_file",
    "check_allowed",
    "keys_in",
    "load_allowed",
    "require_keyring",
]
