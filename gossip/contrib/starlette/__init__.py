"""A node beside a Starlette or FastAPI application, for as long as the application runs.

::

    import os
    import socket
    from typing import Annotated

    import gossip
    from fastapi import Depends, FastAPI
    from gossip.contrib.starlette import get_node, health_routes, lifespan

    def worker_name() -> str:
        return f"{socket.gethostname()}-{os.getpid()}"

    cluster = lifespan(worker_name, bind="0.0.0.0:0", seeds=seeds, keyring=keyring)
    app = FastAPI(lifespan=cluster, routes=health_routes())

    @app.get("/peers")
    async def peers(node: Annotated[gossip.aio.Node, Depends(get_node)]) -> list[str]:
        return [member.name for member in node.members() if member.status.is_living]

The node is one of :mod:`gossip.aio`. It is opened in each worker process of a server, after the fork, and says farewell
when the worker stops. This room decides what a server does with the node; the node decides all about membership.

``lifespan``
    When the node is open, and how a request finds it.
``stopping``
    When a server has been told to stop.
``journal``
    The changes, numbered and kept for a while, for any number of readers.
``event_stream``
    A response that tells the changes as they come.
``routes``
    What can be asked over HTTP.

Import the names below from here. It needs the extra ``starlette``.
"""

from __future__ import annotations

try:
    import starlette as _starlette  # noqa: F401
except ModuleNotFoundError as error:
    raise ImportError(
        "gossip.contrib.starlette needs one more package: pip install 'gossip-membership[starlette]'"
    ) from error

from gossip.contrib.starlette.lifespan import get_node, lifespan, node_of
from gossip.contrib.starlette.routes import health_routes, membership_routes

__all__ = ["get_node", "health_routes", "lifespan", "membership_routes", "node_of"]
