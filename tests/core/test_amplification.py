"""No amplification: an address that is not validated gets no more than it sent, and costs no other address more."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Sequence
from random import Random

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gossip.core.config import Config
from gossip.core.dissemination.address_validation import (
    COOKIE_PERIOD_S,
    MAX_VALIDATED,
    VALIDATED_FOR_S,
    AddressValidation,
)
from gossip.core.dissemination.outbox import ANSWERS_PER_PUSH, SendFrame
from gossip.core.dissemination.reconciliation import DIGEST_BYTES
from gossip.core.protocol import Protocol
from gossip.core.replies import MAX_CORRECTIONS
from gossip.core.support.address import Address
from gossip.core.wire import (
    ACK_BYTES,
    COOKIE_BYTES,
    INDIRECT_ACK_BYTES,
    LONG_COUNTER_BYTES,
    OBSERVED_BYTES,
    Codec,
    counter_excess,
    encode_fact,
)
from gossip.core.wire.messages import (
    ANONYMOUS,
    DIGEST_RANGES,
    MAX_ID,
    Ack,
    AliveFact,
    Body,
    DeadFact,
    Digest,
    Entries,
    Fact,
    IndirectAck,
    LeftFact,
    Message,
    Nack,
    News,
    Ping,
    PingRequest,
    RecordFact,
    SuspectFact,
)
from tests.core import strategies
from tests.core.worlds import (
    STRANGER,
    Script,
    World,
    cluster,
    crash_bound_s,
    examples,
    expect,
    expect_agreement,
    expect_no_deaths,
    expect_seen,
    heal,
    heal_bound_s,
    inject,
    isolate,
    names_of,
    presented,
    world,
)

MEMBERS = 60
"""Members that the node knows: more than it would list at once."""

NEWS = 30
"""Of them, those of whom it has heard only now: several datagrams of news."""

SOMEBODY = 2**63 + 5
"""Id of a sender that is no member; as long as real ids are."""

OTHER_VIEW = 2**63 + 1
"""A fingerprint that is not the node's."""

CODEC = Codec("default")
MOMENT_S = 0.001
ELSEWHERE = Address("198.51.100.9", 9)


def member(number: int) -> RecordFact:
    """The record of a member that does not run; ids are spread over the ring."""
    return presented(
        number * (MAX_ID // MEMBERS) + 7, f"m{number}", 1_700_000_000_000, 3, address_of(number), {"role": "web"}, 50
    )


def address_of(number: int) -> Address:
    """Where the member with this number is said to be."""
    return Address(f"10.99.0.{number}", 7946)


class Alone:
    """One core that knows many members and much news, and has never heard an answer from any of them."""

    def __init__(self, config: Config | None = None, name: str = "n0") -> None:
        script = Script(name, config=config)
        self.protocol: Protocol = script.protocol
        self.address = script.node.address
        self.now = 10.0
        told = [member(number) for number in range(1, MEMBERS)]
        self.hears(News(), told[: MEMBERS - NEWS])
        self.time_passes(5)  # longer than news is piggybacked
        self.hears(News(), told[MEMBERS - NEWS :], source=ELSEWHERE)
        self.time_passes(0.1)

    def hears(self, body: Body, facts: Sequence[Fact] = (), *, source: Address = STRANGER, sender: int = SOMEBODY,
              heartbeat: int = 1, fingerprint: int = OTHER_VIEW) -> list[tuple[bytes, Address]]:  # fmt: skip
        """What it sends because of a datagram."""
        encoded = [encode_fact(fact) for fact in facts]
        data, fitting = CODEC.encode(sender, heartbeat, fingerprint, body, encoded, 60_000)
        assert fitting == len(facts)
        return self.receives(data, source)

    def receives(self, data: bytes, source: Address) -> list[tuple[bytes, Address]]:
        """The same of a datagram that is made already."""
        self.now += MOMENT_S
        self.protocol.receive_datagram(data, source, self.now)
        return self.protocol.datagrams_to_send(self.now)

    def time_passes(self, seconds: float) -> list[tuple[bytes, Address]]:
        """What it sends of its own accord meanwhile, with nobody there to answer."""
        sent = []
        end = self.now + seconds
        while (due := self.protocol.next_timer()) <= end:
            self.now = max(self.now, due)
            self.protocol.handle_timer(self.now)
            sent += self.protocol.datagrams_to_send(self.now)
        self.now = end
        self.protocol.stream_actions()
        return sent

    def asks(self) -> tuple[int, int]:
        """Wait until it pings a member in a round of its own: the number of that one, and the token."""
        for _ in range(3):
            for data, destination in self.time_passes(1.0):
                body = CODEC.decode(data).body
                if isinstance(body, Ping):
                    return int(destination.host.rpartition(".")[2]), body.token
        raise AssertionError("nobody was asked")

    def is_answered(self) -> int:
        """Let a member that it asks answer: the number of that one."""
        number, token = self.asks()
        self.hears(Ack(token), source=address_of(number), sender=member(number).id, heartbeat=60)
        return number


def decoded(sent: Sequence[tuple[bytes, Address]]) -> list[Message]:
    """What the datagrams say."""
    return [CODEC.decode(data) for data, _ in sent]


def size(sent: Sequence[tuple[bytes, Address]]) -> int:
    """Bytes in all."""
    return sum(len(data) for data, _ in sent)


def length(body: Body, facts: Sequence[Fact] = (), heartbeat: int = 1) -> int:
    """Bytes of a datagram as :meth:`Alone.hears` makes it."""
    return len(CODEC.encode(SOMEBODY, heartbeat, OTHER_VIEW, body, [encode_fact(fact) for fact in facts], 60_000)[0])


# --- any message from any address

known = st.integers(1, MEMBERS - 1).map(member)
outdated: st.SearchStrategy[Fact] = st.one_of(
    known.map(lambda fact: fact._replace(heartbeat=1)),
    known.map(lambda fact: AliveFact(fact.id, 1)),
    known.map(lambda fact: SuspectFact(fact.id, 2, (), 1)),
    known.map(lambda fact: SuspectFact(fact.id, 60, (1, 2), 1)),
    known.map(lambda fact: DeadFact(fact.id, 2, (), 1)),
    known.map(lambda fact: DeadFact(fact.id, 60, (1, 2), 1)),
    known.map(lambda fact: LeftFact(fact.id, 60)),
    known.map(
        lambda fact: presented(fact.id, fact.record.identity.name, fact.record.identity.generation, 1, ELSEWHERE, {}, 1)
    ),
    known.map(lambda fact: presented(fact.id + 1, fact.record.identity.name, 1, 1, ELSEWHERE, {}, 1)),
)
known_ids = known.map(lambda fact: fact.id)
requests = st.builds(PingRequest, strategies.tokens, known_ids, strategies.paddings)
padded = st.builds(Ping, strategies.tokens, st.integers(0, 1100).map(bytes))
everything = st.builds(Entries, st.just(0), st.just(MAX_ID))
lies = st.tuples(
    st.one_of(strategies.bodies, requests, padded, everything),
    st.lists(outdated | strategies.facts, max_size=8),
    st.one_of(st.just(STRANGER), st.integers(1, MEMBERS - 1).map(address_of)),
    st.one_of(st.just(ANONYMOUS), strategies.ids, known_ids),
    st.sampled_from([0, 1, 60, 2**33]),
    strategies.ids,
    st.booleans(),
)


@settings(max_examples=examples(50))
@given(st.lists(lies, min_size=1, max_size=12))
def test_nobody_makes_a_node_send_more_than_it_was_sent_to_whoever_has_not_shown_that_it_hears(lies: list) -> None:  # type: ignore[type-arg]
    node = Alone()
    for body, facts, source, sender, heartbeat, fingerprint, then_waits in lies:
        data, _ = CODEC.encode(sender, heartbeat, fingerprint, body, [encode_fact(fact) for fact in facts], 60_000)
        sent = node.receives(data, source)
        members = {each.address for each in node.protocol.members()}
        assert size(sent) <= len(data), f"{body}: {decoded(sent)}"
        assert {to for _, to in sent} <= {source} | members, "an address that is nobody's, but for being named"
        if then_waits:
            node.time_passes(1.0)


@settings(max_examples=examples(20))
@given(st.lists(lies, min_size=1, max_size=12))
def test_all_that_is_ever_sent_to_somebody_who_is_no_member_is_no_more_than_came_from_there(lies: list) -> None:  # type: ignore[type-arg]
    node = Alone()
    came: Counter[Address] = Counter()
    sent: list[tuple[bytes, Address]] = []
    for body, facts, source, sender, heartbeat, fingerprint, then_waits in lies:
        data, _ = CODEC.encode(sender, heartbeat, fingerprint, body, [encode_fact(fact) for fact in facts], 60_000)
        came[source] += len(data)
        sent += node.receives(data, source)
        sent += node.time_passes(1.0) if then_waits else []
    sent += node.time_passes(20.0)
    members = {each.address for each in node.protocol.members()}
    for address in {to for _, to in sent} - members:
        assert size([each for each in sent if each[1] == address]) <= came[address]


QUESTIONS: dict[str, tuple[Body, list[Fact]]] = {
    "ping": (Ping(1, bytes(60)), []),
    "ping with outdated facts": (Ping(1), [AliveFact(member(1).id, 1), DeadFact(member(2).id, 2, (), 1)]),
    "digest": (Digest(0, MAX_ID, (0,) * DIGEST_RANGES), [AliveFact(SOMEBODY, 1)]),
    "entries": (Entries(0, MAX_ID), [member(number) for number in range(1, 5)]),
    "outdated news": (News(), [SuspectFact(member(number).id, 2, (1, 2, 3), 1) for number in range(1, 20)]),
    "request to ask another": (PingRequest(1, member(1).id, bytes(8)), []),
    "request to ask nobody": (PingRequest(1, 4711, bytes(8)), []),
}


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_question_is_answered_in_no_more_bytes_than_it_has(question: str) -> None:
    body, facts = QUESTIONS[question]
    sent = Alone().hears(body, facts)
    assert 0 < size(sent) <= length(body, facts)


def test_what_was_left_out_is_counted() -> None:
    node = Alone()
    before = node.protocol.stats.replies_cut
    (ack,) = decoded(node.hears(Ping(1, bytes(90))))
    assert isinstance(ack.body, Ack)
    assert node.protocol.stats.replies_cut == before + 1


def test_a_ping_that_is_too_small_for_its_ack_is_not_answered_and_counted() -> None:
    node = Alone()
    before = node.protocol.stats.replies_cut
    assert node.hears(Ping(1)) == []
    assert node.protocol.stats.replies_cut == before + 1


def test_an_unsolicited_answer_that_names_an_address_makes_nobody_send_there() -> None:
    node = Alone()
    sent = node.hears(Ack(1, ELSEWHERE)) + node.time_passes(5)
    assert ELSEWHERE not in {to for _, to in sent}
    assert node.protocol.local.address == node.address


# --- validated addresses


def gets_all(node: Alone, number: int, source: Address | None = None) -> bool:
    """Whether a ping of this member, whose view differs, is answered with more than it has bytes."""
    sent = node.hears(Ping(1), source=source or address_of(number), sender=member(number).id, heartbeat=70)
    return size(sent) > length(Ping(1), heartbeat=70)


def test_whoever_has_answered_gets_all_that_fits_into_a_datagram() -> None:
    node = Alone()
    number = node.is_answered()
    for other in range(200, 240):
        node.hears(News(), [presented(other, f"new{other}", 1_700_000_000_000, 1, ELSEWHERE, {}, 5)])
    assert not gets_all(node, number % 50 + 1)
    (ack,) = node.hears(Ping(1), source=address_of(number), sender=member(number).id, heartbeat=70)
    assert node.protocol.stats.replies_cut > 0
    assert 1100 < len(ack[0]) <= 1200


FORGED_QUESTIONS: dict[str, tuple[Body, list[Fact]]] = {
    "pings": (Ping(1, bytes(8)), []),
    "pings with outdated facts": (Ping(1, bytes(8)), [member(number) for number in range(20, 24)]),
    "digests": (Digest(0, MAX_ID, (0,) * DIGEST_RANGES), []),
    "entries": (Entries(0, MAX_ID), []),
    "outdated news": (News(), [AliveFact(member(number).id, 1) for number in range(1, 5)]),
}


@pytest.mark.parametrize("what", FORGED_QUESTIONS)
def test_whoever_forges_the_address_of_one_who_has_answered_makes_so_many_large_answers_be_sent_there(
    what: str,
) -> None:
    node = Alone()
    number = node.is_answered()
    body, facts = FORGED_QUESTIONS[what]
    asked = length(body, facts)
    config, began, answers = node.protocol.config, node.now, []
    for _ in range(1000):
        answers += [data for data, _ in node.hears(body, facts, source=address_of(number))]
    allowed = config.push_burst + ANSWERS_PER_PUSH * config.push_rate * (node.now - began)
    of_its_own = 1 + (node.now - began) / (0.25 * config.probe_interval)  # digests, because the views differ
    assert sum(len(data) > asked for data in answers) <= allowed + of_its_own


@pytest.mark.parametrize("what", ["digest", "entries", "outdated news"])
def test_all_who_ask_share_a_budget_of_answers_however_small_these_are(what: str) -> None:
    """Else somebody who forges one address after the other has a node do nothing but answer."""
    node = Alone()
    body, facts = QUESTIONS[what]
    config, began, answers = node.protocol.config, node.now, 0
    for number in range(300):
        answers += len(node.hears(body, facts, source=Address(f"203.0.113.{number % 250 + 1}", 7)))
    allowed = config.push_burst + ANSWERS_PER_PUSH * config.push_rate * (node.now - began)
    of_its_own = 1 + (node.now - began) / (0.25 * config.probe_interval)
    assert 0 < answers <= allowed + of_its_own


def test_who_knows_much_less_is_not_told_all_of_it_at_once() -> None:
    node = Alone()
    number = node.is_answered()
    for other in range(1, MEMBERS):
        fact = member(other)
        node.hears(News(), [fact._replace(record=attrs.evolve(fact.record, version=4, metadata={"k": "v" * 400}))])
    outdated = [member(other) for other in range(1, MEMBERS) if other != number]
    sent = node.hears(News(), outdated, source=address_of(number), sender=member(number).id, heartbeat=70)
    corrections = [each for each in decoded(sent) if isinstance(each.body, News)]
    assert len(corrections) == MAX_CORRECTIONS


def test_whoever_has_answered_gets_all_that_differs() -> None:
    node = Alone()
    number = node.is_answered()
    source, sender = address_of(number), member(number).id
    listed = decoded(node.hears(Digest(0, MAX_ID, (0,) * DIGEST_RANGES), source=source, sender=sender, heartbeat=70))
    assert kinds(listed, Entries) > 1
    missing = decoded(node.hears(Entries(0, MAX_ID), source=source, sender=sender, heartbeat=70))
    assert sum(len(each.facts) for each in missing) > MEMBERS // 2


def test_over_a_stream_everybody_gets_all() -> None:
    node = Alone()
    number = node.protocol.stream_accepted(STRANGER, node.now)
    assert number is not None
    data, _ = CODEC.encode(SOMEBODY, 1, OTHER_VIEW, Digest(0, MAX_ID, (0,) * DIGEST_RANGES), [], 1200)
    node.protocol.receive_frame(number, data, node.now)
    frames = [each.data for each in node.protocol.stream_actions() if isinstance(each, SendFrame)]
    assert sum(len(CODEC.decode(each).facts) for each in frames) > MEMBERS // 2
    assert node.protocol.datagrams_to_send(node.now) == []


@pytest.mark.parametrize(
    "lie",
    [
        lambda number, token: (Ack(token ^ 1), address_of(number)),
        lambda number, token: (Nack(token, member(number).id), address_of(number)),
        lambda number, token: (IndirectAck(token, member(number).id, 60), address_of(number)),
        lambda number, token: (Entries(0, 1, token), address_of(number)),
        lambda number, token: (Digest(0, 1, (0,) * DIGEST_RANGES, 1, token), address_of(number)),
    ],
    ids=["with another token", "a nack", "from a helper", "entries", "a digest"],
)
def test_no_other_answer_proves_an_address(lie: Callable[[int, int], tuple[Body, Address]]) -> None:
    node = Alone()
    number, token = node.asks()
    body, source = lie(number, token)
    node.hears(body, source=source, sender=member(number).id, heartbeat=60)
    assert not gets_all(node, number)
    assert not gets_all(node, number, source)


def test_a_member_that_answers_from_an_address_of_somebody_else_makes_nobody_send_more_there() -> None:
    node = Alone()
    number, token = node.asks()
    sent = node.hears(Ack(token), source=ELSEWHERE, sender=member(number).id, heartbeat=60)
    assert size([each for each in sent if each[1] == ELSEWHERE]) <= length(Ack(token), heartbeat=60)
    assert not gets_all(node, number, ELSEWHERE)
    assert gets_all(node, number)  # it was asked there, and must have heard that


def test_an_answer_proves_where_the_question_went_not_where_the_member_is_said_to_be_since() -> None:
    node = Alone()
    number, token = node.asks()
    moved = member(number).record
    facts = [presented(moved.identity.id, moved.identity.name, moved.identity.generation, 4, ELSEWHERE, {}, 50)]
    node.hears(Ack(token), facts, source=ELSEWHERE, sender=moved.identity.id, heartbeat=60)
    assert not gets_all(node, number, ELSEWHERE)
    assert gets_all(node, number)


COOKIE_ASKED: dict[str, tuple[Body, list[Fact]]] = {
    "by the ack": (Ping(1, bytes(60)), []),
    "by the digest": (Digest(0, MAX_ID, (0,) * DIGEST_RANGES), [AliveFact(SOMEBODY, 1)]),
}


@pytest.mark.parametrize("asked", COOKIE_ASKED)
def test_whoever_repeats_the_cookie_of_an_answer_gets_all(asked: str) -> None:
    node = Alone()
    (answer, *_) = decoded(node.hears(*COOKIE_ASKED[asked]))
    assert isinstance(answer.body, (Ack, Digest))
    cookie = answer.body.cookie
    assert cookie is not None
    repeated = Digest(0, MAX_ID, (0,) * DIGEST_RANGES, 1, cookie)
    assert node.hears(repeated, source=ELSEWHERE) == []
    assert node.hears(repeated._replace(repeats=cookie ^ 1)) == []
    assert kinds(decoded(node.hears(repeated)), Entries) > 1


def test_a_list_that_repeats_the_cookie_of_a_digest_is_answered_with_all_that_it_lacks() -> None:
    node = Alone()
    (swapped,) = decoded(node.hears(Digest(0, MAX_ID, (0,) * DIGEST_RANGES), [AliveFact(SOMEBODY, 1)]))
    assert isinstance(swapped.body, Digest)
    forged = node.hears(Entries(0, MAX_ID, swapped.body.cookie ^ 1))
    assert size(forged) <= length(Entries(0, MAX_ID, swapped.body.cookie))
    missing = decoded(node.hears(Entries(0, MAX_ID, swapped.body.cookie)))
    assert sum(len(each.facts) for each in missing) > MEMBERS // 2


def test_a_cookie_holds_a_minute_at_most() -> None:
    validation, other = AddressValidation(Random(1)), AddressValidation(Random(2))
    for began in (0.0, 1.0, COOKIE_PERIOD_S - 0.01):
        cookie = validation.cookie(STRANGER, began)
        assert not validation.repeated(cookie, ELSEWHERE, began)
        assert not other.repeated(cookie, STRANGER, began)
        assert validation.repeated(cookie, STRANGER, began + COOKIE_PERIOD_S)
        assert not validation.repeated(cookie, STRANGER, began + 2 * COOKIE_PERIOD_S)


def test_who_moves_has_to_show_again_that_it_hears_us() -> None:
    node = Alone()
    number = node.is_answered()
    assert gets_all(node, number)
    assert not gets_all(node, number, ELSEWHERE)


def test_a_proof_holds_for_an_hour_and_each_answer_renews_it() -> None:
    validation = AddressValidation(Random(1))
    for now in (0.0, VALIDATED_FOR_S - 1):
        validation.validate(STRANGER, now)
        assert validation.has(STRANGER, now + VALIDATED_FOR_S - 1)
    assert not validation.has(STRANGER, 2 * VALIDATED_FOR_S)


def test_no_more_proofs_are_remembered_than_the_limit_and_the_latest_stay() -> None:
    validation = AddressValidation(Random(1))
    addresses = [Address(f"10.{number >> 8}.{number & 255}.1", 1) for number in range(MAX_VALIDATED + 100)]
    for number, address in enumerate(addresses):
        validation.validate(address, number * 0.01)
    assert len(validation) == MAX_VALIDATED
    assert [validation.has(address, 50.0) for address in addresses] == [False] * 100 + [True] * MAX_VALIDATED


# --- addresses in records


def is_left_in_peace(sim: World, address: Address, seconds: float) -> bool:
    """Whether nothing is sent there for so long."""
    assert sim.tap is not None
    before = len(sim.tap.datagrams)
    sim.run(seconds)
    return address not in {to for _, _, to in sim.tap.datagrams[before:]}


def test_where_an_invented_member_is_said_to_be_nothing_arrives_any_more_once_it_is_found_dead() -> None:
    sim = cluster(8, tapped=True)
    inject(sim, ["n0"], presented(77, "ghost", 1_700_000_000_000, 1, ELSEWHERE, {}, 0))
    assert not is_left_in_peace(sim, ELSEWHERE, 5)
    expect_seen(sim, "ghost", "dead", within=crash_bound_s(sim.config))
    sim.run(1)
    assert is_left_in_peace(sim, ELSEWHERE, 120)


def test_where_a_dead_member_is_said_to_have_moved_nobody_looks_for_it() -> None:
    sim = cluster(8, tapped=True)
    sim.run(30)
    old = sim.nodes["n3"].protocol.local
    sim.crash("n3")
    expect_seen(sim, "n3", "dead", within=crash_bound_s(sim.config))
    inject(sim, names_of(sim), presented(old.id, old.name, old.generation, 9, ELSEWHERE, {}, 0))
    sim.run(1)
    assert is_left_in_peace(sim, ELSEWHERE, 120)


def test_the_dead_are_looked_for_where_they_were_remembered_to_be_too() -> None:
    sim = cluster(5)
    late = sim.start("late")
    late.protocol.remember([node.protocol.local for node in sim.running if node is not late], sim.now)
    isolate(sim, "late")
    expect(sim, lambda: list(late.sees().values()).count("dead") == 5, within=120, why="all given up")
    heal(sim)
    expect_agreement(sim, within=heal_bound_s(sim.config))


# --- that it costs nobody anything


@given(strategies.ids, st.integers(0, 2**64 - 1), strategies.tokens, st.integers(0, 2**62), strategies.ids)
def test_a_padded_question_has_room_for_its_answer(
    sender: int, fingerprint: int, token: int, counter: int, target: int
) -> None:
    def answer(body: Body) -> int:
        return len(CODEC.encode(sender, counter, fingerprint, body, [], 1200)[0])

    excess = counter_excess(counter)
    assert answer(Ack(token)) <= ACK_BYTES + excess
    assert answer(Ack(token, Address("::1", 1))) <= ACK_BYTES + OBSERVED_BYTES + excess
    assert answer(Ack(token, None, token)) <= ACK_BYTES + COOKIE_BYTES + excess
    assert answer(Ack(token, Address("::1", 1), token)) <= ACK_BYTES + OBSERVED_BYTES + COOKIE_BYTES + excess
    assert answer(Digest(0, fingerprint, (MAX_ID,) * DIGEST_RANGES, token, token)) <= DIGEST_BYTES
    assert answer(Nack(token, target)) <= INDIRECT_ACK_BYTES + excess
    assert answer(IndirectAck(token, target, counter)) <= INDIRECT_ACK_BYTES + 2 * excess
    for least in (ACK_BYTES, ACK_BYTES + OBSERVED_BYTES, INDIRECT_ACK_BYTES + 2 * LONG_COUNTER_BYTES, 1200):
        for question in (Ping(0), PingRequest(0, 1)):
            padded = CODEC.encode(1, 0, 0, question, [], 1200, least)[0]
            assert least - 1 <= len(padded) <= 1200


def test_all_pings_and_requests_have_room_for_the_least_answer() -> None:
    sim = cluster(6, tapped=True)
    sim.crash("n5")
    sim.run(10)
    assert sim.tap is not None
    messages = [(CODEC.decode(data).body, len(data)) for data, _, _ in sim.tap.datagrams]
    assert min(size for body, size in messages if isinstance(body, Ping)) >= ACK_BYTES
    assert min(size for body, size in messages if isinstance(body, PingRequest)) >= INDIRECT_ACK_BYTES


@pytest.mark.parametrize("counter", [1, 70_000, 2**33])
@pytest.mark.parametrize("here", [Address("192.0.2.5", 7946), Address("2001:db8::5", 65_535)], ids=str)
def test_a_newcomer_of_whom_nobody_knows_is_told_by_the_first_ack_where_it_is_reached(
    here: Address, counter: int
) -> None:
    node = Alone()
    node.protocol.parts.local.outrun(counter, node.now)
    late = world(seed=1).start("late", learns_address=True).protocol
    late.seed([node.address], node.now)
    ((ping, _),) = late.datagrams_to_send(node.now)
    answers = [message.body for message in decoded(node.receives(ping, here))]
    assert [body.observed for body in answers if isinstance(body, Ack)] == [here]


def test_members_whose_counters_were_driven_far_up_go_on_as_ever() -> None:
    sim = cluster(5)
    for node in sim.running[:3]:
        node.protocol.parts.local.outrun(2**33, sim.now)
    sim.run(120)
    expect_agreement(sim, within=1)
    expect_no_deaths(sim)
    sim.crash("n4")
    expect_seen(sim, "n4", "dead", within=crash_bound_s(sim.config))


def test_news_that_does_not_fit_an_ack_is_asked_for_at_once() -> None:
    """By pings and acks alone, news has to reach many who never answered a ping of the one that could tell them."""
    sim = world(config=Config.lan(push_fanout=0, reconcile_after=60.0))
    for number in range(32):
        sim.start(f"n{number}")
    sim.acquaint()
    sim.run(5)
    sim.update("n3", {"changed": "once"})
    expect(sim, sim.all_agree, within=6, why="news by riding alone")


def test_two_who_have_proven_nothing_to_each_other_come_to_an_end() -> None:
    """A forged digest makes neither of two members with different views go on for ever about it."""
    one, other = Alone(), Alone(name="n1")
    other.hears(News(), [presented(far, f"x{far}", 1, 1, ELSEWHERE, {}, 5) for far in (1, 2, MAX_ID - 1, MAX_ID)])
    nodes = {address_of(1): one, address_of(2): other}
    under_way = [
        (data, to, address_of(1))
        for data, to in one.hears(
            Digest(0, MAX_ID, (0,) * DIGEST_RANGES), [AliveFact(SOMEBODY, 1)], source=address_of(2), sender=member(2).id
        )
    ]
    exchanged = 0
    while under_way:
        data, to, source = under_way.pop(0)
        exchanged += 1
        assert exchanged < 50
        under_way += [(answer, back, to) for answer, back in nodes[to].receives(data, source)]
    assert exchanged > 0


# --- helping


def requests_from(node: Alone, count: int, targets: Sequence[int], source: Address) -> list[Message]:
    """What a node sends because one source asks so often about these members in turn."""
    sent: list[tuple[bytes, Address]] = []
    for token, target in zip(range(count), itertools.cycle(targets), strict=False):
        sent += node.hears(PingRequest(token, member(target).id, bytes(8)), source=source)
    return decoded(sent)


def kinds(messages: Sequence[Message], kind: type[Body]) -> int:
    """How many of them are of one kind."""
    return sum(isinstance(each.body, kind) for each in messages)


def test_one_source_is_helped_with_so_much_at_once_and_others_besides() -> None:
    node = Alone(Config.lan(max_helped=10, max_helped_per_source=4))
    first = requests_from(node, 9, range(1, 10), STRANGER)
    assert (kinds(first, Ping), kinds(first, Nack)) == (4, 5)
    second = requests_from(node, 9, range(11, 20), ELSEWHERE)
    assert (kinds(second, Ping), kinds(second, Nack)) == (4, 5)
    third = requests_from(node, 9, range(21, 30), address_of(1))
    assert (kinds(third, Ping), kinds(third, Nack)) == (2, 7)
    assert node.protocol.stats.dropped["too many requests to help"] == 5 + 5 + 7
    assert node.protocol.load.helped == 10


def test_when_the_answers_are_given_there_is_room_for_more() -> None:
    node = Alone(Config.lan(max_helped_per_source=4))
    requests_from(node, 4, range(1, 5), STRANGER)
    given = node.time_passes(5)
    assert [to for _, to in given if to == STRANGER] == [STRANGER] * 4
    assert node.protocol.load.helped == 0
    assert kinds(requests_from(node, 4, range(1, 5), STRANGER), Ping) == 4


def test_a_member_is_asked_once_for_all_who_want_to_know_and_all_are_told() -> None:
    node = Alone()
    sources = [Address("192.0.2.1", port) for port in range(1, 21)]
    asked = [message for source in sources for message in requests_from(node, 1, [3], source)]
    assert [type(each.body) for each in asked] == [Ping]
    (ping,) = asked
    assert isinstance(ping.body, Ping)
    told = node.hears(Ack(ping.body.token), source=address_of(3), sender=member(3).id, heartbeat=60)
    told = [each for each in told if each[1] in sources]
    assert [to for _, to in told] == sources
    assert {each.body for each in decoded(told)} == {IndirectAck(0, member(3).id, 60)}
    assert all(len(data) <= INDIRECT_ACK_BYTES for data, _ in told)


def test_whoever_is_asked_for_another_gets_small_pings_only_and_the_requester_one_small_answer() -> None:
    node = Alone()
    request = PingRequest(1, member(40).id, bytes(8))
    sent = node.hears(request) + [each for each in node.time_passes(3) if each[1] in (STRANGER, address_of(40))]
    pings = [each for each in sent if each[1] == address_of(40)]
    answers = [each for each in sent if each[1] == STRANGER]
    assert len(pings) == 2
    assert all(len(data) <= length(request) for data, _ in sent)
    assert [type(each.body) for each in decoded(answers)] == [Nack]


def test_helping_means_members_by_their_id_and_nobody_else() -> None:
    node = Alone()
    ghost = presented(4711, "ghost", 1_700_000_000_000, 1, Address("0.0.0.0", 0), {}, 5)
    sent = node.hears(PingRequest(1, 4711), [ghost])
    assert {to for _, to in sent} == {STRANGER}
    assert {type(each.body) for each in decoded(sent)} == {Nack}
