"""Workers in threads that share out twelve partitions: python examples/blocking_workers.py NAME [SEED]

Start the first worker without a seed: it prints its address. Start others with that address as their SEED, each with a
NAME of its own. All of them print who owns what after each change. Stop one with Ctrl-C, or kill it, and the others
take its partitions.
"""

import hashlib
import signal
import sys
import threading
from collections.abc import Iterable

import gossip
import gossip.blocking

PARTITIONS = range(12)


def owner(partition: int, names: Iterable[str]) -> str:
    """The worker with the highest score for a partition. All workers compute the same scores (rendezvous hashing)."""
    return max(names, key=lambda name: hashlib.blake2b(f"{partition} {name}".encode()).digest())


def shares(members: Iterable[gossip.Member]) -> dict[str, list[int]]:
    """Which worker owns which partitions."""
    names = [member.name for member in members if member.status.is_living]
    return {name: [each for each in PARTITIONS if owner(each, names) == name] for name in names}


def share_out(node: gossip.blocking.Node) -> None:
    """Print who owns what, after each change."""
    printed: dict[str, list[int]] = {}
    for _ in node.subscribe():
        if node.standing.standing is not gossip.Standing.CONNECTED:
            continue  # we cannot tell who is there, so everything stays as it is
        if (current := shares(node.members())) != printed:
            print(*(f"{name}: {owned}" for name, owned in current.items()), sep=" | ")
            printed = current


def main(name: str, seeds: list[str]) -> None:
    stop = threading.Event()
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, lambda *_: stop.set())
    with gossip.blocking.open_node(name, bind="127.0.0.1:0", seeds=seeds) as node:
        print(f"{name} is at {node.address}")
        threading.Thread(target=share_out, args=[node]).start()  # ends with the node
        stop.wait()
        node.leave()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
