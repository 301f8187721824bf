"""``gossip demo``: shows the library at work with real processes on this machine.

``command``
    The command: which steps it takes, and their outcome.
``processes``, ``journal``
    Agents as child processes, and what they wrote.
``cluster``, ``steps``
    What the agents should do, and what the steps do to them.
``display``
    How the demonstration looks.

``gossip.cli.main`` imports the command from here. Tests use the agents, too.
"""

from __future__ import annotations

from gossip.cli.demo.command import demo

__all__ = ["demo"]
