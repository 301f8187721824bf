"""Questions to somebody else's node, asked by a program without an event loop."""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable
from typing import TypeVar

import gossip
from gossip.blocking.waiting import wait
from gossip.core.config import Config
from gossip.core.detection.evidence import Explanation
from gossip.core.state.member import Member
from gossip.core.support.address import Address
from gossip.facade import Call, start
from gossip.security import Keyring, MutualTLS

T = TypeVar("T")


def query_members(
    address: str | Address,
    *,
    config: Config | None = None,
    timeout: float = 5.0,
    keyring: Keyring | None = None,
    tls: MutualTLS | None = None,
) -> tuple[Member, ...]:
    """The members that the node at ``address`` knows; see :func:`gossip.query_members`.

    >>> import gossip.blocking
    >>> with gossip.blocking.open_node("ada", bind="127.0.0.1:0") as node:
    ...     print([member.name for member in gossip.blocking.query_members(node.address)])
    ['ada']
    """
    work = functools.partial(gossip.query_members, address, config=config, timeout=timeout, keyring=keyring, tls=tls)
    return _alone("query_members", work)


def explain_member(
    address: str | Address,
    name: str,
    *,
    config: Config | None = None,
    timeout: float = 5.0,
    keyring: Keyring | None = None,
    tls: MutualTLS | None = None,
) -> Explanation:
    """Where the member ``name`` stands for the node at ``address``, and why; see :func:`gossip.explain_member`.

    >>> import gossip.blocking
    >>> with gossip.blocking.open_node("ada", bind="127.0.0.1:0") as node:
    ...     print(gossip.blocking.explain_member(node.address, "ada").member.status.name)
    ALIVE
    """
    ask = functools.partial(gossip.explain_member, address, name, config=config, timeout=timeout)
    return _alone("explain_member", functools.partial(ask, keyring=keyring, tls=tls))


def _alone(what: str, work: Callable[[], Awaitable[T]]) -> T:
    """Do something in the trio thread that needs no node."""
    call = Call(work)
    thread = start(call, what)
    wait(thread, call.future, lambda: thread.soon(call.cancel))
    thread.wait_if_over()
    return call.future.result()
