"""Asking a running node without becoming a member, as monitors and the command line do: who is in its view, or why it
sees one member as it does."""

from __future__ import annotations

import bisect
from collections.abc import Sequence
from random import SystemRandom
from typing import NamedTuple

import trio
from trio.abc import HalfCloseableStream

from gossip.core.config import Config, given_config
from gossip.core.detection.evidence import Explanation
from gossip.core.errors import WireError
from gossip.core.query import ExplanationQuery, Query, ViewQuery
from gossip.core.state.member import Member, is_valid_name
from gossip.core.support.address import Address
from gossip.core.support.arguments import wrong
from gossip.errors import QueryError
from gossip.net import Conversation, parse_address, reason
from gossip.node.block import require_trio
from gossip.node.network import current_network
from gossip.security import Keyring, MutualTLS, Security

MAX_NEAR = 3
"""The most similar names that the error for an unknown name lists."""

MAX_COMPARED = 128
"""Names compared with the unknown one on each side of it in alphabetical order. Comparing two names of 128 bytes takes
half a millisecond, and there may be 10,000."""

_MEANINGS = {
    "sealed with an unknown key": ("seals with another key; give the keyring of that cluster (keyring, --keyring)"),
    "not sealed": (
        "does not seal, so it belongs to a cluster without keys, or is no gossip node; leave out the keyring (keyring, "
        "--keyring), or give another address"
    ),
    "of another cluster with this key, or forged": (
        "seals for another cluster, or does not have this key; give the name of that cluster (Config, --cluster)"
    ),
    "other cluster": "belongs to another cluster; give the name of that cluster (Config, --cluster)",
}
"""By the reason why an answer was refused: what it means, and what to do."""


async def query_members(
    address: str | Address,
    *,
    config: Config | None = None,
    timeout: float = 5.0,
    keyring: Keyring | None = None,
    tls: MutualTLS | None = None,
) -> tuple[Member, ...]:
    """The members that the node at ``address`` knows, sorted by name.

    >>> import gossip, trio
    >>> async def main():
    ...     async with gossip.open_node("ada", bind="127.0.0.1:0") as node:
    ...         print([member.name for member in await gossip.query_members(node.address)])
    >>> trio.run(main)
    ['ada']

    :param address: ``HOST:PORT`` of any member; the host may be a DNS name.
    :param config: must name the cluster of that node; the other settings limit what the call accepts.
    :param timeout: seconds for everything together.
    :param keyring: the keys of the cluster, if it has keys.
    :param tls: certificates for the streams, if that node secures its streams by TLS.
    :raises ConfigurationError: if an argument is malformed, or a package is missing that the keys need.
    :raises QueryError: if no node of that cluster answers there in time; the text says why, and what to do.
    :raises RuntimeError: if trio does not run the calling code.
    """
    require_trio("query_members")
    peer = _Peer.at(address, config, timeout, keyring, tls)
    return await peer.members()


async def explain_member(
    address: str | Address,
    name: str,
    *,
    config: Config | None = None,
    timeout: float = 5.0,
    keyring: Keyring | None = None,
    tls: MutualTLS | None = None,
) -> Explanation:
    """Where the member ``name`` stands in the view of the node at ``address``, and why.

    Times are in seconds. The moment of the answer is time 0, so everything before it has a negative time.

    >>> import gossip, trio
    >>> async def main():
    ...     async with gossip.open_node("ada", bind="127.0.0.1:0") as node:
    ...         print(await gossip.explain_member(node.address, "ada"))
    >>> trio.run(main)
    'ada' is alive: there is no evidence against it.

    :param address: ``HOST:PORT`` of any member; the host may be a DNS name. Each member has evidence of its own.
    :param name: name of the member to explain, dead or alive.
    :param config: as for :func:`query_members`, as are the arguments after it.
    :raises ConfigurationError: if an argument is malformed, or a package is missing that the keys need.
    :raises QueryError: if no node of that cluster answers there in time; if its version does not explain members; if it
        knows no member of that name (the text lists similar names).
    :raises RuntimeError: if trio does not run the calling code.
    """
    require_trio("explain_member")
    if not is_valid_name(name):
        raise wrong("name", "the name of a member, a printable text of 1 to 128 bytes", name)
    peer = _Peer.at(address, config, timeout, keyring, tls)
    query = ExplanationQuery(peer.config, SystemRandom(), name)
    await peer.ask(query)
    if query.explanation is not None:
        return query.explanation
    if not query.is_answered:
        raise QueryError(
            f"{peer.address} did not explain {name!r}: it may run an older version, which cannot. Ask another member, "
            f"or update that one"
        )
    raise QueryError(f"{peer.address} knows no member {name!r}; {_near(name, await peer.members())}")


class _Peer(NamedTuple):
    """The node to ask, and everything needed to ask it."""

    address: Address
    config: Config
    security: Security
    timeout: float
    ends_at: float
    """Local time in seconds by which all answers must be here."""

    @classmethod
    def at(cls, address: str | Address, config: Config | None, timeout: float, keyring: Keyring | None,
           tls: MutualTLS | None) -> _Peer:  # fmt: skip
        """The node at this address.

        :raises ConfigurationError: if one of these is malformed.
        """
        target = parse_address(address, "address")
        config = given_config(config)
        if isinstance(timeout, bool) or not isinstance(timeout, (int, float)) or not timeout > 0:
            raise wrong("timeout", "a number of seconds above 0", timeout)
        return cls(target, config, Security(keyring, config.cluster, tls), timeout, trio.current_time() + timeout)

    async def members(self) -> tuple[Member, ...]:
        """The members that it knows.

        :raises QueryError: as :meth:`ask`.
        """
        query = ViewQuery(self.config, SystemRandom())
        await self.ask(query)
        return query.members

    async def ask(self, query: Query) -> None:
        """Ask over a stream of its own, and read the whole answer.

        :raises QueryError: if no node of that cluster answers in time.
        """
        is_connected = False
        with trio.move_on_at(self.ends_at):
            try:
                stream = await current_network().connect(self.address)
            except (OSError, ValueError) as error:
                raise QueryError(f"cannot connect to {self.address}: {reason(_first_cause(error))}") from error
            is_connected = True
            async with stream:
                try:
                    await _ask(stream, query, self.security, self.address.host, self.config.max_stream_bytes)
                except trio.BrokenResourceError:
                    pass  # like the end of the stream: the answer may be complete
                except (WireError, _TooLong) as error:
                    said = _MEANINGS.get(str(error), f"not like a gossip node: {error}")
                    raise QueryError(f"{self.address} answers, but {said}") from error
            if not query.done:
                raise QueryError(
                    f"{self.address} hung up without an answer: it is no gossip node, belongs to another cluster, or "
                    "has other keys. Check the address, the name of the cluster and the keyring"
                )
        if not query.done:
            what = "does not answer" if is_connected else "does not accept a connection"
            raise QueryError(f"{self.address} {what} within {self.timeout:g} s")


class _TooLong(Exception):
    """The answer is longer than any view."""


async def _ask(stream: HalfCloseableStream, query: Query, security: Security, host: str, max_bytes: int) -> None:
    total = 0

    def received(count: int) -> None:
        nonlocal total
        total += count
        if total > max_bytes:
            raise _TooLong(f"more than {max_bytes} bytes without an end")

    conversation = Conversation.begin(security, stream, host, received)
    await conversation.greet()
    for message in query.frames():
        await conversation.send(message)
    while not query.done and (messages := await conversation.receive()) is not None:
        for message in messages:
            query.receive_frame(message)
    await conversation.end()
    while await conversation.receive() is not None:
        pass  # until the other side ends the stream, so that it is not cut


def _first_cause(error: BaseException) -> BaseException:
    # trio says only that all attempts failed; the cause, or its first part, says why the first one did
    cause = error.__cause__
    attempts: tuple[BaseException, ...] = getattr(cause, "exceptions", ())
    return attempts[0] if attempts else cause or error


def near_names(name: str, members: Sequence[Member]) -> list[str]:
    """The names that are most similar to an unknown one, the most similar first.

    :param members: sorted by name.
    """
    from difflib import get_close_matches  # noqa: PLC0415  (needed after a mistake only)

    names = [member.name for member in members]
    at = bisect.bisect(names, name)
    return get_close_matches(name, names[max(0, at - MAX_COMPARED) : at + MAX_COMPARED], MAX_NEAR)


def _near(name: str, members: Sequence[Member]) -> str:
    """For an error: which names are similar to an unknown one."""
    near = near_names(name, members)
    if not near:
        return f"none of the {len(members)} that it knows has a similar name"
    return f"it knows {' and '.join(map(repr, near))}"
