"""The protocol itself, without sockets, clocks or global randomness.

Each room is a package that says in its docstring what it decides:

- ``support``: addresses, checks of text, timers, budgets, drops and notices.
- ``state``: the identity of each member, and what this node believes about it.
- ``wire``: messages and facts, and their bytes.
- ``dissemination``: what goes out, to whom, and how two views become equal.
- ``detection``: how an unanswered probe leads to a suspicion and then a conviction.
- ``presence``: this node's own place in the cluster.

The modules beside the rooms are the front of the core. Read them in this order:

- ``config``, ``errors``: the settings, and what goes wrong.
- ``protocol``: the protocol of one node as a few calls. ``assembly``: makes its parts.
- ``inbox``, ``replies``: take in a message and answer it.
- ``intake``, ``belief``, ``changes``: which facts this node believes, and what follows from them.
- ``events``, ``journal``, ``stats``: what the embedding program hears.
- ``query``: asks a node for its view from outside.
"""
