"""When the node of an application is open, and how a request finds it."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import attrs
from starlette.applications import Starlette
from starlette.requests import HTTPConnection

import gossip.aio
from gossip.aio import Node
from gossip.contrib.starlette.journal import Journal
from gossip.contrib.starlette.stopping import telling_of_stop_signals
from gossip.core.config import Config
from gossip.core.state.local import NO_METADATA
from gossip.core.support.address import Address
from gossip.facade import Isolation
from gossip.node import DEFAULT_BIND
from gossip.security import Keyring, MutualTLS, SigningKey


@attrs.define
class Running:
    """The node of an application, and what the requests share."""

    node: Node
    journal: Journal
    stopping: asyncio.Event
    """Set once the server is told to stop."""
    streams: int = 0
    """Streams of events that are open."""
    is_over: bool = False
    """Whether the node is closed, or has failed."""


def lifespan(
    name: str | Callable[[], str],
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
) -> Callable[[Starlette], AbstractAsyncContextManager[None]]:
    """A lifespan for ``Starlette(lifespan=...)`` or ``FastAPI(lifespan=...)`` with a node in it.

    The node is opened when the application starts, and says farewell when it ends. Each worker process of a server runs
    the lifespan, and so has a node of its own. Beside a lifespan of your own, enter it from there::

        cluster = lifespan(worker_name, seeds=seeds, keyring=keyring)

        @asynccontextmanager
        async def whole(app: FastAPI) -> AsyncIterator[None]:
            async with cluster(app), database():
                yield

    >>> import asyncio
    >>> from gossip.contrib.starlette import lifespan, node_of
    >>> from starlette.applications import Starlette
    >>> app = Starlette(lifespan=lifespan("web-1", bind="127.0.0.1:0"))
    >>> async def main() -> None:
    ...     async with app.router.lifespan_context(app):  # as a server does
    ...         print(node_of(app).local.name, "is", node_of(app).standing.standing.value)
    >>> asyncio.run(main())
    web-1 is connected

    The arguments after the name, and the errors that they may cause, are those of :func:`gossip.aio.open_node`. If the
    node fails, the lifespan ends with the failure.

    :param name: the name of the member; or a function that returns it, which each worker calls, because two workers
        must not have one name.
    """
    open_node = functools.partial(
        gossip.aio.open_node,
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
        isolation=isolation,
    )

    @asynccontextmanager
    async def running(app: Starlette) -> AsyncIterator[None]:
        async with open_node(name() if callable(name) else name) as node, _serving(app, node):
            yield

    return running


async def get_node(connection: HTTPConnection) -> Node:
    """The node of the application that serves a request or a WebSocket: a dependency for FastAPI.

    ::

        ClusterNode = Annotated[gossip.aio.Node, Depends(get_node)]

    An endpoint of Starlette may await it, too:

    >>> import asyncio
    >>> from gossip.contrib.starlette import get_node, lifespan
    >>> from starlette.applications import Starlette
    >>> from starlette.requests import Request
    >>> from starlette.responses import PlainTextResponse
    >>> async def who(request: Request) -> PlainTextResponse:
    ...     return PlainTextResponse((await get_node(request)).local.name)
    >>> app = Starlette(lifespan=lifespan("web-1", bind="127.0.0.1:0"))
    >>> async def main() -> None:
    ...     async with app.router.lifespan_context(app):
    ...         print((await who(Request({"type": "http", "app": app}))).body)
    >>> asyncio.run(main())
    b'web-1'

    :raises RuntimeError: as :func:`node_of`.
    """
    return node_of(connection)


def node_of(owner: Starlette | HTTPConnection) -> Node:
    """The node of an application, or of the application that serves a request.

    >>> from gossip.contrib.starlette import node_of
    >>> from starlette.applications import Starlette
    >>> node_of(Starlette())
    Traceback (most recent call last):
        ...
    RuntimeError: this application has no node: give it lifespan=gossip.contrib.starlette.lifespan(...), ...

    :raises RuntimeError: if the application has none; says what to do.
    """
    return running_of(owner).node


def running_of(owner: Starlette | HTTPConnection) -> Running:
    """What runs beside an application.

    :raises RuntimeError: as :func:`node_of`.
    """
    app: Starlette = owner.app if isinstance(owner, HTTPConnection) else owner
    running = getattr(app.state, "gossip", None)
    if not isinstance(running, Running):
        raise RuntimeError(
            "this application has no node: give it lifespan=gossip.contrib.starlette.lifespan(...), and have that "
            "lifespan run (a test client runs it in its with block); an application that is mounted in another one "
            "shares its node by inner.state = outer.state"
        )
    return running


@asynccontextmanager
async def _serving(app: Starlette, node: Node) -> AsyncIterator[None]:
    """Let requests find a node, and say farewell at the end."""
    loop, stopping = asyncio.get_running_loop(), asyncio.Event()
    running = app.state.gossip = Running(node, Journal(node), stopping)
    following = asyncio.create_task(running.journal.follow())
    try:
        with telling_of_stop_signals(lambda: loop.call_soon_threadsafe(stopping.set)):
            yield
            await node.leave()
    finally:
        running.is_over = True
        following.cancel()
        await asyncio.wait([following])
