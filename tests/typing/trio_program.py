"""A program on trio that uses all of the API, with types of its own at each place."""

from __future__ import annotations

import ssl
from collections.abc import Iterator, Mapping

import trio

import gossip


def owners(members: tuple[gossip.Member, ...]) -> Iterator[tuple[str, gossip.Address]]:
    """Members that may own something, and where they are."""
    for member in members:
        if member.status.is_living and member.metadata.get("role") == "owner":
            yield member.name, member.address


def told(item: gossip.Snapshot | gossip.MembershipEvent) -> str:
    """What an item of a subscription says; a type checker sees that no kind is left out."""
    match item:
        case gossip.Snapshot(members=members, standing=standing, missed=missed):
            return f"{len(members)} members, {standing.standing.name}, {missed + 0} missed"
        case gossip.MembershipEvent(kind=gossip.EventKind.DIED, explanation=why, silent_for=silent):
            silent_s: float | None = silent
            return f"{item.member.name} died after {silent_s} s: {why.accusers if why else 'no reason'}"
        case gossip.MembershipEvent():
            return str(item)


async def follow(changes: gossip.Subscription) -> None:
    async for item in changes:
        print(told(item))


def keys() -> gossip.Keyring:
    ring: gossip.Keyring = gossip.Keyring.of(gossip.Key.generate(), gossip.PLAIN)
    return ring.add(gossip.Key.generate("chacha20-poly1305")).use(ring.keys[0].id)


def certificates() -> gossip.MutualTLS:
    accepting = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    accepting.verify_mode = ssl.CERT_REQUIRED
    return gossip.MutualTLS(accepting, ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))


async def first_owner(seeds: list[str], identity: gossip.SigningKey, allowed: Mapping[str, bytes]) -> str:
    """Join, and wait for somebody who owns something; the block always returns or raises."""
    config: gossip.Config = gossip.Config.lan(cluster="blue", max_members=200)
    async with gossip.open_node(
        "ada", bind="0.0.0.0:7946", advertise=gossip.Address("10.0.0.1", 0), seeds=seeds, metadata={"role": "reader"},
        config=config, keyring=keys(), tls=certificates(), identity=identity, allowed=allowed,
    ) as node:  # fmt: skip
        await node.joined(timeout=10)
        await node.until(lambda node: node.standing.standing is gossip.Standing.CONNECTED)
        async with trio.open_nursery() as nursery:
            with node.subscribe(buffer=16) as changes:
                nursery.start_soon(follow, changes)
                node.update({"role": "owner"})
                node.use_keyring(keys())
                brook: gossip.Member | None = node.get("brook")
                agreement: float | None = node.agreement
                health: int = node.health
                dropped: Mapping[str, int] = node.stats.protocol.dropped
                why: gossip.Explanation | None = node.explain("brook")
                dispute: gossip.ClockDispute | None = node.clock_dispute
                print(brook, agreement, health, dropped, why, dispute, node.alive + 1, node.address.port)
                acknowledged: tuple[str, ...] = await node.leave()
                print(acknowledged)
        return next(name for name, _ in owners(node.members()))


async def look(address: str) -> None:
    """What a monitor asks."""
    try:
        members: tuple[gossip.Member, ...] = await gossip.query_members(address, timeout=2.0)
        why: gossip.Explanation = await gossip.explain_member(address, members[0].name, config=gossip.Config.wan())
    except (gossip.QueryError, gossip.ConfigurationError) as error:
        print(error)
    else:
        asked: tuple[gossip.Asked, ...] = why.asked
        accusations: tuple[gossip.Told, ...] = why.told
        stages: tuple[gossip.Stage, gossip.Stage] = (why.probing, why.suspicion)
        print(asked, accusations, stages)


if __name__ == "__main__":
    trio.run(first_owner, ["10.0.0.2:7946"], gossip.SigningKey.generate(), {})
    trio.run(look, "10.0.0.2:7946")
