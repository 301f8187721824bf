"""Joining and healing: finding the cluster at first, and finding it again.

While a node is alone it asks its seeds, with a longer pause after each try in vain. It sends each seed a ping, and asks
one for the first copy of the view over a stream. Later, in some rounds, it contacts a dead member or a seed at which no
living member is. So the halves of a healed partition, and clusters that share a seed, find each other without a
person's help. The driver resolves the names of seeds.
"""

from __future__ import annotations

from collections.abc import Sequence

from gossip.core.config import Config
from gossip.core.dissemination.facts import record_fact
from gossip.core.dissemination.outbox import Outbox, Path
from gossip.core.dissemination.questions import Purpose, Question, Questions
from gossip.core.dissemination.reconciliation import Reconciler
from gossip.core.dissemination.streams import Streams
from gossip.core.state.entry import Entry
from gossip.core.state.hearing import Hearing
from gossip.core.state.local import LocalMember
from gossip.core.state.view import View
from gossip.core.support.address import Address
from gossip.core.support.random_source import RandomSource
from gossip.core.support.timers import Timer, Timers
from gossip.core.wire.messages import Ping

MAX_SEEDS = 64
"""Seed addresses kept; a DNS name may have many, and any one of them is enough."""

SEEDS_PER_TRY = 8
"""Seeds pinged in one try to join."""

FIRST_PAUSE_S = 0.5
"""Pause after the first try to join; it doubles up to ``join_backoff_max``."""

COMPARING_PAUSES_S = (0.1, 0.2, 0.4, 0.8)
"""Pauses before a newcomer compares its view with a random member's. When many nodes join at once, news of one misses
others whose views are still too small to pass it on. These comparisons find what they missed."""

COPY_TRIES = 8
"""Streams opened for the first copy of the view since the seeds were last asked; if none gets through, reconciliation
has to do it."""

COPY_PAUSE_S = 0.3
"""Pause, on average, before this node asks another member for the copy."""

MAX_PRESENTED = 64
"""Addresses kept at which this node presented itself, the latest."""

UNHEARD_ROUNDS = 3
"""Rounds after which a node that took this node in is known here: a member asks a newcomer, or tells it something,
within a round or two."""

HEAL_SHARE = 0.4
"""How much the share of the dead adds to the chance of a contact in one round."""

KEEN_S = 120.0
"""Seconds for which this node looks for a dead member as often as possible. After that it looks ever more rarely, in
proportion to the time since the death. Most cuts are over by then, and the address may belong to another machine, which
would hear about it for an hour from all members."""


class Joining:
    """Contacts with nodes that are not, or are no longer, living members of the view."""

    def __init__(self, config: Config, view: View, timers: Timers, random: RandomSource, outbox: Outbox,
                 local: LocalMember, hearing: Hearing, streams: Streams, reconciler: Reconciler,
                 questions: Questions) -> None:  # fmt: skip
        self._config = config
        self._view = view
        self._timers = timers
        self._random = random
        self._outbox = outbox
        self._local = local
        self._hearing = hearing
        self._streams = streams
        self._reconciler = reconciler
        self._questions = questions
        self._seeds: tuple[Address, ...] = ()
        self._ours: set[Address] = set()
        """Seeds at which this node itself has answered."""
        self._pause = FIRST_PAUSE_S
        self._timer: Timer | None = None
        self._presented: dict[Address, float] = {}
        self._is_comparing = False
        self._has_copy = False
        self._copies = 0
        self._at_seeds: dict[Address, int] = {}
        self.heals = 0

    @property
    def seeds(self) -> tuple[Address, ...]:
        """The addresses at which the cluster may be found."""
        return self._seeds

    @property
    def foreign_seeds(self) -> tuple[Address, ...]:
        """The seeds at which this node itself is not, as far as it knows."""
        own = self._local.entry.registers.record.address
        return tuple(each for each in self._seeds if each != own and each not in self._ours)

    def seed(self, addresses: Sequence[Address], now: float) -> None:
        """Replace the addresses at which the cluster may be found, and try them if this node is alone."""
        is_first = not self._seeds
        self._seeds = tuple(dict.fromkeys(each for each in addresses if not each.is_unspecified))[:MAX_SEEDS]
        self._ours &= set(self._seeds)
        if self._seeds and (is_first or self._timer is None):
            self._try(now)

    def seek_again(self, now: float) -> None:
        """Try the seeds now if this node is alone, because the obstacle to joining is gone."""
        self._pause = FIRST_PAUSE_S
        if self._seeds:
            self._try(now)

    def contact(self, address: Address, now: float, min_bytes: int = 0) -> None:
        """Ping an address at which some member may be, and present this node there.

        :param min_bytes: bytes of the ping, so that there is room in the answer.
        """
        token = self._questions.ask(Question(Purpose.CONTACT, now, address))
        facts = self._presentation(address, now)
        known = next((entry for entry in self._view.gone() if entry.registers.record.address == address), None)
        self._outbox.send(Path(address), Ping(token), now, to=known, facts=facts, min_bytes=min_bytes)

    def unheard(self, now: float) -> list[Address]:
        """Addresses at which an unknown node may have taken this node in lately: this node presented itself there, by a
        ping or on a stream, and no living member is known to be there."""
        lately = now - UNHEARD_ROUNDS * self._config.probe_interval
        told = {address for address, when in self._presented.items() if when >= lately}
        if told:
            told -= {entry.registers.record.address for entry in self._view if entry.registers.is_living}
        return sorted(told)

    def _presentation(self, address: Address, now: float) -> list[bytes]:
        """This node's record for a node at an address, if this node knows its own address."""
        if not self._local.address_known:
            return []
        self._presented.pop(address, None)
        while len(self._presented) >= MAX_PRESENTED:
            del self._presented[next(iter(self._presented))]
        self._presented[address] = now
        return [record_fact(self._local.entry)]

    def copy_ended(self, now: float) -> None:
        """Take note that a stream for the first copy of the view has ended. A seed that many newcomers ask at once
        refuses most of them. If no copy came, this node asks members that it knows by now."""
        if not self._has_copy and self._copies < COPY_TRIES:
            self._timers.at(now + COPY_PAUSE_S * (0.5 + self._random.random()), self._copy_from_any)

    def _copy_from_any(self, now: float) -> None:
        if self._has_copy or self._local.has_left:
            return
        for member in self._view.sample(1, self._random):
            self._copy_view(member.registers.record.address, now)

    def copied_view(self, now: float) -> None:
        """Take note that the first copy of the view is complete, and make sure that nothing is missing."""
        self._has_copy = True
        if not self._is_comparing:
            self._is_comparing = True
            self._compare_soon(0, now)

    def _compare_soon(self, step: int, now: float) -> None:
        if step:
            for member in self._view.sample(1, self._random):
                self._reconciler.send_digest(Path(member.registers.record.address), now)
        if step < len(COMPARING_PAUSES_S):
            self._timers.at(now + COMPARING_PAUSES_S[step], self._compare_soon, step + 1)
        else:
            self._is_comparing = False

    def note_answer(self, token: int, address: Address, now: float) -> None:
        """Take in an ack of a contact with this address."""
        self._questions.close(token)
        self._ours.discard(address)
        self._outbox.validate(address, now)

    def came_back(self, token: int, source: Address) -> bool:
        """Take note that this node's own ping came in. Returns whether this shows that the node itself is at a seed:
        the ping was sent to that seed, and comes from there."""
        question = self._questions.get(token)
        is_contact = question is not None and question.purpose is Purpose.CONTACT and question.address == source
        is_ours = is_contact and source in self._seeds
        if is_ours and not self._local.address_known:
            self._ours.add(source)
        return source in self._ours

    def heal(self, now: float) -> None:
        """In some rounds, contact a dead member or an absent seed. If nobody was heard for some seconds, contact any
        known member in every round: its answer is then all that others wait for.

        Of the dead, this contacts only members that once answered at the address that they announce. Others may be
        inventions, and the machines at their addresses should not hear from all members for an hour.
        """
        dead = self._view.gone(revivable=True)
        if dead:
            dead = [each for each in dead if each.answered_from == each.registers.record.address]
        has_ceased = self._hearing.has_ceased(now)
        if not self._seeds and not dead and not has_ceased:
            return
        chance = 1.0 if has_ceased else self._config.heal_probability
        if dead and not has_ceased:
            chance = min(0.5, chance + HEAL_SHARE * len(dead) / (len(dead) + max(1, self._view.alive)))
        if self._random.random() >= chance:
            return
        silent = self._view.sample(1, self._random) if has_ceased else []
        sought = dead if has_ceased else [entry for entry in dead if self._is_sought(entry, now)]
        candidates = [entry.registers.record.address for entry in (*sought, *silent)] + self._absent_seeds()
        if candidates:
            self.heals += 1
            self.contact(self._random.sample(candidates, 1)[0], now)

    def _is_sought(self, dead: Entry, now: float) -> bool:
        gone_for = now - (now if dead.gone_at is None else dead.gone_at)
        return gone_for <= KEEN_S or self._random.random() * gone_for < KEEN_S

    def _absent_seeds(self) -> list[Address]:
        """Seeds at which no living member is. This looks at all members only if a member found at a seed before is no
        longer there."""
        if not all(self._is_at(self._at_seeds.get(seed, 0), seed) for seed in self._seeds):
            self._at_seeds = {
                entry.registers.record.address: entry.id
                for entry in self._view
                if entry.registers.record.address in self._seeds and entry.registers.is_living
            }
        return [seed for seed in self._seeds if seed not in self._at_seeds]

    def _is_at(self, member_id: int, address: Address) -> bool:
        entry = self._view.get(member_id)
        return entry is not None and entry.registers.record.address == address and entry.registers.is_living

    def _try(self, now: float) -> None:
        """Ask the seeds if this node is still alone, and try again later."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if (self._view.others > 0 and self._local.address_known) or self._local.has_left:
            self._pause = FIRST_PAUSE_S
            return
        seeds = self.foreign_seeds
        for seed in self._random.sample(seeds, min(SEEDS_PER_TRY, len(seeds))):
            self.contact(seed, now, self._config.max_datagram)
        if seeds:
            self._copies = 0
            self._copy_view(self._random.sample(seeds, 1)[0], now)
        pause = self._pause * (0.75 + 0.5 * self._random.random())
        self._pause = min(2 * self._pause, self._config.join_backoff_max)
        self._timer = self._timers.at(now + pause, self._try)

    def _copy_view(self, address: Address, now: float) -> None:
        self._copies += 1
        stream = self._streams.get(self._streams.open(address, copies_view=True))
        if stream is not None:
            facts = self._presentation(address, now)
            self._reconciler.send_digest(stream.path, now)
            self._outbox.send(stream.path, Ping(self._questions.unanswered_token()), now, facts=facts)
