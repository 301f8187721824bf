"""Explaining: why one member was suspected or held dead in a run; from its plan and the member's name.

The run is made again. A watch asks the core of each process that doubts the member for its evidence, and notes what was
true meanwhile (``watch``, ``doubts``) and what the network did with the member's datagrams (``datagrams``). An
``account`` holds all of that, and ``text`` makes sentences of it. From here are imported :func:`explain` and what it
returns.
"""

from __future__ import annotations

from gossip.core.errors import ConfigurationError

from ..plan import Plan
from ..running import Run
from ..words import nearest, offered
from .account import MAX_TOLD, Account
from .datagrams import Datagram, Datagrams
from .doubts import Accusation, Counters, Doubt, Life, Opinion
from .watch import Watch


def explain(plan: Plan, name: str) -> Account:
    """Run a plan again and find out what there was against the member of this name.

    :raises ConfigurationError: if nobody has this name in the run.
    """
    plan = plan.resolved()
    watch = Watch(name)
    outcome = Run(plan, observers=[watch]).run()
    if not watch.lives:
        raise ConfigurationError(
            f"no member of this run has the name {name!r}{nearest(name, watch.names)}; there are {offered(watch.names)}"
        )
    return Account(
        name=name, plan=plan, outcome=outcome, lives=tuple(watch.lives), doubts=tuple(watch.doubts),
        datagrams=watch.datagrams,
    )  # fmt: skip


__all__ = [
    "MAX_TOLD",
    "Account",
    "Accusation",
    "Counters",
    "Datagram",
    "Datagrams",
    "Doubt",
    "Life",
    "Opinion",
    "explain",
]
