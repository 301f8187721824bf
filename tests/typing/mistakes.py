"""Mistakes that a type checker finds before the program runs. Each line that is marked is refused, for that reason."""

from __future__ import annotations

import trio

import gossip


async def trio_mistakes() -> None:
    gossip.open_node(7)  # type: ignore[arg-type]
    gossip.open_node("ada", "0.0.0.0:7946")  # type: ignore[call-arg]
    gossip.open_node("ada", port=7946)  # type: ignore[call-arg]
    gossip.open_node("ada", metadata={"release": 8})  # type: ignore[dict-item]
    gossip.open_node("ada", keyring=gossip.Key.generate())  # type: ignore[arg-type]
    await gossip.open_node("ada")  # type: ignore[misc]
    gossip.Config(probe_interval="1 s")  # type: ignore[arg-type]
    with gossip.open_node("ada"):  # type: ignore[attr-defined]
        pass
    async with gossip.open_node("ada") as node:
        node.alive = 3  # type: ignore[misc]
        node.local.name = "brook"  # type: ignore[misc]
        node.local.metadata["role"] = "db"  # type: ignore[index]
        print(node.get("brook").name)  # type: ignore[union-attr]
        node.update(release="8")  # type: ignore[call-arg]
        print(len(node.leave()))  # type: ignore[arg-type]
        async for item in node.subscribe():
            print(item.kind)  # type: ignore[union-attr]


if __name__ == "__main__":
    trio.run(trio_mistakes)
