"""Signed identities: a holder of only the cluster's key cannot speak in another member's name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from random import Random

import attrs
import pytest

from gossip.core.config import Config
from gossip.core.errors import ConfigurationError
from gossip.core.protocol import Protocol
from gossip.core.state.entry import Entry
from gossip.core.state.member import Identity, Record
from gossip.core.state.signing import SIGNED_ROOM, Signatures, Signing, farewell_statement
from gossip.core.support.address import Address
from gossip.core.wire import Codec, encode_fact
from gossip.core.wire.messages import AliveFact, DeadFact, Fact, LeftFact, News, RecordFact, SuspectFact
from gossip.security.signing_key import SigningKey
from tests.core.worlds import (
    JOINED_WITHIN_S,
    World,
    dropped,
    entry_of,
    everybody,
    everybody_has,
    expect,
    expect_agreement,
    expect_no_deaths,
    expect_seen,
    heal,
    inject,
    isolate,
    world,
)

VICTIM = "n3"
THIEF = SigningKey(b"thief".ljust(32))


@cache
def key_of(name: str) -> SigningKey:
    """The key of each member in these tests, the same in every run."""
    return SigningKey(name.encode().ljust(32))


def signed_cluster(
    count: int = 5, *, seed: int = 0, allowed: Mapping[str, bytes] | None = None, config: Config | None = None
) -> World:
    """Nodes ``n0`` ... that sign what they say of themselves, and agree."""
    sim = world(seed=seed, config=config)
    sim.signing = lambda key: Signing(key_of(key), allowed)
    sim.start_many(count)
    expect_agreement(sim, within=JOINED_WITHIN_S, why="joining")
    sim.run(5)
    return sim


def signed(record: Record, key: SigningKey, cluster: str = "default") -> Record:
    """A record as the owner of a key would announce it."""
    return Signatures(cluster, Signing(key)).signed(record)


def record_like(entry: Entry, key: SigningKey | None, **changes: object) -> RecordFact:
    """A member's record with some of it changed, signed by somebody or, still, by the member for what it was."""
    record = entry.registers.record
    identity = {name: changes.pop(name) for name in ("name", "generation", "id") if name in changes}
    changed = attrs.evolve(record, identity=attrs.evolve(entry.identity, **identity), **changes)  # type: ignore[arg-type]
    return RecordFact(changed if key is None else signed(changed, key), entry.registers.heartbeat)


def test_members_that_sign_join_change_and_leave_like_any_others() -> None:
    sim = signed_cluster()
    sim.update("n1", {"colour": "blue"})
    expect(sim, lambda: everybody_has(sim, "n1", {"colour": "blue"}), within=2, why="an update")
    sim.leave("n2")
    expect_seen(sim, "n2", "left", within=2)
    assert not any(dropped(node) for node in everybody(sim))
    assert sim.nodes["n0"].protocol.get("n1").key == key_of("n1").public  # type: ignore[union-attr]


def test_a_restarted_member_takes_its_name_again_with_its_key() -> None:
    sim = signed_cluster()
    sim.crash(VICTIM)
    sim.start(VICTIM, seeds=["n0"])
    expect_agreement(sim, within=10)
    assert len({node.protocol.get(VICTIM).generation for node in everybody(sim)}) == 1  # type: ignore[union-attr]


def test_a_farewell_is_believed_by_those_who_hear_of_it_later() -> None:
    sim = signed_cluster()
    isolate(sim, "n4")
    sim.leave(VICTIM)
    sim.run(2)
    heal(sim)
    expect(sim, lambda: sim.nodes["n4"].sees()[VICTIM] == "left", within=40, why="a farewell passed on")


FORGERIES: dict[str, tuple[Callable[[Entry], Fact], str]] = {
    "a farewell without a signature": (lambda e: LeftFact(e.id, e.registers.heartbeat), "farewell not signed"),
    "a farewell signed by somebody else": (
        lambda e: LeftFact(
            e.id,
            e.registers.heartbeat,
            THIEF.sign(farewell_statement("default", e.registers.record, e.registers.heartbeat)),
        ),
        "forged signature",
    ),
    "a record without a signature": (
        lambda e: RecordFact(attrs.evolve(e.registers.record, version=2, key=b"", signature=b""), 1),
        "record not signed",
    ),
    "a record changed": (lambda e: record_like(e, None, version=2, metadata={"forged": "1"}), "forged signature"),
    "a record moved": (lambda e: record_like(e, None, version=2, address=Address("192.0.2.77", 9)), "forged signature"),
    "a later generation": (lambda e: record_like(e, None, generation=e.identity.generation + 1), "forged signature"),
    "a record signed by somebody else": (lambda e: record_like(e, THIEF, version=2), "name of another key"),
    "the name with another id": (
        lambda e: record_like(e, THIEF, id=77, generation=e.identity.generation + 1_000),
        "name of another key",
    ),
    "the id with another name": (
        lambda e: record_like(e, THIEF, name="thief", generation=e.identity.generation + 1_000),
        "name of another key",
    ),
    "a record of another cluster": (
        lambda e: RecordFact(signed(attrs.evolve(e.registers.record, version=2), key_of(VICTIM), "other"), 1),
        "forged signature",
    ),
}


@pytest.mark.parametrize("forgery", FORGERIES)
def test_a_holder_of_the_clusters_key_cannot_speak_for_a_member(forgery: str) -> None:
    make, reason = FORGERIES[forgery]
    sim = signed_cluster()
    fact = make(entry_of(sim.nodes["n0"], VICTIM))
    before = sim.nodes["n0"].protocol.get(VICTIM)
    inject(sim, sim.nodes, fact)
    assert all(dropped(node, reason) == 1 for node in everybody(sim))
    sim.run(20)
    assert all(node.protocol.get(VICTIM) == before for node in everybody(sim))
    expect_no_deaths(sim)


def test_a_member_with_a_key_of_its_own_cannot_take_the_id_of_another() -> None:
    sim = signed_cluster()
    victim = entry_of(sim.nodes["n0"], VICTIM)
    thief = entry_of(sim.nodes["n0"], "n1")
    theft = Identity("n1", thief.identity.generation + 10**6, victim.id)
    record = signed(attrs.evolve(thief.registers.record, identity=theft), key_of("n1"))
    inject(sim, sim.nodes, RecordFact(record, 1))
    assert all(dropped(node, "name of another key") == 1 for node in everybody(sim))
    assert all(node.sees()[VICTIM] == "alive" for node in everybody(sim))


def test_false_accusations_are_still_answered_by_the_accused_alone() -> None:
    sim = signed_cluster()
    victim = entry_of(sim.nodes["n0"], VICTIM)
    floor = victim.registers.heartbeat + 100
    inject(sim, sim.nodes, SuspectFact(victim.id, floor, (1, 2, 3)), DeadFact(victim.id, floor, (1, 2, 3)))
    inject(sim, sim.nodes, AliveFact(victim.id, floor + 10))
    sim.run(20)
    expect_agreement(sim, within=5)
    expect_no_deaths(sim)


def test_a_name_belongs_to_its_key_even_after_its_member_was_forgotten() -> None:
    config = Config.lan(forget_after=20.0)
    sim = signed_cluster(config=config)
    record = entry_of(sim.nodes["n0"], VICTIM).registers.record
    sim.crash(VICTIM)
    sim.run(50)
    assert VICTIM not in sim.nodes["n0"].sees()
    later = attrs.evolve(record, identity=Identity(VICTIM, record.identity.generation + 10**6, 77))
    inject(sim, ["n0"], RecordFact(signed(later, THIEF), 1))
    assert dropped(sim.nodes["n0"], "name of another key") == 1


def test_only_names_that_are_allowed_become_members() -> None:
    allowed = {f"n{number}": key_of(f"n{number}").public for number in range(3)}
    sim = signed_cluster(3, allowed=allowed)
    sim.signing = lambda key: Signing(key_of(key))
    sim.start("stranger", seeds=["n0"])
    sim.run(10)
    assert all("stranger" not in sim.nodes[name].sees() for name in allowed)
    assert dropped(sim.nodes["n0"], "name of another key")


def test_a_node_whose_name_is_not_allowed_for_its_key_does_not_start() -> None:
    sim = world()
    sim.signing = lambda key: Signing(key_of(key), {"n0": THIEF.public})
    with pytest.raises(ConfigurationError, match="another key for 'n0'"):
        sim.start("n0")
    with pytest.raises(ConfigurationError, match="no key for 'n1'"):
        sim.start("n1")


def test_two_machines_with_one_name_and_two_keys_are_found_out() -> None:
    sim = signed_cluster()
    sim.signing = lambda key: Signing(THIEF if key == "double" else key_of(key))
    sim.start("double", name=VICTIM, seeds=["n0"])
    expect(sim, lambda: any(node.told("conflict") for node in everybody(sim)), within=10, why="a conflict")
    first = {node.protocol.get(VICTIM).key for node in everybody(sim) if node.key != "double"}  # type: ignore[union-attr]
    assert first == {key_of(VICTIM).public}


def test_nodes_that_do_not_sign_pass_on_what_others_have_signed() -> None:
    sim = world()
    sim.signing = lambda key: None if key == "n0" else Signing(key_of(key))
    sim.start_many(3)
    expect(sim, lambda: sim.nodes["n2"].sees().get("n1") == "alive", within=10, why="passed on by n0")
    assert "n0" not in sim.nodes["n1"].sees()


def test_what_members_have_signed_is_remembered_with_their_signatures() -> None:
    sim = signed_cluster(3)
    known = sim.nodes["n0"].protocol.members()
    again = _protocol(Config.lan(), Signing(key_of("n9")))
    again.remember(known, 0.0)
    assert {member.name for member in again.members()} == {"n", "n0", "n1", "n2"}
    again = _protocol(Config.lan(), Signing(key_of("n9")))
    again.remember([attrs.evolve(member, metadata={"forged": "1"}) for member in known], 0.0)
    assert again.stats.dropped == {"forged signature": 3}


def test_a_key_is_as_long_in_a_record_as_is_reckoned() -> None:
    record = Record(Identity("n", 1, 1), 1, Address("10.0.0.1", 1), {})
    plain, with_key = (encode_fact(RecordFact(each, 1)) for each in (record, signed(record, THIEF)))
    assert len(with_key) == len(plain) + SIGNED_ROOM
    codec = Codec("default")
    assert codec.decode(codec.encode(1, 1, 1, News(), [with_key], 1200)[0]).facts[0].record.key == THIEF.public  # type: ignore[union-attr]


def test_signatures_need_room_in_a_datagram() -> None:
    with pytest.raises(ConfigurationError, match="max_metadata"):
        _protocol(Config.lan(max_metadata=1200 - 320), Signing(THIEF))
    _protocol(Config.lan(max_metadata=1200 - 320), None)


def _protocol(config: Config, signing: Signing | None) -> Protocol:
    return Protocol(config, name="n", generation=1, random=Random(0), now=0.0, signing=signing)
