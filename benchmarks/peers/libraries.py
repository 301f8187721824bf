"""The libraries that programs embed, asked for the same things in one way. kinship is optional."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import gossip
import gossip.aio
import gossip.blocking
from gossip import EventKind
from gossip.facade import Isolation

BUFFER = 100_000
"""Events kept for a reader that is behind: more than any measurement makes."""


class Heard(NamedTuple):
    """A change, whatever the library calls it."""

    what: str
    """``died``, ``suspected`` or ``told``."""
    who: str
    read_at: float | None = None
    """When the node read the datagram with it; None if the library does not tell."""
    sent: str | None = None
    """When it was sent, as its sender wrote it."""


class Library(NamedTuple):
    """How to ask a node for something."""

    open: Callable[[str, str, Sequence[str]], Any]
    """The block in which a node with this name, address and seeds runs."""
    changes: Callable[[Any], Any]
    """Iterates over what a node tells."""
    heard: Callable[[Any], Heard | None]
    """What an item of that means."""
    missed: Callable[[Any], int]
    """How many items were discarded before this one."""
    alive: Callable[[Any], int]


def _heard_by_ours(item: Any) -> Heard | None:
    if not isinstance(item, gossip.MembershipEvent):
        return None
    match item.kind:
        case EventKind.DIED:
            return Heard("died", item.member.name)
        case EventKind.SUSPECTED:
            return Heard("suspected", item.member.name)
        case EventKind.UPDATED:
            return Heard("told", item.member.name, item.time, item.member.metadata.get("sent"))
    return None


def _ours(open_node: Callable[..., Any], isolation: Isolation | None = None) -> Library:
    more = {} if isolation is None else {"isolation": isolation}
    return Library(
        open=lambda name, address, seeds: open_node(name, bind=address, seeds=seeds, insecure=True, **more),
        changes=lambda node: node.subscribe(buffer=BUFFER),
        heard=_heard_by_ours,
        missed=lambda item: item.missed if isinstance(item, gossip.Snapshot) else 0,
        alive=lambda node: int(node.alive),
    )


def _kinship(blocking: bool) -> Library:
    import kinship  # noqa: PLC0415 - optional, and not for Python 3.10
    import kinship.blocking  # noqa: PLC0415

    def heard(item: Any) -> Heard | None:
        match item:
            case kinship.MemberDead(member=member):
                return Heard("died", member.name)
            case kinship.MemberSuspect(member=member):
                return Heard("suspected", member.name)
            case kinship.UserMessage(sender=member, data=data):
                return Heard("told", member.name, None, data.decode())
        return None

    cluster = kinship.blocking.Cluster if blocking else kinship.Cluster
    return Library(
        open=lambda name, address, seeds: cluster(
            kinship.Config.lan(name=name, bind=address, seeds=seeds, insecure_plaintext=True, event_buffer=BUFFER)
        ),
        changes=lambda node: node.events(),
        heard=heard,
        missed=lambda item: item.count if isinstance(item, kinship.EventsLost) else 0,
        alive=lambda node: len(node.members()),
    )


LIBRARIES: Mapping[str, Callable[[], Library]] = {
    "ours-trio": lambda: _ours(gossip.open_node),
    "ours-aio": lambda: _ours(gossip.aio.open_node, "thread"),
    "ours-aio-process": lambda: _ours(gossip.aio.open_node, "process"),
    "ours-blocking": lambda: _ours(gossip.blocking.open_node, "thread"),
    "ours-blocking-process": lambda: _ours(gossip.blocking.open_node, "process"),
    "kinship": lambda: _kinship(blocking=False),
    "kinship-blocking": lambda: _kinship(blocking=True),
}
"""By the name of the system, which says the library and what runs the program. Each may raise :class:`ImportError`."""


def require_isolation(system: str) -> None:
    """Make sure that an open node runs in a process of its own, if the name of the system says so.

    :raises RuntimeError: if this process has no children.
    """
    tasks = Path("/proc/self/task").iterdir()
    if system.endswith("-process") and not any((task / "children").read_text() for task in tasks):
        raise RuntimeError('isolation="process" has opened the node in this process')
