"""Reconciliation: two views that differ for longer than news takes compare themselves in detail.

Every message carries a fingerprint. If a peer's fingerprint keeps differing from this node's, this node sends a
*digest*: hashes of its view over equal parts of the id range. For each part that differs, the peer answers with all it
knows there if that is little, and with a digest of that part if it is much. A node that receives *entries* merges them
and sends back what the other lacks. Every message stands for itself, so any of them may be lost, and none is O(N). A
newcomer's first copy of the view comes the same way, over a stream.

This node lists its entries only for peers at validated addresses (:mod:`gossip.core.dissemination.address_validation`).
If a peer at another address sends a digest, this node returns a digest, and the peer lists first. The peer's list
repeats this node's cookie, which validates the address.

Source: anti-entropy by comparing hashes of ranges, as in Merkle trees (Demers et al. 1987, section 1.3, for comparison
by checksums; Meyer 2023, "Range-Based Set Reconciliation").
"""

from __future__ import annotations

from collections.abc import Sequence

from gossip.core.config import Config
from gossip.core.dissemination.facts import all_facts, liveness_fact, record_fact
from gossip.core.dissemination.outbox import Outbox, Path
from gossip.core.dissemination.questions import Purpose, Question, Questions
from gossip.core.state.entry import Entry
from gossip.core.state.view import View
from gossip.core.support.address import Address
from gossip.core.support.random_source import RandomSource
from gossip.core.wire import ACK_BYTES
from gossip.core.wire.messages import (
    DIGEST_RANGES,
    MAX_ID,
    Ack,
    AliveFact,
    Digest,
    Entries,
    Fact,
    Message,
    Ping,
    RecordFact,
)

MAX_ANSWER_DATAGRAMS = 8
"""Datagrams that answer one digest; the next digests find the rest of a large difference."""

SMALL_RANGE = 32
"""Members up to which a range is listed instead of being split further: about three datagrams."""

HEADER_ROOM = 96
"""Bytes reserved for everything in a list of entries except the facts."""

DIGEST_BYTES = 198
"""Size, at most, of a digest without facts."""

FEW_FACTS = 4
"""An ack with fewer facts may have been cut: a ping without piggybacked news is short, and its ack may be no larger."""

AGREEMENT_WINDOW_ROUNDS = 5
"""Rounds for which a peer counts as recently heard."""

MANY_HEARD = 32
"""Number of heard peers from which on each message also removes those not heard recently. Below it, they are removed
only when agreement is computed. It is three times as many as a node usually hears in that time."""


def parts(low: int, high: int) -> list[tuple[int, int]]:
    """Cut ``low..high`` into (at most) :data:`DIGEST_RANGES` parts of equal size, bounds inclusive."""
    size = -(-(high - low + 1) // DIGEST_RANGES)
    starts = range(low, high + 1, size)
    return [(start, min(start + size - 1, high)) for start in starts]


class Reconciler:
    """Watches the agreement with peers and starts comparisons of views."""

    def __init__(self, config: Config, view: View, random: RandomSource, outbox: Outbox,
                 questions: Questions) -> None:  # fmt: skip
        self._config = config
        self._view = view
        self._random = random
        self._outbox = outbox
        self._questions = questions
        self._differs_since: float | None = None
        self._not_before = 0.0
        self._invited: tuple[Address, float, int] | None = None
        """The peer that was asked to validate its address, the time until which no other peer is asked, and the token
        of its ping."""
        self._heard: dict[int, tuple[float, bool]] = {}
        self._heard_with = view.fingerprint
        self._last_agreement = 0.0
        self._heard_at = float("-inf")
        """Local time at which a known peer was last heard."""
        self.started = 0

    def heard(self, sender: Entry | None, message: Message, path: Path, now: float) -> bool:
        """Take in the fingerprint of a message. Returns whether to compare the views now, with :meth:`start`.

        :param sender: None if this node does not know the sender, so that the views surely differ.
        """
        if self._heard_with != self._view.fingerprint:
            self._start_afresh()
        agrees = message.fingerprint == self._view.fingerprint
        if sender is not None:
            self._heard_at = now
            self._heard.pop(sender.id, None)
            self._heard[sender.id] = (now, agrees)
            if len(self._heard) > MANY_HEARD:
                self._forget_before(now - AGREEMENT_WINDOW_ROUNDS * self._config.probe_interval)
        self._outbox.agrees = agrees
        if agrees:
            self._outbox.is_known = True
            self._differs_since = None
            if self._invited is not None:
                self._end_invitation()
            return False
        if self._differs_since is None:
            self._differs_since = now
        if now < self._not_before or path.stream is not None:
            return False
        waited = now - self._differs_since >= self._config.reconcile_after
        is_foreign = sender is None or not sender.registers.is_living
        does_not_know_us = isinstance(message.body, Ack) and message.body.observed is not None
        was_invited = self._invited is not None and self._invited[0] == path.address
        return waited or is_foreign or does_not_know_us or was_invited

    def start(self, path: Path, now: float, repeats: int | None = None) -> None:
        """Start a comparison of views with a peer. If a digest may not be sent there, ask the peer to validate its
        address first."""
        pause = self._config.probe_interval * (0.25 + 0.5 * self._random.random())
        if self._outbox.limit(path, now) >= DIGEST_BYTES:
            self._end_invitation()
            self._not_before = now + pause
            self.started += 1
            self.send_digest(path, now, repeats)
        elif (self._invited is None or now >= self._invited[1]) and self._outbox.limit(path, now) >= ACK_BYTES:
            token = self._questions.ask(Question(Purpose.INVITATION, now, path.address))
            self._invited = (path.address, now + pause, token)
            self._outbox.send(path, Ping(token), now)

    def _end_invitation(self) -> None:
        if self._invited is not None:
            self._questions.close(self._invited[2])
            self._invited = None

    def ask_again(self, ack: Message, path: Path, now: float) -> None:
        """Ask a member again, with the largest possible ping. Its view differs, and its ack may have had no room to say
        why."""
        if len(ack.facts) < FEW_FACTS and self._outbox.is_validated(path, now):
            ping, sender = Ping(self._questions.unanswered_token()), self._view.get(ack.sender)
            self._outbox.send(path, ping, now, to=sender, min_bytes=self._config.max_datagram)

    def agreement(self, now: float) -> float | None:
        """Share of the recently heard peers whose fingerprint equalled this node's; None if none was heard recently.

        Just after this node's view has changed, and until a peer is heard, the share stays what it was before.
        """
        horizon = now - AGREEMENT_WINDOW_ROUNDS * self._config.probe_interval
        if self._heard_at < horizon:
            return None
        recent = [agrees for heard_at, agrees in list(self._heard.values()) if heard_at >= horizon]
        return sum(recent) / len(recent) if recent else self._last_agreement

    def _forget_before(self, horizon: float) -> None:
        """Forget the peers heard before ``horizon``; the peer heard longest ago stands first."""
        while self._heard:
            oldest = next(iter(self._heard))
            if self._heard[oldest][0] >= horizon:
                return
            del self._heard[oldest]

    def _start_afresh(self) -> None:
        """Forget all comparisons: whether a peer's view equalled an earlier view of this node says nothing about the
        present one."""
        self._heard_with = self._view.fingerprint
        if self._heard:
            self._last_agreement = sum(agrees for _, agrees in self._heard.values()) / len(self._heard)
        self._heard = {}

    def send_digest(self, path: Path, now: float, repeats: int | None = None) -> None:
        """Ask the peer to compare its view with this node's.

        The digest carries this node's record, so that the peer knows it, and so that the digest is larger than a digest
        in answer.

        :param repeats: cookie of the ack that led to this digest.
        """
        facts = all_facts(self._view.local) or [liveness_fact(self._view.local)] * 2
        self._compare(path, 0, MAX_ID, repeats, now, facts)

    def _compare(self, path: Path, low: int, high: int, repeats: int | None, now: float,
                 facts: Sequence[bytes] = ()) -> bool:  # fmt: skip
        """Send the hashes of a range. Returns whether there was room for it.

        :param repeats: cookie of the message that this one answers.
        """
        hashes = [self._view.range_fingerprint(*part) for part in parts(low, high)]
        hashes += [0] * (DIGEST_RANGES - len(hashes))
        digest = Digest(low, high, tuple(hashes), self._outbox.cookie(path, now), repeats)
        return self._outbox.send(path, digest, now, facts=facts)

    def answer_query(self, path: Path, now: float) -> None:
        """List everything, with the dead and those that left, for a client that only asks, over a stream."""
        path.is_query = True
        for low, high in parts(0, MAX_ID):
            listing = [(entry.id, [record_fact(entry), liveness_fact(entry)]) for entry in self._known(low, high)]
            self._list(path, low, high, None, listing, MAX_ID, now)

    def answer_digest(self, digest: Digest, path: Path, now: float) -> None:
        """Answer with this node's entries where the peer's view differs."""
        budget = self._outbox.allowance(path, MAX_ANSWER_DATAGRAMS if path.stream is None else MAX_ID, now)
        if budget <= 0:
            return
        if not self._outbox.is_validated(path, now):
            self._return_digest(digest, path, now)
            return
        left = budget
        repeats = digest.cookie if path.stream is None else None
        for low, high, is_large in self._differing(digest, path):
            if left <= 0:
                break
            if is_large:
                self._compare(path, low, high, repeats, now)
                left -= 1
            else:
                listing = [(entry.id, all_facts(entry)) for entry in self._known(low, high)]
                left -= self._list(path, low, high, repeats, listing, left, now)
        self._outbox.spend(path, max(1, budget - left))  # a comparison costs time even if nothing differs

    def _return_digest(self, digest: Digest, path: Path, now: float) -> None:
        """Have a peer at an address that is not validated list first: send it the hashes of the range in which the
        views differ.

        A digest that claims to answer one of this node's digests gets none back, or two nodes could go on for ever.
        """
        self._outbox.spend(path, 1)
        if digest.repeats is None and (differing := self._differing(digest, path)):
            low, high = differing[0][0], differing[-1][1]
            if not self._compare(path, low, high, digest.cookie, now):
                self._compare(path, digest.low, digest.high, digest.cookie, now)

    def _differing(self, digest: Digest, path: Path) -> list[tuple[int, int, bool]]:
        """The ranges in which the views differ, and whether each is too large to be listed in datagrams. Neighbouring
        ranges that are to be listed become one, so that they share messages."""
        found: list[tuple[int, int, bool]] = []
        for (low, high), theirs in zip(parts(digest.low, digest.high), digest.hashes, strict=False):
            if theirs == self._view.range_fingerprint(low, high):
                continue
            is_large = path.stream is None and high > low and len(self._view.within(low, high)) > SMALL_RANGE
            adjoins = bool(found) and not is_large and found[-1][1:] == (low - 1, False)
            found.append((found.pop()[0] if adjoins else low, high, is_large))
        return found

    def missing_from(self, entries: Entries, facts: Sequence[Fact], path: Path, now: float) -> list[bytes]:
        """What the peer lacks in a range for which it has just listed all it knows, as far as an answer may go."""
        room = self._outbox.room(path, MAX_ANSWER_DATAGRAMS, now)
        if room <= 0:
            return []
        listed = {fact.id: fact.record for fact in facts if isinstance(fact, RecordFact)}
        gone = {fact.id for fact in facts if not isinstance(fact, (RecordFact, AliveFact))}
        missing: list[bytes] = []
        for entry in self._view.walk(entries.low, entries.high):
            if room <= 0:
                return missing
            told, ours = listed.get(entry.id), entry.registers.record
            if told is not ours and (told is None or told.newest(ours) is not told):
                lacking = all_facts(entry)
                missing += lacking
                room -= sum(map(len, lacking))
        for member_id in listed:
            known = self._view.get(member_id)
            if known is not None and not known.registers.is_living and member_id not in gone:
                missing.append(liveness_fact(known))
        return missing

    def _known(self, low: int, high: int) -> list[Entry]:
        """Members with ids in a range, with the dead and those that left, in ring order."""
        known = self._view.within(low, high) + [each for each in self._view.gone() if low <= each.id <= high]
        return sorted(known, key=lambda entry: entry.id)

    def _list(
        self, path: Path, low: int, high: int, repeats: int | None, listing: list[tuple[int, list[bytes]]],
        budget: int, now: float,
    ) -> int:  # fmt: skip
        """List a range in as many messages as it takes within the budget; returns how many it took."""
        room = self._outbox.limit(path, now) - HEADER_ROOM
        page: list[bytes] = []
        size = sent = 0
        for member_id, facts in listing:
            length = sum(map(len, facts))
            if page and size + length > room:
                self._outbox.send(path, Entries(low, member_id - 1, repeats), now, facts=page)
                sent += 1
                if sent >= budget:
                    return sent
                low, page, size = member_id, [], 0
            page += facts
            size += length
        self._outbox.send(path, Entries(low, high, repeats), now, facts=page)
        return sent + 1
