"""The valid messages that cost a node most for each of their bytes, as large as a node takes them.

What they say harms nobody by itself: it is outdated, refused, or about members that do not exist, at addresses of this
machine where nobody listens. So if a node is suspected meanwhile, the cost of the messages is the reason.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from random import Random

import attrs

from gossip import Address
from gossip.core.protocol import JUMBO_DATAGRAM_BYTES
from gossip.core.state.member import Identity, Record
from gossip.core.wire import MAX_FRAME_BYTES, Codec, encode_fact
from gossip.core.wire.messages import AliveFact, Fact, News, RecordFact, SuspectFact
from gossip.security.envelope import OVERHEAD_BYTES
from tests.fuzzing import bombs as hostile_items

GENERATION = 1_750_000_000_000
NOBODY = Address("127.9.0.1", 7946)
INVENTED_ID = 2**32
"""The first of the ids of members that do not exist."""


@attrs.frozen
class Bomb:
    """What is sent to a node, over and over, in datagrams or on streams."""

    name: str
    messages: Callable[[Sequence[int], int], Iterator[bytes]]
    """Makes the messages, given the ids of the members and how many bytes one may have."""
    steps: tuple[int, ...]
    """The steps, one after the other: datagrams a second, or streams that are always full."""
    is_sealed: bool = False
    """Whether the sender has the key."""
    on_streams: bool = False

    @property
    def message_bytes(self) -> int:
        """Bytes that one message may have."""
        if self.on_streams:
            return MAX_FRAME_BYTES
        return JUMBO_DATAGRAM_BYTES - OVERHEAD_BYTES * self.is_sealed


def _full_of(fact: Callable[[int, Sequence[int]], Fact]) -> Callable[[Sequence[int], int], Iterator[bytes]]:
    """Messages full of facts. Each fact is made from a number that counts up, and the ids of the members."""

    def messages(ids: Sequence[int], most: int) -> Iterator[bytes]:
        codec, random, at = Codec("default"), Random(0), 0
        while True:
            facts: list[bytes] = []
            size = 0
            while size < most:
                facts.append(encode_fact(fact(at, ids)))
                size += len(facts[-1])
                at += 1
            yield codec.encode(random.getrandbits(64), 1, 0, News(), facts, most)[0]

    return messages


def _invented(name: str, member_id: int, generation: int = GENERATION) -> RecordFact:
    return RecordFact(Record(Identity(name, generation, member_id), 1, NOBODY, {}), 1)


def _arrays_as_metadata(_: Sequence[int], most: int) -> Iterator[bytes]:
    item = hostile_items.BOMBS["arrays of an array, as many as there is room for"]
    while True:
        yield hostile_items.placed(item, "metadata", most)


_accusations = _full_of(lambda at, ids: SuspectFact(ids[at % len(ids)], 1, (1,)))

_A_SECOND = (250, 500, 1_000, 2_000, 4_000)
_STREAMS = (8, 16, 32, 64, 128)

BOMBS = (
    Bomb("outdated accusations", _accusations, _A_SECOND),
    Bomb("outdated accusations, with a stolen key", _accusations, _A_SECOND, is_sealed=True),
    Bomb("records of strangers", _full_of(lambda at, _: _invented(f"{at:x}", INVENTED_ID + at)), _A_SECOND),
    Bomb(
        "ever later bearers of one name",
        _full_of(lambda at, _: _invented("invented", INVENTED_ID + at, GENERATION + at)),
        _A_SECOND,
    ),
    Bomb("ever other names of one id", _full_of(lambda at, _: _invented(f"{at:x}", INVENTED_ID)), _A_SECOND),
    Bomb("counters of nobody", _full_of(lambda at, _: AliveFact(1 + at % 23, 1)), _A_SECOND),
    Bomb("arrays of an array, as metadata", _arrays_as_metadata, _A_SECOND),
    Bomb("outdated accusations, on streams", _accusations, _STREAMS, on_streams=True),
)
