"""A member: its identity, its record, and the registers from which its status follows.

An identity is a name, a generation and a random id. For each identity a node keeps registers that merge by maximum. So
merging is commutative, associative and idempotent, whatever the network does. The status is derived from the registers
and stored nowhere. This module knows no time and no peers.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from hashlib import blake2b
from types import MappingProxyType
from typing import NamedTuple

import attrs
import cbor2

from gossip.core.support.address import Address
from gossip.core.support.text import is_printable

MAX_NAME_BYTES = 128
"""UTF-8 bytes of a name: more than any label of a host name (63) and most pod names have (253 is the limit of a DNS
name, which fits in metadata)."""

KEY_BYTES = 32
SIGNATURE_BYTES = 64
"""Sizes of a member's public key and signature, where identities are signed: those of Ed25519 (RFC 8032)."""

RECORD = 0
"""The code of a record fact on the wire."""

MAX_VERSION = 2**62
"""The highest record version and generation of this protocol."""


class Status(enum.Enum):
    """What the registers of a member say about it.

    - ``ALIVE``: its heartbeat advances.
    - ``SUSPECT``: another member got no answer from it; it still counts as living.
    - ``DEAD``: it did not show in time that it lives.
    - ``LEFT``: it said farewell.
    - ``DISPLACED``: only of this node's own member, while another process holds its name; no registers say so.

    >>> import gossip, trio
    >>> async def main():
    ...     async with gossip.open_node("ada", bind="127.0.0.1:0") as node:
    ...         print(node.local.status)
    >>> trio.run(main)
    Status.ALIVE
    >>> [status.name for status in gossip.Status if status.is_living]
    ['ALIVE', 'SUSPECT']
    """

    ALIVE = "alive"
    SUSPECT = "suspect"
    DEAD = "dead"
    LEFT = "left"
    DISPLACED = "displaced"

    @property
    def is_living(self) -> bool:
        """Whether a member with this status still belongs to the cluster."""
        return self is Status.ALIVE or self is Status.SUSPECT


@attrs.frozen(order=False)
class Identity:
    """Which process a member is: a name for people, the generation of that name, and the id for the wire."""

    name: str
    """Label for people, 1 to 128 bytes of printable text; unique in a cluster."""
    generation: int
    """Start of the process in Unix milliseconds; a restart is a higher generation of the same name."""
    id: int
    """Random 64-bit number of this generation; also its place on the ring."""

    def supersedes(self, other: Identity) -> bool:
        """Whether this is a later holder of the same name than ``other``."""
        return self.name == other.name and (self.generation, self.id) > (other.generation, other.id)


def record_fingerprint(record: Record) -> int:
    """What one living member adds to the fingerprint: 64 bits of a hash of its whole record.

    The signature is left out: two valid signatures of one record mean the same.
    """
    who, address, metadata = record.identity, record.address.to_wire(), dict(record.metadata)
    content = cbor2.dumps([who.id, who.name, who.generation, record.version, address, metadata, record.key])
    return int.from_bytes(blake2b(content, digest_size=8).digest(), "big")


def _record_head(record: Record) -> bytes:
    """A record fact on the wire without its last item, the heartbeat, which is the only item that changes all the
    time."""
    who, address, metadata = record.identity, record.address.to_wire(), dict(record.metadata)
    signed = (record.key, record.signature) if record.signature else ()
    return cbor2.dumps([RECORD, who.id, who.name, who.generation, record.version, address, metadata, *signed, 0])[:-1]


def is_valid_name(name: object) -> bool:
    """Whether ``name`` may name a member: 1 to 128 bytes of UTF-8, printable, no space at either end."""
    if not isinstance(name, str):
        return False
    if not name or name[0] == " " or name[-1] == " " or not is_printable(name):
        return False
    return len(name if name.isascii() else name.encode()) <= MAX_NAME_BYTES


def encoded_metadata_bytes(metadata: Mapping[str, str]) -> int:
    """Size of a metadata mapping inside a record fact, in bytes."""
    return len(cbor2.dumps(dict(metadata)))


def _read_only(given: Mapping[str, str]) -> Mapping[str, str]:
    """A copy that nobody can change, in the order of its keys, as on the wire."""
    return MappingProxyType(dict(sorted(given.items())))


def _items(metadata: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """The form of metadata in which records are compared and hashed."""
    return tuple(metadata.items())


@attrs.frozen(cache_hash=True)
class Record:
    """What a member announces about itself; the highest version wins.

    A node hears the same record again and again, so all share one object, and everything that follows from the record
    alone is computed once. The hash is taken from its fingerprint and its texts and not from its numbers. Python's
    hashes of numbers and of tuples of numbers are no secret, so a peer could make any number of records with one hash.
    """

    identity: Identity = attrs.field(hash=False)
    version: int = attrs.field(hash=False)
    address: Address
    metadata: Mapping[str, str] = attrs.field(converter=_read_only, eq=_items)
    key: bytes = b""
    """The member's public key, where identities are signed."""
    signature: bytes = attrs.field(default=b"", repr=False)
    """The signature of all fields above; see :mod:`gossip.core.state.signing`."""
    fingerprint: int = attrs.field(init=False, eq=False, hash=True, repr=False)
    """What the member adds to a fingerprint while it lives."""

    encoded: bytes = attrs.field(init=False, eq=False, hash=False, repr=False)
    """The beginning of a record fact on the wire: everything except the heartbeat."""
    is_unreachable: bool = attrs.field(init=False, eq=False, hash=False, repr=False)
    """Whether nothing can be sent to its address alone: it is an address to bind to, a multicast address, or
    link-local."""
    _members: dict[Status, Member] = attrs.field(init=False, factory=dict, eq=False, hash=False, repr=False)
    """The member at each status, once it was needed."""

    @fingerprint.default
    def _fingerprint(self) -> int:
        return record_fingerprint(self)

    @encoded.default
    def _encoded(self) -> bytes:
        return _record_head(self)

    @is_unreachable.default
    def _is_unreachable(self) -> bool:
        return self.address.is_unspecified or self.address.is_ambiguous

    @property
    def metadata_bytes(self) -> int:
        """Size of the metadata inside a record fact, in bytes."""
        return encoded_metadata_bytes(self.metadata) if self.metadata else 1

    def member(self, status: Status) -> Member:
        """The member with this record and a status; the same object until something changes."""
        member = self._members.get(status)
        if member is None:
            who = self.identity
            about = self.address, self.metadata, self.version, status
            member = self._members[status] = Member(who.name, who.generation, who.id, *about, self.key, self.signature)
        return member

    def newest(self, other: Record) -> Record:
        """The record with the higher version. Equal versions that differ (from a faulty peer, or forged) are ordered by
        content, so that every node picks the same one."""
        if self is other:
            return self
        if self.version != other.version:
            return self if self.version > other.version else other
        return self if self._content() >= other._content() else other

    def _content(self) -> tuple[Address, tuple[tuple[str, str], ...], bytes, bytes]:
        return self.address, tuple(sorted(self.metadata.items())), self.key, self.signature


class Registers(NamedTuple):
    """Everything known about one identity. Each register merges by maximum."""

    record: Record
    """The member's address and metadata."""
    heartbeat: int = 0
    """Highest counter value seen; raised by the member, relayed by all."""
    accused: int = 0
    """The floor that the counter must reach to clear the member of suspicion; raised by any prober."""
    convicted: int = 0
    """The floor at which it was declared dead; raised by any node whose last probe of the suspect failed."""
    left: int = 0
    """The counter value of its farewell, 0 if it has not left; raised by the member."""

    @property
    def is_living(self) -> bool:
        """Whether :attr:`status` is alive or suspect."""
        return not self.left and self.convicted <= self.heartbeat

    @property
    def is_below_floor(self) -> bool:
        """Whether :attr:`status` is suspect or dead, so that a higher heartbeat would change it."""
        return not self.left and (self.accused > self.heartbeat or self.convicted > self.heartbeat)

    @property
    def status(self) -> Status:
        """The status that follows from the registers."""
        if self.left:
            return Status.LEFT
        if self.convicted > self.heartbeat:
            return Status.DEAD
        if self.accused > self.heartbeat:
            return Status.SUSPECT
        return Status.ALIVE

    def at(self, heartbeat: int) -> Registers:
        """The same with another heartbeat. It is made for each message, and so without the checks of a call."""
        record, _, accused, convicted, left = self
        return tuple.__new__(Registers, (record, heartbeat, accused, convicted, left))

    def merge(self, other: Registers) -> Registers:
        """The join of both: register by register the maximum."""
        return Registers(
            self.record.newest(other.record),
            max(self.heartbeat, other.heartbeat),
            max(self.accused, other.accused),
            max(self.convicted, other.convicted),
            max(self.left, other.left),
        )


@attrs.frozen(cache_hash=True)
class Member:
    """A member at one moment, for the embedding program; it never changes.

    - ``name``: its name for people, unique in the cluster.
    - ``generation``: start of its process in Unix milliseconds.
    - ``id``: random 64-bit number that tells two processes with one name apart.
    - ``address``: where others reach it.
    - ``metadata``: the texts that it publishes about itself.
    - ``version``: of address and metadata, raised by each update.
    - ``status``: a :class:`Status`.
    - ``key``: its public key, where identities are signed.
    - ``signature``: of all of the above except the status, where identities are signed.

    Its hash is taken from its texts alone, for the same reason as that of a :class:`Record`.

    >>> import gossip, trio
    >>> async def main():
    ...     async with gossip.open_node("ada", bind="127.0.0.1:0", metadata={"role": "db"}) as node:
    ...         for member in node.members():
    ...             print(member.name, member.address.host, member.status.value, member.metadata["role"])
    >>> trio.run(main)
    ada 127.0.0.1 alive db
    """

    name: str
    generation: int = attrs.field(hash=False)
    id: int = attrs.field(hash=False)
    address: Address
    metadata: Mapping[str, str] = attrs.field(hash=False)
    version: int = attrs.field(hash=False)
    status: Status
    key: bytes = b""
    signature: bytes = b""

    def __repr__(self) -> str:
        published = f", {dict(self.metadata)}" if self.metadata else ""
        which = f"version {self.version}, id {self.id:016x}"
        return f"<Member {self.name!r} at {self.address}, {self.status.value}{published} ({which})>"
