"""The core on trio: datagrams, streams, name servers and the clock.

This room decides when to read, wait, send and try again, and how many bytes and seconds a stream may take.
``gossip.core`` decides what a message means, whom to contact and when a member is dead. ``gossip.security`` decides
which bytes are accepted.

Modules, from the sockets up:

``addresses``, ``refusals``, ``sockets``
    Addresses in all their forms; datagrams that the system of a peer refused; the sockets of a node.
``transport``
    What a node needs of the world outside, as interfaces.
``datagrams``, ``tcp``, ``system``
    Sending and receiving on the UDP socket; accepting and connecting by TCP; both as the transport of a node, with the
    names and the clock of the system.
``advertised``
    At which address others reach a node.
``conversation``, ``link``, ``streams``
    One secured stream; one stream with its limits; all streams, and the listener.
``seeds``
    The addresses behind the names of seeds.
``driver``
    The loop of a node, which drives all of this.

Import the names below from here. They are for ``gossip.node``, ``too_many_seeds`` for ``gossip.cli``, and the
interfaces for ``gossip.testing``.
"""

from __future__ import annotations

from gossip.net.addresses import ip_text, parse_address, reason, require_one_machine
from gossip.net.advertised import advertised_address
from gossip.net.conversation import Conversation
from gossip.net.driver import Driver
from gossip.net.seeds import SeedFinder, parse_seeds, too_many_seeds
from gossip.net.system import SystemNetwork
from gossip.net.transport import Connection, Datagrams, Listener, Network, Transport

__all__ = [
    "Connection",
    "Conversation",
    "Datagrams",
    "Driver",
    "Listener",
    "Network",
    "SeedFinder",
    "SystemNetwork",
    "Transport",
    "advertised_address",
    "ip_text",
    "parse_address",
    "parse_seeds",
    "reason",
    "require_one_machine",
    "too_many_seeds",
]
