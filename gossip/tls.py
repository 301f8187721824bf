"""Streams inside mutual TLS, for who already has certificates; the contexts are the user's."""

from __future__ import annotations

import ssl

import attrs
import trio

from gossip.core.arguments import wrong
from gossip.core.errors import ConfigurationError


def _asks_for_certificates(_: object, attribute: attrs.Attribute[ssl.SSLContext], context: ssl.SSLContext) -> None:
    if not isinstance(context, ssl.SSLContext):
        raise wrong(f"tls: {attribute.name}", "an ssl.SSLContext", context)
    if context.verify_mode != ssl.CERT_REQUIRED:
        raise ConfigurationError(
            f"tls: {attribute.name} does not ask for certificates; set its verify_mode to ssl.CERT_REQUIRED"
        )


@attrs.frozen
class MutualTLS:
    """How streams are secured by TLS, in place of the keyring; both ends show a certificate.

    :raises ConfigurationError: if a context would let in whoever shows none.
    """

    accepting: ssl.SSLContext = attrs.field(validator=_asks_for_certificates)
    """For streams that others open: made with ``ssl.PROTOCOL_TLS_SERVER``."""
    connecting: ssl.SSLContext = attrs.field(validator=_asks_for_certificates)
    """For streams that this node opens: made with ``ssl.PROTOCOL_TLS_CLIENT``. If it checks host names, certificates
    must be for the IP addresses of nodes."""

    def wrap(self, stream: trio.SocketStream, host: str | None) -> trio.SSLStream[trio.SocketStream]:
        """The stream inside TLS.

        :param host: whom we connected to; None if they connected to us.
        """
        if host is None:
            return trio.SSLStream(stream, self.accepting, server_side=True)
        return trio.SSLStream(stream, self.connecting, server_hostname=host)
