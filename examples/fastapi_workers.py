"""Workers under FastAPI that share out twelve partitions: python examples/fastapi_workers.py NAME [SEED]

Start the first worker without a seed: it prints its address. Start others with that address as their SEED, each with a
NAME of its own. All of them print who owns what after each change, and each answers a GET of / with that. Stop one with
Ctrl-C, or kill it, and the others take its partitions.
"""

import asyncio
import hashlib
import sys
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Annotated

import uvicorn
from fastapi import Depends, FastAPI

import gossip
import gossip.aio
from gossip.contrib.starlette import get_node, health_routes, lifespan, node_of

PARTITIONS = range(12)


def owner(partition: int, names: Iterable[str]) -> str:
    """The worker with the highest score for a partition. All workers compute the same scores (rendezvous hashing)."""
    return max(names, key=lambda name: hashlib.blake2b(f"{partition} {name}".encode()).digest())


def shares(members: Iterable[gossip.Member]) -> dict[str, list[int]]:
    """Which worker owns which partitions."""
    names = [member.name for member in members if member.status.is_living]
    return {name: [each for each in PARTITIONS if owner(each, names) == name] for name in names}


async def share_out(node: gossip.aio.Node) -> None:
    """Print who owns what, after each change."""
    printed: dict[str, list[int]] = {}
    with node.subscribe() as changes:
        async for _ in changes:
            if node.standing.standing is not gossip.Standing.CONNECTED:
                continue  # we cannot tell who is there, so everything stays as it is
            if (current := shares(node.members())) != printed:
                print(*(f"{name}: {owned}" for name, owned in current.items()), sep=" | ")
                printed = current


@asynccontextmanager
async def working(app: FastAPI) -> AsyncIterator[None]:
    """Be a member, and share out the partitions, for as long as the application runs."""
    name, *seeds = sys.argv[1:]
    async with lifespan(name, bind="127.0.0.1:0", seeds=seeds)(app):
        print(f"{name} is at {node_of(app).address}")
        sharing = asyncio.create_task(share_out(node_of(app)))
        yield
    await sharing  # ends with the node


app = FastAPI(lifespan=working, routes=health_routes())


@app.get("/")
async def who_owns_what(node: Annotated[gossip.aio.Node, Depends(get_node)]) -> dict[str, list[int]]:
    """Which worker owns which partitions."""
    return shares(node.members())


if __name__ == "__main__":
    uvicorn.run(app, port=0)  # at any free port, which it prints
