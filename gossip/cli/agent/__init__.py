"""``gossip agent``: one member of a cluster, as a process of its own.

``command``
    The command, its options and its help.
``loop``
    An agent from its start to its end: it opens its node, obeys signals, reads its files again, and leaves.
``report``, ``told``
    What it writes to standard output, and what a reader of that knows so far.
``metadata``, ``keyring_file``, ``logs``
    Metadata as people write it; changes of the file of keys; log lines from a thread of their own.

``gossip.cli.main`` imports the command from here; nobody else imports anything.
"""

from __future__ import annotations

from gossip.cli.agent.command import agent

__all__ = ["agent"]
