"""Questions to somebody else's node, asked by an asyncio program."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Awaitable, Callable
from typing import TypeVar

import gossip
from gossip.aio.waiting import done, done_whatever_comes, running_loop
from gossip.core.config import Config
from gossip.core.detection.evidence import Explanation
from gossip.core.state.member import Member
from gossip.core.support.address import Address
from gossip.facade import Call, start
from gossip.security import Keyring, MutualTLS

T = TypeVar("T")


async def query_members(
    address: str | Address,
    *,
    config: Config | None = None,
    timeout: float = 5.0,
    keyring: Keyring | None = None,
    tls: MutualTLS | None = None,
) -> tuple[Member, ...]:
    """The members that the node at ``address`` knows; see :func:`gossip.query_members`.

    >>> import asyncio, gossip.aio
    >>> async def main():
    ...     async with gossip.aio.open_node("ada", bind="127.0.0.1:0") as node:
    ...         print([member.name for member in await gossip.aio.query_members(node.address)])
    >>> asyncio.run(main())
    ['ada']
    """
    work = functools.partial(gossip.query_members, address, config=config, timeout=timeout, keyring=keyring, tls=tls)
    return await _alone("query_members", work)


async def explain_member(
    address: str | Address,
    name: str,
    *,
    config: Config | None = None,
    timeout: float = 5.0,
    keyring: Keyring | None = None,
    tls: MutualTLS | None = None,
) -> Explanation:
    """Where the member ``name`` stands for the node at ``address``, and why; see :func:`gossip.explain_member`.

    >>> import asyncio, gossip.aio
    >>> async def main():
    ...     async with gossip.aio.open_node("ada", bind="127.0.0.1:0") as node:
    ...         print((await gossip.aio.explain_member(node.address, "ada")).member.status.name)
    >>> asyncio.run(main())
    ALIVE
    """
    ask = functools.partial(gossip.explain_member, address, name, config=config, timeout=timeout)
    return await _alone("explain_member", functools.partial(ask, keyring=keyring, tls=tls))


async def _alone(what: str, work: Callable[[], Awaitable[T]]) -> T:
    """Do something in the trio thread that needs no node."""
    running_loop(what)
    call = Call(work)
    thread = start(call, what)
    thread.is_awaited(call.future)
    try:
        await done(call.future)
    except asyncio.CancelledError:
        thread.soon(call.cancel)
        await done_whatever_comes(call.future)
        raise
    finally:
        thread.wait_if_over()
    return call.future.result()
