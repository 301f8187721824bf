"""What an agent writes to standard output: that it started, every change, and the keys in force.

This module decides what the agent writes when, and what happens while there is no room: the agent goes on, and later
writes a snapshot in place of everything that it could not write. :mod:`gossip.cli.rendering` decides how a line looks.
"""

from __future__ import annotations

import functools
import logging
import time
from collections.abc import Awaitable, Iterable

import trio

from gossip import Keyring, MembershipEvent, Node, Snapshot, Subscription
from gossip.cli.agent.told import Told
from gossip.cli.output import NoRoom, Output
from gossip.cli.rendering import event_text, keys_json_line, keys_text, snapshot_text, started_text
from gossip.json_forms import event_json_line, snapshot_json_line, started_json_line

RETRY_S = 1.0
"""Seconds between two tries to write while standard output has no room."""

EVENT_BUFFER = 4096
"""Events kept while nobody reads the output. If there are more, the agent writes only the outcome for each member."""

logger = logging.getLogger("gossip.agent")


class Report:
    """The output of one agent."""

    def __init__(self, node: Node, output: Output, *, as_json: bool) -> None:
        """:param as_json: whether the output is for programs instead of people."""
        self.node = node
        self._output = output
        self._as_json = as_json
        self._told = Told()
        self._is_behind = False
        """Whether some changes were not written, so that a snapshot must replace them."""
        self._keys_changed = trio.Event()

    async def started(self) -> None:
        """Write the first line.

        :raises OSError: if nobody reads the output.
        """
        node = self.node
        self._told.began(node.local, node.standing)
        show = started_json_line if self._as_json else started_text
        self._is_behind = not await _has_room(
            self._output.write(show(node.local, node.bound_address, node.standing, time.time()))
        )

    async def changes(self, changes: Subscription) -> None:
        """Write all changes until the node closes.

        :raises OSError: if nobody reads the output.
        """
        has_room = not self._is_behind and await _has_room(self._write_changes(changes))
        while not has_room:
            self._is_behind = True
            await trio.sleep(RETRY_S)
            with self.node.subscribe(EVENT_BUFFER) as afresh:
                has_room = await _has_room(self._write_changes(afresh))

    async def keys(self) -> None:
        """Write which keys are in force, now and after each change, until cancelled.

        This writes only the latest keys: a slow reader does not delay a change of keys.

        :raises OSError: if nobody reads the output.
        """
        told: Keyring | None = None
        while True:
            self._keys_changed = changed = trio.Event()
            if self.node.keyring is not None and self.node.keyring != told:
                keyring = self.node.keyring
                if not await _has_room(self._write_keys(keyring)):
                    await trio.sleep(RETRY_S)
                    continue
                told = keyring
            await changed.wait()

    def keys_changed(self) -> None:
        """Make :meth:`keys` look at the keys of the node again."""
        self._keys_changed.set()

    async def _write_changes(self, changes: Subscription) -> None:
        async for item in changes:
            if self._is_behind and isinstance(item, Snapshot):
                await self._write_snapshot(item)
            else:
                for event in self._events_in(item):
                    await self._write_event(event)

    def _events_in(self, item: Snapshot | MembershipEvent) -> Iterable[MembershipEvent]:
        if isinstance(item, MembershipEvent):
            return (item,)
        if item.missed:
            logger.warning(
                "the reader of standard output is too slow: %d changes are written as the outcome for each member",
                item.missed,
            )
        return tuple(self._told.events_in(item, self.node.local, self.node.alive, trio.current_time()))

    async def _write_event(self, event: MembershipEvent) -> None:
        self._told.event(event)
        ago = trio.current_time() - event.time
        happened = time.time() - ago  # read last: a delay in between makes this late, and never too early
        show = event_json_line if self._as_json else event_text
        await self._output.write(show(event, happened))

    async def _write_snapshot(self, snapshot: Snapshot) -> None:
        node = self.node
        show = snapshot_json_line if self._as_json else snapshot_text
        await self._output.write(functools.partial(show, node.local, node.bound_address, snapshot, time.time()))
        self._told.snapshot(snapshot)
        self._is_behind = False

    async def _write_keys(self, keyring: Keyring) -> None:
        name, now = self.node.local.name, time.time()
        await self._output.write(keys_json_line(name, keyring, now) if self._as_json else keys_text(keyring, now))


async def _has_room(writing: Awaitable[None]) -> bool:
    """Wait until everything is written, or there is no room for it; returns whether it is written."""
    try:
        await writing
    except NoRoom:
        return False
    return True
