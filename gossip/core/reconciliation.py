"""Reconciliation: two views that differ for longer than news takes compare themselves in detail.

Every exchange carries a fingerprint. If it keeps differing from ours, we send a *digest*: hashes of
our view over equal parts of the id range. The peer answers for each part that differs, with all it
knows there if that is little, else with a digest of that part. Whoever gets *entries* merges them and
sends back what the other lacks. Every message stands for itself, so any of them may be lost, and none
is O(N). A newcomer's first copy comes the same way, over a stream.

Source: anti-entropy by comparing hashes of ranges, as in Merkle trees (Demers et al. 1987, section
1.3, for comparison by checksums; Meyer 2023, "Range-Based Set Reconciliation").
"""

from __future__ import annotations

from collections.abc import Sequence

from gossip.core.config import Config
from gossip.core.facts import all_facts, liveness_fact, record_fact
from gossip.core.messages import DIGEST_RANGES, MAX_ID, AliveFact, Digest, Entries, Fact, RecordFact
from gossip.core.outbox import Outbox, Path
from gossip.core.source import RandomSource
from gossip.core.view import Entry, View

MAX_ANSWER_DATAGRAMS = 8
"""Datagrams that answer one digest; the rest of a large difference is found by the next ones."""

SMALL_RANGE = 32
"""Members up to which a range is listed rather than split further: about three datagrams."""

HEADER_ROOM = 96
"""Bytes kept for everything in a list of entries but the facts."""

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

    def __init__(self, config: Config, view: View, random: RandomSource, outbox: Outbox) -> None:
        self._config = config
        self._view = view
        self._random = random
        self._outbox = outbox
        self._differs_since: float | None = None
        self._not_before = 0.0
        self._heard: dict[int, tuple[float, bool]] = {}
        self._heard_with = view.fingerprint
        self._last_agreement = 0.0
        self.started = 0

    def heard(self, sender: Entry | None, fingerprint: int, path: Path, now: float) -> None:
        """Take note of the fingerprint on a message; perhaps start to settle a difference.

        :param sender: None for one that is not in our view, with whom we surely differ.
        """
        if self._heard_with != self._view.fingerprint:
            self._start_afresh()
        agrees = fingerprint == self._view.fingerprint
        if sender is not None:
            self._heard.pop(sender.id, None)
            self._heard[sender.id] = (now, agrees)
            if len(self._heard) > MANY_HEARD:
                self._forget_before(now - AGREEMENT_WINDOW_ROUNDS * self._config.probe_interval)
        if agrees:
            self._differs_since = None
            return
        if self._differs_since is None:
            self._differs_since = now
        waited = now - self._differs_since >= self._config.reconcile_after
        is_foreign = sender is None or not sender.registers.is_living
        if (waited or is_foreign) and now >= self._not_before and path.stream is None:
            self._not_before = now + self._config.probe_interval * (0.5 + self._random.random())
            self.started += 1
            self.send_digest(path, now)

    def agreement(self, now: float) -> float:
        """Share of the peers heard recently whose fingerprint equalled ours; 1.0 for a node alone.

        Just after our view has changed, and until somebody is heard, it is what it was before.
        """
        if self._view.others == 0:
            return 1.0
        if self._heard_with != self._view.fingerprint:
            self._start_afresh()
        self._forget_before(now - AGREEMENT_WINDOW_ROUNDS * self._config.probe_interval)
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

    def send_digest(self, path: Path, now: float, low: int = 0, high: int = MAX_ID) -> None:
        """Ask the peer to compare this range of its view with ours."""
        self._outbox.send(path, self._digest(low, high), now)

    def answer_query(self, path: Path, now: float) -> None:
        """List everything, the dead and gone included, for somebody who only asks, over a stream."""
        for low, high in parts(0, MAX_ID):
            listing = [(entry.id, [record_fact(entry), liveness_fact(entry)]) for entry in self._known(low, high)]
            self._list(path, low, high, listing, MAX_ID, now)

    def answer_digest(self, digest: Digest, path: Path, now: float) -> None:
        """Answer with what we know where the peer's view differs from ours."""
        budget = self._outbox.allowance(path, MAX_ANSWER_DATAGRAMS if path.stream is None else MAX_ID, now)
        if budget <= 0:
            return
        left = budget
        for low, high, is_large in self._differing(digest, path):
            if left <= 0:
                break
            if is_large:
                self._outbox.send(path, self._digest(low, high), now)
                left -= 1
            else:
                listing = [(entry.id, all_facts(entry)) for entry in self._known(low, high)]
                left -= self._list(path, low, high, listing, left, now)
        self._outbox.spend(path, max(1, budget - left))  # comparing costs time, even where nothing differs

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
        room = self._outbox.allowance(path, MAX_ANSWER_DATAGRAMS, now) * self._outbox.limit(path)
        if room <= 0:
            return []
        listed = {fact.id: fact.record.version for fact in facts if isinstance(fact, RecordFact)}
        gone = {fact.id for fact in facts if not isinstance(fact, (RecordFact, AliveFact))}
        missing: list[bytes] = []
        for entry in self._view.within(entries.low, entries.high):
            if room <= 0:
                return missing
            if listed.get(entry.id, 0) < entry.registers.record.version:
                lacking = all_facts(entry)
                missing += lacking
                room -= sum(map(len, lacking))
        for entry in self._view.gone():
            if entry.id in listed and entry.id not in gone:
                missing.append(liveness_fact(entry))
        return missing

    def _digest(self, low: int, high: int) -> Digest:
        hashes = [self._view.range_fingerprint(*part) for part in parts(low, high)]
        hashes += [0] * (DIGEST_RANGES - len(hashes))
        return Digest(low, high, tuple(hashes))

    def _known(self, low: int, high: int) -> list[Entry]:
        """Members with ids in a range, the gone included, in ring order."""
        known = self._view.within(low, high) + [each for each in self._view.gone() if low <= each.id <= high]
        return sorted(known, key=lambda entry: entry.id)

    def _list(
        self, path: Path, low: int, high: int, listing: list[tuple[int, list[bytes]]], budget: int, now: float
    ) -> int:
        """List a range in as many messages as it takes within the budget; returns how many those were."""
        room = self._outbox.limit(path) - HEADER_ROOM
        page: list[bytes] = []
        size = sent = 0
        for member_id, facts in listing:
            length = sum(map(len, facts))
            if page and size + length > room:
                self._outbox.send(path, Entries(low, member_id - 1), now, facts=page)
                sent += 1
                if sent >= budget:
                    return sent
                low, page, size = member_id, [], 0
            page += facts
            size += length
        self._outbox.send(path, Entries(low, high), now, facts=page)
        return sent + 1
