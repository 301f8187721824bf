"""Simulations: the unchanged protocol core in virtual time, on a network that can fail in every way.

Read it in this order:

- ``randomness``, ``clock``, ``latency``, ``links``, ``network``: where chance comes from, and what ways are like.
- ``node``, ``streams``, ``engine``, ``observer``: processes, TCP, the heap of events, and who watches.
- ``steps``, ``plan``, ``scenarios``: what is done to a world, as data; everything a run follows from; named plans.
- ``truth``, ``agreement``, ``measures``, ``invariants``, ``sometimes``, ``trace_hash``: what is watched.
- ``run``, ``outcome``: one run, and what comes of it.
- ``request``, ``sweep``, ``workers``, ``worker``, ``dask_engine``, ``ended``, ``results``, ``summary``: many runs.
- ``trace``, ``explain``, ``shrink``, ``report``: finding out why.
- ``cli``: the command line, ``gossip sim`` where this is installed, ``python -m sims`` in the checkout; ``names``
  says which it is.
"""
