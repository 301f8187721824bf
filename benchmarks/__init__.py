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

Measurements of simulated clusters, which need no quiet machine but the one of speed:

``benchmarks.simulated``, ``benchmarks.simulated_figures``, ``benchmarks.growth``
    The command, what each figure is made of and held to, and how time and memory grow.
``benchmarks.evaluation``, ``benchmarks.ablations``
    Each choice in the protocol made otherwise.
``benchmarks.parallel``, ``benchmarks.tables``
    Runs on all cores; kept results (``benchmarks/results/``) as tables of ``docs/evaluation.rst``.
"""
