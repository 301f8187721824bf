"""The events that several agents wrote, and what each agent believes according to them.

This module does no input or output. Times are those that the agents wrote, in Unix seconds. All agents run on this
machine, so they share its clock.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import attrs
import trio

NO_BELIEF = frozenset({"conflict", "keys", "standing"})
"""Kinds of events that change no belief of the agent that wrote them."""


@attrs.frozen
class Sighting:
    """One line that one agent wrote."""

    observer: str
    """Name of the agent that wrote it."""
    run: int
    """Which process of that name: 1 at first, and one more after each restart."""
    event: Mapping[str, Any]

    @property
    def kind(self) -> str:
        """``started``, ``joined``, ``died`` and so on."""
        return str(self.event["event"])

    @property
    def subject(self) -> str:
        """Name of the member it is about."""
        return str(self.event["name"])

    @property
    def time(self) -> float:
        """When it happened, in Unix seconds."""
        return float(self.event["time"])


class Journal:
    """All sightings in the order of their arrival."""

    def __init__(self) -> None:
        self.sightings: list[Sighting] = []
        self._beliefs: dict[str, dict[str, Mapping[str, Any]]] = {}
        self._news = trio.Event()

    def record(self, sighting: Sighting) -> None:
        """Add one, and wake the tasks that wait in :meth:`until`."""
        self.sightings.append(sighting)
        if sighting.kind == "started":
            self._beliefs[sighting.observer] = {}
        elif sighting.kind == "snapshot":
            self._beliefs[sighting.observer] = {str(member["name"]): member for member in sighting.event["members"]}
        elif sighting.kind == "forgotten":
            self._beliefs[sighting.observer].pop(sighting.subject, None)
        elif sighting.kind not in NO_BELIEF:
            self._beliefs[sighting.observer][sighting.subject] = sighting.event
        self.wake()

    def wake(self) -> None:
        """Make :meth:`until` check its conditions again."""
        self._news.set()
        self._news = trio.Event()

    async def until(self, condition: Callable[[], bool]) -> None:
        """Return as soon as ``condition`` holds; it is checked after each sighting."""
        while not condition():
            await self._news.wait()

    def belief(self, observer: str, subject: str) -> str | None:
        """The status of ``subject`` that ``observer`` wrote last; None if it has not mentioned it."""
        event = self._beliefs.get(observer, {}).get(subject)
        return None if event is None else str(event["status"])

    def last_about(self, subject: str) -> Sighting | None:
        """The newest change of ``subject``, from the first agent that wrote it."""
        newest: Sighting | None = None
        for sighting in reversed(self.sightings):
            if sighting.subject != subject:
                continue
            if newest is not None and sighting.kind != newest.kind:
                break
            newest = sighting
        return newest

    def first_times(
        self, observers: Iterable[str], matches: Callable[[Sighting], bool], since: int
    ) -> dict[str, float]:
        """When each of the observers first wrote something that matches, at or after position ``since``."""
        wanted = set(observers)
        times: dict[str, float] = {}
        for sighting in self.sightings[since:]:
            if sighting.observer in wanted and sighting.observer not in times and matches(sighting):
                times[sighting.observer] = sighting.time
        return times

    def after(self, since: int, *kinds: str) -> list[Sighting]:
        """Sightings of these kinds at or after position ``since``."""
        return [sighting for sighting in self.sightings[since:] if sighting.kind in kinds]
