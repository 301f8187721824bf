"""What secures one node: the keys in force, and TLS if there is any, for its datagrams and its streams."""

from __future__ import annotations

from collections.abc import Callable

import trio

from gossip.channel import Channel
from gossip.conversation import Conversation
from gossip.core.arguments import require
from gossip.core.errors import ConfigurationError
from gossip.envelope import Envelope
from gossip.keyring import PLAIN, Keyring
from gossip.tls import MutualTLS

NO_KEYS = Keyring.of(PLAIN)
"""The keyring of a node that has none."""


def _require_keyring(keyring: object) -> None:
    require("keyring", keyring, Keyring, "a gossip.Keyring, such as Keyring.load(path)", secret=True)


class Security:
    """Seals and opens what a node sends and receives."""

    def __init__(self, keyring: Keyring | None, cluster: str, tls: MutualTLS | None = None) -> None:
        """:param tls: secures the streams in place of the keyring.

        :raises ConfigurationError: if one of them is of another type, or a key needs a package that is missing.
        """
        if keyring is not None:
            _require_keyring(keyring)
        if tls is not None:
            require("tls", tls, MutualTLS, "a gossip.MutualTLS(accepting=..., connecting=...) of two ssl.SSLContext")
        self.keyring = keyring
        """The keys in force; None if there have never been any."""
        self._cluster = cluster
        self._tls = tls
        self.envelope = Envelope(keyring or NO_KEYS, cluster)
        """Seals and opens datagrams."""

    @property
    def is_sealed(self) -> bool:
        """Whether there is a key at all, in use or not."""
        return self.keyring is not None and self.keyring != NO_KEYS

    def use(self, keyring: Keyring) -> None:
        """Seal and open with other keys from now on. Streams that have begun keep those they began with.

        :raises ConfigurationError: if there were none so far, or a key needs a package that is missing.
        """
        _require_keyring(keyring)
        if self.keyring is None:
            raise ConfigurationError(
                "keyring: the node was opened without one; open it with one, be it Keyring.of(PLAIN)"
            )
        self.envelope.use(keyring)
        self.keyring = keyring

    def begin(self, stream: trio.SocketStream, host: str | None, received: Callable[[int], None]) -> Conversation:
        """The conversation on a stream that has just been connected.

        :param host: whom we connected to; None if they connected to us.
        :param received: told how many bytes were read, each time.
        """
        connects = host is not None
        if self._tls is None:
            ring, opened = self.keyring or NO_KEYS, self.envelope.opened
            return Conversation(stream, Channel(ring, self._cluster, connects=connects, opened=opened), received)
        channel = Channel(NO_KEYS, self._cluster, connects=connects, marks_end=True)
        return Conversation(self._tls.wrap(stream, host), channel, received)
