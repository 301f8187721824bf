"""The changes of the membership, numbered and kept for a while, for any number of readers.

One subscription fills the journal, and each reader is only a number: that of the last item it has read. So a reader
that is slow costs no memory, and holds up neither the node nor another reader. This module decides what a reader gets
next: a snapshot, if the journal no longer has all that the reader lacks, and else the events that follow.
"""

from __future__ import annotations

import asyncio
import re
import time

import anyio.to_thread

from gossip.aio import Node
from gossip.core.events import EventKind, MembershipEvent
from gossip.core.state.member import Member
from gossip.json_forms import event_json_line, id_text, snapshot_json_line
from gossip.node import Snapshot

KEPT_BYTES = 1024 * 1024
"""Bytes of events that are kept for readers that come back or are slow: some thousands of events."""

PIECE_BYTES = 64 * 1024
"""Bytes of events that a reader gets at once; one item may have more."""

NOTHING_READ = -1
"""The place of a reader that has read nothing."""

_ITEM_ID = re.compile(r"([0-9a-f]{16})-([0-9]{1,18})")


class Journal:
    """The changes that one node has told since it was opened."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._run = id_text(node.local)
        self._members: dict[int, Member] = {}
        """As of the last item, by id."""
        self._ids: dict[str, set[int]] = {}
        """Of those that have a name: one, or two while this node is displaced."""
        self._standing = node.standing
        self._last = 0
        """The number of the last item; 0 before there is any."""
        self._floor = 0
        """The number of the last item that is no longer kept."""
        self._kept: dict[int, bytes] = {}
        """The events above the floor, by number, as a stream tells them."""
        self._kept_bytes = 0
        self._snapshot = (0, b"")
        """The last snapshot that was made, and the number of the item that it follows."""
        self._making_snapshot = asyncio.Lock()
        self._changed = asyncio.Event()
        self._has_ended = False

    async def follow(self) -> None:
        """Keep the changes of the node until it is closed."""
        try:
            with self._node.subscribe() as changes:
                async for item in changes:
                    self._last += 1
                    if isinstance(item, Snapshot):
                        self._begin_anew(item)
                    else:
                        self._append(item)
                    self._tell()
        finally:
            self._has_ended = True
            self._tell()

    def place_of(self, item_id: str | None) -> int:
        """The place of a reader that was last told the item with this id, or of one that has read nothing."""
        found = _ITEM_ID.fullmatch(item_id or "")
        if found is None or found[1] != self._run or int(found[2]) > self._last:
            return NOTHING_READ
        return int(found[2])

    async def changed_after(self, place: int) -> None:
        """Wait until there is more to read after a place, or nothing will follow."""
        while not self._has_ended and (place >= self._last or not self._last):
            await self._changed.wait()

    async def read_after(self, place: int) -> tuple[int, bytes] | None:
        """What follows a place: the new place, and the text for a stream. None if nothing will follow."""
        if place >= self._last or not self._last:
            return None
        if place < self._floor:
            return await self._current_snapshot()
        text = b""
        while place < self._last and len(text) < PIECE_BYTES:
            place += 1
            text += self._kept[place]
        return place, text

    def _begin_anew(self, snapshot: Snapshot) -> None:
        self._members, self._ids = {}, {}
        for member in snapshot.members:
            self._put(member)
        self._standing = snapshot.standing
        self._kept.clear()
        self._kept_bytes, self._floor = 0, self._last

    def _append(self, event: MembershipEvent) -> None:
        self._apply(event)
        happened = time.time() - (time.monotonic() - event.time)
        text = self._told(self._last, event_json_line(event, happened))
        self._kept[self._last] = text
        self._kept_bytes += len(text)
        while self._kept_bytes > KEPT_BYTES:
            self._floor += 1
            self._kept_bytes -= len(self._kept.pop(self._floor))

    def _apply(self, event: MembershipEvent) -> None:
        member = event.member
        self._standing = event.standing or self._standing
        if event.kind is EventKind.FORGOTTEN:
            self._take_out(member.id)
        elif event.kind is not EventKind.CONFLICT:
            if event.kind is EventKind.JOINED:
                for former in tuple(self._ids.get(member.name, ())):
                    self._take_out(former)
            self._put(member)

    def _put(self, member: Member) -> None:
        self._members[member.id] = member
        self._ids.setdefault(member.name, set()).add(member.id)

    def _take_out(self, member_id: int) -> None:
        former = self._members.pop(member_id, None)
        if former is not None:
            ids = self._ids[former.name]
            ids.remove(member_id)
            if not ids:
                del self._ids[former.name]

    async def _current_snapshot(self) -> tuple[int, bytes]:
        """The members now. Many readers that come at once share one, and the loop goes on while it is made."""
        async with self._making_snapshot:
            if self._snapshot[0] < self._last:
                number, members = self._last, sorted(self._members.values(), key=lambda member: member.name)
                shown = Snapshot(tuple(members), self._standing)
                local, bound, now = self._node.local, self._node.bound_address, time.time()
                line = await anyio.to_thread.run_sync(snapshot_json_line, local, bound, shown, now)
                self._snapshot = (number, self._told(number, line))
            return self._snapshot

    def _told(self, number: int, line: str) -> bytes:
        return f"id: {self._run}-{number}\ndata: {line}\n\n".encode()

    def _tell(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()
