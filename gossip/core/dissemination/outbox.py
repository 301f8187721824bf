"""The outbox: composes messages, fills the remaining room with news, and holds what is to be sent.

A message carries, in this order: what its purpose needs, what concerns its recipient, and rumours (the least sent
first). No datagram is larger than ``max_datagram``. An answer to an address that is not validated is no larger than the
message that it answers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from gossip.core.config import Config
from gossip.core.dissemination.address_validation import AddressValidation
from gossip.core.dissemination.facts import liveness_fact, without_loopback
from gossip.core.dissemination.rumours import Rumours
from gossip.core.state.entry import Entry
from gossip.core.state.view import View
from gossip.core.support.address import Address
from gossip.core.support.budget import TokenBucket
from gossip.core.support.drop_reasons import Drop
from gossip.core.support.drops import Drops
from gossip.core.wire import ACK_BYTES, COOKIE_BYTES, MAX_FRAME_BYTES, OBSERVED_BYTES, Codec, counter_excess
from gossip.core.wire.messages import ANONYMOUS, Ack, Body, News, Ping

MAX_PENDING_DATAGRAMS = 4096
"""Datagrams composed but not yet taken by the driver, which takes them after every call."""


ANSWERS_PER_PUSH = 2
"""Datagrams of facts that may be sent in answer, for each datagram that may be pushed. Both halves of a difference of
views travel in answers, and a push needs no answer."""


PACKET_OVERHEAD_BYTES = 80
"""Bytes around a datagram on the wire: headers of IPv6 and UDP (48) and the envelope (32). When several datagrams
answer one, each beyond the first costs this much more than its payload."""


class Path:
    """The way to a peer: an address, or an open stream to it."""

    __slots__ = ("address", "credit", "is_query", "stream")

    def __init__(self, address: Address, stream: int | None = None, credit: int | None = None) -> None:
        self.address = address
        self.stream = stream
        self.credit = credit
        """Bytes that may still be sent there while the address is not validated; None if no message of another made
        this node send."""
        self.is_query = False
        """Whether it leads to a client that only asks and takes no part in the cluster."""

    def reserve(self, size: int) -> int:
        """Keep some of the credit for later, if that is no more than half of it; returns how much was kept."""
        if self.credit is None or size > self.credit // 2:
            return 0
        self.credit -= size
        return size

    def release(self, size: int) -> None:
        """Give back credit that was kept."""
        if self.credit is not None:
            self.credit += size


class OpenStream(NamedTuple):
    """Connect a stream to this address and give it this number."""

    stream: int
    address: Address


class SendFrame(NamedTuple):
    """Send this message on an open stream."""

    stream: int
    data: bytes


class CloseStream(NamedTuple):
    """Send what is still to be sent on this stream, then close it."""

    stream: int


StreamAction = OpenStream | SendFrame | CloseStream


class Outbox:
    """Everything this node is about to send."""

    def __init__(self, config: Config, view: View, rumours: Rumours, codec: Codec, validation: AddressValidation,
                 drops: Drops, now: float) -> None:  # fmt: skip
        self._config = config
        self._view = view
        self._rumours = rumours
        self._codec = codec
        self._validation = validation
        self._drops = drops
        self._answers = TokenBucket(ANSWERS_PER_PUSH * config.push_rate, config.push_burst, now)
        self.datagrams: list[tuple[bytes, Address]] = []
        """Datagrams that the driver has not taken yet, in order."""
        self.actions: list[StreamAction] = []
        """Actions on streams that the driver has not taken yet, in order."""
        self.datagrams_sent = 0
        self.bytes_sent = 0
        self.replies_cut = 0
        self.is_known = False
        """Whether another view has equalled this one, so that others know this node."""
        self.is_in_doubt = False
        """Whether this node has heard nobody for so long that others may have forgotten it. Its questions then leave
        room for the answer that says so."""
        self.agrees = False
        """Whether the view of the peer that was heard last equals this node's."""
        self.hides_loopback = view.local.registers.record.address.is_loopback
        """Whether this node knows members at loopback addresses, which it hides from other machines."""

    @property
    def pending(self) -> int:
        """Number of datagrams that the driver has not taken yet."""
        return len(self.datagrams)

    def act(self, action: StreamAction) -> None:
        """Have the driver do something with a stream."""
        self.actions.append(action)

    def is_validated(self, path: Path, now: float) -> bool:
        """Whether the address at the end of this path is validated; a stream always is."""
        return path.stream is not None or self._validation.has(path.address, now)

    def validate(self, address: Address, now: float) -> None:
        """Take note that a ping to this address was answered."""
        self._validation.validate(address, now)

    def cookie(self, path: Path, now: float) -> int:
        """The number that the peer at the end of this path has to repeat to validate its address; 0 on a stream, where
        none is needed."""
        return self._validation.cookie(path.address, now) if path.stream is None else 0

    def limit(self, path: Path, now: float) -> int:
        """Bytes that one message on this path may have.

        A datagram from a validated member's address may be forged all the same. So an answer that is larger than its
        question is paid from the budget for answers, and is not sent when that budget is spent.
        """
        if path.stream is not None:
            return MAX_FRAME_BYTES
        most = self._config.max_datagram
        if path.credit is None or path.credit >= most:
            return most
        if self._validation.has(path.address, now) and self._answers.available(now) > 0:
            return most
        return path.credit

    def send(self, path: Path, body: Body, now: float, *, to: Entry | None = None, facts: Sequence[bytes] = (),
             agrees: bool = False, news: bool = True, min_bytes: int = 0) -> bool:  # fmt: skip
        """Send a message with as many of the encoded ``facts`` as fit; news is piggybacked on pings and acks.

        :param to: the member at the end of the path, if this node knows it.
        :param agrees: whether its view has just been seen to equal this node's.
        :param news: whether news may be piggybacked.
        :param min_bytes: bytes to which a question is padded, so that there is room in the answer.
        :returns: whether it was sent: an answer that is too large for its receiver is not.
        """
        to_send, limit = self._for_peer(path, facts) if self.hides_loopback else facts, MAX_FRAME_BYTES
        if to is not None and to.registers.is_below_floor:
            to_send = [*to_send, liveness_fact(to)]
        needed, piggybacked = len(to_send), None
        if news and len(self._rumours) and isinstance(body, (Ping, Ack)):
            limit, recipient = self.limit(path, now), ANONYMOUS if to is None else to.id
            piggybacked = self._rumours.piggybacked(recipient, agrees, min(limit, self._config.max_datagram), now)
            if self.hides_loopback:
                piggybacked = [(member, fact) for member, fact in piggybacked if self._for_peer(path, [fact])]
            to_send = [*to_send, *(fact for _, fact in piggybacked)]
        elif to_send:
            limit = self.limit(path, now)
        if isinstance(body, Ping) and path.stream is None:
            min_bytes = max(min_bytes, self._min_bytes(path, to, now))
        data, fitting = self._encode(body, to_send, limit, min_bytes)
        is_short = path.credit is not None and (len(data) > path.credit or fitting < len(to_send))
        if is_short and not self._may_go(path, len(data), now):
            return False
        if path.credit is not None and len(data) > path.credit and isinstance(body, Ack):
            self._answers.spend(1)
        if piggybacked:
            self._rumours.count_piggybacked(member_id for member_id, _ in piggybacked[: max(0, fitting - needed)])
        self._put(path, data)
        return True

    def _may_go(self, path: Path, size: int, now: float) -> bool:
        """Whether an answer that is too large, or was cut, may be sent; counts it if the credit was too small."""
        limit = self.limit(path, now)
        self.replies_cut += limit < self._config.max_datagram
        return size <= limit

    def _min_bytes(self, path: Path, to: Entry | None, now: float) -> int:
        """Bytes that a ping needs to leave room for its ack."""
        min_bytes = ACK_BYTES if self.agrees else ACK_BYTES + COOKIE_BYTES
        if path.credit is not None and (limit := self.limit(path, now)) < self._config.max_datagram:
            return min_bytes if limit >= min_bytes else ACK_BYTES if limit > ACK_BYTES else 0
        if to is None or not self.is_known or self.is_in_doubt:
            return min_bytes + OBSERVED_BYTES  # the peer may not know this node
        return min_bytes + counter_excess(to.registers.heartbeat)

    def allowance(self, path: Path, most: int, now: float) -> int:
        """How many messages this node may send in answer to something that came this way, at most ``most``.

        Over datagrams all peers that ask share one budget: a forged source address must not turn this node against a
        third machine. A peer that gets no answer asks again. Streams have budgets of their own.
        """
        return most if path.stream is not None else min(most, self._answers.available(now))

    def room(self, path: Path, most: int, now: float) -> int:
        """How many bytes this node may send in answer to something that came this way, in at most ``most`` messages."""
        if self.is_validated(path, now):
            return self.allowance(path, most, now) * self.limit(path, now)
        return self.limit(path, now) if self.allowance(path, most, now) > 0 else 0

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

        :returns: how many messages it sent.
        """
        rest = list(self._for_peer(path, facts))
        sent = 0
        while rest and sent < most:
            limit = self.limit(path, now)
            data, fitting = self._encode(News(), rest, limit)
            if limit < self._config.max_datagram and fitting < len(rest):
                self.replies_cut += 1
                if not fitting:
                    break
                rest = rest[:fitting]
            self._put(path, data)
            rest = rest[max(1, fitting) :]
            sent += 1
        return sent

    def send_news(self, targets: list[Entry], facts: list[bytes], now: float) -> int:
        """Send the same facts, as many as fit into one datagram, to several members; returns how many fitted."""
        data, fitting = self._encode(News(), facts, self._config.max_datagram)
        for target in targets:
            path = Path(target.registers.record.address)
            told = self._for_peer(path, facts[:fitting])
            if len(told) == fitting:
                self._put(path, data)
            else:
                self.send_pages(path, told, now, 1)
        return fitting

    def _for_peer(self, path: Path, facts: Sequence[bytes]) -> Sequence[bytes]:
        """The same facts, without records that mean nothing at their destination."""
        if not self.hides_loopback or path.is_query or path.address.is_loopback:
            return facts
        return without_loopback(facts)

    def _encode(self, body: Body, facts: Sequence[bytes], limit: int, min_bytes: int = 0) -> tuple[bytes, int]:
        own = self._view.local
        return self._codec.encode(
            own.id, own.registers.heartbeat, self._view.fingerprint, body, facts, limit, min_bytes
        )

    def _put(self, path: Path, data: bytes) -> None:
        if path.credit is not None:
            path.credit -= len(data) + PACKET_OVERHEAD_BYTES
        if path.stream is not None:
            self.actions.append(SendFrame(path.stream, data))
        elif len(self.datagrams) >= MAX_PENDING_DATAGRAMS:
            self._drops.note(Drop.TOO_MUCH_TO_SEND)
        else:
            self.datagrams.append((data, path.address))
            self.datagrams_sent += 1
            self.bytes_sent += len(data)
