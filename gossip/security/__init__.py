"""Keys, and what they seal: the room of secrets.

It decides which keys a node has and how they change, who may read the key files, how a sealed datagram and a sealed
stream look, and which of them a node accepts. It does not send, receive or wait: it has no socket and no trio, and
takes and returns bytes. ``gossip.core`` decides when to sign, and whose signature counts.

Modules, from the files up:

``private_file``
    Files that nobody else may read or write. One process at a time changes them.
``keyring``
    The keys of a cluster, and their file.
``signing_key``
    The key of one member, its file, and the list of allowed keys.
``sealing``
    Subkeys and ciphers.
``copies``
    Whether this process may be a copy of another one, so that both would use the same nonces.
``envelope``
    Sealed datagrams.
``framing``, ``channel``
    Streams: where each message begins and ends, and how frames are sealed.
``node_security``
    All of it for one node, and TLS.

Import the names below from here. ``gossip`` exports ``Key``, ``Keyring``, ``PLAIN``, ``SigningKey`` and
``MutualTLS`` to programs; the rest is for ``gossip.net``, ``gossip.node`` and ``gossip.cli``.
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
from gossip.security.node_security import MutualTLS, Security
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
]
