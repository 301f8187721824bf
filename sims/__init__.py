"""Simulations: the unchanged protocol core in virtual time, on a network that can fail in every way.

Each room says in its ``__init__`` what it decides and what may be imported from it. A room imports only rooms that
stand below it in this list:

- ``cli``: the command line, ``gossip sim`` where this is installed, ``python -m sims`` in a checkout.
- ``explain``, ``report``, ``reproduce``, ``sweep``: why a member was held dead; a page to look at; traces, replays and
  small tests of a violation; many seeds.
- ``running``: one run of a plan, and its outcome.
- ``invariants``: what must hold.
- ``watching``: what is measured.
- ``scenarios``: named plans, and plans in files of your own.
- ``plan``: everything that a run follows from, as data.
- ``steps``: what is done to a world. To add a fault, start here.
- ``world``: nodes, network, streams and clocks in virtual time.
- ``names``, ``words``: the two names of this package; counts, times and lists in words.
"""
