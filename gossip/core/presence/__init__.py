"""Presence: this node's own place in the cluster, from joining to leaving.

- ``joining``, ``farewell``: finding the cluster, finding it again, and leaving it.
- ``own_address``: where others reach this node, if its program does not say so.
- ``standing``, ``seeking``, ``unfit_answers``: how far this node may trust its own view, and why.
- ``names``: conflicts, when another process holds this node's name, or when nobody can believe this node's generation.

This room judges this node only. The front of the core imports it.
"""
