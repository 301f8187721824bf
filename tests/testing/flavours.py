"""The two flavours of a cluster that is held from another thread, so that a scenario can be written once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import Any

import attrs
import pytest

import gossip.aio
import gossip.blocking
import gossip.testing.aio
import gossip.testing.blocking
from tests.facade.flavours import run_blocking, trio_threads


@attrs.frozen
class Flavour:
    """Where clusters, fake nodes and a program's own nodes are taken from, and how a scenario is run."""

    testing: Any
    facade: Any
    run: Callable[[Callable[[], Coroutine[Any, Any, Any]]], Any]

    def __str__(self) -> str:
        return str(self.testing.__name__)

    @asynccontextmanager
    async def cluster(self, *arguments: Any, **named: Any) -> AsyncIterator[Any]:
        """The block of a cluster."""
        async with entered(self.testing.cluster(*arguments, **named)) as opened:
            yield opened
        assert not trio_threads(), "the thread of the cluster has not ended with it"

    @asynccontextmanager
    async def open_node(self, name: str, **arguments: Any) -> AsyncIterator[Any]:
        """The block of a node that a program opens."""
        async with entered(self.facade.open_node(name, **arguments)) as node:
            yield node


@asynccontextmanager
async def entered(block: Any) -> AsyncIterator[Any]:
    """The block of a flavour, in which any is entered by ``async with``."""
    async with AsyncExitStack() as stack:
        if isinstance(block, AbstractAsyncContextManager):
            yield await stack.enter_async_context(block)
        else:
            yield stack.enter_context(block)


AIO = Flavour(gossip.testing.aio, gossip.aio, lambda main: asyncio.run(main()))
BLOCKING = Flavour(gossip.testing.blocking, gossip.blocking, run_blocking)

in_each_flavour = pytest.mark.parametrize("flavour", [AIO, BLOCKING], ids=["aio", "blocking"])
