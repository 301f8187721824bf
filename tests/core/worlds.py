"""Worlds for the tests of the core: quiet clusters in virtual time, damage to them, and expectations.

Nothing here waits for a clock. A world is a :class:`sims.world.Simulation`; everything random in it follows
from its seed, which every failure names.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from gossip.core.config import Config
from gossip.core.dissemination.outbox import CloseStream, SendFrame
from gossip.core.protocol import Protocol
from gossip.core.query import Query
from gossip.core.state.entry import Entry
from gossip.core.state.member import Identity, Record
from gossip.core.support.address import Address
from gossip.core.wire import Codec, encode_fact
from gossip.core.wire.messages import ANONYMOUS, Body, Fact, Message, News, RecordFact
from sims.world import Link, Observer, SimulatedNode, Simulation

SEEDS = range(1)
"""Seeds for scenarios whose outcome must not depend on luck; set by pytest's option ``--seeds``."""


def examples(count: int) -> int:
    """How many examples of a property are tried, for all seeds together."""
    return count * len(SEEDS)


STRANGER = Address("192.0.2.66", 7946)
"""The source of forged datagrams; no node runs there."""

JOINED_WITHIN_S = 10.0
"""More than any join through a running seed may take in these tests."""


def crash_bound_s(config: Config) -> float:
    """Virtual seconds within which everybody must know of a crash: the longest suspicion of a lone accuser,
    and ten rounds to begin it, probe once more and spread the news."""
    return config.suspicion_max + 10 * config.probe_interval


def heal_bound_s(config: Config) -> float:
    """Virtual seconds within which two halves must have found each other: forty rounds with a chance each."""
    return 40 * config.probe_interval


EVENTS_PER_MOMENT = 20_000
"""More events than any world here handles at one moment of virtual time."""


class World(Simulation):
    """A simulation in which time cannot stand still: a timer that is re-armed for *now* for ever is a failure
    of the test, not a test that never ends."""

    def __init__(self, *, seed: int = 0, config: Config | None = None, link: Link | None = None,
                 tapped: bool = False, observers: Iterable[Observer] = ()) -> None:  # fmt: skip
        self.tap = Tap() if tapped else None
        super().__init__(
            seed=seed, config=config, link=link, observers=[*observers, self.tap] if self.tap else observers
        )
        self._moment = -1.0
        self._within_moment = 0

    def at(self, when: float, action: Callable[..., None], *arguments: Any) -> None:
        """Count what is set for the present moment, then do as any simulation does."""
        if self.now != self._moment:
            self._moment, self._within_moment = self.now, 0
        self._within_moment += when <= self.now
        assert self._within_moment < EVENTS_PER_MOMENT, f"seed {self.seed}: time stands still at {self.now} s"
        super().at(when, action, *arguments)


def world(*, seed: int = 0, config: Config | None = None, link: Link | None = None, tapped: bool = False) -> World:
    """An empty world; ``tapped`` keeps a copy of every datagram sent in it, see :func:`tap`."""
    return World(seed=seed, config=config, link=link, tapped=tapped)


def cluster(count: int, *, seed: int = 0, config: Config | None = None, link: Link | None = None,
            tapped: bool = False) -> World:  # fmt: skip
    """Nodes ``n0``, ``n1`` ... that have joined through ``n0``, agree, and have no news under way."""
    sim = world(seed=seed, config=config, link=link, tapped=tapped)
    sim.start_many(count)
    expect_agreement(sim, within=JOINED_WITHIN_S, why="joining")
    sim.run(5)
    return sim


# --- expectations


def expect(sim: Simulation, condition: Callable[[], bool], *, within: float, why: str) -> float:
    """Let time pass until the condition holds; returns how long that took. A failure shows what every node sees."""
    try:
        return sim.run_until(condition, within)
    except TimeoutError:
        raise AssertionError(f"{why}: not within {within:g} virtual seconds; {described(sim)}") from None


def expect_agreement(sim: Simulation, *, within: float, why: str = "agreement") -> float:
    """Expect that all running nodes come to see exactly each other, with equal views."""
    return expect(sim, sim.all_agree, within=within, why=why)


def expect_seen(sim: Simulation, name: str, status: str, *, within: float) -> float:
    """Expect that all running nodes come to see the named one with this status."""
    return expect(sim, lambda: sim.all_see(name, status), within=within, why=f"{name} seen as {status} by all")


def expect_no_deaths(sim: Simulation, *, but: Iterable[str] = ()) -> None:
    """Expect that no node has ever declared a member dead, except these."""
    excused = set(but)
    deaths = [
        f"{node.name} declared {event.member.name} dead at {event.time:.2f} s, accused by {event.accusers}"
        for node in everybody(sim)
        for event in node.told("died")
        if event.member.name not in excused
    ]
    assert not deaths, f"{'; '.join(deaths[:5])} ({len(deaths)} in all); {described(sim)}"


def described(sim: Simulation) -> str:
    """What the running nodes see, short enough for an assertion message."""
    names = {node.name for node in sim.running}
    odd = []
    for node in sim.running:
        sees = node.sees()
        wrong = {name: status for name, status in sees.items() if (status == "alive") != (name in names)}
        wrong |= {name: "unknown" for name in names if name not in sees}
        if wrong:
            odd.append(f"{node.name} sees {wrong}")
    prints = len({node.protocol.fingerprint for node in sim.running})
    return f"at {sim.now:.2f} s {prints} different views; {'; '.join(odd[:6]) or 'all see each other alive'}"


def everybody(sim: Simulation) -> list[SimulatedNode]:
    """The nodes of the world under their latest names, crashed ones included."""
    return list(sim.nodes.values())


def names_of(sim: Simulation) -> list[str]:
    """The names of all nodes."""
    return list(sim.nodes)


AnyQuery = TypeVar("AnyQuery", bound=Query)


def answered(sim: Simulation, node: SimulatedNode, query: AnyQuery) -> AnyQuery:
    """Put the question to a node over a stream, and hand the answer back."""
    stream = node.protocol.stream_accepted(STRANGER, sim.now)
    assert stream is not None
    for frame in query.frames():
        node.protocol.receive_frame(stream, frame, sim.now)
    for action in node.protocol.stream_actions():
        if isinstance(action, SendFrame) and action.stream == stream:
            assert not query.done, "something came after the end of the answer"
            query.receive_frame(action.data)
        assert not isinstance(action, CloseStream)
    return query


def generations_seen(sim: Simulation, name: str) -> set[int | None]:
    """The generations of a name in the views of the running nodes."""
    members = [node.protocol.get(name) for node in sim.running]
    return {None if member is None else member.generation for member in members}


def metadata_seen(sim: Simulation, name: str) -> list[dict[str, str]]:
    """The metadata of one member as each running node sees it."""
    members = [node.protocol.get(name) for node in sim.running]
    return [{} if member is None else dict(member.metadata) for member in members]


def everybody_has(sim: Simulation, name: str, metadata: dict[str, str]) -> bool:
    """Whether all running nodes see the member with this metadata."""
    return all(each == metadata for each in metadata_seen(sim, name))


def dropped(node: SimulatedNode, reason: str | None = None) -> int:
    """How many messages and facts the node refused, for one reason or for all."""
    counts = node.protocol.stats.dropped
    return sum(counts.values()) if reason is None else counts.get(reason, 0)


def entry_of(node: SimulatedNode, name: str) -> Entry:
    """The registers behind what a node says about a member; for making forgeries that fit."""
    entry = node.protocol.view.named(name)
    assert entry is not None, f"{node.name} does not know {name}"
    return entry


# --- the network


def cut_pair(sim: Simulation, one: str, other: str) -> None:
    """Cut two nodes off from each other, both ways."""
    cut_one_way(sim, one, other)
    cut_one_way(sim, other, one)


def cut_one_way(sim: Simulation, source: str, destination: str) -> None:
    """Lose everything that the first node sends to the second."""
    pair = sim.nodes[source].address, sim.nodes[destination].address
    sim.network.cut(f"{source}>{destination}", lambda a, b: (a, b) == pair)


def deafen(sim: Simulation, name: str) -> None:
    """Make a node deaf: nothing reaches it, but its own messages get through."""
    here = sim.nodes[name].address
    sim.network.cut(f"deaf {name}", lambda _source, destination: destination == here)


def mute(sim: Simulation, name: str) -> None:
    """Make a node mute: none of its messages arrive, but it hears everything."""
    here = sim.nodes[name].address
    sim.network.cut(f"mute {name}", lambda source, _destination: source == here)


def isolate(sim: Simulation, *names: str) -> None:
    """Cut a group off from all others, both ways; within the group everything works."""
    inside = {sim.nodes[name].address for name in names}
    sim.network.cut(f"isolated {names}", lambda source, destination: (source in inside) != (destination in inside))


def heal(sim: Simulation) -> None:
    """Mend every cut."""
    sim.network.lift()


# --- forged and captured datagrams


def presented(member_id: int, name: str, generation: int, version: int, address: Address,
              metadata: Mapping[str, str], heartbeat: int) -> RecordFact:  # fmt: skip
    """A record with the values that the test wants."""
    return RecordFact(Record(Identity(name, generation, member_id), version, address, metadata), heartbeat)


def forged(sim: Simulation, *facts: Fact, sender: int = ANONYMOUS, heartbeat: int = 0, body: Body | None = None,
           limit: int = 60_000) -> bytes:  # fmt: skip
    """A well-formed datagram of this cluster with the content that the test wants."""
    encoded = [encode_fact(fact) for fact in facts]
    data, fitting = Codec(sim.config.cluster).encode(sender, heartbeat, 0, body or News(), encoded, limit)
    assert fitting == len(facts), "the forgery does not fit into one datagram"
    return data


def inject(sim: Simulation, names: Iterable[str], *facts: Fact) -> None:
    """Deliver forged datagrams with these facts, one if they fit, to each of the named nodes."""
    for data in forged_all(sim, *facts):
        for name in names:
            sim.inject(name, data, STRANGER)


def forged_all(sim: Simulation, *facts: Fact) -> list[bytes]:
    """As many well-formed datagrams as these facts need; no node refuses one for its size."""
    at_once = 100
    return [forged(sim, *facts[start : start + at_once]) for start in range(0, max(1, len(facts)), at_once)]


class Tap(Observer):
    """Keeps a copy of every datagram sent."""

    def __init__(self) -> None:
        self.datagrams: list[tuple[bytes, Address, Address]] = []

    def sent(self, node: SimulatedNode, data: bytes, destination: Address, arrivals: list[tuple[float, bytes]],
             lost_to: str) -> None:  # fmt: skip
        """Bytes, source and destination, in order."""
        self.datagrams.append((data, node.address, destination))


def tap(sim: World) -> list[tuple[bytes, Address, Address]]:
    """The datagrams sent so far in a tapped world."""
    assert sim.tap is not None, "make the world with tapped=True"
    return sim.tap.datagrams


def understood(sim: Simulation, sent: Sequence[tuple[bytes, Address, Address]]) -> list[Message]:
    """The same datagrams, decoded; fails if one is not well-formed."""
    codec = Codec(sim.config.cluster)
    return [codec.decode(data) for data, _, _ in sent]


# --- a protocol without a network


class Script:
    """One core that a test drives by hand, for situations that the simulator cannot make."""

    def __init__(self, name: str = "n0", *, config: Config | None = None, seed: int = 0) -> None:
        self.sim = world(seed=seed, config=config)
        self.node = self.sim.start(name)

    @property
    def protocol(self) -> Protocol:
        """The core itself."""
        return self.node.protocol
