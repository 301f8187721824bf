"""State: the identity of each member, and what this node believes about it.

- ``member``, ``heartbeat``, ``node_standing``: the values. A member's status follows from its registers.
- ``entry``, ``view``: all known members, the ring and the fingerprint. Only the view writes entries.
- ``local``, ``signing``, ``wall``, ``hearing``: this node's own member, its signature, its clock, and whom it hears.
- ``round_trip``, ``sources``: how long answers take, and how much each host may cause.

This room sends nothing and decides no timeout. All other rooms may import it. It imports support and, from wire, the
store of records.
"""
