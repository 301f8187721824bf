"""A node as those need it who hold it for programs that trio does not run.

This module decides nothing: it gives every call of a node one form, in which it is awaited.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import ParamSpec, Protocol, TypeVar

import attrs

from gossip.core.detection.evidence import Explanation
from gossip.core.state.member import Member
from gossip.core.state.node_standing import NodeStanding
from gossip.core.state.wall import ClockDispute
from gossip.core.support.address import Address
from gossip.node.node import Node
from gossip.node.subscription import Broadcast
from gossip.security import Keyring
from gossip.telemetry import NodeStats

P = ParamSpec("P")
T = TypeVar("T")


class Answering(Protocol):
    """A node, in this process or in another one, as far as its answers are there already; see :class:`gossip.Node`."""

    @property
    def local(self) -> Member:
        """The node as a member."""

    @property
    def address(self) -> Address:
        """Where others reach it."""

    @property
    def bound_address(self) -> Address:
        """Where its sockets are bound."""

    @property
    def standing(self) -> NodeStanding:
        """Its own place in the cluster."""

    @property
    def agreement(self) -> float | None:
        """Share of the peers whose view equals its own."""

    @property
    def health(self) -> int:
        """How far it doubts itself."""

    @property
    def clock_dispute(self) -> ClockDispute | None:
        """A peer that disagrees about the time."""

    @property
    def alive(self) -> int:
        """Number of living members."""

    @property
    def stats(self) -> NodeStats:
        """What it has done so far."""

    @property
    def keyring(self) -> Keyring | None:
        """The keys in force."""

    def members(self) -> tuple[Member, ...]:
        """All known members, by name."""

    def get(self, name: str) -> Member | None:
        """The newest holder of a name."""


@attrs.frozen
class Inside:
    """An open node. What is awaited belongs to the trio thread; the rest can be used in any thread."""

    node: Answering
    """For the questions whose answer is there already."""
    broadcast: Broadcast
    """For the trio thread only."""
    steps: Callable[[], int]
    """How many steps the protocol has made."""
    step_after: Callable[[int], Awaitable[None]]
    """Waits until it has made more steps than so many, or the node is closed."""
    update: Callable[[Mapping[str, str]], Awaitable[None]]
    use_keyring: Callable[[Keyring], Awaitable[None]]
    explain: Callable[[str], Awaitable[Explanation | None]]
    joined: Callable[[float | None], Awaitable[None]]
    leave: Callable[[], Awaitable[tuple[str, ...]]]

    @classmethod
    def of(cls, node: Node) -> Inside:
        """The inside of a node that trio runs in this process."""
        return cls(
            node,
            node._broadcast,
            lambda: node._steps,
            node._step_after,
            awaited(node.update),
            awaited(node.use_keyring),
            awaited(node.explain),
            node.joined,
            node.leave,
        )


def awaited(function: Callable[P, T]) -> Callable[P, Awaitable[T]]:
    """The same function, in the form in which it is awaited."""

    async def call(*args: P.args, **kwargs: P.kwargs) -> T:
        return function(*args, **kwargs)

    return call
