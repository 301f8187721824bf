"""In which network this process opens nodes: that of the machine, or one that a test has put in its place.

This module decides only which network it is. The choice holds for one ``trio.run``, like the socket factory of trio,
and so for all its tasks.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import trio

from gossip.net import Network, SystemNetwork

_SYSTEM = SystemNetwork()

_OTHERS: trio.lowlevel.RunVar[tuple[Network, ...]] = trio.lowlevel.RunVar("networks of tests", ())
"""Those that are in place of the system's, the latest last."""


def current_network() -> Network:
    """The network in which nodes are opened now."""
    others = _OTHERS.get()
    return others[-1] if others else _SYSTEM


@contextmanager
def opened_in(network: Network) -> Iterator[None]:
    """Open the nodes of this ``trio.run`` in a network, while the block runs and no later one is in its place."""
    _OTHERS.set((*_OTHERS.get(), network))
    try:
        yield
    finally:
        _OTHERS.set(tuple(each for each in _OTHERS.get() if each is not network))
