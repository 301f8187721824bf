"""The outbox: composes messages, fills the room left with news, and holds what is to be sent.

What a message carries, in this order: what its purpose needs, what concerns its recipient, rumours
(least sent first). No datagram is larger than ``max_datagram``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import attrs

from gossip.core.address import Address
from gossip.core.budget import TokenBucket
from gossip.core.config import Config
from gossip.core.dissemination import Dissemination
from gossip.core.drops import Drops
from gossip.core.facts import liveness_fact
from gossip.core.local import LocalMember
from gossip.core.messages import ANONYMOUS, Ack, Body, News, Ping
from gossip.core.view import Entry, View
from gossip.core.wire import MAX_FRAME_BYTES, Codec

MAX_PENDING_DATAGRAMS = 4096
"""Datagrams composed but not yet taken by the driver, which takes them after every call."""


ANSWERS_PER_PUSH = 2
"""Datagrams of facts that may be sent in answer, for each that may be pushed: both halves of a difference of
views are settled by answers, and a push needs none."""


class Path(NamedTuple):
    """The way to a peer: an address, or an open stream to it."""

    address: Address
    stream: int | None = None


@attrs.frozen
class OpenStream:
    """Connect a stream to this address and give it this number."""

    stream: int
    address: Address


@attrs.frozen
class SendFrame:
    """Send this message on an open stream."""

    stream: int
    data: bytes


@attrs.frozen
class CloseStream:
    """Send what is still to be sent on this stream, then close it."""

    stream: int


StreamAction = OpenStream | SendFrame | CloseStream


class Outbox:
    """Everything this node is about to send."""

    def __init__(self, config: Config, view: View, local: LocalMember, dissemination: Dissemination,
                 codec: Codec, drops: Drops, now: float) -> None:  # fmt: skip
        self._config = config
        self._view = view
        self._local = local
        self._dissemination = dissemination
        self._codec = codec
        self._drops = drops
        self._answers = TokenBucket(ANSWERS_PER_PUSH * config.push_rate, config.push_burst, now)
        self.datagrams: list[tuple[bytes, Address]] = []
        """Composed but not yet taken, in order."""
        self.actions: list[StreamAction] = []
        """What is to be done with streams and not yet taken, in order."""
        self.datagrams_sent = 0
        self.bytes_sent = 0

    @property
    def pending(self) -> int:
        """Number of datagrams composed but not yet taken."""
        return len(self.datagrams)

    def act(self, action: StreamAction) -> None:
        """Have something done with a stream."""
        self.actions.append(action)

    def limit(self, path: Path) -> int:
        """Bytes that one message on this path may have."""
        return self._config.max_datagram if path.stream is None else MAX_FRAME_BYTES

    def send(self, path: Path, body: Body, now: float, *, to: Entry | None = None,
             facts: Sequence[bytes] = (), agrees: bool = False) -> None:  # fmt: skip
        """Send a message with as many of the encoded ``facts`` as fit; pings and acks take news along.

        :param to: the member at the end of the path, if it is known.
        :param agrees: whether its view has just been seen to equal ours.
        """
        needed = list(facts)
        if to is not None and to.registers.is_doubted:
            needed.append(liveness_fact(to))
        if not (len(self._dissemination) and isinstance(body, (Ping, Ack))):
            self._put(path, self._encode(path, body, needed)[0])
            return
        recipient = to.id if to is not None else ANONYMOUS
        riders = self._dissemination.riders(recipient, agrees, self._config.max_datagram, now)
        data, fitting = self._encode(path, body, [*needed, *(fact for _, fact in riders)])
        self._dissemination.rode(member_id for member_id, _ in riders[: max(0, fitting - len(needed))])
        self._put(path, data)

    def allowance(self, path: Path, most: int, now: float) -> int:
        """How many messages may be sent in answer to something that came this way, ``most`` at most.

        Over datagrams the budget is shared by all who ask: a forged source address must not turn the
        node against somebody else. Whoever is left out asks again. Streams have budgets of their own.
        """
        return most if path.stream is not None else min(most, self._answers.available(now))

    def spend(self, path: Path, count: int) -> None:
        """Count messages sent in answer against the budget."""
        if path.stream is None:
            self._answers.spend(count)

    def send_answer(self, path: Path, facts: Sequence[bytes], now: float, most: int) -> None:
        """Send encoded facts like :meth:`send_pages`, as far as the budget for answers allows."""
        if facts:
            self.spend(path, self.send_pages(path, facts, now, self.allowance(path, most, now)))

    def send_pages(self, path: Path, facts: Sequence[bytes], now: float, most: int) -> int:
        """Send encoded facts and nothing else, in as many messages as they need but at most ``most``.

        :returns: how many messages that were.
        """
        rest = list(facts)
        sent = 0
        while rest and sent < most:
            data, fitting = self._encode(path, News(), rest)
            self._put(path, data)
            rest = rest[max(1, fitting) :]
            sent += 1
        return sent

    def send_news(self, targets: list[Entry], facts: list[bytes], now: float) -> int:
        """Send the same facts, as many as fit one datagram, to several members; says how many fitted."""
        first = Path(targets[0].registers.record.address)
        data, fitting = self._encode(first, News(), facts)
        for target in targets:
            self._put(Path(target.registers.record.address), data)
        return fitting

    def _encode(self, path: Path, body: Body, facts: Sequence[bytes]) -> tuple[bytes, int]:
        own = self._local.entry
        limit = self.limit(path)
        return self._codec.encode(own.id, own.registers.heartbeat, self._view.fingerprint, body, facts, limit)

    def _put(self, path: Path, data: bytes) -> None:
        if path.stream is not None:
            self.actions.append(SendFrame(path.stream, data))
        elif len(self.datagrams) >= MAX_PENDING_DATAGRAMS:
            self._drops.note("too much to send")
        else:
            self.datagrams.append((data, path.address))
            self.datagrams_sent += 1
            self.bytes_sent += len(data)
