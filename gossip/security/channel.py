"""The bytes on a TCP stream: messages in frames, plain or sealed, and from these bytes back to messages.

The side that connects decides whether to seal. If so, it begins with a *greeting*, which the other side answers with
its own; if not, it begins with a frame. A greeting is::

    version (1) | key (2) | random (32)

If a node cannot open the first bytes on an incoming stream, it answers with bytes that the other side cannot open
either: a greeting with its own key, or four bytes that begin no frame. So people on both sides learn why the stream
failed.

Each direction then has a subkey of its own, derived from the key and both random numbers. Both sides count the frames
of a direction, so each frame is accepted once, at its place, in this stream and no other. The last frame is empty: a
stream that ends without it was cut. A sealed frame is its length (4 bytes), ciphertext and tag. A plain frame is its
length and the message. A plain stream ends without a last frame, except inside TLS: there an empty frame ends it, too,
because TLS cannot be half closed.

This module decides nothing about time and has no socket; :mod:`gossip.net.streams` reads and writes.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator

from gossip.core.errors import WireError
from gossip.core.support.drop_reasons import Drop
from gossip.core.wire import MAX_FRAME_BYTES
from gossip.security.copies import begin_anew_in_children
from gossip.security.framing import FrameReader, pack_frame
from gossip.security.keyring import KEY_BYTES, PLAIN, Key, Keyring
from gossip.security.sealing import NONCE_BYTES, TAG_BYTES, VERSION, Cipher, cipher, subkey, unsealed

RANDOM_BYTES = 32
GREETING_BYTES = 1 + 2 + RANDOM_BYTES
_END = b""
_NO_SEAL = bytes(4)
"""The answer of a node without keys to a greeting. Neither a frame nor a greeting begins with these bytes."""


class Channel:
    """One end of a stream."""

    def __init__(self, keyring: Keyring, cluster: str, *, connects: bool, marks_end: bool = False,
                 opened: Counter[str] | None = None,
                 random_bytes: Callable[[int], bytes] = os.urandom) -> None:  # fmt: skip
        """:param connects: whether this is the end that connected.
        :param marks_end: whether an empty frame ends the stream even if frames are not sealed.
        :param opened: counts the accepted frames by the id of the key that opened them; None if something else secures
            the stream.

        :raises ConfigurationError: if a key needs a package that is missing.
        """
        self._keyring = keyring
        self._cluster = cluster
        self._random = random_bytes(RANDOM_BYTES)
        self._connects = connects
        self._unread = b""
        self._sealed: _SealedFrames | None = None
        self._key = PLAIN
        self._opened = Counter() if opened is None else opened
        self._marks_end = marks_end
        self._reader = FrameReader(0 if marks_end else 1)
        self._has_begun = self._has_read = False
        self.is_open = keyring.in_use.is_plain if connects else keyring.keys == (PLAIN,)
        """Whether the greetings are over, so that messages can be packed and read."""
        self.has_ended = False
        """Whether the other side has sent its last frame."""

    def greeting(self) -> bytes:
        """What to write first."""
        key = self._keyring.in_use
        return self._greeting(key) if self._connects and not key.is_plain else b""

    def greeted(self, piece: bytes) -> bytes:
        """Take in bytes read before the channel is open; returns the bytes to write in answer.

        :raises WireError: if the other side seals with a key that is not ours, or does not seal although it has to.
        """
        self._unread += piece
        if not self._unread:
            return b""
        if self._unread[0] != VERSION:
            if self._connects or not self._keyring.allows_plain:
                raise WireError(Drop.NOT_SEALED)
            self.is_open = True
            return b""
        if len(self._unread) < GREETING_BYTES:
            return b""
        greeting, self._unread = self._unread[:GREETING_BYTES], self._unread[GREETING_BYTES:]
        key = self._key_of(greeting)
        theirs = greeting[-RANDOM_BYTES:]
        salt = self._random + theirs if self._connects else theirs + self._random
        self._sealed = _SealedFrames(key, self._cluster, salt, connects=self._connects)
        self._key = key
        self._marks_end = True
        self._reader = FrameReader(TAG_BYTES, TAG_BYTES + MAX_FRAME_BYTES)
        self.is_open = True
        return b"" if self._connects else self._greeting(key)

    def pack(self, message: bytes) -> bytes:
        """The bytes to write for a message of 1 to ``MAX_FRAME_BYTES`` bytes."""
        return pack_frame(message if self._sealed is None else self._sealed.seal(message))

    def ending(self) -> bytes:
        """What to write after the last message."""
        return self.pack(_END) if self._marks_end else b""

    def feed(self, piece: bytes) -> Iterator[bytes]:
        """Take in bytes that were read, and yield the messages that they complete.

        :raises WireError: at a frame that is malformed, forged or out of place; the stream is useless after that.
        """
        unread, self._unread = self._unread, b""
        data = unread + piece
        if data and not self._has_begun:
            self._has_begun = True
            if self._sealed is None and data[0] == VERSION:  # no frame is so long
                raise WireError(Drop.UNKNOWN_KEY)
        for frame in self._reader.feed(data):
            if self.has_ended:
                raise WireError(Drop.FRAMES_AFTER_THE_LAST_ONE)
            message = frame if self._sealed is None else self._sealed.open(frame)
            self._opened[self._key.id] += 1
            self._has_read = True
            if message == _END:
                self.has_ended = True
            else:
                yield message

    def refusal(self) -> bytes:
        """The bytes to write before this end cuts the stream because it could not open the first bytes.

        Empty if this end connected, or has opened a frame already."""
        if self._connects or self._has_read:
            return b""
        if self._sealed is not None:
            return self.ending()
        return _NO_SEAL if self._keyring.in_use.is_plain else self._greeting(self._keyring.in_use)

    @property
    def was_cut(self) -> bool:
        """Whether the stream is incomplete if nothing more comes."""
        if not self.is_open or self._reader.in_frame:
            return True
        return self._marks_end and not self.has_ended

    def _greeting(self, key: Key) -> bytes:
        return bytes((VERSION,)) + key.number + self._random

    def _key_of(self, greeting: bytes) -> Key:
        number = greeting[1:-RANDOM_BYTES]
        if self._connects:
            if number == self._keyring.in_use.number:
                return self._keyring.in_use
        else:
            for key in self._keyring.keys:
                if key.number == number and not key.is_plain:
                    return key
        raise WireError(Drop.UNKNOWN_KEY)


class _SealedFrames:
    """The frames of both directions of one stream."""

    def __init__(self, key: Key, cluster: str, salt: bytes, *, connects: bool) -> None:
        names = ("stream, from whoever connected", "stream, to whoever connected")
        ours, theirs = names if connects else reversed(names)
        self._key = key
        self._outgoing = self._cipher(key, cluster, ours, salt)
        self._incoming = self._cipher(key, cluster, theirs, salt)
        self._written = 0
        self._read = 0
        begin_anew_in_children(self)

    def begin_anew(self) -> None:
        """Seal under a subkey that nobody knows from now on, so that nobody can read what this process writes.

        Another process may go on with the stream under the present subkey."""
        self._outgoing = cipher(self._key, os.urandom(KEY_BYTES))

    def seal(self, message: bytes) -> bytes:
        """The next frame of this end."""
        self._written += 1
        return self._outgoing.encrypt(_nonce(self._written), message, None)

    def open(self, frame: bytes) -> bytes:
        """The content of the next frame of the other end.

        :raises WireError: if this is not its next frame.
        """
        self._read += 1
        return unsealed(self._incoming, _nonce(self._read), frame)

    def _cipher(self, key: Key, cluster: str, purpose: str, salt: bytes) -> Cipher:
        return cipher(key, subkey(key, cluster, purpose, salt))


def _nonce(count: int) -> bytes:
    return count.to_bytes(NONCE_BYTES, "big")
