"""The block in which an asyncio program has a node open.

This module decides what reaches the block when its node fails, and what passes out of it.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractAsyncContextManager
from types import TracebackType
from typing import Any, TypeVar

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

B = TypeVar("B")


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
    how = opening(
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
    )
    return Block("open_node", lambda: Held(f"node {name!r}", how, "its async with block has ended"), Node)


class Block(AsyncBlock[B]):
    """The block in which a node is open, or something else that the trio thread holds."""

    def __init__(
        self, name: str, hold: Callable[[], Held[Any]], make: Callable[[Held[Any], asyncio.AbstractEventLoop], B]
    ) -> None:
        """:param name: of the function that makes the block.

        :param hold: begins to open what the block is about.
        :param make: makes what the program gets of it.
        """
        super().__init__(name, "asyncio.run(...)")
        self._hold = hold
        self._make = make
        self._has_entered = False
        self._held: Held[Any] | None = None
        self._task: asyncio.Task[Any] | None = None
        """The task that runs the block."""
        self._interrupted: asyncio.Task[Any] | None = None
        """The same task, once it was cancelled because the node is over."""

    async def __aenter__(self) -> B:
        loop = running_loop(self._name)
        if self._has_entered:
            raise RuntimeError(f"the block can be entered only once; call {self._name}() again")
        self._has_entered = True
        held = self._hold()
        try:
            await done(held.opened)
            held.opened.result()
        except BaseException:
            held.close()
            await done_whatever_comes(held.over)
            held.wait_for_thread()
            raise
        self._held, self._task = held, asyncio.current_task()
        held.tell_first_when_over(lambda: soon(loop, self._interrupt))
        return self._make(held, loop)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool:
        held, self._task = self._held, None
        if held is None or held.is_copy:
            return False
        held.close()
        cancelled = await done_whatever_comes(held.over)
        held.wait_for_thread()
        is_ours = self._interrupted is not None and not _take_back_cancellation(self._interrupted)
        failure = held.failure
        if failure is None:
            if cancelled is not None:
                raise cancelled
            return is_ours and isinstance(error, asyncio.CancelledError)  # a test has crashed the node
        if error is None or isinstance(error, asyncio.CancelledError):
            raise failure
        if error is not failure:
            raise BaseExceptionGroup("the block and its node failed", [failure, error])
        return False

    def _interrupt(self) -> None:
        """Cancel the block, unless it has ended: its node is over."""
        if self._task is not None and self._interrupted is None:
            self._interrupted = self._task
            self._task.cancel()


def _take_back_cancellation(task: asyncio.Task[Any]) -> bool:
    """Tell that our own cancellation of a task was not one from outside; returns whether there was one, too. Python
    3.10 does not count them."""
    return sys.version_info >= (3, 11) and task.uncancel() > 0
