"""Systems side by side over real sockets. Decides what is done to clusters, the same for every system.

``systems``
    The systems that are compared; ``benchmarks/peers/`` has the programs that run their nodes.
``hosts``, ``cluster``
    The processes that run nodes; the nodes in them, and what is done to those.
``experiments``
    What is measured.
``campaign``
    All experiments, one after the other. The command ``run`` imports this.
"""
