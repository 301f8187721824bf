"""Nodes in programs that trio does not run, beside kinship. Decides what is done to such programs.

``systems``
    A library, and what runs the program; ``benchmarks/peers/`` has the programs.
``bench``
    What a measurement works with, and the programs that it starts.
``blocked``
    Whether a program is taken for dead that does not let its own loop run.
``latency``
    How long after its node a program knows of something, and how long it takes to ask for all members.
``embedded``
    What a node costs a program: time to open it, CPU time when nothing happens, memory.
``storm``
    What is left of nodes that were opened and cancelled.
"""
