"""Asking a running node for its view without becoming a member, as monitors and the command line do."""

from __future__ import annotations

from random import SystemRandom

import trio

from gossip.core.config import Config, given_config
from gossip.core.errors import WireError
from gossip.core.query import ViewQuery
from gossip.core.state.member import Member
from gossip.core.support.address import Address
from gossip.core.support.arguments import wrong
from gossip.errors import QueryError
from gossip.net import Conversation, parse_address, reason
from gossip.node.block import require_trio
from gossip.security import Keyring, MutualTLS, Security

_MEANINGS = {
    "sealed with an unknown key": (
        "seals with a key that is not ours; give the keyring of that cluster (keyring, --keyring)"
    ),
    "not sealed": (
        "does not seal, so it is of a cluster without keys, or no gossip node; give no keyring (keyring, --keyring), "
        "or another address"
    ),
    "of another cluster with this key, or forged": (
        "seals for another cluster, or does not have our key; give the name of that cluster (Config, --cluster)"
    ),
    "other cluster": "is of another cluster; give the name of that cluster (Config, --cluster)",
}
"""What it means that an answer was refused for one of these reasons, and what to do."""


async def query_members(
    address: str | Address,
    *,
    config: Config | None = None,
    timeout: float = 5.0,
    keyring: Keyring | None = None,
    tls: MutualTLS | None = None,
) -> tuple[Member, ...]:
    """The members that the node at ``address`` knows, sorted by name.

    :param address: ``HOST:PORT`` of any member; the host may be a DNS name.
    :param config: must name the cluster of that node; the other settings are bounds on what is accepted.
    :param timeout: seconds for everything together.
    :param keyring: the keys of the cluster, if it is sealed.
    :param tls: as that node has it, if its streams are secured by TLS.
    :raises ConfigurationError: if an argument is malformed, or a package is missing that the keys need.
    :raises QueryError: if nobody answers there in time, or not as a node of that cluster.
    :raises RuntimeError: if trio does not run the code that calls this.
    """
    require_trio("query_members")
    target = parse_address(address, "address")
    config = given_config(config)
    if isinstance(timeout, bool) or not isinstance(timeout, (int, float)) or not timeout > 0:
        raise wrong("timeout", "a number of seconds above 0", timeout)
    security = Security(keyring, config.cluster, tls)
    query = ViewQuery(config, SystemRandom())
    is_connected = False
    with trio.move_on_after(timeout):
        try:
            stream = await trio.open_tcp_stream(target.host, target.port)
        except (OSError, ValueError) as error:
            raise QueryError(f"cannot connect to {target}: {reason(_first_cause(error))}") from error
        is_connected = True
        async with stream:
            try:
                await _ask(stream, query, security, target.host, config.max_stream_bytes)
            except trio.BrokenResourceError:
                pass  # like an end of the stream: complete or not
            except (WireError, _TooLong) as error:
                said = _MEANINGS.get(str(error), f"not like a gossip node: {error}")
                raise QueryError(f"{target} answers, but {said}") from error
        if not query.done:
            raise QueryError(f"{target} hung up: it is no gossip node, or one of another cluster or with other keys")
    if not query.done:
        what = "does not answer" if is_connected else "cannot be connected to"
        raise QueryError(f"{target} {what} within {timeout:g} s")
    return query.members


class _TooLong(Exception):
    """The answer goes on beyond any view."""


async def _ask(stream: trio.SocketStream, query: ViewQuery, security: Security, host: str, max_bytes: int) -> None:
    total = 0

    def received(count: int) -> None:
        nonlocal total
        total += count
        if total > max_bytes:
            raise _TooLong(f"more than {max_bytes} bytes and no end")

    conversation = Conversation.begin(security, stream, host, received)
    await conversation.greet()
    for message in query.frames():
        await conversation.send(message)
    while not query.done and (messages := await conversation.receive()) is not None:
        for message in messages:
            query.receive_frame(message)
    await conversation.end()
    while await conversation.receive() is not None:
        pass  # the end of a stream that was not cut


def _first_cause(error: BaseException) -> BaseException:
    # trio says only that all attempts failed; why the first one did is told by the cause, or its first part
    cause = error.__cause__
    attempts: tuple[BaseException, ...] = getattr(cause, "exceptions", ())
    return attempts[0] if attempts else cause or error
