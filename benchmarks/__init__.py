"""Measurements of real clusters on this machine's loopback interface. Start them with ``python -m benchmarks.figures``.

``benchmarks.figures``
    The command: what is measured, in which order, and what is printed.
``benchmarks.report``
    A figure beside its target, the closing table, and the machine it was measured on.
``benchmarks.plan``
    How often and how long each measurement is made, and the targets.
``benchmarks.cluster``, ``benchmarks.measures``
    Many nodes in one process, and what is measured of them.
``benchmarks.memory``
    The memory of a node, in a process of its own.
``benchmarks.frozen``
    Agents as processes, stopped for a while and woken again.
"""
