"""Bodies: the part of each message that depends on its kind, as items of the message's array."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gossip.core.errors import WireError
from gossip.core.state.heartbeat import MAX_COUNTER
from gossip.core.state.member import MAX_VERSION
from gossip.core.support.drop_reasons import Drop
from gossip.core.wire.messages import (
    DIGEST_RANGES,
    MAX_ID,
    MAX_TOKEN,
    Ack,
    Body,
    Clock,
    Digest,
    Entries,
    Explain,
    Explained,
    IndirectAck,
    Nack,
    News,
    Ping,
    PingRequest,
)  # fmt: skip
from gossip.core.wire.values import address_of, items_of, name_of, number_of, token_of

HASH_BYTES = 8


def _padding(value: object) -> bytes:
    if type(value) is not bytes:
        raise WireError(Drop.WRONG_SHAPE)
    if value.strip(b"\0") or not value:
        raise WireError(Drop.NOT_CANONICAL)
    return value


def _range(low: object, high: object) -> tuple[int, int]:
    first = number_of(low, MAX_ID)
    return first, number_of(high, MAX_ID, first)


def _digest(low: object, high: object, hashes: object, cookie: object, *repeats: object) -> Digest:
    if type(hashes) is not bytes or len(hashes) != DIGEST_RANGES * HASH_BYTES:
        raise WireError(Drop.WRONG_SHAPE)
    parts = (hashes[at : at + HASH_BYTES] for at in range(0, len(hashes), HASH_BYTES))
    numbers = tuple(int.from_bytes(part, "big") for part in parts)
    return Digest(*_range(low, high), numbers, token_of(cookie), *map(token_of, repeats))


def _entries(low: object, high: object, *repeats: object) -> Entries:
    return Entries(*_range(low, high), *map(token_of, repeats))


KINDS: dict[type[Body], int] = {
    Ping: 1, Ack: 2, PingRequest: 3, Nack: 4, IndirectAck: 5, News: 6, Digest: 7, Entries: 8, Clock: 9, Explain: 10,
    Explained: 11,
}  # fmt: skip
"""The number on the wire of each kind of message."""


_ABSENT = object()
"""Stands for an item at the end of a body that was left out."""


def _ping(token: object, padding: object = _ABSENT) -> Ping:
    return Ping(token_of(token)) if padding is _ABSENT else Ping(token_of(token), _padding(padding))


def _ack(token: object, observed: object = _ABSENT, cookie: object = _ABSENT) -> Ack:
    if observed is _ABSENT:
        return Ack(token_of(token))
    if cookie is _ABSENT:
        return Ack(token_of(token), address_of(observed))
    return Ack(token_of(token), None if observed is None else address_of(observed), token_of(cookie))


def _ping_request(token: object, target: object, *padding: object) -> PingRequest:
    return PingRequest(token_of(token), number_of(target, MAX_ID, 1), *map(_padding, padding))


def _explained(token: object, content: object) -> Explained:
    return Explained(token_of(token), None if content is None else items_of(content))


BODIES: dict[int, tuple[range, Callable[..., Body]]] = {
    KINDS[Ping]: (range(1, 3), _ping),
    KINDS[Ack]: (range(1, 4), _ack),
    KINDS[PingRequest]: (range(2, 4), _ping_request),
    KINDS[Nack]: (range(2, 3), lambda token, target: Nack(number_of(token, MAX_TOKEN), number_of(target, MAX_ID, 1))),
    KINDS[IndirectAck]: (
        range(3, 4),
        lambda token, target, heartbeat: IndirectAck(
            number_of(token, MAX_TOKEN), number_of(target, MAX_ID, 1), number_of(heartbeat, MAX_COUNTER)
        ),
    ),
    KINDS[News]: (range(1), News),
    KINDS[Digest]: (range(4, 6), _digest),
    KINDS[Entries]: (range(2, 4), _entries),
    KINDS[Clock]: (range(1, 2), lambda wall_ms: Clock(number_of(wall_ms, MAX_VERSION))),
    KINDS[Explain]: (range(2, 3), lambda token, name: Explain(token_of(token), name_of(name))),
    KINDS[Explained]: (range(2, 3), _explained),
}
"""For each kind, the permitted numbers of items in the body, and the function that checks and builds it."""


def body_items(body: Body) -> tuple[Any, ...]:
    if isinstance(body, Ping):
        return body if body.padding else (body.token,)
    if isinstance(body, PingRequest):
        return body if body.padding else body[:-1]
    if isinstance(body, Ack):
        if body.cookie is None and body.observed is None:
            return body[:1]
        where = None if body.observed is None else body.observed.to_wire()
        return (body.token, where) if body.cookie is None else (body.token, where, body.cookie)
    if isinstance(body, Digest):
        hashes = b"".join(each.to_bytes(HASH_BYTES, "big") for each in body.hashes)
        items = (body.low, body.high, hashes, body.cookie)
        return items if body.repeats is None else (*items, body.repeats)
    if isinstance(body, Entries):
        return body[:-1] if body.repeats is None else body
    return body
