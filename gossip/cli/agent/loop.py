"""What an agent does between its start and its end: open its node, obey signals, read its files again, leave.

:mod:`gossip.cli.agent.report` decides what it writes meanwhile.
"""

from __future__ import annotations

import contextlib
import functools
import logging
import os
import select
import signal
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from pathlib import Path
from typing import TypeVar

import attrs
import trio

from gossip import Keyring, Node, SigningKey, Subscription, open_node
from gossip.cli.agent.keyring_file import KeyringFile
from gossip.cli.agent.metadata import MetadataError, combined
from gossip.cli.agent.report import EVENT_BUFFER, Report
from gossip.cli.output import Output
from gossip.core.config import Config
from gossip.core.errors import ConfigurationError, GossipError
from gossip.core.support.address import Address
from gossip.security import load_allowed

LEAVE_LIMIT_S = 2.2
"""Seconds that a farewell may take. Together with the next constant, an agent ends within 3 seconds after a signal."""

LAST_LINES_S = 0.3
"""Seconds for writing the last events after the farewell."""

SAME_SIGNAL_S = 0.1
"""Signals within so many seconds count as one: timeout(1) and some supervisors signal the process and then its group,
so the process gets two signals."""

STOPS = (signal.SIGTERM, signal.SIGINT)

if sys.platform == "win32":
    RELOADS: tuple[signal.Signals, ...] = ()  # it has no signal for that
else:
    RELOADS = (signal.SIGHUP,)
"""The signals at which the files are read again."""

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
    """Run one member until it gets a signal to stop; returns the exit code.

    :raises ConfigurationError: if a name, an address, metadata or a file of keys is not valid.
    :raises BindError: if the node cannot use the address.
    :raises MetadataError: if the metadata file cannot be read.
    """
    return await _Agent(options).run()


class _Agent:
    def __init__(self, options: AgentOptions) -> None:
        self._options = options
        self._keyring_file = None if options.keyring_file is None else KeyringFile(options.keyring_file)
        self._report: Report | None = None
        """None until the node is open."""
        self._stopping = trio.Event()
        self._everything_told = trio.Event()
        self._reading_keys = trio.Lock()
        self._exit_code = EXIT_OK
        self._failure: Exception | None = None

    async def run(self) -> int:
        # A nursery would put an error into a group; the caller wants it alone.
        with trio.open_signal_receiver(*STOPS, *RELOADS) as signals:
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
            self._report = Report(node, Output(), as_json=self._options.as_json)
            nursery.start_soon(self._write, self._report, changes, nursery)
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
            if number in RELOADS and self._has_files:
                nursery.start_soon(self._reload)
            elif not self._stopping.is_set():
                first_at = trio.current_time()
                self._stopping.set()
                if self._report is None:  # nobody knows this node yet
                    nursery.cancel_scope.cancel()
            elif trio.current_time() - first_at > SAME_SIGNAL_S:
                self._exit_code = EXIT_SIGNAL_BASE + number
                nursery.cancel_scope.cancel()

    async def _watch_input(self) -> None:
        # os.read in a thread, because a descriptor shared with a shell must stay blocking.
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
            node = None if self._report is None else self._report.node
            if node is not None and node.local.metadata != metadata:  # if not, the signal was for the keys
                node.update(metadata)
        except (GossipError, MetadataError) as error:
            logger.error("cannot read the metadata again, so it stays as it was: %s", error)

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
        report = self._report
        if report is None:  # the agent notices a change during the opening as soon as it follows the file
            return
        async with self._reading_keys:  # so that the keys that were read last are in force
            try:
                keyring = await self._read_keys(file)
                if report.node.keyring != keyring:
                    report.node.use_keyring(keyring)
                    report.keys_changed()
            except GossipError as error:
                logger.warning("cannot read the keys again, so they stay as they were: %s", error)

    # What goes out.

    async def _write(self, report: Report, changes: Subscription, nursery: trio.Nursery) -> None:
        with self._stopping_when_nobody_reads():
            await report.started()
            if self._keyring_file is not None:
                nursery.start_soon(self._write_keys, report)
            await report.changes(changes)
        self._everything_told.set()

    async def _write_keys(self, report: Report) -> None:
        with self._stopping_when_nobody_reads():
            await report.keys()

    @contextlib.contextmanager
    def _stopping_when_nobody_reads(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            self._exit_code = EXIT_FAILURE
            if not isinstance(error, BrokenPipeError):
                logger.error("cannot write to standard output, so the agent leaves: %s", error.strerror)
            self._stopping.set()


@contextlib.contextmanager
def naming(option: str) -> Iterator[None]:
    """Begin the text of errors about a file with the option that names it."""
    try:
        yield
    except (ConfigurationError, MetadataError) as error:
        raise type(error)(f"{option}: {error}") from None


def _read(option: str, load: Callable[[Path], T], file: Path | None) -> T | None:
    """The content of the file that an option names; None without one."""
    if file is None:
        return None
    with naming(option):
        return load(file)


def _read_some() -> bytes:
    while True:  # another process that shares the descriptor may have made it non-blocking
        try:
            return os.read(STANDARD_INPUT, 4096)
        except BlockingIOError:
            select.select([STANDARD_INPUT], [], [])
