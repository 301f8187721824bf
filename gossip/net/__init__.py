"""The core on trio: sockets, streams, name servers and the clock.

This room decides when to read, wait, send and try again, and how many bytes and seconds a stream may cost. What a
message means, whom to contact and when a member is dead is decided in ``gossip.core``; which bytes are let through, in
``gossip.security``.

Modules, from the sockets up:

``addresses``, ``refusals``, ``sockets``
    Addresses in all their forms; datagrams that a peer's system refused; the sockets of a node.
``datagrams``
    The UDP socket at work.
``conversation``, ``link``, ``streams``
    One stream secured; one stream with its limits; all streams, and the listener.
``seeds``
    The addresses behind the names of seeds.
``clock``
    The clock of nodes that threads or processes other than their own read.
``driver``
    The loop of a node, which runs all of it.

Import the names below from here. They are for ``gossip.node``; ``too_many_seeds`` is for ``gossip.cli``, and
``MonotonicClock`` for the rooms that run trio themselves.
"""

from __future__ import annotations

from gossip.net.addresses import parse_address, reason, require_one_machine
from gossip.net.clock import MonotonicClock
from gossip.net.conversation import Conversation
from gossip.net.driver import Driver, wall_clock_ms
from gossip.net.seeds import SeedFinder, parse_seeds, too_many_seeds
from gossip.net.sockets import SocketPair, advertised_address, open_sockets

__all__ = [
    "Conversation",
    "Driver",
    "MonotonicClock",
    "SeedFinder",
    "SocketPair",
    "advertised_address",
    "open_sockets",
    "parse_address",
    "parse_seeds",
    "reason",
    "require_one_machine",
    "too_many_seeds",
    "wall_clock_ms",
]
