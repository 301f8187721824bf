"""The world: processes, links, streams and clocks in virtual time, with the protocol cores running in it.

This room decides what happens to a datagram, a stream or a timer, and where chance comes from. It does not decide
which faults happen (:mod:`sims.steps`) or what has to hold (:mod:`sims.invariants`). Read it in this order:

- ``randomness``, ``checks``: random streams from one seed; validators of numbers.
- ``latency``, ``links``, ``network``: delays, one link with its faults, all links.
- ``node``, ``streams``: one process with its core and its clock, TCP.
- ``virtual_time``, ``driver``, ``simulation``: the heap of events, what delivers and calls timers, the whole.
- ``observer``: the base class of everything that watches.
"""

from __future__ import annotations

from .checks import NamesItsFields, as_float, at_least
from .latency import Constant, Exponential, Latency, Lognormal, Measured, Pareto, Uniform, parse_latency
from .links import LAN_LATENCY, GilbertElliott, Held, Link, LinkChange
from .network import Network
from .node import SimulatedNode
from .observer import Observer
from .randomness import Draws, derived_random, derived_seed
from .simulation import Simulation

__all__ = [
    "LAN_LATENCY",
    "Constant",
    "Draws",
    "Exponential",
    "GilbertElliott",
    "Held",
    "Latency",
    "Link",
    "LinkChange",
    "Lognormal",
    "Measured",
    "NamesItsFields",
    "Network",
    "Observer",
    "Pareto",
    "SimulatedNode",
    "Simulation",
    "Uniform",
    "as_float",
    "at_least",
    "derived_random",
    "derived_seed",
    "parse_latency",
]
