"""Asking a running node without becoming a member, as monitors and the command line do: for its view, or why a member
is where it is."""

from __future__ import annotations

import bisect
import difflib
from collections.abc import Sequence
from random import SystemRandom

import attrs
import trio

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
from gossip.security import Keyring, MutualTLS, Security

MAX_NEAR = 3
"""Names told at most to somebody who has asked for one that nobody holds."""

MAX_COMPARED = 128
"""Names compared on each side of that one, in the order of the alphabet. To compare two names of 128 bytes takes half a
millisecond, and there may be 10,000."""

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
    """Where the member ``name`` stands in the eyes of the node at ``address``, and why.

    The moment of the answer is time 0: what happened before has a negative time, in seconds.

    :param address: ``HOST:PORT`` of any member; the host may be a DNS name. Each member has evidence of its own.
    :param name: of the member to be explained, dead or alive.
    :param config: as for :func:`query_members`, like the arguments after it.
    :raises ConfigurationError: if an argument is malformed, or a package is missing that the keys need.
    :raises QueryError: if nobody answers there in time, or not as a node of that cluster; if it is of a version that
        explains nothing; if it knows no member of that name (the text tells the names that are near).
    :raises RuntimeError: if trio does not run the code that calls this.
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
            f"{peer.address} does not answer why a member is where it is: perhaps it runs an older version. Ask "
            f"another member, or update that one"
        )
    raise QueryError(f"{peer.address} knows no member {name!r}; {_near(name, await peer.members())}")


@attrs.frozen
class _Peer:
    """A node that is asked something, and all that it takes to ask it."""

    address: Address
    config: Config
    security: Security
    timeout: float
    ends_at: float
    """Local time in seconds at which all questions have to be answered."""

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
        """Who it knows.

        :raises QueryError: as :meth:`ask`.
        """
        query = ViewQuery(self.config, SystemRandom())
        await self.ask(query)
        return query.members

    async def ask(self, query: Query) -> None:
        """Put a question over a stream of its own, and take in the whole answer.

        :raises QueryError: if there is no answer in time, or not one of a node of that cluster.
        """
        is_connected = False
        with trio.move_on_at(self.ends_at):
            try:
                stream = await trio.open_tcp_stream(self.address.host, self.address.port)
            except (OSError, ValueError) as error:
                raise QueryError(f"cannot connect to {self.address}: {reason(_first_cause(error))}") from error
            is_connected = True
            async with stream:
                try:
                    await _ask(stream, query, self.security, self.address.host, self.config.max_stream_bytes)
                except trio.BrokenResourceError:
                    pass  # like an end of the stream: complete or not
                except (WireError, _TooLong) as error:
                    said = _MEANINGS.get(str(error), f"not like a gossip node: {error}")
                    raise QueryError(f"{self.address} answers, but {said}") from error
            if not query.done:
                raise QueryError(
                    f"{self.address} hung up: it is no gossip node, or one of another cluster or with other keys"
                )
        if not query.done:
            what = "does not answer" if is_connected else "cannot be connected to"
            raise QueryError(f"{self.address} {what} within {self.timeout:g} s")


class _TooLong(Exception):
    """The answer goes on beyond any view."""


async def _ask(stream: trio.SocketStream, query: Query, security: Security, host: str, max_bytes: int) -> None:
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


def near_names(name: str, members: Sequence[Member]) -> list[str]:
    """The names that are most like one that nobody holds, the most similar first.

    :param members: sorted by name.
    """
    names = [member.name for member in members]
    at = bisect.bisect(names, name)
    return difflib.get_close_matches(name, names[max(0, at - MAX_COMPARED) : at + MAX_COMPARED], MAX_NEAR)


def _near(name: str, members: Sequence[Member]) -> str:
    """Which of the names are near one that nobody holds, for people."""
    near = near_names(name, members)
    if not near:
        return f"none of the {len(members)} that it knows has a name like that"
    return f"it knows {' and '.join(map(repr, near))}"
