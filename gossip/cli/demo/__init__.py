"""``gossip demo``: what the library does, shown with real processes on this machine.

``command``
    The command: which steps are taken, and what they come to.
``processes``, ``journal``
    Agents as child processes, and what they have said.
``cluster``, ``steps``
    What is expected of the agents, and what is done to them.
``display``
    How it is shown.

``gossip.cli.main`` imports the command from here. Tests use the agents, too.
"""

from __future__ import annotations

from gossip.cli.demo.command import demo

__all__ = ["demo"]
