"""This node's own address: where others reach it, if its program does not say so.

A node that is bound to all addresses and advertises none learns its address from its peers. It asks a peer with a
contact, a ping with room in its answer. The peer says where the ping came from, if that is not where it knows the node
to be. The answer went to that address and arrived, so the address was reached. But it was reached on one peer's path,
which may be a special one, or the peer may lie. So each host that was asked has one voice, its latest, and the node
takes an address only if several hosts agree on it, and more hosts than see the node anywhere else. A voice counts for
the host whose address was asked, if a member is there, and the answer carries a number that nobody else knows. So an
attacker that forges the source of its answers gains no further voice.

An address that the program gave never changes. The node checks an address that it learnt if there is a reason: nobody
has asked this node anything for some rounds, it is accused, or a peer happens to see it elsewhere. Without a reason it
sends nothing for this.

A loopback address works only among members on the same machine. It gives way to any other address as soon as a member
on another machine is known.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from gossip.core.changes import Changes
from gossip.core.config import Config
from gossip.core.dissemination.outbox import Outbox
from gossip.core.presence.joining import Joining
from gossip.core.state.entry import Change, Entry
from gossip.core.state.local import LocalMember
from gossip.core.state.member import Status
from gossip.core.state.view import View
from gossip.core.support.address import Address
from gossip.core.support.notices import Notices
from gossip.core.support.random_source import RandomSource
from gossip.core.support.timers import Timers

FIRST_AGREEING = 2
"""Hosts that must see a node at the same address before it announces its first one; all hosts, if fewer are known."""

AGREEING = 3
"""Hosts that must see a node at the same new address before it gives up the one that it has learnt; all hosts, if fewer
are known. So not even two liars move an address if there is a third host."""

ASKED_AROUND = 3
"""Hosts that are asked at once, as many as must agree."""

UNASKED_ROUNDS = 2.5
"""Rounds without a question from anybody after which a node asks where others see it. Its predecessor on the ring asks
it every second round."""

LATELY_ROUNDS = 10
"""Rounds for which a voice counts."""

MAX_PAUSE_ROUNDS = 32
"""The pause between two times of asking around doubles up to this. A doubt may last long, for example while a node is
cut off."""

MAX_VOICES = 64
"""Hosts whose voice is kept, the latest: far more than are asked within the time for which a voice counts."""


class _Voice(NamedTuple):
    address: Address
    heard_at: float
    asked: Address
    """The address at which it was asked."""
    since: float
    """When its host first said so without saying anything else since."""


class OwnAddress:
    """Decides where this node is, from what the peers that it asks see."""

    def __init__(self, config: Config, view: View, local: LocalMember, timers: Timers, random: RandomSource,
                 notices: Notices, joining: Joining, outbox: Outbox, changes: Changes, now: float) -> None:  # fmt: skip
        self._config = config
        self._view = view
        self._local = local
        self._timers = timers
        self._random = random
        self._notices = notices
        self._joining = joining
        self._outbox = outbox
        self._changes = changes
        self._is_given = local.address_known
        self._voices: dict[str, _Voice] = {}
        self._first_voice_at: float | None = None
        self._settled_with = view.fingerprint
        self._awaits_copy = False
        self._misplaced_by: Entry | None = None
        self._pause = config.probe_interval
        self._asked_around_at = float("-inf")
        self.is_open = not self._is_reached_from_elsewhere()
        """Whether the addresses of other members say something about this node's own: only then :meth:`note_address` is
        needed."""
        self.is_waiting = False
        """Whether a peer has said where this node is but the node has not announced it yet: more facts may decide
        that."""
        self.asked_at = now
        """Local time of the last question from another node."""

    def __len__(self) -> int:
        return len(self._voices)

    def _is_reached_from_elsewhere(self) -> bool:
        present = self._present
        return present is not None and not present.is_loopback

    @property
    def _present(self) -> Address | None:
        return self._local.entry.registers.record.address if self._local.address_known else None

    def note_answer(self, asked: Address, seen: Address | None, now: float) -> None:
        """Take in where a peer that was asked sees this node.

        :param asked: the address at which the peer was asked.
        :param seen: None if the peer sees it where it is announced.
        """
        seen = seen or self._present
        if self._is_given or seen is None or not self._is_usable(seen) or _is_ipv6(seen.host) != _is_ipv6(asked.host):
            return
        before = self._voices.pop(asked.host, None)
        since = before.since if before is not None and before.address == seen else now
        if len(self._voices) >= MAX_VOICES:
            del self._voices[next(iter(self._voices))]
        self._voices[asked.host] = _Voice(seen, now, asked, since)
        if self._first_voice_at is None:
            self._first_voice_at = now
            self.is_waiting = self._present is None
            self._timers.at(now + self._config.ack_timeout_min, self._settle_or_ask_around)
        self._settle_address(now)

    def heard_facts(self, now: float) -> None:
        """Decide again after facts that changed the view, if the first voice is recent. Later this happens once in each
        round, so that not every message costs a pass over all members."""
        fingerprint, began = self._view.fingerprint, self._first_voice_at or 0.0
        if fingerprint != self._settled_with and now <= began + self._config.probe_interval:
            self._settled_with = fingerprint
            self._settle_address(now)

    def seen_at(self, seen: Address, now: float) -> None:
        """Take note of what an answer to another question says: it is no voice, but a reason to ask around."""
        if seen != self._present:
            self.reconsider(now)

    def copied_view(self, now: float) -> None:
        """Take note that the first copy of the view is here, so that this node knows how many hosts can agree."""
        self._awaits_copy = False
        self._settle_or_ask_around(now)

    def note_address(self, entry: Entry, now: float) -> None:
        """Take note of where another member is, from its new record."""
        present, other = self._present, entry.registers.record.address
        if present is None:
            self.reconsider(now)
        if present is None or not present.is_loopback or other.is_loopback:
            return
        self._misplaced_by = entry
        if self._is_given:
            self._warn_of_loopback(f"{entry.identity.name!r} at {other}")
        else:
            self.reconsider(now)

    def seeds(self, addresses: Sequence[Address]) -> None:
        """Take note of the seeds, from which a first copy of the view may come."""
        self._awaits_copy = self._present is None and bool(addresses)
        present = self._present
        other = next((each for each in addresses if not each.is_loopback), None)
        if self._is_given and present is not None and present.is_loopback and other is not None:
            self._warn_of_loopback(f"the seed {other}")

    def _warn_of_loopback(self, other: str) -> None:
        """Tell people, once, that only this machine can reach this node, although others are on other machines."""
        self._notices.say(
            "given loopback address",
            f"this node is at {self._present}, which only this machine can reach, but {other} is on another machine, "
            "where members refuse that address: bind to an address that others can reach, or advertise one",
        )

    def reconsider(self, now: float) -> None:
        """Ask around where others see this node, unless its address was given or it asked around lately."""
        is_settled = self._is_given or self._local.has_left
        if not is_settled and now >= self._asked_around_at + self._pause:
            self._ask_around(now)

    def round(self, now: float) -> None:
        """Ask around if there is a reason."""
        if self._is_given:
            return
        misplaced = self._misplaced_by is not None and self._misplaced_by.registers.is_living
        unasked = now - self.asked_at > UNASKED_ROUNDS * self._config.probe_interval
        if self._present is None or misplaced or unasked:
            self._settle_or_ask_around(now)

    def _settle_or_ask_around(self, now: float) -> None:
        if not self._local.has_left and not self._settle_address(now) and self._view.others:
            self.reconsider(now)

    def _ask_around(self, now: float) -> None:
        first_pause = self._config.ack_timeout_min if self._present is None else self._config.probe_interval
        is_afresh = now - self._asked_around_at > 4 * self._pause
        self._pause = first_pause if is_afresh else min(2 * self._pause, MAX_PAUSE_ROUNDS * self._config.probe_interval)
        self._asked_around_at = now
        by_host: dict[str, Address] = {}
        for member in self._view.sample(2 * ASKED_AROUND, self._random):
            address = member.registers.record.address
            by_host.setdefault(address.host, address)
        for address in list(by_host.values())[:ASKED_AROUND]:
            self._joining.contact(address, now)

    def _settle_address(self, now: float) -> bool:
        """Take another address if enough hosts agree on it. Returns whether this node knows its address beyond
        doubt."""
        present, hosts = self._present, self._hosts_of_others()
        voices = self._recent_voices(hosts, now)
        if not voices or self._local.has_left:
            return False
        needed, everybody_spoke = self._count_that_must_agree(hosts, now), len(voices) >= len(hosts)
        is_complete = everybody_spoke and self._knows_all_hosts(hosts, now)
        for address, agreeing in self._majorities(voices):
            if address == present:
                return True
            is_enough = agreeing >= needed or (present is None and is_complete)
            is_back = present is not None and address.is_loopback and not present.is_loopback
            if is_enough and not is_back and not self._could_the_dead_outvote(address, agreeing, hosts, now):
                self._move_to(address, agreeing, len(voices), now)
                return True
        self._warn_of_discord(voices, now)
        return False

    def _majorities(self, voices: list[Address]) -> list[tuple[Address, int]]:
        """The addresses that have more than half of the voices, and how many each has. Voices are counted for each
        version of IP apart, because a question over one version cannot be answered over the other. The version of the
        present address comes first, then the address that more hosts see."""
        present, found = self._present, []
        for version in (False, True):
            of_version = [address for address in voices if _is_ipv6(address.host) is version]
            if of_version:
                address, agreeing = Counter(of_version).most_common(1)[0]
                is_preferred = present is not None and _is_ipv6(present.host) is version
                if 2 * agreeing > len(of_version):
                    found.append((not is_preferred, -agreeing, address))
        return [(address, -votes) for _, votes, address in sorted(found)]

    def _could_the_dead_outvote(self, address: Address, agreeing: int, hosts: set[str], now: float) -> bool:
        """Whether too few hosts see this node at the address if the hosts of dead members count as well. The dead may
        only have been cut off, and then the first host that this node hears again must not decide alone. If this lasts
        for :data:`LATELY_ROUNDS`, the dead no longer count."""
        if self._present is None or self._present.is_loopback:
            return False
        dead = {each.registers.record.address.host for each in self._view.gone(revivable=True)}
        if agreeing >= min(AGREEING, len(hosts | dead)):
            return False
        since = min(voice.since for voice in self._voices.values() if voice.address == address)
        return now - since < LATELY_ROUNDS * self._config.probe_interval

    def _move_to(self, address: Address, agreeing: int, asked: int, now: float) -> None:
        present = self._present
        self._pause = self._config.probe_interval
        self._misplaced_by, self.is_waiting = None, False
        self.asked_at = now
        if present is not None:
            self._notices.say(
                ("moved", present, address),
                f"this node has a new address: it announced {present}, but {agreeing} of the {asked} peers that it "
                f"asked see it at {address}, so it announces that address from now on",
            )
        self._announce(address, now)
        self.is_open = not self._is_reached_from_elsewhere()
        if not self._view.others:  # there is no member to push the news to; but the asked hosts are there
            for voice in list(self._voices.values())[-ASKED_AROUND:]:
                self._joining.contact(voice.asked, now)

    def _announce(self, address: Address, now: float) -> None:
        """Tell everybody that this node is reached at this address."""
        self._local.announce(now, address=address)
        self._outbox.hides_loopback = address.is_loopback
        self._changes.make_known(Change(self._local.entry, Status.ALIVE, Status.ALIVE, updated=True), 0, now)

    def _recent_voices(self, hosts: set[str], now: float) -> list[Address]:
        """The voices that count: those of hosts at which members are, if there are any. (A seed may be reached through
        a translator of addresses, and no member sees this node through it.)"""
        horizon = now - LATELY_ROUNDS * self._config.probe_interval
        return [
            voice.address
            for host, voice in self._voices.items()
            if voice.heard_at >= horizon and (host in hosts or not hosts)
        ]

    def _count_that_must_agree(self, hosts: set[str], now: float) -> int:
        """How many hosts must agree: all known hosts, but no more than the constants say."""
        present = self._present
        if present is not None and not present.is_loopback:
            return max(1, min(AGREEING, len(hosts)))
        if present is None and not self._knows_all_hosts(hosts, now):
            return FIRST_AGREEING
        return max(1, min(FIRST_AGREEING, len(hosts)))

    def _knows_all_hosts(self, hosts: set[str], now: float) -> bool:
        """Whether there can hardly be more hosts than this node knows. Either the first copy of the view is here, takes
        too long, or can come from nobody; or a member is on this very machine, and so all are."""
        began = self._first_voice_at
        is_here = any(Address(host, 0).is_loopback for host in hosts)
        return is_here or not self._awaits_copy or (began is not None and now >= began + self._config.ack_timeout_min)

    def _hosts_of_others(self) -> set[str]:
        """The hosts of other living members, without loopback addresses if any of them is on another machine."""
        others = [each for each in self._view if each is not self._view.local and each.registers.is_living]
        addresses = [each.registers.record.address for each in others]
        hosts = {address.host for address in addresses if not address.is_loopback}
        return hosts or {address.host for address in addresses}

    def _is_usable(self, address: Address) -> bool:
        if address.is_unspecified or address.is_group:
            return False
        if address.is_link_local:
            self._notices.say(
                "link-local",
                f"a peer sees this node at {address}, a link-local address, which other machines cannot use: give the "
                "nodes global, unique local or IPv4 addresses, and advertise one of these",
            )
            return False
        return True

    def _warn_of_discord(self, voices: list[Address], now: float) -> None:
        """Tell people that no two peers agree: a translator of addresses shows each peer another address, so none can
        be announced."""
        began = self._first_voice_at
        if self._present is not None or began is None or len(set(voices)) < FIRST_AGREEING:
            return
        if now - began > 2 * self._config.probe_interval:
            self._notices.say(
                "discord",
                f"each peer sees this node at another address ({', '.join(map(str, sorted(set(voices))))}), so this "
                "node cannot tell where others reach it, and announces no address: advertise one",
            )


def _is_ipv6(host: str) -> bool:
    return ":" in host
