"""Following the membership in an asyncio program."""

from __future__ import annotations

import asyncio
import functools
from types import TracebackType

from gossip.aio.waiting import require_loop, soon, wake
from gossip.core.events import MembershipEvent
from gossip.facade import EndOfChanges, Held, Relay
from gossip.node import Inside, Snapshot


class Subscription:
    """Changes of the membership, in order and without a gap. Made by :meth:`Node.subscribe`.

    The items are those of :class:`gossip.Subscription`: a :class:`gossip.Snapshot` first, then each
    :class:`gossip.MembershipEvent`, or again a snapshot after the reader fell behind by more than the buffer. The
    iteration ends when the node is closed or the ``with`` block is left; what is kept by then is still delivered.

    >>> import asyncio, gossip, gossip.aio
    >>> async def main():
    ...     async with gossip.aio.open_node("ada", bind="127.0.0.1:0") as node:
    ...         with node.subscribe() as changes:
    ...             await node.update({"role": "db"})
    ...             async for item in changes:
    ...                 if isinstance(item, gossip.Snapshot):
    ...                     print("now", [member.name for member in item.members])
    ...                 else:
    ...                     print(item.kind.name, item.member.name, dict(item.member.metadata))
    ...                     break
    >>> asyncio.run(main())
    now ['ada']
    UPDATED ada {'role': 'db'}
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
            call = functools.partial(soon, self._loop, wake, waiter)
            try:
                item = self._relay.take(call)
            except EndOfChanges:
                raise StopAsyncIteration from None
            if item is not None:
                return item
            try:
                await waiter
            finally:
                self._relay.wait_no_longer(call)
