"""Reconciliation: two views that differ for longer than news takes compare themselves in detail.

Every exchange carries a fingerprint. If it keeps differing from ours, we send a *digest*: hashes of
our view over equal parts of the id range. The peer answers for each part that differs, with all it
knows there if that is little, else with a digest of that part. Whoever gets *entries* merges them and
sends back what the other lacks. Every message stands for itself, so any of them may be lost, and none
is O(N). A newcomer's first copy comes the same way, over a stream.

We list only for peers that have shown that they hear us (:mod:`gossip.core.dissemination.address_validation`). A peer
that has not, and sends a digest, gets a digest back, and lists for us; its list repeats our cookie, which shows it.

Source: anti-entropy by comparing hashes of ranges, as in Merkle trees (Demers et al. 1987, section
1.3, for comparison by checksums; Meyer 2023, "Range-Based Set Reconciliation").
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
"""Datagrams that answer one digest; the rest of a large difference is found by the next ones."""

SMALL_RANGE = 32
"""Members up to which a range is listed rather than split further: about three datagrams."""

HEADER_ROOM = 96
"""Bytes kept for everything in a list of entries but the facts."""

DIGEST_BYTES = 198
"""Size, at most, of a digest without facts."""

FEW_FACTS = 4
"""An ack with fewer may have been cut, since a ping that takes no news along is short and so has to be its ack."""

AGREEMENT_WINDOW_ROUNDS = 5
"""Rounds for which a peer counts as recently heard."""

MANY_HEARD = 32
"""Peers heard from which on those not heard recently are looked for with each message, not only when they are
counted: three times as many as a node usually hears in that time."""


def parts(low: int, high: int) -> list[tuple[int, int]]:
    """``low..high`` cut into (at most) :data:`DIGEST_RANGES` parts of equal size, bounds inclusive."""
    size = -(-(high - low + 1) // DIGEST_RANGES)
    starts = range(low, high + 1, size)
    return [(start, min(start + size - 1, high)) for start in starts]


class Reconciler:
    """Watches agreement with peers and settles differences."""

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
        """Who is to show that it hears us, until when nobody else is asked to, and the token of its ping."""
        self._heard: dict[int, tuple[float, bool]] = {}
        self._heard_with = view.fingerprint
        self._last_agreement = 0.0
        self._heard_at = float("-inf")
        """Local time at which a known peer was last heard."""
        self.started = 0

    def heard(self, sender: Entry | None, message: Message, path: Path, now: float) -> bool:
        """Take note of the fingerprint on a message. Whether to settle a difference now, by :meth:`settle`.

        :param sender: None for one that is not in our view, with whom we surely differ.
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
        knows_us_not = isinstance(message.body, Ack) and message.body.observed is not None
        was_invited = self._invited is not None and self._invited[0] == path.address
        return waited or is_foreign or knows_us_not or was_invited

    def start(self, path: Path, now: float, repeats: int | None = None) -> None:
        """Start to settle a difference with a peer. Without room for a digest, have it show that it hears us."""
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
        """Ask once more, with a ping as large as may be, a member whose view differs from ours and whose ack may have
        had no room to tell us why."""
        if len(ack.facts) < FEW_FACTS and self._outbox.is_validated(path, now):
            ping, sender = Ping(self._questions.unanswered_token()), self._view.get(ack.sender)
            self._outbox.send(path, ping, now, to=sender, min_bytes=self._config.max_datagram)

    def agreement(self, now: float) -> float | None:
        """Share of the peers heard recently whose fingerprint equalled ours; None if none was heard recently.

        Just after our view has changed, and until somebody is heard, it is what it was before.
        """
        horizon = now - AGREEMENT_WINDOW_ROUNDS * self._config.probe_interval
        if self._heard_at < horizon:
            return None
        if self._heard_with != self._view.fingerprint:
            self._start_afresh()
        self._forget_before(horizon)
        if self._heard:
            self._last_agreement = sum(agrees for _, agrees in self._heard.values()) / len(self._heard)
        return self._last_agreement

    def _forget_before(self, horizon: float) -> None:
        """Forget who was heard before that; the one heard longest ago stands first."""
        while self._heard:
            oldest = next(iter(self._heard))
            if self._heard[oldest][0] >= horizon:
                return
            del self._heard[oldest]

    def _start_afresh(self) -> None:
        """Whether a peer's view equalled an earlier one of ours says nothing about the present one."""
        self._heard_with = self._view.fingerprint
        self._heard.clear()

    def send_digest(self, path: Path, now: float, repeats: int | None = None) -> None:
        """Ask the peer to compare its view with ours.

        The digest takes along who we are, so that we are known, and so that it is larger than a digest in answer.

        :param repeats: cookie of the ack that made us ask.
        """
        facts = all_facts(self._view.local) or [liveness_fact(self._view.local)] * 2
        self._compare(path, 0, MAX_ID, repeats, now, facts)

    def _compare(self, path: Path, low: int, high: int, repeats: int | None, now: float,
                 facts: Sequence[bytes] = ()) -> bool:  # fmt: skip
        """Send the hashes of a range. Whether there was room for it.

        :param repeats: cookie of the message that this one answers.
        """
        hashes = [self._view.range_fingerprint(*part) for part in parts(low, high)]
        hashes += [0] * (DIGEST_RANGES - len(hashes))
        digest = Digest(low, high, tuple(hashes), self._outbox.cookie(path, now), repeats)
        return self._outbox.send(path, digest, now, facts=facts)

    def answer_query(self, path: Path, now: float) -> None:
        """List everything, the dead and gone included, for somebody who only asks, over a stream."""
        path.is_query = True
        for low, high in parts(0, MAX_ID):
            listing = [(entry.id, [record_fact(entry), liveness_fact(entry)]) for entry in self._known(low, high)]
            self._list(path, low, high, None, listing, MAX_ID, now)

    def answer_digest(self, digest: Digest, path: Path, now: float) -> None:
        """Answer with what we know where the peer's view differs from ours."""
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
        self._outbox.spend(path, max(1, budget - left))  # comparing costs time, even where nothing differs

    def _return_digest(self, digest: Digest, path: Path, now: float) -> None:
        """Have a peer that is not validated list first: send it the hashes of the range in which our views differ.

        Not if its digest claims to answer one of ours, which nobody knows of, or two could go on so for ever.
        """
        self._outbox.spend(path, 1)
        if digest.repeats is None and (differing := self._differing(digest, path)):
            low, high = differing[0][0], differing[-1][1]
            if not self._compare(path, low, high, digest.cookie, now):
                self._compare(path, digest.low, digest.high, digest.cookie, now)

    def _differing(self, digest: Digest, path: Path) -> list[tuple[int, int, bool]]:
        """The ranges in which views differ, and whether they are too large to be listed in datagrams; those to be
        listed that lie side by side are one, so that they share messages."""
        found: list[tuple[int, int, bool]] = []
        for (low, high), theirs in zip(parts(digest.low, digest.high), digest.hashes, strict=False):
            if theirs == self._view.range_fingerprint(low, high):
                continue
            is_large = path.stream is None and high > low and len(self._view.within(low, high)) > SMALL_RANGE
            adjoins = bool(found) and not is_large and found[-1][1:] == (low - 1, False)
            found.append((found.pop()[0] if adjoins else low, high, is_large))
        return found

    def missing_from(self, entries: Entries, facts: Sequence[Fact], path: Path, now: float) -> list[bytes]:
        """What the peer lacks in a range of which it has just told us all it knows, as far as an answer may go."""
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
        """Members with ids in a range, the gone included, in ring order."""
        known = self._view.within(low, high) + [each for each in self._view.gone() if low <= each.id <= high]
        return sorted(known, key=lambda entry: entry.id)

    def _list(
        self, path: Path, low: int, high: int, repeats: int | None, listing: list[tuple[int, list[bytes]]],
        budget: int, now: float,
    ) -> int:  # fmt: skip
        """List a range in as many messages as it takes within the budget; returns how many those were."""
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
