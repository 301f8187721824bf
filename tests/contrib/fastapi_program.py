"""A FastAPI program of a user, with types at each place: mypy checks it with --strict, and a test runs it."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import APIRouter, Depends, FastAPI, Header, HTTPException, WebSocket
from starlette.routing import Route

import gossip
import gossip.aio
from gossip.contrib.starlette import get_node, health_routes, lifespan, membership_routes, node_of

ClusterNode = Annotated[gossip.aio.Node, Depends(get_node)]


def worker_name() -> str:
    """The name of this worker."""
    return f"web-{os.getpid()}"


cluster = lifespan(worker_name, bind="127.0.0.1:0", config=gossip.Config.local(), metadata={"role": "web"})


@asynccontextmanager
async def whole(app: FastAPI) -> AsyncIterator[None]:
    """A lifespan of the program's own."""
    async with cluster(app):
        node: gossip.aio.Node = node_of(app)
        await node.joined(timeout=5)
        yield


async def admin_only(x_token: Annotated[str, Header()]) -> None:
    """Let nobody see the members who does not know the token."""
    if x_token != "secret":
        raise HTTPException(403)


routes: list[Route] = membership_routes()
router = APIRouter(prefix="/cluster", dependencies=[Depends(admin_only)])
for route in routes:
    router.add_api_route(route.path, route.endpoint)

app = FastAPI(lifespan=whole, routes=health_routes())
app.include_router(router)


@app.get("/peers")
async def peers(node: ClusterNode) -> dict[str, str]:
    """Who is there."""
    return {member.name: member.status.value for member in node.members()}


@app.put("/release/{release}")
async def deploy(release: str, node: ClusterNode) -> str | None:
    """Tell the others which release this is."""
    await node.update({"release": release})
    found: gossip.Member | None = node.get(worker_name())
    return None if found is None else found.metadata.get("release")


@app.websocket("/changes")
async def changes(socket: WebSocket, node: ClusterNode) -> None:
    """Tell of each change."""
    await socket.accept()
    with node.subscribe() as items:
        async for item in items:
            await socket.send_text("snapshot" if isinstance(item, gossip.Snapshot) else item.kind.value)


other = FastAPI(lifespan=lifespan("web-1", seeds=["127.0.0.1:7946"], keyring=gossip.Keyring.of(gossip.Key.generate())))
