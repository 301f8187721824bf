"""Opening a node in a process of its own."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager, suppress
from typing import NoReturn

import trio

from gossip.core.config import Config
from gossip.core.errors import ConfigurationError
from gossip.core.state.local import NO_METADATA
from gossip.core.support.address import Address
from gossip.errors import ClosedError, NodeProcessError
from gossip.net import SystemNetwork
from gossip.node import DEFAULT_BIND, Arguments, background_tasks, block_in_trio, current_network
from gossip.remote.calls import Calls
from gossip.remote.channel import ChannelEnded
from gossip.remote.lines import wanted_level
from gossip.remote.messages import News, Open, Refused
from gossip.remote.node import RemoteNode
from gossip.remote.process import CLOSING_S, Child, child_process
from gossip.security import Keyring, MutualTLS, SigningKey

if sys.version_info < (3, 11):
    from exceptiongroup import BaseExceptionGroup

_NO_TLS = (
    "tls: a node in a process of its own cannot have it, because an ssl.SSLContext cannot be sent to another process. "
    "Leave tls out, and the keyring secures the streams; or open the node in this process"
)

_NO_TEST = (
    "isolation: a node of a cluster in memory cannot be in a process of its own, because the cluster is in this one; "
    "open it in this process"
)


@block_in_trio
async def open_remote_node(
    name: str,
    *,
    bind: str | Address = DEFAULT_BIND,
    advertise: str | Address | None = None,
    seeds: Iterable[str | Address] = (),
    metadata: Mapping[str, str] = NO_METADATA,
    config: Config | None = None,
    keyring: Keyring | None = None,
    tls: MutualTLS | None = None,
    insecure: bool = False,
    identity: SigningKey | None = None,
    allowed: Mapping[str, bytes] | None = None,
) -> AsyncIterator[RemoteNode]:
    """Be a member of a cluster for as long as the ``async with`` block runs, by a node in a process of its own.

    The arguments are those of :func:`gossip.open_node`, and the same errors are raised. Nothing that this program does
    can hold the node up: a blocked loop, code that keeps the interpreter's lock, a breakpoint, SIGSTOP. When the block
    ends, the node closes and its process ends. When the program ends in any other way, its process ends at once,
    without a farewell.

    >>> import trio
    >>> from gossip.remote import open_remote_node
    >>> async def main():
    ...     async with open_remote_node("ada", bind="127.0.0.1:0") as node:
    ...         print([member.name for member in node.members()])
    >>> trio.run(main)
    ['ada']

    :raises ConfigurationError: also for ``tls``, which cannot be sent to another process, and where no process of this
        kind can be started (Windows, programs that are frozen into one file).
    :raises NodeProcessError: if the process cannot be started, or ends before the block; then the block is cancelled.
    """
    arguments = Arguments.checked(
        name,
        bind=bind,
        advertise=advertise,
        seeds=seeds,
        metadata=metadata,
        config=config,
        keyring=keyring,
        tls=tls,
        insecure=insecure,
        identity=identity,
        allowed=allowed,
    )
    if arguments.tls is not None:
        raise ConfigurationError(_NO_TLS)
    if not isinstance(current_network(), SystemNetwork):
        raise ConfigurationError(_NO_TEST)
    async with _one_failure(), child_process(arguments.name) as child, background_tasks() as nursery:
        nursery.start_soon(child.follow)
        calls, log_level = Calls(), wanted_level()
        first = await _open(child, Open(arguments, log_level))
        node = RemoteNode(arguments.config, child.pid, calls, first, log_level)
        nursery.start_soon(_receive, child, node)
        nursery.start_soon(_send, child, calls)
        nursery.start_soon(_watch, child, node, nursery.cancel_scope)
        try:
            yield node
        finally:
            node._end(ClosedError(f"node {arguments.name!r} is closed: its async with block has ended"))


async def _open(child: Child, opening: Open) -> News:
    """Have the process open its node; returns its first message.

    :raises NodeProcessError: if it ends instead.
    """
    try:
        await child.channel.send(opening)
        first: News | Refused = await child.channel.receive()
    except ChannelEnded:
        raise await child.failure() from None
    if isinstance(first, Refused):
        raise first.error
    child.is_open = True
    return first


async def _receive(child: Child, node: RemoteNode) -> None:
    with suppress(ChannelEnded):
        while True:
            node._take(await child.channel.receive())
    await trio.sleep(CLOSING_S)
    child.kill()  # it has closed its end, and should have ended by itself


async def _send(child: Child, calls: Calls) -> None:
    with suppress(ChannelEnded):
        await calls.send(child.channel)


async def _watch(child: Child, node: RemoteNode, block: trio.CancelScope) -> NoReturn:
    """
    :raises NodeProcessError: when the process has ended.
    """
    failure = await child.failure()
    block.cancel()  # first, so that what waits in the block is cancelled, and not told by each of its calls
    node._end(failure)
    raise failure


@asynccontextmanager
async def _one_failure() -> AsyncIterator[None]:
    """Raise the end of the process once, where calls in the block have failed of it, too."""
    try:
        yield
    except BaseExceptionGroup as group:
        ends, others = group.split(NodeProcessError)
        if ends is None or others is not None:
            raise
        first: BaseException = ends
        while isinstance(first, BaseExceptionGroup):
            first = first.exceptions[0]
    else:
        return
    raise first
