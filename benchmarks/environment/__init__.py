"""What every measurement needs from the machine. Imports nothing else of the benchmarks.

``measuring``
    How measurements fail and end, and the facts about the machine that are kept with every result.
``terminal``
    What all commands have in common.
``namespace``
    A private network: its losses, its partitions, and counts of its packets.
``builds``
    Programs and environments that are built once and kept in a cache.
``parallel``, ``usage``
    Work on all cores; the CPU time and memory of a process.
"""
