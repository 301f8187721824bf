"""The core on trio: sockets, streams, name servers and the clock.

This room decides when to read, wait, send and try again, and how many bytes and seconds a stream may take.
``gossip.core`` decides what a message means, whom to contact and when a member is dead. ``gossip.security`` decides
which bytes are accepted.

Modules, from the sockets up:

``addresses``, ``refusals``, ``sockets``
    Addresses in all their forms; datagrams that the system of a peer refused; the sockets of a node.
``datagrams``
    Sending and receiving on the UDP socket.
``conversation``, ``link``, ``streams``
    One secured stream; one stream with its limits; all streams, and the listener.
``seeds``
    The addresses behind the names of seeds.
``driver``
    The loop of a node, which drives all of this.

Import the names below from here. They are for ``gossip.node``, and ``too_many_seeds`` for ``gossip.cli``.
"""

from __future__ import annotations

from gossip.net.addresses import parse_address, reason, require_one_machine
from gossip.net.conversation import Conversation
from gossip.net.driver import Driver, wall_clock_ms
from gossip.net.seeds import SeedFinder, parse_seeds, too_many_seeds
from gossip.net.sockets import SocketPair, advertised_address, open_sockets

__all__ = [
    "Conversation",
    "Driver",
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
