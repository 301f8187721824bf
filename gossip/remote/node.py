"""A node in another process, as a program holds it: the :class:`RemoteNode` that :func:`open_remote_node` yields.

What can be read comes from the last message of that process. What changes something is asked of it. All else is decided
there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import final

import attrs
import trio

from gossip import forking
from gossip.core.config import Config
from gossip.core.detection.evidence import Explanation
from gossip.core.events import MembershipEvent
from gossip.core.state.local import check_metadata
from gossip.core.state.member import Member
from gossip.core.state.node_standing import NodeStanding
from gossip.core.state.wall import ClockDispute
from gossip.core.support.address import Address
from gossip.core.support.arguments import require
from gossip.errors import ClosedError, NodeProcessError
from gossip.node import Broadcast, Inside, Subscription, holds, joined, plain_metadata, require_trio
from gossip.remote.calls import Calls
from gossip.remote.lines import wanted_level, write
from gossip.remote.messages import LogLevel, News
from gossip.remote.state import NodeState
from gossip.security import Keyring, require_keyring
from gossip.telemetry import NodeStats, ShellCounters


@final
class RemoteNode:
    """A running member in a process of its own. Made by :func:`open_remote_node`.

    Its attributes are those of :class:`gossip.Node`. The properties, :meth:`members` and :meth:`get` can be read in any
    thread, and never wait. They say what the last message of the process said. What an event tells is known before the
    event is delivered. ``agreement``, ``health`` and ``clock_dispute`` may be as old as the last round of probes,
    ``stats`` two seconds more. All else belongs to the trio thread in which the node was opened. After the block has
    ended, the queries still give the last state.

    All times are those of ``time.monotonic()``, which the processes of a machine share.

    >>> import trio
    >>> from gossip.remote import RemoteNode, open_remote_node
    >>> async def main():
    ...     async with open_remote_node("ada", bind="127.0.0.1:0") as node:
    ...         await node.update({"release": "7"})
    ...         print(node.get("ada").metadata["release"])
    ...         print(node)
    >>> trio.run(main)
    7
    <gossip.remote.RemoteNode 'ada' at 127.0.0.1:..., connected, 1 alive, process ...>
    """

    def __init__(self, config: Config, pid: int, calls: Calls, first: News, log_level: int) -> None:
        self._config = config
        self._calls = calls
        self._log_level = log_level
        self._state = NodeState.first(first.items, first.changes)
        self._counters = ShellCounters()
        self._next_step: trio.Event | None = None
        self._is_copy = False
        self._name = self._state.local.name
        self.pid = pid
        """The id of its process."""
        self.steps = 0
        """How many messages of the process have come since the node was opened."""
        self.broadcast = Broadcast(_Source(self), self._counters)
        """Tells readers of its events; for the trio thread only."""
        write(first.lines)
        forking.register(self, RemoteNode._become_unusable)

    def _become_unusable(self) -> None:
        self._is_copy = True
        self._state = self._calls = self.broadcast = forking.unusable(f"node {self._name!r}")

    def __repr__(self) -> str:
        if self._is_copy:
            return f"<gossip.remote.RemoteNode {self._name!r} of the parent process>"
        state = "closed" if self._calls.have_ended else self.standing.standing.value
        where = f"at {self.address}, {state}, {self.alive} alive, process {self.pid}"
        return f"<gossip.remote.RemoteNode {self._name!r} {where}>"

    @property
    def local(self) -> Member:
        """This node as a member."""
        return self._state.local

    @property
    def address(self) -> Address:
        """Where others reach this node; before a peer has told it, where it is bound."""
        return self._state.address

    @property
    def bound_address(self) -> Address:
        """Where the sockets are bound: the host may be ``0.0.0.0`` or ``::``, the port is never 0."""
        return self._state.bound_address

    @property
    def standing(self) -> NodeStanding:
        """What this node knows of its own place in the cluster, since when, and why."""
        return self._state.standing

    @property
    def agreement(self) -> float | None:
        """Share (0 to 1) of the peers heard recently whose view of the cluster equalled this node's; None if nobody was
        heard for five rounds."""
        return self._state.agreement

    @property
    def health(self) -> int:
        """How far this node doubts itself: 0 is healthy, 8 the most. Its timeouts are stretched by that."""
        return self._state.health

    @property
    def clock_dispute(self) -> ClockDispute | None:
        """A peer whose clock and this node's are more than a year apart, so that one refuses the other; None if there
        was none within the last minute."""
        return self._state.clock_dispute

    @property
    def alive(self) -> int:
        """Number of living members as seen from here, this node included."""
        return self._state.alive

    @property
    def stats(self) -> NodeStats:
        """What this node has done so far. ``events_missed`` counts the readers in this process."""
        return attrs.evolve(self._state.stats, events_missed=self._counters.events_missed)

    @property
    def keyring(self) -> Keyring | None:
        """The keys in force; None for a node that was opened without keys."""
        return self._state.keyring

    def members(self) -> tuple[Member, ...]:
        """All known members sorted by name: this node, the others, and those that died or left of late. The same tuple
        until something changes."""
        return self._state.seen.members

    def get(self, name: str) -> Member | None:
        """The newest holder of ``name``, dead or alive, or None if there is none.

        :raises ConfigurationError: if ``name`` is no text.
        """
        require("name", name, str, "the name of a member, a text")
        return self._state.seen.get(name)

    def subscribe(self, buffer: int = 256) -> Subscription:
        """Follow the changes of the members and of this node's own standing, from now on.

        :param buffer: events kept for a reader that is behind.
        :raises ConfigurationError: if ``buffer`` is no whole number from 1 on.
        """
        return Subscription(self.broadcast, buffer)

    async def explain(self, name: str) -> Explanation | None:
        """Where the newest holder of ``name`` stands in the eyes of this node, and why; None if there is none.

        :raises ConfigurationError: if ``name`` is no text.
        :raises ClosedError: after the node was closed.
        :raises NodeProcessError: if its process has ended.
        """
        self._require_open()
        require("name", name, str, "the name of a member, a text")
        explanation: Explanation | None = await self._calls.ask("explain", str.__str__(name))
        return explanation

    async def update(self, metadata: Mapping[str, str]) -> None:
        """Replace this node's metadata and tell the others; see :meth:`gossip.Node.update`.

        :raises ConfigurationError: if it is too large or no mapping of texts to texts.
        :raises LeftError: after :meth:`leave`.
        :raises DisplacedError: while another process bears this node's name.
        :raises ClosedError: after the node was closed.
        :raises NodeProcessError: if its process has ended.
        """
        self._require_open()
        await self._calls.ask("update", plain_metadata(check_metadata(metadata, self._config)))

    async def use_keyring(self, keyring: Keyring) -> None:
        """Replace the keys; see :meth:`gossip.Node.use_keyring`.

        :raises ConfigurationError: if the node was opened without keys, or a package is missing that these need.
        :raises ClosedError: after the node was closed.
        :raises NodeProcessError: if its process has ended.
        """
        self._require_open()
        require_keyring(keyring)
        await self._calls.ask("use_keyring", keyring)

    async def leave(self) -> tuple[str, ...]:
        """Say farewell, and return the names of those who acknowledged it; see :meth:`gossip.Node.leave`. Cancelling
        this does not take the farewell back.

        :raises ClosedError: after the node was closed.
        :raises NodeProcessError: if its process has ended.
        """
        self._require_open()
        acknowledged_by: tuple[str, ...] = await self._calls.ask("leave")
        return acknowledged_by

    async def joined(self, timeout: float | None = None) -> None:
        """Wait until this node is connected; see :meth:`gossip.Node.joined`.

        :raises ConfigurationError: if ``timeout`` is no number of seconds from 0 on, or infinite.
        :raises JoinError: if that is not enough; the text names the seeds, and says why it is not connected.
        :raises LeftError: if the node leaves, or has left.
        :raises ClosedError: if the node is closed, or was.
        """
        self._require_open()
        await joined(self, self._name, timeout)

    async def until(self, condition: Callable[[RemoteNode], bool]) -> None:
        """Wait until ``condition(node)`` is true. It is called at once, and after each message of the process.

        :raises ConfigurationError: if ``condition`` cannot be called, or is an async function.
        :raises ClosedError: if the node is closed before, or was.
        """
        await trio.lowlevel.checkpoint()
        self._require_open()
        while not holds(condition, self):
            await self.step_after(self.steps)

    async def step_after(self, seen: int) -> None:
        """Wait until :attr:`steps` is above ``seen``.

        :raises ClosedError: if the node is closed before, or was.
        :raises NodeProcessError: if its process has ended.
        """
        while self.steps <= seen:
            self._require_open()
            if self._next_step is None:
                self._next_step = trio.Event()
            await self._next_step.wait()
        self._require_open()

    @property
    def inside(self) -> Inside:
        """This node in the form in which :mod:`gossip.facade` holds nodes."""
        return Inside(
            self,
            self.broadcast,
            lambda: self.steps,
            self.step_after,
            self.update,
            self.use_keyring,
            self.explain,
            self.joined,
            self.leave,
        )

    def _take(self, news: News) -> None:
        """Take over what has happened at the node. Nothing is awaited meanwhile, so no reader sees a part of it."""
        self._state = self._state.after(news.items, news.changes)
        write(news.lines)
        for item in news.items:
            if isinstance(item, MembershipEvent):
                self.broadcast.publish(item)
            else:
                self.broadcast.miss(item.missed)
        for reply in news.replies:
            self._calls.answer(reply)
        if "stats" in news.changes:  # every two seconds
            self._look_at_log_level()
        self._step()

    def _look_at_log_level(self) -> None:
        level = wanted_level()
        if level != self._log_level:
            self._log_level = level
            self._calls.tell(LogLevel(level))

    def _end(self, failure: NodeProcessError | ClosedError) -> None:
        """Let nothing wait for the node any more. Does nothing if it was called before.

        :param failure: what is raised from now on where the node is needed.
        """
        self._calls.end(failure)
        self.broadcast.close()
        self._step()

    def _step(self) -> None:
        self.steps += 1
        if self._next_step is not None:
            self._next_step.set()
            self._next_step = None

    def _require_open(self) -> None:
        self._calls.require_open()
        require_trio(f"node {self._name!r}")


@attrs.frozen
class _Source:
    """What the snapshots of a node are made of."""

    node: RemoteNode

    def told_members(self) -> tuple[Member, ...]:
        """The members as the events have told of them so far."""
        return self.node._state.told.members

    @property
    def local(self) -> Member:
        """The node itself as a member."""
        return self.node.local

    @property
    def standing(self) -> NodeStanding:
        """What the node knows of its own place."""
        return self.node.standing
