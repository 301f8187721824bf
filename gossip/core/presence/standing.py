"""Standing: what a node knows of its own place in the cluster, since when, and why.

The rest of the core judges others. This module judges the node itself, from what the core notices anyway: when it last
heard anybody, which seeds do not answer, that its own loop stood still, that others say it is dead, that another
process holds its name. It sends nothing and changes no verdict about others. It only says how far the node may trust
its own view, so that the embedding program can act on it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import attrs

from gossip.core.config import Config
from gossip.core.dissemination.outbox import Outbox
from gossip.core.journal import Journal
from gossip.core.presence.joining import Joining
from gossip.core.presence.seeking import Seeking
from gossip.core.presence.unfit_answers import UnfitAnswers
from gossip.core.state.hearing import SILENT_ROUNDS, Hearing
from gossip.core.state.local import LocalMember
from gossip.core.state.member import Member
from gossip.core.state.node_standing import NodeStanding, Standing
from gossip.core.state.view import View
from gossip.core.support.address import Address
from gossip.core.support.drops import Drops

ISOLATED_AFTER_ROUNDS = 5
"""Rounds without a message from anybody after which a node is isolated. In each round it asks once and is asked once,
so even if half of all datagrams are lost it hears others many times."""

UNANSWERED_S = 30.0
"""Seconds for which seeds may be silent before it is a warning. Machines that start together find each other sooner."""

CLEARED_ROUNDS = 2
"""Rounds without a message that this node is dead after which it no longer counts as held dead. One conviction makes
the node tell everybody that it lives, and a member that has not heard this yet says once more that it is dead."""

PATIENCE_OF_THE_DEAD = 3
"""How many times as long silence has to last for a node that others hold dead: they look for it only now and then."""


class _Contact:
    """When one generation of this node last heard members."""

    def __init__(self) -> None:
        self.since = -math.inf
        """Since when, without a long silence in between."""
        self.at = -math.inf
        self.known_at = -math.inf
        """When the last answer came, if it shows that its sender knows this node."""
        self.unknown_at = -math.inf
        """When the last answer came, if it shows that its sender does not know this node."""


class OwnStanding:
    """Decides the standing of one node."""

    def __init__(self, config: Config, view: View, local: LocalMember, hearing: Hearing, joining: Joining,
                 drops: Drops, journal: Journal, outbox: Outbox, now: float) -> None:  # fmt: skip
        self._config = config
        self._view = view
        self._local = local
        self._hearing = hearing
        self._joining = joining
        self._seeking = Seeking(view, local, joining)
        self._drops = drops
        self._unfit = UnfitAnswers(drops)
        self._journal = journal
        self._outbox = outbox
        self.value = NodeStanding(Standing.CONNECTED, now, "it has no seeds, so it begins a cluster of its own")
        """The standing now."""
        self.is_unsettled = False
        """Whether the next message of another member may change the standing: only then :meth:`heard` is needed."""
        self.withholds = False
        """Whether this node only guesses what happened to others, and so does not tell its program."""
        self._has_joined = True
        self._seeking_since = now
        self._is_isolated = False
        self._listening_since = now
        self._contact = _Contact()
        self._held_dead = ""
        """Why it counts as held dead; empty if it does not."""
        self._convicted_at = self._cleared_at = float("-inf")
        self._is_calm = False
        """Whether it is connected and needs no judgement as long as it hears others."""
        self._reason = ""
        """The kind of the present reason, if a standing has several kinds."""
        self._said: set[str] = set()
        """The kinds of reasons that were reported since this standing began; each is reported once."""
        self._unfit_seeds = ""
        """What is known to be wrong with the answers of seeds; empty if nothing is."""
        self._is_vain = False
        """Whether it has looked for its cluster for so long that a person should look."""
        self._origin = ""
        """Why it is connected, if not because it has found others."""
        self._displaced_by = 0

    @property
    def silence_s(self) -> float:
        """Seconds without a message from anybody after which a node is isolated. A deaf node accuses nobody for longer
        than that, so a node that is cut off from all at once reports no deaths."""
        rounds = self._config.probe_interval
        return max(SILENT_ROUNDS * rounds, min(ISOLATED_AFTER_ROUNDS * rounds, self._config.suspicion_max))

    @property
    def settling_s(self) -> float:
        """Seconds of hearing others after which a node is connected, if no view has equalled its own."""
        return self._config.suspicion_max + self._config.probe_interval

    # --- what the core notices

    def seek(self, now: float, seeds: Sequence[Address] = ()) -> None:
        """Take note that there is a cluster to look for: seeds, if only by name, or remembered members.

        :param seeds: as the program gave them; none if their addresses follow.
        """
        self._seeking.given = tuple(seeds) or self._seeking.given
        if self._has_joined and not self._has_heard:
            self._has_joined, self._seeking_since = False, now
            self.is_unsettled = True
            self.value = NodeStanding(Standing.JOINING, now, self._seeking.goal)

    def seeds_given(self, unresolved: Sequence[Address], now: float) -> None:
        """Take note of the seeds' addresses: a node that is its own and only seed has nobody to look for.

        :param unresolved: seeds whose names have no address so far.
        """
        self._seeking.unresolved = tuple(unresolved)
        if self._joining.foreign_seeds:
            self.seek(now)
        elif self._joining.seeds and not self._seeking.has_goal and not self._has_heard:
            self._has_joined, self._origin = True, "it is its own only seed, so it begins a cluster of its own"
            self.look(now)

    def own_seed_found(self, now: float) -> None:
        """Take note that this node itself answers at one of its seeds."""
        self.seeds_given(self._seeking.unresolved, now)

    def refused(self, destination: Address) -> None:
        """Take note that no process listens at an address."""
        if not self._has_joined:
            self._seeking.refused(destination)

    def heard(self, agrees: bool, claimant: Member | None, now: float) -> None:
        """Take note that this node took in a message of another process.

        :param agrees: whether its view equals this node's now.
        :param claimant: the other process, if it is no member but a reported claimant of a member's name. A process
            that has given way to this node sees what this node sees, and may be all there is.
        """
        name = self._local.entry.identity.name
        if claimant is not None and (self._view.others or claimant.name != name):
            return
        if not self._is_in_contact(now):
            self._contact.since = now
        self._contact.at = now
        is_known = self._contact.known_at >= self._contact.since
        settles = agrees or (is_known and now - self._contact.since >= self.settling_s)
        if not settles or not self._local.address_known or not (self._view.others or claimant):
            return
        if claimant is not None:
            self._origin = _holds_its_name(claimant.address, name)
        self._has_joined, self._is_isolated = True, False
        self.look(now)

    def heard_living(self, now: float) -> None:
        """Take note that this node heard a member that would be believed if it held this node dead."""
        if now > self._convicted_at:
            self._cleared_at = now

    def note_answer(self, knows_us: bool, now: float) -> None:
        """Take in an answer to a question of this node that had room to say where the peer sees it.

        :param knows_us: whether the answer leaves out the announced address: only a peer that does not know this node
            states it.
        """
        if knows_us:
            self._contact.known_at, self._contact.unknown_at = now, -math.inf
        else:
            self._contact.known_at, self._contact.unknown_at = -math.inf, now

    def became_another(self, now: float) -> None:
        """Take note that this node is another generation, which members that know the previous one may refuse."""
        self._contact = _Contact()
        if self._has_joined and self._view.others:
            self._has_joined, self._seeking_since = False, now
        self.look(now)

    def note_conviction(self, by: str, late: float, now: float) -> None:
        """Take note that a living member says that this node is dead.

        :param by: the name of that member.
        :param late: seconds for which this node's loop has been standing still, if nothing else has noticed it yet.
        """
        is_late = late >= self._config.suspicion_min
        why = f"its loop stood still for {late:.1f} s, and" if is_late else "others could not reach it, and"
        self._held(f"{why} {by!r} holds it dead", now)

    def stood_still(self, late: float, now: float) -> None:
        """Take note that this node's loop did not run for this many seconds."""
        self._listening_since = now
        if late >= self._config.suspicion_min and self._view.others and self._has_heard:
            self._held(f"its loop stood still for {late:.1f} s; others may hold it dead", now)

    def pass_round(self, now: float) -> None:
        """Judge again, in each round, unless everything is calm."""
        if not self._is_calm or now - self._hearing.last_heard >= self._config.probe_interval:
            self.look(now)
        elif self._drops.total != self._unfit.seen:
            self._unfit.note_all()

    def look(self, now: float) -> None:
        """Judge again. Call it after everything that may have changed the standing."""
        self._judge_silence(now)
        cleared_after = self._convicted_at + CLEARED_ROUNDS * self._config.probe_interval
        if self._held_dead and self._cleared_at > self._convicted_at and now >= cleared_after:
            self._held_dead = ""
        self.is_unsettled = not self._has_joined or self._is_isolated or bool(self._held_dead)
        before, standing = self.value, self._standing()
        self._is_calm = standing is Standing.CONNECTED and self._has_heard
        is_new = standing is not before.standing
        if is_new:
            self._reason, self._said = "", set()
        if self.withholds:
            self._journal.pause()
        else:
            self._journal.resume(now)
        was_warned = self._is_trouble(before.standing)
        why = self._why(standing, is_new, now)
        self._origin = ""
        if not (why or is_new):
            return
        is_warning = self._is_trouble(standing) or (was_warned and standing is not Standing.LEFT)
        self.value = NodeStanding(standing, now if is_new else before.since, why, is_warning)
        self._outbox.is_in_doubt = standing is Standing.ISOLATED
        self._journal.note_standing(self.value, now)

    # --- what follows from it

    @property
    def _has_heard(self) -> bool:
        """Whether this node has heard anybody since it began, or began anew."""
        return self._hearing.last_heard >= self._seeking_since

    def _is_trouble(self, standing: Standing) -> bool:
        return standing in _TROUBLE or (standing is Standing.JOINING and self._is_vain)

    def _held(self, why: str, now: float) -> None:
        self._convicted_at = now
        if not self._held_dead:
            self._held_dead = why
            self.look(now)

    def _judge_silence(self, now: float) -> None:
        if self._is_isolated and self._local.has_left and self._is_in_contact(now):
            self._is_isolated = now - self._contact.since < self._config.probe_interval  # it hears no more than this
        if self._is_isolated:
            if len(self._view) > (not self._view.is_displaced):
                return
            self._begin_anew(now)
        self.withholds = False
        if not (self._has_joined and self._has_heard) or self._local.has_left:
            return
        patience = self.silence_s * (PATIENCE_OF_THE_DEAD if self._held_dead else 1)
        silence = now - max(self._hearing.last_heard, self._listening_since)
        if silence < self._config.probe_interval:
            self._unfit.note_all()
        if silence >= patience and (self._view.others or self._died_since(self._hearing.last_heard)):
            self._is_isolated = True
            self.withholds = self._view.others > 1  # the silence of a single peer is all there is to hear

    def _begin_anew(self, now: float) -> None:
        """Begin anew: this node remembers nobody from whom it could be cut off, so it is like a node that starts
        now."""
        self._is_isolated, self._held_dead, self._seeking.is_anew = False, "", True
        self._has_joined, self._seeking_since = not self._seeking.has_goal, now
        self._origin = "" if self._seeking.has_goal else "it remembers nobody else, so it begins its cluster anew"
        self._joining.seek_again(now)

    def _is_in_contact(self, now: float) -> bool:
        """Whether this node hears members, without a long silence in between."""
        return now - self._contact.at <= self.silence_s

    def _died_since(self, when: float) -> bool:
        return any(each.gone_at is not None and each.gone_at > when for each in self._view.gone(revivable=True))

    def _standing(self) -> Standing:
        if self._local.has_left:
            return Standing.LEFT
        if self._view.is_displaced:
            return Standing.DISPLACED
        if not self._has_joined:
            return Standing.JOINING
        if self._is_isolated:
            return Standing.ISOLATED
        return Standing.HELD_DEAD if self._held_dead else Standing.CONNECTED

    def _why(self, standing: Standing, is_new: bool, now: float) -> str:
        """The reason for the present standing; empty if there is nothing to add to what was reported."""
        match standing:
            case Standing.DISPLACED:
                return self._displacement(is_new)
            case Standing.ISOLATED:
                return self._isolation(now)
            case Standing.JOINING:
                return self._search(is_new, now)
        if not is_new:
            return ""
        if standing is Standing.CONNECTED:
            return self._origin or _OVER.get(self.value.standing, "it takes part")
        return self._held_dead if standing is Standing.HELD_DEAD else "it has said farewell"

    def _displacement(self, is_new: bool) -> str:
        """Which process holds this node's name; empty if that was reported."""
        name = self._local.entry.identity.name
        holder = self._view.named(name)
        if holder is None or (holder.id == self._displaced_by and not is_new):
            return ""
        self._displaced_by, self._reason = holder.id, ""
        return self._tell("holder", _holds_its_name(holder.registers.record.address, name))

    def _search(self, is_new: bool, now: float) -> str:
        """What this node looks for, and why it does not find it, as soon as it knows; empty if that was reported."""
        waited = now - self._seeking_since
        unfit = self._unfit_seeds = self._unfit.of(self._joining.seeds) or ("" if is_new else self._unfit_seeds)
        found = {unfit: unfit} if unfit else self._rejection(now) if waited >= self.silence_s else {}
        self._is_vain = waited >= (self.silence_s if found else UNANSWERED_S)
        found = found or self._obstacles(waited)
        if not (is_new or found):
            return ""
        so_long = f", for {waited:.0f} s by now" if self._is_vain else ""
        why = ": ".join(filter(None, (f"{self._seeking.goal}{so_long}", "; ".join(found.values()))))
        return self._tell(" ".join([so_long and "vain", *found]), why)

    def _rejection(self, now: float) -> dict[str, str]:
        is_unknown = now - self._contact.unknown_at <= UNANSWERED_S and self._local.address_known
        return self._seeking.rejection(is_unknown, now)

    def _obstacles(self, waited: float) -> dict[str, str]:
        if not self._has_heard:
            return self._seeking.obstacles(is_silent=waited >= self.silence_s)
        if not self._is_vain:  # a search that succeeds looks the same for a while
            return {}
        differs = self._local.address_known
        said = "others are heard, but " + ("their views differ" if differs else "none says where they reach it")
        return {said: said}

    def _isolation(self, now: float) -> str:
        """Why this node is isolated; empty if that was reported. It is reported again when this node has given up all
        others, and when it hears others that do not take it in."""
        others = self._view.others
        if self._is_in_contact(now) and now - self._contact.since >= self.settling_s:
            differ = "their views differ, and none shows that it knows this node"
            return self._tell(
                "heard", "; ".join(self._rejection(now).values()) or f"others are heard again, but {differ}"
            )
        kind = "silent" if others else "gone"
        if self._reason in (kind, "gone"):
            return ""
        silent = f"nobody was heard for {now - self._hearing.last_heard:.1f} s"
        known = [each.registers.record.address for each in self._view if each is not self._local.entry]
        if unfit := self._unfit.of({*known, *self._joining.seeds}):
            return self._tell(kind, f"{silent}; {unfit}")
        if others:
            return self._tell(kind, f"{silent}: it is cut off, or all others are gone")
        return self._tell(kind, f"{silent}, and no other member counts as living: they are gone, or it is cut off")

    def _tell(self, kind: str, why: str) -> str:
        """The reason, if it is to be reported. Each kind is reported once, however often kinds take turns, because
        messages of others, or forged ones, may cause that. :attr:`value` holds the reason in any case."""
        is_present, is_told = kind == self._reason, kind in self._said
        self._reason = kind
        self._said.add(kind)
        if is_told and not is_present:
            self.value = attrs.evolve(self.value, why=why)
        return "" if is_told else why


_TROUBLE = frozenset({Standing.ISOLATED, Standing.HELD_DEAD, Standing.DISPLACED})
_OVER = {
    Standing.JOINING: "it has found its cluster",
    Standing.ISOLATED: "others are heard again",
    Standing.HELD_DEAD: "nobody says any longer that it is dead",
    Standing.DISPLACED: "it holds its name again",
}
"""Why a node is connected, by what it was before."""


def _holds_its_name(where: Address, name: str) -> str:
    return f"another process at {where} holds its name, {name!r}; give one of the two another name"
