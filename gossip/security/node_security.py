"""What secures the datagrams and streams of one node: the keys in force, and TLS if the program gave certificates.

This module decides which of them secures what. It reads and writes nothing; :mod:`gossip.net` does.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterable, Iterator

import attrs

from gossip.core.errors import ConfigurationError
from gossip.core.support.address import Address
from gossip.core.support.arguments import require, wrong
from gossip.security.channel import Channel
from gossip.security.copies import Clocks
from gossip.security.envelope import Envelope
from gossip.security.keyring import PLAIN, Keyring

NO_KEYS = Keyring.of(PLAIN)
"""The keyring of a node without keys."""


def _asks_for_certificates(_: object, attribute: attrs.Attribute[ssl.SSLContext], context: ssl.SSLContext) -> None:
    if not isinstance(context, ssl.SSLContext):
        raise wrong(f"tls: {attribute.name}", "an ssl.SSLContext", context)
    if context.verify_mode != ssl.CERT_REQUIRED:
        raise ConfigurationError(
            f"tls: {attribute.name} does not ask its peer for a certificate; set its verify_mode to ssl.CERT_REQUIRED"
        )


@attrs.frozen
class MutualTLS:
    """Certificates that secure the streams in place of the keyring. Both ends show one. The program makes the contexts.

    >>> import gossip, ssl
    >>> accepting = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    >>> accepting.verify_mode = ssl.CERT_REQUIRED
    >>> connecting = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    >>> connecting.check_hostname = False
    >>> tls = gossip.MutualTLS(accepting, connecting)  # after load_cert_chain and load_verify_locations of both

    :raises ConfigurationError: if a context accepts a peer that shows no certificate.
    """

    accepting: ssl.SSLContext = attrs.field(validator=_asks_for_certificates)
    """For streams that others open: made with ``ssl.PROTOCOL_TLS_SERVER``."""
    connecting: ssl.SSLContext = attrs.field(validator=_asks_for_certificates)
    """For streams that this node opens: made with ``ssl.PROTOCOL_TLS_CLIENT``. If it checks host names, certificates
    must be for the IP addresses of nodes."""


class Security:
    """Seals and opens what a node sends and receives."""

    def __init__(
        self, keyring: Keyring | None, cluster: str, tls: MutualTLS | None = None, *, clocks: Clocks | None = None
    ) -> None:
        """:param tls: secures the streams in place of the keyring.
        :param clocks: they show whether this process was restored from an image; None for the clocks of the system.

        :raises ConfigurationError: if an argument has the wrong type, or a key needs a package that is missing.
        """
        if keyring is not None:
            _require_keyring(keyring)
        if tls is not None:
            require("tls", tls, MutualTLS, "a gossip.MutualTLS(accepting=..., connecting=...) of two ssl.SSLContext")
        self.keyring = keyring
        """The keys in force; None for a node without a keyring."""
        self.tls = tls
        self.envelope = Envelope(keyring or NO_KEYS, cluster)
        """Seals and opens datagrams."""
        self._cluster = cluster
        self._clocks = clocks or Clocks()

    @property
    def is_sealed(self) -> bool:
        """Whether there is a key besides ``plain``, in use or not."""
        return self.keyring is not None and self.keyring != NO_KEYS

    def use_keyring(self, keyring: Keyring) -> None:
        """Seal and open with other keys from now on. A stream that has begun keeps its keys.

        :raises ConfigurationError: if the node has no keyring, or a key needs a package that is missing.
        """
        _require_keyring(keyring)
        if self.keyring is None:
            raise ConfigurationError(
                "keyring: this node was opened without one, and cannot get one later. Open it with a keyring; with "
                "Keyring.of(PLAIN) it seals nothing at first, and you can add keys later"
            )
        self.envelope.use_keyring(keyring)
        self.keyring = keyring

    def sealed(self, datagrams: Iterable[tuple[bytes, Address]]) -> Iterator[tuple[bytes, Address]]:
        """The datagrams to send in place of these."""
        if self._clocks.have_jumped():  # the process may have been restored from an image, so look before sealing
            self.envelope.begin_anew()
        for data, destination in datagrams:
            yield self.envelope.seal(data), destination

    def channel(self, *, connects: bool) -> Channel:
        """One end of a new stream.

        :param connects: whether this end connected.
        """
        if self.tls is not None:
            return Channel(NO_KEYS, self._cluster, connects=connects, marks_end=True)
        return Channel(self.keyring or NO_KEYS, self._cluster, connects=connects, opened=self.envelope.opened)


def _require_keyring(keyring: object) -> None:
    require("keyring", keyring, Keyring, "a gossip.Keyring, such as Keyring.load(path)", secret=True)
