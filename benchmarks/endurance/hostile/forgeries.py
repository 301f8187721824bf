"""Hostile datagrams: forged, changed and replayed ones, and valid ones of a sender that lies."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from random import Random

from gossip import Address, Key, Keyring
from gossip.core.state.member import Identity, Record
from gossip.core.wire import Codec, encode_fact
from gossip.core.wire.messages import News, Ping, RecordFact
from gossip.security.envelope import HEADER_BYTES, Envelope

CLUSTER = "default"
TYPICAL_BYTES = 90
"""Content of most datagrams: a ping or an ack with little else."""

INVENTED_PER_DATAGRAM = 10


def sealed(keyring: Keyring, count: int, random: Random) -> list[bytes]:
    """Datagrams as a holder of the key sends them."""
    envelope = Envelope(keyring, CLUSTER)
    return [envelope.seal(random.randbytes(TYPICAL_BYTES)) for _ in range(count)]


def with_a_changed_bit(seen: list[bytes], random: Random) -> Iterator[bytes]:
    """Recorded datagrams, each with one bit changed behind the number of its key."""
    while True:
        data = bytearray(random.choice(seen))
        data[random.randrange(3, len(data))] ^= 1 << random.randrange(8)
        yield bytes(data)


def with_made_up_content(seen: list[bytes], random: Random) -> Iterator[bytes]:
    """Random content behind recorded headers."""
    while True:
        yield random.choice(seen)[:HEADER_BYTES] + random.randbytes(TYPICAL_BYTES)


def of_made_up_sessions(seen: list[bytes], random: Random) -> Iterator[bytes]:
    """Random content of random sessions; these cost a node most to refuse."""
    head = seen[0][:3]
    while True:
        yield head + random.randbytes(len(seen[0]) - 3)


def sealed_with_another_key(_: list[bytes], random: Random) -> Iterator[bytes]:
    """Datagrams of a holder of another key."""
    envelope = Envelope(Keyring.of(Key.generate()), CLUSTER)
    while True:
        yield envelope.seal(random.randbytes(TYPICAL_BYTES))


def noise(_: list[bytes], random: Random) -> Iterator[bytes]:
    """Random bytes."""
    while True:
        yield random.randbytes(TYPICAL_BYTES)


FORGERIES: dict[str, Callable[[list[bytes], Random], Iterator[bytes]]] = {
    "seen ones with a changed bit": with_a_changed_bit,
    "made up behind seen headers": with_made_up_content,
    "made up, of made-up sessions": of_made_up_sessions,
    "sealed with another key": sealed_with_another_key,
    "random bytes": noise,
}


def invented_members(random: Random) -> Iterator[bytes]:
    """Valid datagrams without a seal, each of which presents members that do not exist."""
    codec = Codec(CLUSTER)
    while True:
        facts = [encode_fact(RecordFact(_invented(random), 1)) for _ in range(INVENTED_PER_DATAGRAM)]
        yield codec.encode(random.getrandbits(64), 1, 0, News(), facts, 1200)[0]


def strange_pings(random: Random) -> Iterator[bytes]:
    """Valid pings without a seal, of senders that nobody knows."""
    codec = Codec(CLUSTER)
    while True:
        yield codec.encode(random.getrandbits(64), 1, random.getrandbits(64), Ping(random.getrandbits(32)), (), 1200)[0]


def _invented(random: Random) -> Record:
    member_id = random.getrandbits(64)
    name = f"invented-{member_id:016x}"
    host = f"127.{1 + member_id % 250}.{member_id // 250 % 250}.{1 + member_id // 62_500 % 250}"  # nobody listens there
    return Record(Identity(name, 1_700_000_000_000, member_id), 1, Address(host, 7946), {"zone": os.urandom(4).hex()})
