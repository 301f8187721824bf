"""This node's own member: its counter, its record, its generation, its farewell.

Only the member itself raises these. It answers a floor by jumping over it. Some states cannot be outrun: a forged
farewell, a poisoned counter, or a later generation that proved dead. It answers these by starting a new generation of
itself, which supersedes the old state at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import attrs

from gossip.core.config import Config
from gossip.core.errors import ConfigurationError, LeftError
from gossip.core.state.entry import Entry
from gossip.core.state.hearing import HEARING_S, Hearing
from gossip.core.state.heartbeat import MAX_STEPS_AHEAD, HeartbeatCounter
from gossip.core.state.member import MAX_VERSION, Identity, Record, encoded_metadata_bytes, is_valid_name
from gossip.core.state.signing import Signatures
from gossip.core.state.view import View
from gossip.core.state.wall import WallClock
from gossip.core.support.address import Address
from gossip.core.support.arguments import given, wrong
from gossip.core.support.budget import TokenBucket
from gossip.core.support.random_source import RandomSource
from gossip.core.wire import Records

RENEWALS = 3
"""New generations that others can make this node start at once: enough to outlive several lies at a time."""

RENEWAL_EVERY_S = 30.0
"""Seconds until each further one. Everybody hears of each new generation, and the liar must not decide how often."""

OWN_SUCCESSIONS = 3
"""Times that a node may take its name at once from another holder with its own key. Once is enough to replace its
earlier life. Two processes with one key must not take the name from each other without end."""

OWN_SUCCESSION_EVERY_S = 3600.0
"""Seconds until each further time."""

NO_METADATA: Mapping[str, str] = MappingProxyType({})
"""The metadata of a node that publishes none."""

UNKNOWN_ADDRESS = Address("0.0.0.0", 0)
"""Stands in the record until this node has learnt where others reach it. This node never tells it to members."""


def check_metadata(metadata: Mapping[str, str], config: Config) -> Mapping[str, str]:
    """Check that the metadata may be announced, and return it.

    :raises ConfigurationError: if it is no mapping of texts, or is too large.
    """
    if not isinstance(metadata, Mapping):
        raise wrong("metadata", "a mapping of texts to texts, {} for none", metadata)
    for key, value in metadata.items():
        for text in (key, value):
            if not isinstance(text, str):
                raise ConfigurationError(f"metadata must map texts to texts; it contains {given(text)}")
            if not text.isascii() and any("\ud800" <= letter <= "\udfff" for letter in text):
                raise ConfigurationError(f"metadata {text!r} holds a lone surrogate, which is no Unicode text")
    if (size := encoded_metadata_bytes(metadata)) > config.max_metadata:
        raise ConfigurationError(
            f"metadata takes {size} bytes encoded, but max_metadata is {config.max_metadata}; shorten the metadata, or "
            "raise max_metadata on all nodes"
        )
    return metadata


def check_name(name: object) -> None:
    """Check that a node may bear this name.

    :raises ConfigurationError: if it may not.
    """
    if not is_valid_name(name):
        raise wrong("name", "1 to 128 bytes of printable text that neither begins nor ends with a space", name)


def _new_id(random: RandomSource) -> int:
    return random.getrandbits(64) or 1


def first_record(config: Config, name: str, generation: int, random: RandomSource, address: Address | None,
                 metadata: Mapping[str, str], signatures: Signatures, records: Records) -> Record:  # fmt: skip
    """The first record that a node announces about itself.

    :raises ConfigurationError: if the name, the generation, the address or the metadata cannot be announced.
    """
    check_name(name)
    if not 0 <= generation < MAX_VERSION:
        raise ConfigurationError(f"generation must be Unix time in milliseconds, not {generation!r}")
    if address is not None and address.is_unspecified:
        raise ConfigurationError(
            f"address {address} is one to bind to, and others cannot reach it; give one that they can reach"
        )
    if address is not None and address.is_group:
        raise ConfigurationError(f"address {address} reaches many machines; give one that only this node has")
    signatures.check_own(name, config)
    identity = Identity(name, generation, _new_id(random))
    record = Record(identity, 1, address or UNKNOWN_ADDRESS, check_metadata(metadata, config))
    return records.shared(signatures.signed(record))


class LocalMember:
    """This node as a member. Its entry is part of the view like any other."""

    def __init__(self, view: View, random: RandomSource, signatures: Signatures, hearing: Hearing,
                 records: Records, now: float) -> None:  # fmt: skip
        self._view = view
        self._random = random
        self._signatures = signatures
        self._hearing = hearing
        self._records = records
        generation = view.local.identity.generation
        self.wall = WallClock(generation, now)
        self._counter = HeartbeatCounter(now)
        self._renewals = TokenBucket(1 / RENEWAL_EVERY_S, RENEWALS, now)
        self._successions = TokenBucket(1 / OWN_SUCCESSION_EVERY_S, OWN_SUCCESSIONS, now)

    @property
    def entry(self) -> Entry:
        """The entry of the present generation."""
        return self._view.local

    @property
    def id(self) -> int:
        """Id of the present generation."""
        return self.entry.id

    @property
    def address_known(self) -> bool:
        """Whether this node knows where others reach it, and so can announce itself."""
        return self.entry.registers.record.address != UNKNOWN_ADDRESS

    @property
    def has_left(self) -> bool:
        """Whether the farewell has been said."""
        return self._view.local.registers.left > 0

    def heartbeat(self, now: float) -> int:
        """The counter's present value. The counter stands still while this node hears nobody, and is where it should be
        again after the next message from anybody."""
        return self._counter.value(min(now, self._hearing.vouched_until(self._counter.started)))

    def refresh(self, now: float) -> None:
        """Write the counter's present value into the entry, so that facts about it are current."""
        hears = now <= self._hearing.last_heard + HEARING_S  # the usual case, computed faster
        value = self._counter.value(now) if hears else self.heartbeat(now)
        self._view.advance_own(value)

    def announce(self, now: float, *, metadata: Mapping[str, str] | None = None,
                 address: Address | None = None, above: int = 0) -> None:  # fmt: skip
        """Replace the record by a newer version, higher than ``above``.

        :param metadata: already checked with :func:`check_metadata`.
        :raises LeftError: if this node has left.
        """
        if self.has_left:
            raise LeftError("this node has left its cluster; open a new one to join again")
        old = self.entry.registers.record
        record = Record(
            old.identity,
            max(old.version, above) + 1,
            old.address if address is None else address,
            old.metadata if metadata is None else metadata,
        )
        self._view.merge(self.entry, now, record=self._records.shared(self._signatures.signed(record)))

    def say_farewell(self, now: float) -> None:
        """Set the register that says that this member left on purpose."""
        counter = self.heartbeat(now)
        signature = self._signatures.farewell(self.entry.registers.record, counter)
        self._view.depart(self.entry, counter, signature, now)

    def can_outrun(self, counter: int, now: float) -> bool:
        """Whether this node may jump over ``counter``; a counter that is too far ahead is poisoned."""
        return counter <= self.heartbeat(now) + MAX_STEPS_AHEAD

    def outrun(self, floor: int, now: float) -> None:
        """Make the counter jump over a floor, or over a counter that others believe they have seen."""
        self._counter.jump_over(floor, now)
        self.refresh(now)

    def may_renew(self, now: float) -> bool:
        """Whether a message of others may make this node start a new generation now; each such permission counts."""
        return self._renewals.take(now)

    def may_succeed(self, holder: Record, now: float) -> bool:
        """Whether this node may take its name from a holder that seems to live; each permission counts. The holder has
        the same key, so it is an earlier life of this node, and anybody may show counters for it."""
        return self._signatures.is_own(holder) and self._successions.take(now)

    def start_generation(self, above: int, now: float) -> None:
        """Become a new generation of the same name, higher than ``above`` if that generation is believable."""
        if not self.wall.believes(above, now):
            above = 0
        self._become(max(above, self.entry.identity.generation) + 1, now)

    def start_generation_by_the_clock(self, now: float) -> None:
        """Become the generation of the present time, although the present generation is higher: it was drawn from a
        wrong clock."""
        self._become(self.wall.time_ms(now), now)

    def _become(self, generation: int, now: float) -> None:
        identity = Identity(self.entry.identity.name, generation, _new_id(self._random))
        self._counter = HeartbeatCounter(now)
        record = attrs.evolve(self.entry.registers.record, identity=identity, version=1)
        self._view.become(self._records.shared(self._signatures.signed(record)), now)
        self.refresh(now)
