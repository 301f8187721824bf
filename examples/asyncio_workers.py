"""Workers on asyncio that share out twelve partitions: python examples/asyncio_workers.py NAME [SEED]

Start the first worker without a seed: it prints its address. Start others with that address as their SEED, each with a
NAME of its own. All of them print who owns what after each change. Stop one with Ctrl-C, or kill it, and the others
take its partitions.
"""

import asyncio
import hashlib
import signal
import sys
from collections.abc import Iterable

import gossip
import gossip.aio

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


async def main(name: str, seeds: list[str]) -> None:
    stop = asyncio.Event()
    for each in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(each, stop.set)
    async with gossip.aio.open_node(name, bind="127.0.0.1:0", seeds=seeds) as node:
        print(f"{name} is at {node.address}")
        sharing = asyncio.create_task(share_out(node))
        await stop.wait()
        await node.leave()
    await sharing  # ends with the node


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2:]))
