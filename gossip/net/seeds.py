"""Finding the seeds: from ``host:port`` texts to IP addresses, kept up to date while the node runs.

A name stands for all its addresses, so one DNS name can hold all seeds of a cluster. A task of its own looks up each
name. If that fails, the task tries again, and delays no other. The core decides when to contact which address.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from random import Random

import trio

from gossip.backoff import Backoff
from gossip.core.errors import ConfigurationError
from gossip.core.presence.joining import MAX_SEEDS
from gossip.core.support.address import Address
from gossip.core.support.arguments import wrong
from gossip.net.addresses import ip_text, parse_address
from gossip.telemetry import NodeLog, ShellCounters

RETRY_PAUSE_MIN_S = 0.5
RETRY_PAUSE_MAX_S = 30.0
"""The pause after a failed look-up doubles from the first value to the second."""

ALONE_REFRESH_S = 5.0
"""Pause between look-ups of a name while the node sees nobody else, because the members may have moved."""

REFRESH_S = 60.0
"""The same while the node sees others, because it finds the members without the seeds then."""

JITTER = 0.25
"""Share by which pauses vary, so that nodes that start together do not ask the name server together."""

_TOO_MANY_FOUND = (
    "the seeds have %d addresses, and this node uses only the first %d. One of them where a member runs is enough. The "
    "log says so once"
)


def parse_seeds(seeds: Iterable[str | Address]) -> tuple[Address, ...]:
    """The seeds as given, without repetition; their hosts may be names.

    :raises ConfigurationError: if a seed is malformed, if nobody can send to it (``0.0.0.0:7946``), or if there are too
        many.
    """
    if isinstance(seeds, (str, bytes, Address, Mapping)) or not isinstance(seeds, Iterable):
        raise wrong("seeds", "a list of HOST:PORT, [] for none", seeds)
    parsed = []
    for text in seeds:
        seed = parse_address(text, "seeds")
        if seed.is_unspecified:
            raise ConfigurationError(f"seeds: nobody can send to {seed}; give a host and a port")
        literal = ip_text(seed.host)
        parsed.append(seed if literal is None else Address(literal, seed.port))
    given = tuple(dict.fromkeys(parsed))
    if excess := too_many_seeds(len(given)):
        raise ConfigurationError(f"seeds: {excess}")
    return given


def too_many_seeds(count: int) -> str:
    """The error for this number of seeds; empty if it is not too large."""
    if count <= MAX_SEEDS:
        return ""
    return (
        f"{count} are given, but at most {MAX_SEEDS} are allowed; two or three are enough, or one DNS name with the "
        "addresses of members"
    )


class SeedFinder:
    """Knows the addresses of the seeds, and reports each change."""

    def __init__(
        self,
        seeds: Sequence[Address],
        *,
        node_name: str,
        random: Random,
        resolve: Callable[[Address], Awaitable[tuple[Address, ...]]],
        can_reach: Callable[[Address], bool],
        is_alone: Callable[[], bool],
        found: Callable[[tuple[Address, ...], tuple[Address, ...]], None],
        counters: ShellCounters,
    ) -> None:
        """:param resolve: looks up a name, and raises OSError if it has no address.
        :param found: called with the addresses, and with the seeds whose names have no address so far.
        """
        self._log = NodeLog(__name__, node_name)
        self._random = random
        self._resolve = resolve
        self._can_reach = can_reach
        self._is_alone = is_alone
        self._found = found
        self._counters = counters
        self._names = [seed for seed in seeds if ip_text(seed.host) is None]
        self._unreachable: set[Address] = set()
        self._addresses: dict[Address, tuple[Address, ...]] = {
            seed: () if seed in self._names else self._reachable(seed, (seed,)) for seed in seeds
        }
        self._told: tuple[tuple[Address, ...], tuple[Address, ...]] = (), ()
        self._are_too_many = False

    async def run(self) -> None:
        """Report the addresses that need no look-up at once, and follow the names until cancelled."""
        self._tell()
        async with trio.open_nursery() as nursery:
            for name in self._names:
                nursery.start_soon(self._follow, name)

    async def _follow(self, name: Address) -> None:
        pause = Backoff(RETRY_PAUSE_MIN_S, RETRY_PAUSE_MAX_S)
        while True:
            try:
                addresses = await self._resolve(name)
            except (OSError, RuntimeError) as error:  # RuntimeError if the system allows no more threads
                self._counters.seed_lookups_failed += 1
                pause_s = pause.failed(trio.current_time())
                if pause.failures == 1:
                    self._log.warning("cannot resolve seed %s, will try again: %s", name, error)
                await trio.sleep(self._about(pause_s))
                continue
            pause.reset()
            self._addresses[name] = self._reachable(name, addresses)
            self._tell()
            await self._wait_to_refresh()

    async def _wait_to_refresh(self) -> None:
        for _ in range(round(REFRESH_S / ALONE_REFRESH_S)):
            await trio.sleep(self._about(ALONE_REFRESH_S))
            if self._is_alone():
                return

    def _reachable(self, seed: Address, addresses: tuple[Address, ...]) -> tuple[Address, ...]:
        reachable = tuple(address for address in addresses if self._can_reach(address))
        if not reachable and seed not in self._unreachable:
            self._unreachable.add(seed)
            is_link_local = any(each.is_link_local for each in addresses)
            what = "that is not link-local" if is_link_local else "of the IP version that this node is bound to"
            self._log.warning("seed %s has no address %s, so this node cannot use it", seed, what)
        return reachable

    def _tell(self) -> None:
        addresses = tuple(dict.fromkeys(address for found in self._addresses.values() for address in found))
        unresolved = tuple(name for name in self._names if not self._addresses[name])
        if len(addresses) > MAX_SEEDS and not self._are_too_many:
            self._are_too_many = True
            self._log.warning(_TOO_MANY_FOUND, len(addresses), MAX_SEEDS)
        if (addresses, unresolved) != self._told:
            self._told = addresses, unresolved
            self._log.debug("seeds are %s", ", ".join(map(str, addresses)))
            self._found(addresses, unresolved)

    def _about(self, pause: float) -> float:
        return pause * self._random.uniform(1 - JITTER, 1 + JITTER)
