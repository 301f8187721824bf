"""State: who is who, and what this node believes of each member.

- ``member``, ``heartbeat``, ``node_standing``: the values. A member's status follows from its registers.
- ``entry``, ``view``: every member that is known; the ring and the fingerprint. Only the view writes entries.
- ``local``, ``signing``, ``wall``, ``hearing``: this node's own member, its signature, its clock, and whom it hears.
- ``round_trip``, ``sources``: how long answers take, and how much each host may cause.

It sends nothing and decides no timeout. All other rooms may import it; it imports support and the record store of wire.
"""
