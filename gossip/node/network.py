"""In which network the nodes of this process are opened: that of the machine, or one that a test has put in its place.

This module decides only which network it is. The choice belongs to one ``trio.run``, like the socket factory of trio,
and so holds for all tasks in it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import trio

from gossip.net import Network, SystemNetwork

_NETWORK: trio.lowlevel.RunVar[Network] = trio.lowlevel.RunVar("gossip network", SystemNetwork())


def current_network() -> Network:
    """The network that nodes are opened in now."""
    return _NETWORK.get()


@contextmanager
def opened_in(network: Network) -> Iterator[None]:
    """Open the nodes of this ``trio.run`` in a network, for as long as the block runs."""
    token = _NETWORK.set(network)
    try:
        yield
    finally:
        _NETWORK.reset(token)
