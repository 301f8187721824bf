"""Nodes for asyncio programs; works under uvloop as well.

::

    import asyncio
    import gossip.aio

    async def main() -> None:
        async with gossip.aio.open_node("web-1", seeds=["gossip.example.org:7946"], keyring=keyring) as node:
            with node.subscribe() as changes:
                async for item in changes:
                    print(item)

    asyncio.run(main())

The node runs on trio, in a thread of its own that all nodes of the process share, so a loop that is blocked does not
look dead. Names, values and items are those of :mod:`gossip`. What is known already is read at once, in any thread;
what changes something, or waits, is awaited in the loop that opened the node. All times are those of
:func:`time.monotonic`, as in :meth:`loop.time() <asyncio.loop.time>` of asyncio's own loops.
"""

from __future__ import annotations

import asyncio
import functools
import sys
from collections.abc import Awaitable, Callable, Iterable, Mapping
from concurrent.futures import Future
from contextlib import AbstractAsyncContextManager
from types import TracebackType
from typing import Any, TypeVar

import gossip
from gossip.core.config import Config
from gossip.core.detection.evidence import Explanation
from gossip.core.events import MembershipEvent
from gossip.core.state.local import NO_METADATA
from gossip.core.state.member import Member
from gossip.core.support.address import Address
from gossip.facade import Call, EndOfChanges, Held, Isolation, Reading, Relay, opening, refuse_own_thread, start
from gossip.node import DEFAULT_BIND, AsyncBlock, Inside, Snapshot, holds, in_trio
from gossip.security import Keyring, MutualTLS, SigningKey

if sys.version_info < (3, 11):
    from exceptiongroup import BaseExceptionGroup

__all__ = ["Node", "Subscription", "explain_member", "open_node", "query_members"]

B = TypeVar("B")
T = TypeVar("T")


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

    :param isolation: where the node runs: in a ``"thread"`` of this process, or in a ``"process"`` of its own, which
        nothing that this program does can stop.
    :raises RuntimeError: if asyncio does not run the code that enters the block.
    """
    how = opening(
        name, isolation, bind=bind, advertise=advertise, seeds=seeds, metadata=metadata, config=config, keyring=keyring,
        tls=tls, insecure=insecure, identity=identity, allowed=allowed,
    )  # fmt: skip
    return Block("open_node", lambda: Held(f"node {name!r}", how, "its async with block has ended"), Node)


async def query_members(
    address: str | Address,
    *,
    config: Config | None = None,
    timeout: float = 5.0,
    keyring: Keyring | None = None,
    tls: MutualTLS | None = None,
) -> tuple[Member, ...]:
    """The members that the node at ``address`` knows; see :func:`gossip.query_members`."""
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
    """Where the member ``name`` stands for the node at ``address``, and why; see :func:`gossip.explain_member`."""
    ask = functools.partial(gossip.explain_member, address, name, config=config, timeout=timeout)
    return await _alone("explain_member", functools.partial(ask, keyring=keyring, tls=tls))


class Node(Reading):
    """A running member. Made by :func:`open_node`.

    Its properties, :meth:`members` and :meth:`get` can be read in any thread. All else belongs to the loop that opened
    the node. After the block has ended, the properties still give the last state, and each method that would change
    something raises :class:`gossip.ClosedError`.
    """

    def __init__(self, held: Held[Inside], loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(held)
        self._loop = loop

    def subscribe(self, buffer: int = 256) -> Subscription:
        """Follow the changes of the members and of this node's own standing, from now on; see :class:`Subscription`.

        :param buffer: events kept for a reader that is behind.
        :raises ConfigurationError: if ``buffer`` is no whole number from 1 on.
        """
        return Subscription(self._held, self._loop, buffer)

    async def update(self, metadata: Mapping[str, str]) -> None:
        """Replace this node's metadata and tell the others; see :meth:`gossip.Node.update`."""
        await self._ask(lambda: self._inside.update(metadata))

    async def use_keyring(self, keyring: Keyring) -> None:
        """Replace the keys; see :meth:`gossip.Node.use_keyring`."""
        await self._ask(lambda: self._inside.use_keyring(keyring))

    async def explain(self, name: str) -> Explanation | None:
        """Where the newest holder of ``name`` stands, and why; see :meth:`gossip.Node.explain`."""
        return await self._ask(lambda: self._inside.explain(name))

    async def joined(self, timeout: float | None = None) -> None:
        """Wait until this node is connected; see :meth:`gossip.Node.joined`."""
        await self._ask(lambda: self._inside.joined(timeout))

    async def leave(self) -> tuple[str, ...]:
        """Say farewell, and return the names of those who acknowledged it; see :meth:`gossip.Node.leave`.

        Cancelling this does not take the farewell back.
        """
        return await self._ask(self._inside.leave)

    async def until(self, condition: Callable[[Node], bool]) -> None:
        """Wait until ``condition(node)`` is true. It is called at once, and after steps of the protocol, in this loop.

        ::

            async with asyncio.timeout(10):
                await node.until(lambda node: node.get("db-1") is not None)

        :raises ConfigurationError: if ``condition`` cannot be called, or is an async function.
        :raises ClosedError: if the node is closed before, or was.
        """
        while True:
            self._require_here()
            seen = self._inside.steps()
            if holds(condition, self):
                return
            await self._ask(functools.partial(self._inside.step_after, seen))

    async def _ask(self, work: Callable[[], Awaitable[T]]) -> T:
        self._require_here()
        return await outcome_of(self._held, work)

    def _require_here(self) -> None:
        self._held.require_open()
        require_loop(self._loop, self._held.what)


class Subscription:
    """Changes of the membership, in order and without a gap. Made by :meth:`Node.subscribe`.

    The items are those of :class:`gossip.Subscription`: a :class:`gossip.Snapshot` first, then each
    :class:`gossip.MembershipEvent`, or again a snapshot after the reader fell behind by more than the buffer. The
    iteration ends when the node is closed or the ``with`` block is left; what is kept by then is still delivered. ::

        with node.subscribe() as changes:
            async for item in changes:
                ...
    """

    def __init__(self, held: Held[Inside], loop: asyncio.AbstractEventLoop, buffer: int) -> None:
        self._name = f"a subscription of {held.what}"
        self._loop = loop
        self._relay = Relay(held, buffer, self)
        self._has_entered = False

    def __enter__(self) -> Subscription:
        if self._has_entered:
            raise RuntimeError("a subscription can be entered only once; call subscribe() again")
        self._has_entered = True
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._relay.stop()

    def __aiter__(self) -> Subscription:
        return self

    async def __anext__(self) -> Snapshot | MembershipEvent:
        """The next item; waits for one if there is none.

        :raises RuntimeError: if another task is waiting for an item of this subscription, or in another loop.
        """
        self._relay.require_usable()
        require_loop(self._loop, self._name)
        while True:
            waiter = self._loop.create_future()
            wake = functools.partial(_soon, self._loop, _wake, waiter)
            try:
                item = self._relay.take(wake)
            except EndOfChanges:
                raise StopAsyncIteration from None
            if item is not None:
                return item
            try:
                await waiter
            finally:
                self._relay.wait_no_longer(wake)


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
            await _done(held.opened)
            held.opened.result()
        except BaseException:
            held.close()
            await _done_whatever_comes(held.over)
            held.wait_for_thread()
            raise
        self._held, self._task = held, asyncio.current_task()
        held.tell_first_when_over(lambda: _soon(loop, self._interrupt))
        return self._make(held, loop)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool:
        held, self._task = self._held, None
        if held is None or held.is_copy:
            return False
        held.close()
        cancelled = await _done_whatever_comes(held.over)
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


async def outcome_of(held: Held[Any], work: Callable[[], Awaitable[T]]) -> T:
    """Have the trio thread do something with what it holds."""
    call = held.call(work)
    try:
        await _done(call.future)
    except asyncio.CancelledError:
        held.cancel(call)
        raise
    if call.future.cancelled():
        raise held.why_over()
    return call.future.result()


async def _done(future: Future[Any]) -> None:
    """Wait for an outcome. Cancelling this does not change it."""
    loop = asyncio.get_running_loop()
    waiter: asyncio.Future[None] = loop.create_future()
    future.add_done_callback(lambda _: _soon(loop, _wake, waiter))
    await waiter


async def _done_whatever_comes(future: Future[Any]) -> asyncio.CancelledError | None:
    """Wait for an outcome, even if this is cancelled; returns what cancelled it."""
    cancelled = None
    while not future.done():
        try:
            await _done(future)
        except asyncio.CancelledError as error:
            cancelled = error
    return cancelled


async def _alone(what: str, work: Callable[[], Awaitable[T]]) -> T:
    """Do something in the trio thread that needs no node."""
    running_loop(what)
    call = Call(work)
    thread = start(call, what)
    thread.is_awaited(call.future)
    try:
        await _done(call.future)
    except asyncio.CancelledError:
        thread.soon(call.cancel)
        await _done_whatever_comes(call.future)
        raise
    finally:
        thread.wait_if_over()
    return call.future.result()


def _soon(loop: asyncio.AbstractEventLoop, function: Callable[..., object], *args: object) -> None:
    """Have a loop call a function; called from any thread. Does nothing once the loop is closed."""
    try:
        loop.call_soon_threadsafe(function, *args)
    except RuntimeError:
        if not loop.is_closed():
            raise


def _wake(waiter: asyncio.Future[None]) -> None:
    if not waiter.done():
        waiter.set_result(None)


def _take_back_cancellation(task: asyncio.Task[Any]) -> bool:
    """Tell that our own cancellation of a task was not one from outside; returns whether there was one, too. Python
    3.10 does not count them."""
    return sys.version_info >= (3, 11) and task.uncancel() > 0


def running_loop(what: str) -> asyncio.AbstractEventLoop:
    """The loop that runs the code that calls this.

    :raises RuntimeError: if asyncio does not run it; says what to do.
    """
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        refuse_own_thread(f"{what} of gossip.aio")
        if in_trio():
            instead = "trio runs this code: use gossip"
        else:
            instead = "no event loop runs this code: start the program with asyncio.run(main), or use gossip.blocking"
        raise RuntimeError(f"{what} of gossip.aio needs asyncio, but {instead}") from None


def require_loop(loop: asyncio.AbstractEventLoop, what: str) -> None:
    """Make sure that this loop runs the code that calls this.

    :raises RuntimeError: if it does not.
    """
    if running_loop(what) is not loop:
        raise RuntimeError(
            f"{what} belongs to the loop that opened the node, but another loop runs this code: open a node in each "
            "loop, or call it with asyncio.run_coroutine_threadsafe(...); members() and the like can be read here"
        )
