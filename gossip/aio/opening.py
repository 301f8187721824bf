"""The block in which an asyncio program has a node open.

This module decides what reaches the block when its node fails, and what passes out of it.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractAsyncContextManager
from types import TracebackType
from typing import Any

from gossip.aio.node import Node
from gossip.aio.waiting import done, done_whatever_comes, running_loop, soon
from gossip.core.config import Config
from gossip.core.state.local import NO_METADATA
from gossip.core.support.address import Address
from gossip.facade import Held, Isolation, opening
from gossip.node import DEFAULT_BIND, AsyncBlock
from gossip.security import Keyring, MutualTLS, SigningKey

if sys.version_info < (3, 11):
    from exceptiongroup import BaseExceptionGroup


def open_node(
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
    isolation: Isolation = "thread",
) -> AbstractAsyncContextManager[Node]:
    """Be a member of a cluster for as long as the ``async with`` block runs.

    The arguments, and the errors that they may cause, are those of :func:`gossip.open_node`; there is one more. If the
    node fails, the block is cancelled and the failure passes out of it. Leaving the block closes the node without a
    farewell, as on trio; await :meth:`Node.leave` before that.

    >>> import asyncio, gossip.aio
    >>> async def main():
    ...     async with gossip.aio.open_node("ada", bind="127.0.0.1:0") as node:
    ...         await node.joined(timeout=10)
    ...         print(node.local.name, node.alive)
    ...         await node.leave()
    >>> asyncio.run(main())
    ada 1

    :param isolation: where the node runs: in a ``"thread"`` of this process, or in a ``"process"`` of its own, which
        nothing that this program does can stop.
    :raises RuntimeError: if asyncio does not run the code that enters the block.
    """
    return _Block(
        name,
        opening(
            name,
            isolation,
            {
                "bind": bind,
                "advertise": advertise,
                "seeds": seeds,
                "metadata": metadata,
                "config": config,
                "keyring": keyring,
                "tls": tls,
                "insecure": insecure,
                "identity": identity,
                "allowed": allowed,
            },
        ),
    )


class _Block(AsyncBlock[Node]):
    """The block in which a node is open."""

    def __init__(self, name: str, opening: Callable[[], AbstractAsyncContextManager[Any]]) -> None:
        super().__init__("open_node", "asyncio.run(...)")
        self._node_name = name
        self._opening = opening
        self._has_entered = False
        self._held: Held | None = None
        self._task: asyncio.Task[Any] | None = None
        """The task that runs the block."""
        self._interrupted: asyncio.Task[Any] | None = None
        """The same task, once it was cancelled because the node has failed."""

    async def __aenter__(self) -> Node:
        loop = running_loop("open_node")
        if self._has_entered:
            raise RuntimeError("the block of a node can be entered only once; call open_node() again")
        self._has_entered = True
        held = Held(self._node_name, self._opening, "its async with block has ended")
        try:
            await done(held.opened)
            held.opened.result()
        except BaseException:
            held.close()
            await done_whatever_comes(held.over)
            held.wait_for_thread()
            raise
        self._held, self._task = held, asyncio.current_task()
        held.over.add_done_callback(lambda _: soon(loop, self._interrupt))
        return Node(held, loop)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        held, self._task = self._held, None
        if held is None or held.is_copy:
            return
        held.close()
        cancelled = await done_whatever_comes(held.over)
        held.wait_for_thread()
        if self._interrupted is not None:
            _take_back_cancellation(self._interrupted)
        failure = held.failure
        if failure is None:
            if cancelled is not None:
                raise cancelled
        elif error is None or isinstance(error, asyncio.CancelledError):
            raise failure
        elif error is not failure:
            raise BaseExceptionGroup("the block and its node failed", [failure, error])

    def _interrupt(self) -> None:
        """Cancel the block, unless it has ended: its node is over."""
        if self._task is not None:
            self._interrupted = self._task
            self._task.cancel()


def _take_back_cancellation(task: asyncio.Task[Any]) -> None:
    """Tell that our own cancellation of a task was not one from outside. Python 3.10 does not count them."""
    if sys.version_info >= (3, 11):
        task.uncancel()
