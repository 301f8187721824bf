"""What an agent does between its start and its end: report changes, obey signals, leave."""

from __future__ import annotations

import contextlib
import functools
import logging
import os
import select
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TypeVar

import attrs
import trio

from gossip import MembershipEvent, Node, Snapshot, Subscription, open_node
from gossip.cli.keyring_file import KeyringFile
from gossip.cli.metadata import MetadataError, combined
from gossip.cli.output import NoRoom, Output
from gossip.cli.rendering import (
    changes_between,
    event_json_line,
    event_text,
    keys_json_line,
    keys_text,
    snapshot_json_line,
    snapshot_text,
    started_json_line,
    started_text,
)
from gossip.core.address import Address
from gossip.core.config import Config
from gossip.core.errors import ConfigurationError, GossipError
from gossip.core.events import EventKind
from gossip.core.member import Member, Status
from gossip.core.node_standing import NodeStanding
from gossip.keyring import Keyring
from gossip.signing_key import SigningKey, load_allowed

LEAVE_LIMIT_S = 2.2
"""How long a farewell may take: with the rest below, an agent is gone within 3 seconds of being told to."""

LAST_LINES_S = 0.3
"""How long the last events may take to be written after the farewell."""

SAME_SIGNAL_S = 0.1
"""Signals this close together are one wish: timeout(1) and some supervisors signal the process and then
its group, and so the process twice."""

RETRY_S = 1.0
"""How long to wait for room where standard output has none."""

EVENT_BUFFER = 4096
"""Events kept while nobody reads our output; beyond that only their sum is told."""

STANDARD_INPUT = 0

EXIT_OK = 0
EXIT_FAILURE = 1
EXIT_SIGNAL_BASE = 128

logger = logging.getLogger("gossip.agent")

T = TypeVar("T")


@attrs.frozen(kw_only=True)
class AgentOptions:
    """The arguments of ``gossip agent``, checked."""

    name: str
    bind: Address
    advertise: Address | None
    join: tuple[Address, ...]
    config: Config
    metadata: Mapping[str, str]
    metadata_file: Path | None
    keyring_file: Path | None
    insecure: bool
    identity_file: Path | None
    allowed_file: Path | None
    as_json: bool
    exit_on_eof: bool


async def run_agent(options: AgentOptions) -> int:
    """Run one member until it is told to stop; returns the exit code.

    :raises ConfigurationError: for a name, address, metadata or file of keys that no member may have.
    :raises BindError: if the address cannot be used.
    :raises MetadataError: if the metadata file cannot be read.
    """
    return await _Agent(options).run()


class _Agent:
    def __init__(self, options: AgentOptions) -> None:
        self._options = options
        self._keyring_file = None if options.keyring_file is None else KeyringFile(options.keyring_file)
        self._node: Node | None = None
        self._stopping = trio.Event()
        self._everything_told = trio.Event()
        self._keys_changed = trio.Event()
        self._reading_keys = trio.Lock()
        self._output = Output()
        self._is_behind = False  # whether changes were not told that a snapshot has to make up for
        self._exit_code = EXIT_OK
        self._told: dict[str, Member] = {}
        self._told_standing: NodeStanding | None = None
        self._failure: Exception | None = None

    async def run(self) -> int:
        # Errors are carried out of the nursery by hand: the caller wants them single, not in a group.
        with trio.open_signal_receiver(signal.SIGTERM, signal.SIGINT, signal.SIGHUP) as signals:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._obey, signals, nursery)
                if self._options.exit_on_eof:
                    nursery.start_soon(self._watch_input)
                await self._be_a_member(nursery)
                nursery.cancel_scope.cancel()
        if self._failure is not None:
            raise self._failure
        return self._exit_code

    async def _be_a_member(self, nursery: trio.Nursery) -> None:
        async with contextlib.AsyncExitStack() as stack:
            try:
                node = await stack.enter_async_context(await self._opening())
            except (GossipError, MetadataError) as error:
                self._failure = error
                return
            changes = stack.enter_context(node.subscribe(EVENT_BUFFER))
            self._node = node
            nursery.start_soon(self._report, node, changes, nursery)
            if self._keyring_file is not None:
                nursery.start_soon(self._follow_keys, self._keyring_file)
            await self._stopping.wait()
            with trio.move_on_after(LEAVE_LIMIT_S):
                await self._leave(node)
        with trio.move_on_after(LAST_LINES_S):
            await self._everything_told.wait()

    async def _opening(self) -> contextlib.AbstractAsyncContextManager[Node]:
        options = self._options
        return open_node(
            options.name,
            bind=options.bind,
            advertise=options.advertise,
            seeds=options.join,
            metadata=await self._read_metadata(),
            config=options.config,
            keyring=None if self._keyring_file is None else await self._read_keys(self._keyring_file),
            insecure=options.insecure,
            identity=_read("--identity", SigningKey.load, options.identity_file),
            allowed=_read("--allowed", load_allowed, options.allowed_file),
        )

    async def _leave(self, node: Node) -> None:
        told = await node.leave()
        logger.info("left the cluster; acknowledged by %s", ", ".join(told) or "nobody")

    # What comes in: signals, the end of standard input, new metadata, new keys.

    async def _obey(self, signals: AsyncIterator[int], nursery: trio.Nursery) -> None:
        first_at = 0.0
        async for number in signals:
            if number == signal.SIGHUP and self._has_files:
                nursery.start_soon(self._reload)
            elif not self._stopping.is_set():
                first_at = trio.current_time()
                self._stopping.set()
                if self._node is None:  # nobody knows of us yet
                    nursery.cancel_scope.cancel()
            elif trio.current_time() - first_at > SAME_SIGNAL_S:
                self._exit_code = EXIT_SIGNAL_BASE + number
                nursery.cancel_scope.cancel()

    async def _watch_input(self) -> None:
        # os.read in a thread, because a descriptor that is shared with a shell must stay blocking.
        with contextlib.suppress(OSError):
            while await trio.to_thread.run_sync(_read_some, abandon_on_cancel=True):
                pass
        self._stopping.set()

    @property
    def _has_files(self) -> bool:
        return self._options.metadata_file is not None or self._keyring_file is not None

    async def _reload(self) -> None:
        if self._options.metadata_file is not None:
            await self._reload_metadata()
        if self._keyring_file is not None:
            await self._reload_keys(self._keyring_file)

    async def _reload_metadata(self) -> None:
        try:
            metadata = await self._read_metadata()
            if self._node is not None and self._node.local.metadata != metadata:  # or the signal was for the keys
                self._node.update(metadata)
        except (GossipError, MetadataError) as error:
            logger.error("the metadata stays as it was: %s", error)

    async def _read_metadata(self) -> dict[str, str]:
        options = self._options
        reading = functools.partial(combined, options.metadata_file, options.metadata)
        with naming("--meta-file"):
            return await trio.to_thread.run_sync(reading, abandon_on_cancel=True)

    async def _read_keys(self, file: KeyringFile) -> Keyring:
        with naming("--keyring"):
            return await file.load()

    async def _follow_keys(self, file: KeyringFile) -> None:
        while True:
            await file.changed()
            await self._reload_keys(file)

    async def _reload_keys(self, file: KeyringFile) -> None:
        node = self._node
        if node is None:  # what changes while the node is opened is noticed as soon as the file is followed
            return
        async with self._reading_keys:  # so that what is read last is what holds
            try:
                keyring = await self._read_keys(file)
                if node.keyring != keyring:
                    node.use_keyring(keyring)
                    self._keys_changed.set()
            except GossipError as error:
                logger.warning("the keys stay as they were: %s", error)

    # What goes out.

    async def _report(self, node: Node, changes: Subscription, nursery: trio.Nursery) -> None:
        with self._stopping_when_nobody_reads():
            has_room = await _has_room(self._print_started(node))
            if self._keyring_file is not None:
                nursery.start_soon(self._report_keys, node)
            has_room = has_room and await _has_room(self._print_changes(node, changes))
            while not has_room:
                self._is_behind = True
                await trio.sleep(RETRY_S)
                with node.subscribe(EVENT_BUFFER) as afresh:
                    has_room = await _has_room(self._print_changes(node, afresh))
        self._everything_told.set()

    async def _report_keys(self, node: Node) -> None:
        # Only the keys that hold: a reader that is slow does not keep them from changing.
        told: Keyring | None = None
        with self._stopping_when_nobody_reads():
            while True:
                self._keys_changed = changed = trio.Event()
                if node.keyring is not None and node.keyring != told:
                    keyring = node.keyring
                    if not await _has_room(self._print_keys(node.local.name, keyring)):
                        await trio.sleep(RETRY_S)
                        continue
                    told = keyring
                await changed.wait()

    @contextlib.contextmanager
    def _stopping_when_nobody_reads(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            self._exit_code = EXIT_FAILURE
            if not isinstance(error, BrokenPipeError):
                logger.error("standard output cannot be written: %s", error.strerror)
            self._stopping.set()

    def _events_in(self, item: Snapshot | MembershipEvent) -> Iterable[MembershipEvent]:
        if isinstance(item, MembershipEvent):
            return (item,)
        if item.missed:
            logger.warning("%d changes were not told one by one: standard output is read too slowly", item.missed)
        return (*self._standing_in(item), *changes_between(self._told, item.members, trio.current_time()))

    def _standing_in(self, snapshot: Snapshot) -> Iterator[MembershipEvent]:
        if self._node is not None and snapshot.standing != self._told_standing:
            node, own = self._node, snapshot.standing
            yield MembershipEvent(EventKind.STANDING, node.local, node.alive, own.since, standing=own)

    async def _print_started(self, node: Node) -> None:
        self._told[node.local.name], self._told_standing = node.local, node.standing
        show = started_json_line if self._options.as_json else started_text
        await self._output.write(show(node.local, node.address, node.standing, time.time()))

    async def _print_changes(self, node: Node, changes: Subscription) -> None:
        async for item in changes:
            if self._is_behind and isinstance(item, Snapshot):
                await self._print_snapshot(node, item)
            else:
                for event in self._events_in(item):
                    await self._print_event(event)

    async def _print_snapshot(self, node: Node, snapshot: Snapshot) -> None:
        show = snapshot_json_line if self._options.as_json else snapshot_text
        await self._output.write(functools.partial(show, node.local, node.address, snapshot, time.time()))
        self._told = {member.name: member for member in snapshot.members}
        self._told_standing = snapshot.standing
        self._is_behind = False

    def _remember(self, event: MembershipEvent) -> None:
        """Keep what a reader of our output knows by now: no more than there are members."""
        name = event.member.name
        self._told_standing = event.standing or self._told_standing
        if event.kind is EventKind.FORGOTTEN:
            self._told.pop(name, None)
        elif event.kind is not EventKind.CONFLICT and event.member.status is not Status.DISPLACED:
            self._told[name] = event.member  # the two left out do not hold the name

    async def _print_event(self, event: MembershipEvent) -> None:
        self._remember(event)
        ago = trio.current_time() - event.time
        happened = time.time() - ago  # read last: if we are kept waiting in between, this is late, and never too early
        show = event_json_line if self._options.as_json else event_text
        await self._output.write(show(event, happened))

    async def _print_keys(self, name: str, keyring: Keyring) -> None:
        now = time.time()
        await self._output.write(
            keys_json_line(name, keyring, now) if self._options.as_json else keys_text(keyring, now)
        )


@contextlib.contextmanager
def naming(option: str) -> Iterator[None]:
    """Put the option that names a file in front of what is wrong with it."""
    try:
        yield
    except (ConfigurationError, MetadataError) as error:
        raise type(error)(f"{option}: {error}") from None


def _read(option: str, load: Callable[[Path], T], file: Path | None) -> T | None:
    """What is in the file that an option names; None without one."""
    if file is None:
        return None
    with naming(option):
        return load(file)


async def _has_room(writing: Awaitable[None]) -> bool:
    """Wait until all is written, or there is no room for it."""
    try:
        await writing
    except NoRoom:
        return False
    return True


def _read_some() -> bytes:
    while True:  # whoever shares the descriptor with us may have made it one that does not block
        try:
            return os.read(STANDARD_INPUT, 4096)
        except BlockingIOError:
            select.select([STANDARD_INPUT], [], [])
