"""Signed identities: a member's record and its farewell count only if its own key signed them.

A holder of the cluster's key can speak in any member's name. With signed identities, each member has a key of its own,
and its name belongs to that key. The key is the one that a list allows for the name; without a list, it is the first
key seen, for as long as this node remembers anything about the name. Counters are not signed: they go out with every
message, and the harm of a false one is bounded. The driver chooses the signature scheme and supplies the keys.
"""

from __future__ import annotations

import typing
from collections.abc import Collection, Mapping
from typing import NamedTuple

import attrs
import cbor2

from gossip.core.config import METADATA_ROOM, Config
from gossip.core.errors import ConfigurationError
from gossip.core.state.member import KEY_BYTES, SIGNATURE_BYTES, Record
from gossip.core.support.drop_reasons import Drop

SIGNED_ROOM = 2 + KEY_BYTES + 2 + SIGNATURE_BYTES
"""Bytes that a signature adds to a record: key and signature with their CBOR heads."""


class Signer(typing.Protocol):
    """Signs for this node, and checks the signatures of others."""

    @property
    def public(self) -> bytes:
        """This node's public key, :data:`~gossip.core.state.member.KEY_BYTES` long."""

    def sign(self, statement: bytes) -> bytes:
        """This node's signature, :data:`~gossip.core.state.member.SIGNATURE_BYTES` long."""

    def verify(self, public: bytes, signature: bytes, statement: bytes) -> bool:
        """Whether the owner of a public key has signed this."""


class Signing(NamedTuple):
    """What a node needs where identities are signed."""

    signer: Signer
    """Holds this node's key."""
    allowed: Mapping[str, bytes] | None = None
    """The public key for each name that may be a member; None if each name belongs to the first key seen."""


def record_statement(cluster: str, record: Record) -> bytes:
    """What a member signs when it announces a record."""
    who = record.identity
    address = record.address.to_wire()
    items = [who.id, who.name, who.generation, record.version, address, dict(record.metadata), record.key]
    return cbor2.dumps(["gossip-membership record", cluster, *items])


def farewell_statement(cluster: str, record: Record, counter: int) -> bytes:
    """What a member signs when it leaves."""
    return cbor2.dumps(["gossip-membership farewell", cluster, record.identity.id, counter, record.key])


class Signatures:
    """Signs this node's own statements, and checks those of others. Where identities are not signed, it never
    objects."""

    def __init__(self, cluster: str, signing: Signing | None) -> None:
        self._cluster = cluster
        self._signer = None if signing is None else signing.signer
        self._allowed = None if signing is None else signing.allowed

    def check_own(self, name: str, config: Config) -> None:
        """Check that others will receive this node's record and believe it.

        :raises ConfigurationError: if its name is not allowed for its key, or if a signed record might not fit into a
            datagram.
        """
        if self._signer is None:
            return
        if config.max_metadata + METADATA_ROOM + SIGNED_ROOM > config.max_datagram:
            raise ConfigurationError(
                f"max_metadata ({config.max_metadata}) must leave {METADATA_ROOM + SIGNED_ROOM} bytes of max_datagram"
                f" ({config.max_datagram}) where identities are signed"
            )
        if self._allowed is not None and self._allowed.get(name) != self._signer.public:
            raise ConfigurationError(
                f"identities: the list of allowed keys has {'another' if name in self._allowed else 'no'} key for"
                f" {name!r}, so nobody would believe this node; put this node's public key there, or give it a name"
                " that its key may have"
            )

    def signed(self, record: Record) -> Record:
        """The record as this node announces it."""
        if self._signer is None or record.address.is_unspecified:
            return record
        record = attrs.evolve(record, key=self._signer.public, signature=b"")
        return attrs.evolve(record, signature=self._signer.sign(record_statement(self._cluster, record)))

    def is_own(self, record: Record) -> bool:
        """Whether a believed record was signed with this node's key."""
        return self._signer is not None and record.key == self._signer.public

    def farewell(self, record: Record, counter: int) -> bytes:
        """The signature of this node's farewell; empty where identities are not signed."""
        if self._signer is None:
            return b""
        return self._signer.sign(farewell_statement(self._cluster, record, counter))

    def objection(self, record: Record, owners: Collection[bytes]) -> Drop | None:
        """Why this node does not believe a record, as a short reason; None if it believes it.

        :param owners: the keys to which the record's name and id belong so far.
        """
        if self._signer is None:
            return None
        if not record.signature:
            return Drop.RECORD_NOT_SIGNED
        if self._allowed is not None:
            owners = (*owners, self._allowed.get(record.identity.name, b""))
        if any(owner != record.key for owner in owners):
            return Drop.NAME_OF_ANOTHER_KEY
        if not self._signer.verify(record.key, record.signature, record_statement(self._cluster, record)):
            return Drop.FORGED_SIGNATURE
        return None

    def farewell_objection(self, record: Record, counter: int, signature: bytes) -> Drop | None:
        """Why this node does not believe a farewell, as a short reason; None if it believes it.

        :param record: the record of the member that is said to have left.
        """
        if self._signer is None:
            return None
        if not signature:
            return Drop.FAREWELL_NOT_SIGNED
        if not self._signer.verify(record.key, signature, farewell_statement(self._cluster, record, counter)):
            return Drop.FORGED_SIGNATURE
        return None
