"""A node to be attacked, in a process of its own.

``python -m benchmarks.endurance.hostile.victim NAME ADDRESS SEED KEYRING`` (the last two may be empty) writes JSON
lines: each change of a node's state, and ten times a second its memory and counts, and by how much its loop was late
for that. It ends when its standard input does.
"""

from __future__ import annotations

import json
import logging
import os
import sys

import trio

from benchmarks.environment import usage
from gossip import Keyring, MembershipEvent, Node, open_node

NAMES = "node-"
"""How the names of all nodes begin. A victim tells nothing of members with other names: they do not exist, and there
can be very many of them."""

REPORT_EVERY_S = 0.1


async def _run(name: str, address: str, seed: str, keyring: str) -> None:
    async with (
        open_node(
            name,
            bind=address,
            seeds=[seed] if seed else [],
            keyring=Keyring.load(keyring) if keyring else None,
        ) as node,
        trio.open_nursery() as nursery,
    ):
        nursery.start_soon(_tell_events, node)
        nursery.start_soon(_tell_counts, node)
        await trio.to_thread.run_sync(sys.stdin.read, abandon_on_cancel=True)
        nursery.cancel_scope.cancel()


async def _tell_events(node: Node) -> None:
    with node.subscribe() as changes:
        async for item in changes:
            if isinstance(item, MembershipEvent) and item.member.name.startswith(NAMES):
                _tell({"event": item.kind.value, "member": item.member.name, "alive": item.alive})


async def _tell_counts(node: Node) -> None:
    due = trio.current_time()
    while True:
        late_s = trio.current_time() - due
        stats = node.stats
        _tell(
            {
                "kib": int(usage.memory_kib(os.getpid())),
                "received": stats.protocol.datagrams_received,
                "dropped": sum(stats.protocol.dropped.values()),
                "streams": stats.streams_active,
                "streams_refused": stats.streams_refused,
                "members": len(node.members()),
                "late_ms": round(1000 * late_s, 1),
            }
        )
        due = trio.current_time() + REPORT_EVERY_S
        await trio.sleep_until(due)


def _tell(told: dict[str, object]) -> None:
    print(json.dumps(told), flush=True)


if __name__ == "__main__":
    logging.disable()
    trio.run(_run, sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4])
