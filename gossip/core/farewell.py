"""The farewell: a node that leaves tells several members, and goes when they have acknowledged.

The news spreads like any other; the acknowledgements make sure that it does not depend on one
datagram, and tell the caller who has heard it.
"""

from __future__ import annotations

from gossip.core.config import Config
from gossip.core.facts import liveness_fact
from gossip.core.local import LocalMember
from gossip.core.messages import Ping
from gossip.core.outbox import Outbox, Path
from gossip.core.probing import Prober
from gossip.core.source import RandomSource
from gossip.core.timers import Timers
from gossip.core.view import View


class Farewell:
    """The farewell of this node, once it has begun."""

    def __init__(self, config: Config, view: View, timers: Timers, random: RandomSource, outbox: Outbox,
                 local: LocalMember, prober: Prober) -> None:  # fmt: skip
        self._config = config
        self._view = view
        self._timers = timers
        self._random = random
        self._outbox = outbox
        self._local = local
        self._prober = prober
        self._asked: dict[int, int] = {}
        self._deadline = 0.0
        self.acknowledged_by: dict[int, str] = {}
        """Names, by id, of the members that have acknowledged."""

    def begin(self, now: float) -> None:
        """Tell members until enough of them have acknowledged or ``leave_timeout`` is over."""
        self._deadline = now + self._config.leave_timeout
        self._tell(now)

    @property
    def is_done(self) -> bool:
        """Whether enough members have acknowledged; with nobody to tell, that is none."""
        return len(self.acknowledged_by) >= min(self._config.leave_acknowledgements, self._view.others)

    def acknowledged(self, token: int, sender: int) -> bool:
        """Match an ack with the farewell it answers."""
        if self._asked.get(token) != sender:
            return False
        entry = self._view.get(sender)
        self.acknowledged_by[sender] = entry.identity.name if entry is not None else ""
        return True

    def _tell(self, now: float) -> None:
        if self.is_done or now >= self._deadline:
            return
        fact = liveness_fact(self._local.entry)
        wanted = self._config.leave_acknowledgements + 1 - len(self.acknowledged_by)
        for entry in self._view.sample(wanted, self._random, tuple(self.acknowledged_by)):
            token = self._prober.new_token()
            self._asked[token] = entry.id
            self._outbox.send(Path(entry.registers.record.address), Ping(token), now, to=entry, facts=[fact])
        self._timers.at(now + self._prober.round_trip.timeout(self._config), self._tell)
