"""Presence: this node's own place in the cluster, from joining to leaving.

- ``joining``, ``farewell``: coming, finding the cluster again, and going.
- ``own_address``: where others reach this node, if nobody has said so.
- ``standing``, ``seeking``, ``unfit_answers``: how far this node may trust its own view, and why.
- ``names``: what it does when another process bears a name, or nobody can believe its generation.

It judges this node only. The front of the core imports it.
"""
