"""What hostile packets cost a node, and whether they change what it believes.

``python -m benchmarks.endurance hostile`` attacks nodes on the loopback interface.

``command``, ``measurement``
    The experiments, and the figures as they come.
``attack``, ``victim``
    Nodes in processes of their own, and packets sent to them.
``forgeries``, ``bombs``, ``borne``
    Datagrams that are forged; the valid messages that cost a node most; at which rate a node bears them, and the
    table of that.
"""
