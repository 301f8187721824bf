"""A store of records: each record is checked and built once, and is the same object when it is met again.

Each node hears a record several times, and so do all nodes of a process. Checking and building it once removes most of
the time of joining. The store is bounded. It belongs to one node, or to all nodes of a process or simulation.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from functools import lru_cache
from itertools import chain
from typing import Any

from gossip.core.errors import WireError
from gossip.core.state.member import KEY_BYTES, MAX_VERSION, SIGNATURE_BYTES, Identity, Member, Record
from gossip.core.support.drop_reasons import Drop
from gossip.core.wire.messages import MAX_ID
from gossip.core.wire.values import address_of, bytes_of, metadata_of, name_of, number_of

KEPT = 16_384
"""Records kept. The records of a full view fit in: a cache that is smaller than the sequence it serves never hits."""

MAX_SHARED_METADATA = 1024
"""Characters of metadata up to which a record is kept: twice the usual limit. Invented records fill the cache with at
most some 100 MB."""

_NUMBERS = struct.Struct(">QQQ")


class Records:
    """The records that one node, or all nodes of a process, met before."""

    def __init__(self) -> None:
        # Keyed by type as well, because a dictionary takes 1, 1.0 and True for the same key.
        self._known = lru_cache(KEPT, typed=True)(self._build)
        self._first = lru_cache(KEPT, typed=True)(_itself)
        self.of = lru_cache(KEPT, typed=True)(self._of)
        """The record that a peer would have sent of a member; raises WireError if no peer could have sent it."""

    def __len__(self) -> int:
        return self._known.cache_info().currsize

    def shared(self, record: Record) -> Record:
        """The first of all records met that equals this one."""
        return self._first(record)

    def checked(
        self, member_id: object, name: object, generation: object, version: object, address: object, metadata: object,
        *signed: object,
    ) -> Record:  # fmt: skip
        """The record with these items of a message; the same object whenever it is met again.

        :param signed: key and signature, or nothing.
        :raises WireError: if one of the items is not valid.
        """
        if type(metadata) is not dict:
            raise WireError(Drop.BAD_METADATA)
        items = tuple(metadata.items())
        if not type(member_id) is type(generation) is type(version) is int:
            return _new_record(member_id, name, generation, version, address, items, *signed)
        try:
            if items and _characters(items) > MAX_SHARED_METADATA:
                return _new_record(member_id, name, generation, version, address, items, *signed)
            return self._known(_NUMBERS.pack(member_id, generation, version), name, address, items, *signed)
        except (TypeError, struct.error):  # an item without length or hash, or out of range, is not valid
            return _new_record(member_id, name, generation, version, address, items, *signed)

    def _of(self, member: Member) -> Record:
        try:
            address = member.address.to_wire()
        except ValueError:
            raise WireError(Drop.BAD_ADDRESS) from None
        metadata = dict(sorted(member.metadata.items()))
        signed = (member.key, member.signature) if member.signature else ()
        return self.checked(member.id, member.name, member.generation, member.version, address, metadata, *signed)

    def _build(
        self, numbers: bytes, name: object, address: object, metadata: tuple[tuple[Any, Any], ...], *signed: object
    ) -> Record:
        """A record that was not met before.

        :param numbers: id, generation and version, packed, because Python's hashes of bytes are secret and those of
            numbers are not: see :class:`Record`.
        """
        member_id, generation, version = _NUMBERS.unpack(numbers)
        return self.shared(_new_record(member_id, name, generation, version, address, metadata, *signed))


def _itself(record: Record) -> Record:
    return record


def _new_record(
    member_id: object, name: object, generation: object, version: object, address: object,
    metadata: tuple[tuple[Any, Any], ...], *signed: object,
) -> Record:  # fmt: skip
    checked_id = number_of(member_id, MAX_ID, 1)
    identity = Identity(name_of(name), number_of(generation, MAX_VERSION), checked_id)
    key, signature = _signed(*signed) if signed else (b"", b"")
    where, content = address_of(address), metadata_of(metadata)
    return Record(identity, number_of(version, MAX_VERSION, 1), where, content, key, signature)


def _signed(key: object, signature: object) -> tuple[bytes, bytes]:
    return bytes_of(key, KEY_BYTES), bytes_of(signature, SIGNATURE_BYTES)


def _characters(metadata: Iterable[tuple[Any, Any]]) -> int:
    return sum(map(len, chain.from_iterable(metadata)))
