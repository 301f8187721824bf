"""The assembly: makes the parts of one node's protocol, and gives each the parts that it uses.

Nothing is wired afterwards: the order below is the order of dependence. :class:`gossip.core.protocol.Protocol` calls
the parts.
"""

from __future__ import annotations

from collections.abc import Mapping

from gossip.core.belief import Belief
from gossip.core.changes import Changes
from gossip.core.config import Config
from gossip.core.detection.casebook import Casebook
from gossip.core.detection.detector import Detector
from gossip.core.detection.health import LocalHealth
from gossip.core.detection.helping import Helping
from gossip.core.detection.probing import Prober
from gossip.core.detection.shared_address import SharedAddresses
from gossip.core.dissemination.address_validation import AddressValidation
from gossip.core.dissemination.outbox import (
    Outbox,
)
from gossip.core.dissemination.push import Dissemination
from gossip.core.dissemination.questions import Purpose, Questions
from gossip.core.dissemination.reconciliation import Reconciler
from gossip.core.dissemination.rumours import Rumours
from gossip.core.dissemination.streams import Streams
from gossip.core.inbox import Inbox
from gossip.core.intake import Intake
from gossip.core.journal import Journal
from gossip.core.presence.farewell import Farewell
from gossip.core.presence.joining import Joining
from gossip.core.presence.names import Names
from gossip.core.presence.own_address import OwnAddress
from gossip.core.presence.standing import OwnStanding
from gossip.core.replies import Replies
from gossip.core.state.hearing import Hearing
from gossip.core.state.local import LocalMember, first_record
from gossip.core.state.signing import Signatures, Signing
from gossip.core.state.view import View
from gossip.core.stats import ProtocolLoad, ProtocolStats
from gossip.core.support.address import Address
from gossip.core.support.drops import Drops
from gossip.core.support.notices import Notices
from gossip.core.support.random_source import RandomSource
from gossip.core.support.timers import Timers
from gossip.core.wire import Codec, Records


class Parts:
    """The parts of one node's protocol. Each is described in its own module."""

    def __init__(self, config: Config, *, name: str, generation: int, random: RandomSource, now: float,
                 address: Address | None, metadata: Mapping[str, str], signing: Signing | None,
                 records: Records | None) -> None:  # fmt: skip
        """See :class:`gossip.core.protocol.Protocol`."""
        self.drops = Drops()
        self.hearing = Hearing()
        self.timers = Timers()
        self.notices = Notices()
        self.health = LocalHealth()
        self.records = Records() if records is None else records

        # state
        signatures = Signatures(config.cluster, signing)
        first = first_record(config, name, generation, random, address, metadata, signatures, self.records)
        self.view = View(config, first, now)
        self.local = LocalMember(self.view, random, signatures, self.hearing, self.records, now)

        # what goes out
        self.questions = Questions(random)
        self.rumours = Rumours(config, self.view, self.drops)
        codec = Codec(config.cluster, self.records)
        self.casebook = Casebook(self.view, self.timers)
        self.journal = Journal(self.view, self.casebook)
        self.belief = Belief(config, self.view, self.local, signatures)
        self.validation = AddressValidation(random)
        self.outbox = Outbox(config, self.view, self.rumours, codec, self.validation, self.drops, now)
        self.dissemination = Dissemination(config, self.view, self.timers, self.rumours, self.outbox, now)
        self.changes = Changes(self.view, self.journal, self.dissemination)
        self.streams = Streams(config, self.outbox, self.drops)
        self.reconciler = Reconciler(config, self.view, random, self.outbox, self.questions)

        # finding the dead
        self.shared_addresses = SharedAddresses(self.notices, self.drops)
        self.prober = Prober(
            config, self.view, self.timers, random, self.outbox, self.health, self.hearing, self.streams, self.drops,
            self.questions, self.shared_addresses,
        )  # fmt: skip
        self.helping = Helping(config, self.view, self.outbox, self.prober, self.drops)
        self.detector = Detector(
            config, self.view, self.timers, random, self.prober, self.casebook, self.health, self.hearing,
            self.dissemination, self.outbox, self.changes,
        )  # fmt: skip

        # this node's own place
        self.joining = Joining(
            config, self.view, self.timers, random, self.outbox, self.local, self.hearing, self.streams,
            self.reconciler, self.questions,
        )  # fmt: skip
        self.farewell = Farewell(
            config, self.view, self.timers, random, self.outbox, self.local, self.questions, self.prober.round_trip
        )
        self.standing = OwnStanding(
            config, self.view, self.local, self.hearing, self.joining, self.drops, self.journal, self.outbox, now
        )
        self.own_address = OwnAddress(
            config, self.view, self.local, self.timers, random, self.notices, self.joining, self.outbox, self.changes,
            now,
        )  # fmt: skip
        self.names = Names(
            config, self.view, self.timers, self.local, self.questions, self.outbox, self.journal, self.standing,
            self.changes,
        )  # fmt: skip

        # what comes in
        self.intake = Intake(
            self.view, self.timers, self.local, self.belief, self.detector, self.dissemination, self.own_address,
            self.standing, self.names, self.streams, self.changes, self.journal, self.records,
            self.drops,
        )  # fmt: skip
        replies = Replies(
            self.view, self.local, self.casebook, self.intake, self.prober, self.helping, self.questions, self.farewell,
            self.joining, self.reconciler, self.names, self.own_address, self.standing, self.validation, self.streams,
            self.outbox,
        )  # fmt: skip
        self.inbox = Inbox(
            self.view, codec, self.local, self.hearing, self.intake, replies, self.reconciler, self.joining, self.names,
            self.own_address, self.standing, self.journal, self.streams, self.outbox, self.drops,
        )  # fmt: skip

    def stats(self, datagrams_received: int, stalls: int) -> ProtocolStats:
        """Counters since the start; the caller adds the two that it counts itself."""
        return ProtocolStats(
            datagrams_received,
            self.outbox.datagrams_sent,
            self.outbox.bytes_sent,
            self.prober.datagrams_refused,
            {str(reason): count for reason, count in list(self.drops.counts.items())},
            self.detector.accusations,
            self.reconciler.started,
            self.joining.heals,
            self.prober.answered_through_helpers,
            self.prober.answered_by_stream,
            stalls,
            self.outbox.replies_cut,
        )

    def load(self) -> ProtocolLoad:
        """Sizes at this moment."""
        return ProtocolLoad(
            len(self.view),
            self.view.tombstones,
            len(self.rumours),
            len(self.timers),
            self.prober.under_way,
            len(self.streams),
            self.questions.count(Purpose.CONTACT),
            self.questions.count(Purpose.CHALLENGE),
            self.casebook.suspects,
            self.outbox.pending,
            len(self.helping),
            len(self.validation),
            len(self.own_address),
            len(self.shared_addresses),
            len(self.notices),
        )
