"""The table of stages: every row is reached, nothing else happens, and the table is well-formed."""

from __future__ import annotations

import random
from collections import Counter
from itertools import pairwise

import pytest

from gossip.core.config import Config
from gossip.core.detection import detector
from gossip.core.detection.stages import PROBING, SUSPICION, TABLE, Action, Happening, Row, Stage
from gossip.core.protocol import Protocol
from gossip.core.state.member import Identity, Record, Status
from gossip.core.support.address import Address
from gossip.core.wire import Codec, encode_fact
from gossip.core.wire.messages import Ack, AliveFact, DeadFact, LeftFact, News, Ping, RecordFact, SuspectFact

CALM = Config.lan(witnesses=30.0)
"""A node that hears of a suspicion is always drawn as a witness: with the usual share a walk takes long to see one."""

BUSY = Config.lan(witnesses=30.0, push_rate=8.0, push_burst=16)
"""A node that is often too busy with news to believe a conviction at once."""

OTHERS = 5
STEPS = 4000
MOST_WALKS = 40


class _Watched(dict[tuple[Stage, Happening], Row]):
    """A table that counts how often each row is looked up."""

    def __init__(self) -> None:
        super().__init__(TABLE)
        self.seen: Counter[tuple[Stage, Happening]] = Counter()

    def __getitem__(self, key: tuple[Stage, Happening]) -> Row:
        self.seen[key] += 1
        return super().__getitem__(key)


class _Walk:
    """One node among members that do and are said to do whatever a random source says."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.answering = self.random.choice([0.05, 0.3, 1.0])
        """Share of pings that may be answered."""
        self.convicting = self.random.choice([0.05, 0.5])
        self.now = 0.0
        config = BUSY if seed % 2 else CALM
        self.codec = Codec(config.cluster)
        own = Address("127.0.0.1", 1)
        self.node = Protocol(config, name="n0", generation=1, random=random.Random(seed), now=0.0, address=own)
        self.started = [0.0] * (OTHERS + 1)
        self.generations = [1] * (OTHERS + 1)
        self.versions = 0
        self.asked: list[tuple[int, Ping]] = []
        for each in range(1, OTHERS + 1):
            self.present(each)

    def member_id(self, each: int) -> int:
        return each * 1000 + self.generations[each]

    def counter(self, each: int) -> int:
        return 1 + int((self.now - self.started[each]) * 10)

    def address(self, each: int) -> Address:
        return Address("127.0.0.1", 1 + each)

    def say(self, each: int, *facts: object, body: object = None) -> None:
        """Have a member send a message with these facts."""
        encoded = [encode_fact(fact) for fact in facts]  # type: ignore[arg-type]
        content = News() if body is None else body
        data, _ = self.codec.encode(self.member_id(each), self.counter(each), 0, content, encoded, 1200)  # type: ignore[arg-type]
        self.node.receive_datagram(data, self.address(each), self.now)

    def present(self, each: int) -> None:
        """Have a member say who it is, perhaps as a later generation, and something new, which is news to push."""
        identity = Identity(f"m{each}", self.generations[each], self.member_id(each))
        self.versions += 1
        self.say(each, RecordFact(Record(identity, self.versions, self.address(each), {}), self.counter(each)))

    def step(self) -> None:
        """One thing happens."""
        each, sender = (self.random.randint(1, OTHERS) for _ in range(2))
        entry = self.node.view.get(self.member_id(each))
        seen = 1 if entry is None else entry.registers.heartbeat
        accuser = self.random.choice([self.member_id(sender), 99, 98, 97])
        match self.random.randrange(12):
            case 0 | 7 | 8:
                floor = seen + 1 + self.random.randrange(20)
                self.say(sender, SuspectFact(self.member_id(each), floor, (accuser,), seen))
            case 1 if self.random.random() < self.convicting:
                self.say(sender, DeadFact(self.member_id(each), seen + 80, (accuser,), seen))
            case 2:
                self.say(sender, AliveFact(self.member_id(each), self.counter(each)))
            case 10 if self.random.random() < 0.02:
                self.say(sender, LeftFact(self.member_id(each), seen))
            case 9 if self.random.random() < 0.2:
                self.generations[each] += 1
                self.started[each] = self.now
                self.present(each)
            case 4 | 5 if self.asked and self.random.random() < self.answering:
                whom, ping = self.asked.pop(self.random.randrange(len(self.asked)))
                self.say(whom, body=Ack(ping.token))
            case 6:
                self.present(each)
            case _:
                self.pass_time(self.random.choice([0.0, 0.01, 0.05, 0.2, 0.4]))
        self.collect()

    def pass_time(self, seconds: float) -> None:
        """Let time pass, timer by timer."""
        until = self.now + seconds
        while self.node.next_timer() <= until:
            self.now = max(self.now, self.node.next_timer())
            self.node.handle_timer(self.now)
            self.collect()
        self.now = until

    def collect(self) -> None:
        """Take what the node sends; remember the pings, which may be answered later, or never."""
        for data, destination in self.node.datagrams_to_send(self.now):
            body = self.codec.decode(data).body
            if isinstance(body, Ping):
                self.asked = [*self.asked[-6:], (destination.port - 1, body)]
        self.node.stream_actions()
        while self.node.next_event() is not None:
            pass


def test_every_row_is_reached_and_nothing_happens_that_is_not_in_the_table(monkeypatch: pytest.MonkeyPatch) -> None:
    watched = _Watched()
    monkeypatch.setattr(detector, "TABLE", watched)
    for seed in range(MOST_WALKS):
        walk = _Walk(seed)
        for _ in range(STEPS):
            walk.step()
        if watched.seen.keys() == TABLE.keys():
            break
    assert watched.seen.keys() == TABLE.keys()


def test_each_row_stays_among_the_stages_of_probing_or_of_suspicion() -> None:
    for (stage, _), row in TABLE.items():
        assert (stage in PROBING) == (row.next in PROBING)
    assert set(PROBING) | set(SUSPICION) == set(Stage)
    assert not set(PROBING) & set(SUSPICION)


def test_every_stage_is_entered_and_left_and_every_action_is_taken() -> None:
    assert {row.next for row in TABLE.values()} == set(Stage)
    assert {stage for stage, _ in TABLE} == set(Stage)
    assert {happening for _, happening in TABLE} == set(Happening)
    assert {action for row in TABLE.values() for action in row.actions} == set(Action) == detector._ACTIONS.keys()


def test_a_suspect_that_answers_the_last_probe_without_reaching_the_floor_gets_new_time_for_it() -> None:
    """It lives, though it may never have heard of the floor, or refuses it."""
    walk = _Walk(0)
    walk.say(1, SuspectFact(walk.member_id(2), walk.counter(2) + 1000, (99,), walk.counter(2)))
    begun: set[float] = set()
    fates: set[Status] = set()
    while walk.now < 30:
        walk.pass_time(0.01)
        for whom, ping in walk.asked:
            walk.say(whom, body=Ack(ping.token))
        walk.asked = []
        explanation = walk.node.explain("m2", walk.now)
        assert explanation is not None
        assert explanation.since is not None
        begun.add(explanation.since)
        fates.add(explanation.member.status)
    assert fates == {Status.SUSPECT}
    assert len(begun) >= 3, "a time to refute begins after each last probe"
    assert min(later - sooner for sooner, later in pairwise(sorted(begun))) >= CALM.suspicion_min
