"""Steps: what is done to a simulated world from outside, as data that can be stored, left out and replayed.

A step names nodes by their keys or, until its plan is resolved, by words that stand for several nodes
(:mod:`sims.plan.selection`). A step that lasts undoes itself at its end, so a plan without any one of its steps is
still a plan.

How to add a fault:

1. If the fault makes links worse, add a field to :class:`sims.world.Link` and the same field to
   :class:`sims.world.LinkChange`, use it in ``DirectedLink.carry``, and name it in ``is_plain`` there: a plain link
   takes a short cut. :class:`Disturb` can then apply it (``Disturb(..., change=LinkChange(yours=...))``).
2. For any other fault, write a class here, in the module for its kind: ``life`` (processes come and go),
   ``processes`` (a process or its machine is ill), ``networks`` (links) or ``forgeries`` (lies). Derive it from
   :class:`Step`, or from :class:`Lasting` if it lasts. It says what happens (``begin``, ``end``), which nodes it needs
   (``nodes``), which nodes do not work normally meanwhile (``impairs``) and how a report describes it (``describe``).
   What the simulation cannot do yet becomes a method of :class:`sims.world.Simulation`.
3. Add the class to :data:`AnyStep` and ``__all__`` below. Plans, JSON, traces, ``shrink`` and ``explain`` know it then.
4. Add it to ``steps_by_kind`` in ``tests/sims/strategies.py``, and its phrase to the tests in
   ``tests/sims/test_headline.py``. Tests fail until you do.
5. Use it in a scenario (:mod:`sims.scenarios`) or in a plan of your own. If the swarm draws it
   (``sims/scenarios/swarm.py``), all seeds of the swarm change.
"""

from __future__ import annotations

from .base import Lasting, Naming, Step, Subject
from .forgeries import FORGER, FORGERIES, Forge
from .life import Crash, Leave, Reseed, Restart, Start, Update
from .networks import Disturb, Hold
from .processes import Block, Drift, Pause, Slow

AnyStep = Start | Crash | Restart | Leave | Update | Reseed | Pause | Block | Slow | Drift | Disturb | Hold | Forge
"""Any of the steps."""

__all__ = [
    "FORGER",
    "FORGERIES",
    "AnyStep",
    "Block",
    "Crash",
    "Disturb",
    "Drift",
    "Forge",
    "Hold",
    "Lasting",
    "Leave",
    "Naming",
    "Pause",
    "Reseed",
    "Restart",
    "Slow",
    "Start",
    "Step",
    "Subject",
    "Update",
]
