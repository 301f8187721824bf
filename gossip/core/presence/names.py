"""Conflicts of names and of generations: what a node does when another process holds a name, and when nobody can
believe its own generation.

This node challenges a second holder of a member's name, because only a process that runs can answer. If another process
has taken this node's own name, this node reports it. It takes the name back if that process is gone or was an earlier
life of its own. If this node drew its generation from a wrong clock, it becomes a generation that others can believe.
"""

from __future__ import annotations

from gossip.core.changes import Changes
from gossip.core.config import Config
from gossip.core.dissemination.outbox import Outbox, Path
from gossip.core.dissemination.questions import MOST, Purpose, Question, Questions
from gossip.core.journal import Journal
from gossip.core.presence.standing import OwnStanding
from gossip.core.state.entry import Change
from gossip.core.state.local import LocalMember
from gossip.core.state.member import Member, Status
from gossip.core.state.view import View
from gossip.core.support.timers import Timers
from gossip.core.wire.messages import Clock, Message, Ping, RecordFact


class Names:
    """Resolves the conflicts of one node."""

    def __init__(self, config: Config, view: View, timers: Timers, local: LocalMember, questions: Questions,
                 outbox: Outbox, journal: Journal, standing: OwnStanding, changes: Changes) -> None:  # fmt: skip
        self._config = config
        self._view = view
        self._timers = timers
        self._local = local
        self._questions = questions
        self._outbox = outbox
        self._journal = journal
        self._standing = standing
        self._changes = changes

    # --- a claimant of a member's name

    def challenge(self, claimant: Member, path: Path, now: float) -> None:
        """Ping a process that speaks under another member's name: only a process that runs can answer."""
        is_full = self._questions.count(Purpose.CHALLENGE) >= MOST[Purpose.CHALLENGE]
        if path.stream is None and not is_full and self._journal.claimant(claimant.id) is None:
            token = self._questions.ask(Question(Purpose.CHALLENGE, now, path.address, claimant))
            self._timers.at(now + self._config.suspicion_min, self._questions.close, token)
            self._outbox.send(path, Ping(token), now)

    def note_answer(self, question: Question, sender: int, now: float) -> None:
        """Take in the answer to a challenge."""
        claimant: Member = question.target
        if claimant.id == sender:
            self._journal.note_conflict(claimant, now)

    # --- another holder of this node's name

    def resolve_displacement(self, now: float) -> None:
        """Another process holds this node's name: report it, or take the name back if that process is gone or was this
        node's own earlier life."""
        local = self._local
        if local.has_left:
            return
        self._outbox.is_known = False
        holder = self._view.named(local.entry.identity.name)
        living = holder.registers if holder is not None and holder.registers.is_living else None
        if living is not None and not local.may_succeed(living.record, now):
            self._journal.note_conflict(self._view.listing.local, now)
        elif not self._standing.withholds and (holder is None or living is not None or local.may_renew(now)):
            # A node that is cut off only guesses that the other process is gone.
            local.start_generation(self._view.last_generation(local.entry.identity.name), now)
            self._changes.make_known(Change(local.entry, None, Status.ALIVE, updated=True), 0, now)
        self._standing.look(now)

    # --- generations and clocks

    def refuses_for_clock(self, message: Message, path: Path, now: float) -> bool:
        """Whether this node refuses the generation of a stranger that presented itself in a datagram, and should tell
        it so."""
        own = (fact for fact in message.facts if fact.id == message.sender and isinstance(fact, RecordFact))
        generation = next((fact.record.identity.generation for fact in own), 0)
        if self._local.wall.believes(generation, now):
            return False
        self._local.wall.refuse(path.address, generation, now)
        return path.stream is None

    def refused_for_clock(self, refusal: Clock, path: Path, now: float) -> None:
        """Take note that a peer does not believe this node's generation."""
        self._local.wall.be_refused(path.address, self._local.entry.identity.generation, refusal.wall_ms, now)
        self.follow_clock(now)

    def follow_clock(self, now: float) -> None:
        """Become a generation that others can believe, if the present one was drawn from a wrong clock.

        Members that know this node keep it. So it does this only while nobody knows it, or if a member refuses it. That
        member's message alone changes nothing: this node's own clock has to say the same. This node's clock may be the
        wrong one now, so afterwards it has to find out whether anybody takes it in.
        """
        local = self._local
        generation = local.entry.identity.generation
        if local.has_left or local.wall.believes(generation, now):
            return
        if self._outbox.is_known and not self._is_refused_by_a_member(generation, now):
            return
        local.start_generation_by_the_clock(now)
        self._outbox.is_known = False
        self._changes.make_known(Change(local.entry, None, Status.ALIVE, updated=True), 0, now)
        self._standing.became_another(now)

    def _is_refused_by_a_member(self, generation: int, now: float) -> bool:
        """Whether a living member refuses this node's generation, and this node believes that member's own generation.
        The node cannot ask for more than one such member: members that started under the same wrong clock know it, and
        will not refuse it."""
        wall = self._local.wall
        refused_by = wall.refused_by(generation, now)
        return bool(refused_by) and any(
            each.registers.record.address in refused_by
            and each.registers.is_living
            and wall.believes(each.identity.generation, now)
            for each in self._view
        )
