"""Nodes on loopback sockets, and waiting for what they come to see."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TypeVar

import trio

from gossip import (
    Address,
    Config,
    EventKind,
    Keyring,
    MembershipEvent,
    MutualTLS,
    Node,
    Snapshot,
    Status,
    Subscription,
    open_node,
)
from gossip.net.sockets import SocketPair
from gossip.net.system import SocketTransport

PATIENCE_S = 20.0
"""Far more than anything here takes; a test that waits this long has failed."""

T = TypeVar("T")


@asynccontextmanager
async def local_node(
    name: str,
    *,
    bind: str = "127.0.0.1:0",
    advertise: str | None = None,
    seeds: Iterable[str | Address] = (),
    metadata: Mapping[str, str] | None = None,
    config: Config | None = None,
    keyring: Keyring | None = None,
    tls: MutualTLS | None = None,
) -> AsyncIterator[Node]:
    """A node on this machine with the quick profile."""
    async with open_node(
        name,
        bind=bind,
        advertise=advertise,
        seeds=seeds,
        metadata=metadata or {},
        config=config or Config.local(),
        keyring=keyring,
        tls=tls,
        insecure=True,
    ) as node:
        yield node


@asynccontextmanager
async def cluster(
    count: int, config: Config | None = None, keyring: Keyring | None = None, tls: MutualTLS | None = None
) -> AsyncIterator[list[Node]]:
    """``count`` nodes ``node-0`` ... that all see each other."""
    nodes: list[Node] = []
    async with AsyncExitStack() as stack:
        for number in range(count):
            seeds = [nodes[0].address] if nodes else []
            node = local_node(f"node-{number}", seeds=seeds, config=config, keyring=keyring, tls=tls)
            nodes.append(await stack.enter_async_context(node))
        await until(lambda: all(node.alive == count for node in nodes))
        yield nodes


async def until(condition: Callable[[], bool]) -> None:
    """Return as soon as ``condition`` holds."""
    with trio.fail_after(PATIENCE_S):
        while not condition():  # noqa: ASYNC110 - nothing tells when a view of another node changes
            await trio.sleep(0.005)


async def until_event(changes: Subscription, kind: EventKind, name: str) -> MembershipEvent:
    """Read up to the event of this kind about the member named."""
    with trio.fail_after(PATIENCE_S):
        async for item in changes:
            if isinstance(item, MembershipEvent) and item.kind is kind and item.member.name == name:
                return item
    raise AssertionError(f"the subscription ended without {kind} of {name}")


async def first_snapshot(changes: Subscription) -> Snapshot:
    """Read the snapshot with which a subscription begins."""
    item = await changes.__anext__()
    assert isinstance(item, Snapshot)
    return item


def status_of(node: Node, name: str) -> Status | None:
    """What ``node`` believes of the member named."""
    member = node.get(name)
    return None if member is None else member.status


def metadata_of(node: Node, name: str) -> Mapping[str, str]:
    """What ``node`` knows the member named to say of itself."""
    member = node.get(name)
    return {} if member is None else member.metadata


def sockets_of(node: Node) -> SocketPair:
    """The sockets of a node."""
    transport = node._transport
    assert isinstance(transport, SocketTransport)
    return transport.sockets
