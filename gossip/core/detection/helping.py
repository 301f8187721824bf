"""Helping: probing a member for other members, for a limited number of them at once.

One probe serves all requests about the same member. Beyond the limits for all requests together and for each source,
and for an unknown member, the answer is a NACK at once. So a forged request makes a node send little, and only to
members: a request names a member by its id, and never an address.
"""

from __future__ import annotations

from collections import Counter

from gossip.core.config import Config
from gossip.core.detection.probing import Probe, Prober, Reason
from gossip.core.dissemination.outbox import Outbox, Path
from gossip.core.state.entry import Entry
from gossip.core.state.view import View
from gossip.core.support.address import Address
from gossip.core.support.drop_reasons import Drop
from gossip.core.support.drops import Drops
from gossip.core.wire.messages import IndirectAck, Nack


class Helping:
    """The requests of others that one node serves."""

    def __init__(self, config: Config, view: View, outbox: Outbox, prober: Prober, drops: Drops) -> None:
        self._config = config
        self._view = view
        self._outbox = outbox
        self._prober = prober
        self._drops = drops
        self._asking: dict[Entry, list[tuple[Path, int]]] = {}
        self._by_source: Counter[Address] = Counter()

    def __len__(self) -> int:
        return self._by_source.total()

    def help(self, path: Path, token: int, target_id: int, now: float) -> None:
        """Probe a member for the peer at ``path``, and tell the peer the result."""
        target = self._view.get(target_id)
        is_too_much = self._is_too_much(path.address)
        if is_too_much:
            self._drops.note(Drop.TOO_MANY_REQUESTS_TO_HELP)
        if target is None or is_too_much:
            self._outbox.send(path, Nack(token, target_id), now)
            return
        self._by_source[path.address] += 1
        asking = self._asking.get(target)
        if asking is not None:
            asking.append((path, token))
            return
        self._asking[target] = [(path, token)]
        self._prober.probe(target, Reason.HELP, self._report, now, path.credit)

    def _is_too_much(self, source: Address) -> bool:
        return (
            len(self) >= self._config.max_helped
            or self._by_source[source] >= self._config.max_helped_per_source
            or self._prober.is_full
        )

    def _report(self, probe: Probe, now: float) -> None:
        target = probe.target
        for path, token in self._asking.pop(target):
            self._by_source[path.address] -= 1
            if not self._by_source[path.address]:
                del self._by_source[path.address]
            if probe.answered:
                self._outbox.send(path, IndirectAck(token, target.id, target.registers.heartbeat), now)
            else:
                self._outbox.send(path, Nack(token, target.id), now)
