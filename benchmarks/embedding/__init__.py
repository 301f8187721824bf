"""What a program pays that embeds a node, on trio, asyncio or threads, and what becomes of the node.

``imports``
    The time that ``import gossip`` takes, beside the packages that it needs.
``systems``
    The programs that are compared; ``benchmarks/peers/`` has them.
``bench``
    What the following measurements work with, and how they start programs.
``blocked``
    Whether a program is taken for dead that does not let its own loop run.
``latency``
    How long after its node a program knows of a change, and how long it takes to ask for all members.
``embedded``
    The time to open a node, and its CPU time and memory when nothing happens.
``storm``
    What is left of nodes that were opened and cancelled.
``commands``
    The commands of these four.
"""
