"""Sealed datagrams: only a holder of the key can read or write them, and a node accepts none twice.

A header of 16 bytes precedes the ciphertext, and a tag of 16 bytes follows it::

    version (1) | key (2) | session (8) | sequence number (5) | ciphertext | tag (16)

A *session* is one process that uses one key. It has a random number; the key and this number give its subkey. So
sequence numbers can serve as nonces, and no two processes ever use one nonce under one subkey. A forked process begins
a session of its own, and so does a process that may have been restored from an image. The receiver keeps, for each
session, which of the latest sequence numbers it has seen. It checks three things of a datagram, in this order: its key
is in the keyring; it is authentic; it is new. Only then does the receiver remember the session, and only then is the
content decoded.

This module decides which datagrams a node accepts. It has no socket and no clock.

Source: the replay window, RFC 6479 (as in IPsec and WireGuard).
"""

from __future__ import annotations

import os
from collections import Counter, OrderedDict
from collections.abc import Callable

from gossip.core.errors import WireError
from gossip.core.support.drop_reasons import Drop
from gossip.security.copies import begin_anew_in_children
from gossip.security.keyring import Key, Keyring
from gossip.security.sealing import NONCE_BYTES, TAG_BYTES, VERSION, Cipher, cipher, subkey, unsealed

KEY_AT, SESSION_AT, SEQUENCE_AT, HEADER_BYTES = 1, 3, 11, 16
SESSION_BYTES = SEQUENCE_AT - SESSION_AT
SEQUENCE_BYTES = HEADER_BYTES - SEQUENCE_AT

OVERHEAD_BYTES = HEADER_BYTES + TAG_BYTES
"""Bytes that sealing adds to a datagram."""

WINDOW = 1024
"""Sequence numbers below the highest one seen that are still accepted, once each. A node rarely sends so many datagrams
in the time by which one datagram may overtake another."""

SESSION_DATAGRAMS = 2**30
"""Datagrams after which a process begins a new session. So many of the largest datagrams stay within 2^36 blocks under
one subkey, well inside what NIST SP 800-38D allows. At ten datagrams a second, that is three years."""

MAX_SESSIONS = 16_384
"""Sessions of others that a node remembers; it forgets those first that it has not heard for the longest time. Only a
holder of a key can make a session, and there is room for all members of the largest cluster (``max_members``) and for
the sessions they had before a restart. An attacker who recorded so many sessions can make a node forget one and accept
its datagrams once more; they undo nothing."""

_WHOLE_WINDOW = (1 << WINDOW) - 1
_NONCE_HEAD = bytes(NONCE_BYTES - SEQUENCE_BYTES)
_PURPOSE = "datagrams"


class _Session:
    """The session of a process that sends to this node."""

    __slots__ = ("highest", "key", "seen", "subkey")

    def __init__(self, key: Key, subkey: bytes) -> None:
        self.key = key
        self.subkey = subkey
        self.highest = -1
        """Highest sequence number seen."""
        self.seen = 0
        """Bit i is set if ``highest - i`` was seen."""

    def admit(self, sequence: int) -> bool:
        """Whether a sequence number is new; notes that it was seen."""
        ahead = sequence - self.highest
        if ahead > 0:
            self.seen = (self.seen << ahead | 1) & _WHOLE_WINDOW if ahead < WINDOW else 1
            self.highest = sequence
            return True
        # The order matters: a holder of the key may be behind by the whole range, and such a shift would take 128 GiB.
        if -ahead >= WINDOW or self.seen >> -ahead & 1:
            return False
        self.seen |= 1 << -ahead
        return True


class Envelope:
    """Seals the datagrams of one node and opens those of others."""

    def __init__(self, keyring: Keyring, cluster: str, *, random_bytes: Callable[[int], bytes] = os.urandom) -> None:
        """:param random_bytes: source of session numbers; two nodes must never draw the same.

        :raises ConfigurationError: if a key needs a package that is missing.
        """
        self._cluster = cluster
        self._random_bytes = random_bytes
        self._sessions: OrderedDict[bytes, _Session] = OrderedDict()
        self._own: dict[bytes, None] = {}
        self.opened: Counter[str] = Counter()
        """Number of accepted datagrams and frames of streams, by the id of the key that opened them."""
        self.use_keyring(keyring)
        begin_anew_in_children(self)

    @property
    def keyring(self) -> Keyring:
        """The keys in force."""
        return self._keyring

    @property
    def sessions(self) -> int:
        """Number of sessions remembered."""
        return len(self._sessions)

    def use_keyring(self, keyring: Keyring) -> None:
        """Seal and open with these keys from now on. Datagrams sealed with a dropped key are no longer accepted.

        :raises ConfigurationError: if a key needs a package that is missing; the keys stay as they are.
        """
        begun = None if keyring.in_use.is_plain else self._begin(keyring.in_use)
        self._keyring = keyring
        self._keys = {key.number: key for key in keyring.keys if not key.is_plain}
        self._sealer = begun
        self._own = {name: None for name in self._own if name.startswith(tuple(self._keys))}
        for name in [name for name, session in self._sessions.items() if session.key.number not in self._keys]:
            del self._sessions[name]

    def begin_anew(self) -> None:
        """Begin a new session of this node's own, because another process may go on with the present one."""
        if self._sealer is not None:
            self._sealer = self._begin(self._keyring.in_use)

    def seal(self, data: bytes) -> bytes:
        """The datagram to send in place of ``data``."""
        sealer = self._sealer
        if sealer is None:
            return data
        if sealer.sequence >= SESSION_DATAGRAMS:
            sealer = self._sealer = self._begin(self._keyring.in_use)
        return sealer.seal(data)

    def open(self, data: bytes) -> bytes:
        """The content of a datagram.

        :raises WireError: if the datagram is not accepted; the error holds the reason under which it is counted.
        """
        if not data or data[0] != VERSION:
            if not self._keyring.allows_plain:
                raise WireError(Drop.NOT_SEALED)
            self.opened["plain"] += 1
            return data
        if len(data) < OVERHEAD_BYTES:
            raise WireError(Drop.SEALED_TOO_SHORT)
        key = self._keys.get(data[KEY_AT:SESSION_AT])
        if key is None:
            raise WireError(Drop.UNKNOWN_KEY)
        name = data[KEY_AT:SEQUENCE_AT]
        if name in self._own:
            raise WireError(Drop.OUR_OWN_MESSAGE)
        session = self._sessions.get(name) or _Session(key, self._subkey(key, name[SESSION_AT - KEY_AT :]))
        number = data[SEQUENCE_AT:HEADER_BYTES]
        content = unsealed(cipher(key, session.subkey), _NONCE_HEAD + number, data[HEADER_BYTES:], data[:HEADER_BYTES])
        if not session.admit(int.from_bytes(number, "big")):
            raise WireError(Drop.REPLAYED)
        self._remember(name, session)
        self.opened[key.id] += 1
        return content

    def _remember(self, name: bytes, session: _Session) -> None:
        self._sessions[name] = session
        self._sessions.move_to_end(name)
        if len(self._sessions) > MAX_SESSIONS:
            self._sessions.popitem(last=False)

    def _begin(self, key: Key) -> _Sealer:
        session = self._random_bytes(SESSION_BYTES)
        sealer = _Sealer(bytes((VERSION,)) + key.number + session, cipher(key, self._subkey(key, session)))
        self._own[key.number + session] = None
        if len(self._own) > MAX_SESSIONS:
            del self._own[next(iter(self._own))]
        return sealer

    def _subkey(self, key: Key, session: bytes) -> bytes:
        return subkey(key, self._cluster, _PURPOSE, session)


class _Sealer:
    """A session of this node itself."""

    def __init__(self, head: bytes, cipher: Cipher) -> None:
        self._head = head
        self._cipher = cipher
        self.sequence = 0
        """Number of the next datagram."""

    def seal(self, data: bytes) -> bytes:
        number = self.sequence.to_bytes(SEQUENCE_BYTES, "big")
        self.sequence += 1
        header = self._head + number
        return header + self._cipher.encrypt(_NONCE_HEAD + number, data, header)
